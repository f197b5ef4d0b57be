/*
 * comparison_picture.c: baseline and model, layer by layer: the figure of the
 * paper, with proved bounds.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "axis.h"
#include "comparison_words.h"
#include "html.h"
#include "layers.h"

#include <math.h>
#include <string.h>

static void print_bar(const lip_axis *axis, const json_t *layer, int y, const char *colour, FILE *stream)
{
    double upper = field_number(layer, "gain.upper"), from = axis_place(axis, 1.0), to = axis_place(axis, upper);
    if (!layer || json_is_null(layer))
        return;
    if (!isfinite(upper))
        fprintf(stream, "<rect x=\"0\" y=\"%d\" width=\"100%%\" height=\"9\" fill=\"none\" stroke=\"" HTML_ALARM
                        "\" stroke-dasharray=\"4 3\"/>", y);
    else
        fprintf(stream, "<rect x=\"%.3f%%\" y=\"%d\" width=\"%.3f%%\" height=\"9\" fill=\"%s\"/>"
                        "<line x1=\"%.3f%%\" x2=\"%.3f%%\" y1=\"%d\" y2=\"%d\" stroke=\"%s\" stroke-width=\"2\"/>",
                from < to ? from : to, y, fabs(to - from), colour, to, to, y - 1, y + 10, colour);
}

static const char *class_of(const char *change)
{
    return strcmp(change, "regressed") == 0 || strcmp(change, "looser") == 0 ? "bad"
           : strcmp(change, "improved") == 0                                ? "good"
                                                                            : "soft";
}

static void print_row(const lip_axis *axis, const json_t *report, const json_t *pair, FILE *stream)
{
    const json_t *layer = pair_layer(report, pair), *old = field(pair, "baseline");
    const char *change = field_text(pair, "change");
    fputs("<tr><td class=\"name\">", stream);
    html_print(stream, layer_name(layer ? layer : old));
    fputs("</td><td class=\"wide\">", stream);
    html_print(stream, field_text(layer ? layer : old, "op"));
    fputs("</td><td class=\"plot\" width=\"45%\"><svg width=\"100%\" height=\"24\" role=\"img\">", stream);
    axis_print_grid(axis, stream);
    print_bar(axis, old, 2, HTML_BASELINE, stream);
    print_bar(axis, layer, 13, HTML_PROVED, stream);
    fprintf(stream, "</svg></td><td class=\"n wide\">%s</td><td class=\"n wide\">%s</td><td class=\"n\">%s</td>",
            layer_cell(number_upper, field_number(old, "gain.upper"), 6, 12).text,
            layer_cell(number_upper, field_number(layer, "gain.upper"), 6, 12).text,
            layer_cell(number_nearest, field_number(pair, "ratio"), 4, 12).text);
    fprintf(stream, "<td class=\"n wide\">%s</td><td class=\"n wide\">%s</td>",
            layer_cell(number_upper, field_number(old, "cumulative_upper"), 6, 12).text,
            layer_cell(number_upper, field_number(layer, "cumulative_upper"), 6, 12).text);
    fprintf(stream, "<td class=\"%s\">", class_of(change));
    html_print(stream, change);
    fputs("</td></tr>\n", stream);
}

static void print_head(const json_t *comparison, const lip_axis *axis, FILE *stream)
{
    fputs("<h2>Beside the baseline</h2>\n<p class=\"soft\">Baseline ", stream);
    html_print(stream, field_text(comparison, "baseline.path"));
    fputs(" <svg width=\"14\" height=\"12\"><rect y=\"1\" width=\"14\" height=\"10\" fill=\"" HTML_BASELINE "\"/></svg>"
          " and this model <svg width=\"14\" height=\"12\"><rect y=\"1\" width=\"14\" height=\"10\" fill=\"" HTML_PROVED
          "\"/></svg>: proved upper bounds of the gains, from 1, on a log axis.</p>\n"
          "<div class=\"scroll\"><table cellpadding=\"3\" width=\"100%\"><thead><tr><th>layer</th>"
          "<th class=\"wide\">operator</th><th>", stream);
    axis_print(axis, stream);
    fputs("</th><th class=\"n wide\">baseline</th><th class=\"n wide\">model</th><th class=\"n\">ratio</th>"
          "<th class=\"n wide\">baseline cum. L</th><th class=\"n wide\">cum. L</th><th>change</th></tr></thead>\n"
          "<tbody>\n", stream);
}

static void print_foot(const json_t *report, const json_t *comparison, FILE *stream)
{
    const json_t *note;
    size_t i;
    const char *change = field_text(comparison, "network.change");
    fprintf(stream, "<tr><td class=\"name\"><b>L_F</b></td><td class=\"wide\"></td><td></td>"
                    "<td class=\"n wide\">%s</td><td class=\"n wide\">%s</td><td class=\"n\">%s</td>"
                    "<td class=\"wide\"></td><td class=\"wide\"></td>"
                    "<td class=\"%s\">",
            layer_cell(number_upper, field_number(comparison, "network.upper"), 6, 12).text,
            layer_cell(number_upper, field_number(report, "network.lipschitz.upper"), 6, 12).text,
            layer_cell(number_nearest, field_number(comparison, "network.ratio"), 4, 12).text, class_of(change));
    html_print(stream, change);
    fputs("</td></tr>\n</tbody></table></div>\n", stream);
    json_array_foreach((json_t *)field(comparison, "notes"), i, note) {
        fputs("<p class=\"soft\">Note: ", stream);
        html_print(stream, json_string_value(note) ? json_string_value(note) : "");
        fputs("</p>\n", stream);
    }
}

void html_comparison(const json_t *report, FILE *stream)
{
    const json_t *comparison = field(report, "comparison"), *pair;
    size_t i;
    lip_axis axis = axis_start(true);
    if (!json_is_object(comparison))
        return;
    axis_take(&axis, 1.0);
    json_array_foreach((json_t *)field(comparison, "layers"), i, pair) {
        axis_take(&axis, field_number(pair, "baseline.gain.upper"));
        axis_take(&axis, field_number(pair_layer(report, pair), "gain.upper"));
    }
    axis_finish(&axis);
    print_head(comparison, &axis, stream);
    json_array_foreach((json_t *)field(comparison, "layers"), i, pair)
        if (!pair_rearranges(report, pair))
            print_row(&axis, report, pair, stream);
    print_foot(report, comparison, stream);
}
