/*
 * audit_markdown.c: the audit as a GitHub-flavoured Markdown table, for a pull
 * request or a model card.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "layers.h"
#include "markdown.h"

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

static void print_layer(FILE *stream, const lip_layer *layer)
{
    char shapes[400];
    lip_number none = {"-"}, unknown = {"unknown"};
    layer_shapes(layer, shapes, sizeof shapes);
    fputc('|', stream);
    put_name(stream, layer_name(layer));
    put_name(stream, layer->op);
    put_name(stream, shapes);
    put_cell(stream, layer_cell(number_nearest, layer->power_estimate, 6, ANY_WIDTH));
    put_cell(stream, layer_cell(number_nearest, layer->exact_svd, 6, ANY_WIDTH));
    put_cell(stream, layer_cell(number_lower, layer->gain.lower, 6, ANY_WIDTH));
    put_cell(stream, layer->verdict == LIP_UNKNOWN ? unknown
                                                   : layer_cell(number_upper, layer->gain.upper, 6, ANY_WIDTH));
    put_cell(stream, isnan(layer->gain.tightness) ? none : number_excess(layer->gain.tightness));
    put_cell(stream, layer_cell(number_upper, layer->cumulative_upper, 6, ANY_WIDTH));
    put_cell(stream, isfinite(layer->log_share) ? number_percent(layer->log_share) : none);
    put_cell(stream, isnan(layer->seconds) ? none : number_seconds(layer->seconds));
    fputc('\n', stream);
}

static void print_table(FILE *stream, const lip_report *report)
{
    fputs("| layer | operator | in->out | power iteration | exact SVD | proved lower | proved upper "
          "| tightness - 1 | cumulative L | share % | seconds |\n"
          "|---|---|---|--:|--:|--:|--:|--:|--:|--:|--:|\n", stream);
    for (size_t i = 0; i < report->layer_count; i++)
        if (!layer_rearranges(&report->layers[i]))
            print_layer(stream, &report->layers[i]);
    fputc('\n', stream);
    layers_print_rearranged(report, stream);
    fputs("\n\n", stream);
    layers_print_folded(report, stream);
    fputs("\n\n", stream);
}

static void print_reasons(FILE *stream, const lip_report *report)
{
    for (size_t i = 0; i < report->layer_count; i++) {
        const lip_layer *layer = &report->layers[i];
        if (layer->verdict == LIP_BOUNDED)
            continue;
        fprintf(stream, "- **%s**: node ", layer->verdict == LIP_UNBOUNDED ? "UNBOUNDED" : "UNKNOWN");
        markdown_print(stream, layer->name);
        fputs(" (", stream);
        markdown_print(stream, layer->op);
        fputs("): ", stream);
        markdown_print(stream, layer->reason ? layer->reason : "");
        fputc('\n', stream);
    }
}

static bool render(const lip_run_info *run, FILE *stream)
{
    const lip_report *report = run->report;
    fputs("### Lipschitz audit of ", stream);
    markdown_print(stream, run->info.path);
    fputs("\n\n", stream);
    print_table(stream, report);
    print_reasons(stream, report);
    if (report->verdict == LIP_BOUNDED)
        fprintf(stream, "- **L_F <= %s**\n", number_upper(report->network.upper, 6).text);
    else
        fputs("- **L_F: no bound**\n", stream);
    if (!isnan(report->power_product_estimate)) {
        fputs("- Power iteration: ", stream);
        network_print_estimate(report, stream);
        fputc('\n', stream);
    }
    fputs("- Costs most: ", stream);
    layers_print_costliest(report, stream);
    fputs("\n- ", stream);
    network_print_proof(run, stream);
    fputc('\n', stream);
    return true;
}

const lip_format format_audit_markdown = {"markdown", ".md", render};
