/*
 * page.c: the HTML report.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "format.h"
#include "html.h"
#include "layers.h"
#include "said.h"
#include "utf8.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

void html_print(FILE *stream, const char *text)
{
    while (*text != '\0') {
        size_t plain = strcspn(text, "&<>\"'");
        char part[256];
        plain = plain < sizeof part - 4 ? plain : sizeof part - 4;
        while (plain > 0 && ((unsigned char)text[plain] & 0xC0) == 0x80)
            plain--; /* not in the middle of a character */
        if (plain > 0) {
            memcpy(part, text, plain);
            part[plain] = '\0';
            utf8_print(stream, part);
        } else if (strchr("&<>\"'", *text)) {
            fprintf(stream, "&#%d;", *text);
            plain = 1;
        } else {
            fputc('?', stream);
            plain = 1;
        }
        text += plain;
    }
}

bool html_said(FILE *stream, const json_t *report, void (*say)(const json_t *report, FILE *stream))
{
    char *text = said(report, say);
    if (text)
        html_print(stream, text);
    bool complete = text != NULL;
    free(text);
    return complete;
}

static void print_head(const json_t *report, FILE *stream)
{
    fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
          "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>lipaudit: ", stream);
    html_print(stream, field_text(report, "model.path"));
    fputs("</title>\n", stream);
    html_style(stream);
    fputs("</head>\n<body>\n<main>\n<h1>Lipschitz audit of ", stream);
    html_print(stream, field_text(report, "model.path"));
    fputs("</h1>\n", stream);
}

static void print_model(const json_t *report, FILE *stream)
{
    const json_t *model = field(report, "model");
    fputs("<p class=\"soft\">", stream);
    html_print(stream, field_text(model, "producer"));
    fprintf(stream, ", opset %" PRId64 ", %" PRIu64 " nodes, %s parameters, sha256 <code>",
            field_integer(model, "opset"), field_count(model, "nodes"),
            number_count(field_count(model, "parameters")).text);
    html_print(stream, field_text(model, "sha256"));
    fputs("</code></p>\n", stream);
}

static void print_card(FILE *stream, const char *title, const char *value)
{
    fprintf(stream, "<div><span>%s</span> <b>%s</b></div>\n", title, value);
}

static void print_cards(const json_t *report, FILE *stream)
{
    const json_t *network = field(report, "network"), *gates = field(report, "gates");
    double power = field_number(network, "power_iteration_product");
    double median = field_number(report, "certification.radius.median");
    double pairwise = field_number(network, "pairwise_max_upper");
    fputs("<div class=\"cards\">\n", stream);
    if (verdict_of(network) == LIP_BOUNDED)
        print_card(stream, "L_F, proved, at most", number_upper(field_number(network, "lipschitz.upper"), 6).text);
    else
        print_card(stream, "L_F", verdict_alarm(verdict_of(network)));
    if (isfinite(pairwise))
        print_card(stream, "any two logits' difference, at most", number_upper(pairwise, 6).text);
    if (isfinite(power))
        print_card(stream, "power iteration (estimate)", number_nearest(power, 6).text);
    if (isfinite(median))
        print_card(stream, "median certified radius", number_lower(median, 6).text);
    if (json_array_size(gates) > 0) {
        const json_t *gate;
        size_t i, held = 0;
        char text[64];
        json_array_foreach((json_t *)gates, i, gate)
            held += json_is_true(field(gate, "holds"));
        snprintf(text, sizeof text, "%zu of %zu", held, json_array_size(gates));
        print_card(stream, "gates that hold", text);
    }
    fputs("</div>\n", stream);
}

static void print_foot(const json_t *report, FILE *stream)
{
    fputs("<h2>What is proved</h2>\n<p>", stream);
    html_said(stream, report, network_print_proof);
    fputs("</p>\n<p class=\"soft\">lipaudit ", stream);
    html_print(stream, field_text(report, "tool.version"));
    fputs(", ", stream);
    html_print(stream, field_text(report, "tool.blas"));
    fputs(", ", stream);
    html_print(stream, field_text(report, "tool.lapack"));
    if (isfinite(field_number(report, "timing.total")))
        fprintf(stream, "; %s s, %s at the peak", number_seconds(field_number(report, "timing.total")).text,
                number_bytes(field_count(report, "peak_memory_bytes")).text);
    fputs("</p>\n</main>\n</body>\n</html>\n", stream);
}

static bool render(const json_t *report, FILE *stream)
{
    print_head(report, stream);
    print_model(report, stream);
    print_cards(report, stream);
    html_gates(report, stream);
    layers_print_reasons(report, "<p><b class=\"bad\">", "</b>", "</p>\n", html_print, stream);
    html_comparison(report, stream);
    html_certification(report, stream);
    html_tightness(report, stream);
    html_cumulative(report, stream);
    html_layers(report, stream);
    print_foot(report, stream);
    return true;
}

const lip_format format_html = {"html", ".html", render};
