/*
 * audit_markdown.c: the audit as a GitHub-flavoured Markdown table, for a pull
 * request or a model card.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "format.h"
#include "layers.h"
#include "markdown.h"
#include "sections.h"

#include <math.h>

#define ANY_WIDTH 40

static void put_cell(FILE *stream, lip_number n)
{
    fprintf(stream, " %s |", n.text);
}

static void put_name(FILE *stream, const char *name)
{
    fputc(' ', stream);
    markdown_print(stream, name);
    fprintf(stream, " |");
}

static void print_layer(FILE *stream, const json_t *layer)
{
    char shapes[400];
    lip_number none = {"-"}, unknown = {"unknown"};
    double tightness = field_number(layer, "gain.tightness"), share = field_number(layer, "log_share");
    double seconds = field_number(layer, "seconds");
    layer_shapes(layer, shapes, sizeof shapes);
    fputc('|', stream);
    put_name(stream, layer_name(layer));
    put_name(stream, field_text(layer, "op"));
    put_name(stream, shapes);
    put_cell(stream, layer_cell(number_nearest, field_number(layer, "power_iteration.value"), 6, ANY_WIDTH));
    put_cell(stream, layer_cell(number_nearest, field_number(layer, "exact_svd"), 6, ANY_WIDTH));
    put_cell(stream, layer_cell(number_lower, field_number(layer, "gain.lower"), 6, ANY_WIDTH));
    put_cell(stream, verdict_of(layer) == LIP_UNKNOWN
                         ? unknown : layer_cell(number_upper, field_number(layer, "gain.upper"), 6, ANY_WIDTH));
    put_cell(stream, isnan(tightness) ? none : number_excess(tightness));
    put_cell(stream, layer_cell(number_upper, field_number(layer, "cumulative_upper"), 6, ANY_WIDTH));
    put_cell(stream, isfinite(share) ? number_percent(share) : none);
    put_cell(stream, isnan(seconds) ? none : number_seconds(seconds));
    fputc('\n', stream);
}

static bool print_table(FILE *stream, const json_t *report)
{
    fputs("| layer | operator | in->out | power iteration | exact SVD | proved lower | proved upper "
          "| tightness - 1 | cumulative L | share % | seconds |\n"
          "|---|---|---|--:|--:|--:|--:|--:|--:|--:|--:|\n", stream);
    const json_t *layer;
    size_t i;
    json_array_foreach((json_t *)report_layers(report), i, layer)
        if (!layer_rearranges(layer))
            print_layer(stream, layer);
    fputc('\n', stream);
    bool complete = markdown_said(report, layers_print_rearranged, stream);
    fputs("\n\n", stream);
    complete = markdown_said(report, layers_print_folded, stream) && complete;
    fputs("\n\n", stream);
    return complete;
}

static bool render(const json_t *report, FILE *stream)
{
    fputs("### Lipschitz audit of ", stream);
    markdown_print(stream, field_text(report, "model.path"));
    fputs("\n\n", stream);
    bool complete = print_table(stream, report);
    layers_print_reasons(report, "- **", "**", "\n", markdown_print, stream);
    if (verdict_of(field(report, "network")) == LIP_BOUNDED)
        fprintf(stream, "- **L_F <= %s**\n", number_upper(field_number(report, "network.lipschitz.upper"), 6).text);
    else
        fputs("- **L_F: no bound**\n", stream);
    if (!isnan(field_number(report, "network.power_iteration_product"))) {
        fputs("- Power iteration: ", stream);
        complete = markdown_said(report, network_print_estimate, stream) && complete;
        fputc('\n', stream);
    }
    fputs("- Costs most: ", stream);
    complete = markdown_said(report, layers_print_costliest, stream) && complete;
    fputs("\n- ", stream);
    complete = markdown_said(report, network_print_proof, stream) && complete;
    fputc('\n', stream);
    sections_markdown(report, stream);
    return complete;
}

const lip_format format_markdown = {"markdown", ".md", render};
