/*
 * audit_text.c: the audit as a person reads it in a terminal: the table of
 * layers, then the network in a few lines and what was proved in one sentence.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "layers.h"
#include "table.h"
#include "utf8.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void print_quoted(FILE *stream, const char *name)
{
    fputc('\'', stream);
    utf8_print(stream, name);
    fputc('\'', stream);
}

static void print_model(const lip_run_info *run, FILE *stream)
{
    char shape[160];
    const lip_model_info *info = &run->info;
    utf8_print(stream, info->path);
    fprintf(stream, " (sha256 %.12s)\n  ", info->sha256);
    if (info->producer && info->producer[0] != '\0') {
        utf8_print(stream, info->producer);
        fprintf(stream, ", ");
    }
    fprintf(stream, "opset %lld, %zu nodes", (long long)info->opset, info->nodes);
    if (info->nodes_folded > 0)
        fprintf(stream, " (%zu more folded into constants)", info->nodes_folded);
    fprintf(stream, ", %s parameters\n  ", number_count(info->parameters).text);
    for (size_t i = 0; i < info->input_count; i++) {
        shape_text(&run->inputs[i].shape, run->inputs[i].shape_known, shape, sizeof shape);
        fprintf(stream, "%s", i > 0 ? ", " : info->input_count > 1 ? "inputs " : "input ");
        print_quoted(stream, run->inputs[i].name);
        fprintf(stream, " %s", shape);
    }
    shape_text(&run->logits.shape, run->logits.shape_known, shape, sizeof shape);
    fprintf(stream, ", logits ");
    print_quoted(stream, run->logits.name);
    fprintf(stream, " %s\n\n", shape);
}

/* Breaks at spaces, so that long sentences stay readable. */
static void print_wrapped(const char *text, int width, FILE *stream)
{
    int at = 0;
    while (*text != '\0') {
        int word = (int)strcspn(text, " ");
        if (at > 0 && at + 1 + word > width) {
            fputc('\n', stream);
            at = 0;
        }
        fprintf(stream, "%s%.*s", at > 0 ? " " : "", word, text);
        at += word + (at > 0);
        text += word;
        text += strspn(text, " ");
    }
    fputc('\n', stream);
}

/* The sentences of layers.h write to a stream; here they are wrapped on the way. */
static bool print_paragraph(const lip_run_info *run, void (*write)(const struct lip_run_info *, FILE *), FILE *stream)
{
    char *text = NULL;
    size_t size = 0;
    FILE *memory = open_memstream(&text, &size);
    if (!memory)
        return false;
    write(run, memory);
    bool complete = !ferror(memory);
    complete = fclose(memory) == 0 && complete && text;
    if (complete && text[0] != '\0')
        print_wrapped(text, stream_width(stream), stream);
    free(text);
    return complete;
}

static void write_rearranged(const lip_run_info *run, FILE *stream)
{
    layers_print_rearranged(run->report, stream);
}

static void write_folded(const lip_run_info *run, FILE *stream)
{
    layers_print_folded(run->report, stream);
}

static void write_costliest(const lip_run_info *run, FILE *stream)
{
    size_t index[LAYERS_COSTLIEST];
    if (layers_costliest(run->report, index) == 0)
        return;
    fprintf(stream, "Costs most: ");
    layers_print_costliest(run->report, stream);
}

static void write_estimate(const lip_run_info *run, FILE *stream)
{
    if (isnan(run->report->power_product_estimate))
        return;
    fprintf(stream, "Power iteration: ");
    network_print_estimate(run->report, stream);
}

/* Every layer without a bound, with its reason. */
static void print_reasons(const lip_report *report, bool colour, FILE *stream)
{
    for (size_t i = 0; i < report->layer_count; i++) {
        const lip_layer *layer = &report->layers[i];
        if (layer->verdict == LIP_BOUNDED)
            continue;
        fprintf(stream, "%s%s%s: node '", verdict_colour(layer->verdict, colour),
                layer->verdict == LIP_UNBOUNDED ? "UNBOUNDED" : "UNKNOWN", colour ? COLOUR_END : "");
        utf8_print(stream, layer->name);
        fprintf(stream, "' (");
        if (layer->module && layer->module[0] != '\0') {
            fprintf(stream, "module ");
            utf8_print(stream, layer->module);
            fprintf(stream, ", ");
        }
        utf8_print(stream, layer->op);
        fprintf(stream, "): ");
        utf8_print(stream, layer->reason ? layer->reason : "");
        fputc('\n', stream);
    }
}

static void print_lipschitz(const lip_report *report, bool colour, FILE *stream)
{
    const lip_bound *network = &report->network;
    if (report->verdict != LIP_BOUNDED) {
        fprintf(stream, "%sL_F: no bound%s\n", verdict_colour(report->verdict, colour), colour ? COLOUR_END : "");
        return;
    }
    fprintf(stream, "%sL_F <= %s%s", colour ? COLOUR_STRONG : "", number_upper(network->upper, 6).text,
            colour ? COLOUR_END : "");
    if (network->lower > 0.0)
        fprintf(stream, ", and >= %s", number_lower(network->lower, 6).text);
    if (report->product_upper > network->upper)
        fprintf(stream, " (product of the layers: %s)", number_upper(report->product_upper, 6).text);
    fputc('\n', stream);
}

static bool render(const lip_run_info *run, FILE *stream)
{
    const lip_report *report = run->report;
    bool colour = stream_colour(stream);
    print_model(run, stream);
    table_print_layers(report, stream_width(stream), colour, stream);
    bool complete = print_paragraph(run, write_rearranged, stream);
    complete = print_paragraph(run, write_folded, stream) && complete;
    fputc('\n', stream);
    print_reasons(report, colour, stream);
    print_lipschitz(report, colour, stream);
    complete = print_paragraph(run, write_estimate, stream) && complete;
    complete = print_paragraph(run, write_costliest, stream) && complete;
    complete = print_paragraph(run, network_print_proof, stream) && complete;
    fprintf(stream, "Took %s s (reading %s, bounds %s), %s of memory at the peak.\n",
            number_seconds(run->total_seconds).text, number_seconds(run->load_seconds).text,
            number_seconds(report->bounds_seconds).text, number_bytes(report->peak_memory_bytes).text);
    return complete;
}

const lip_format format_audit_text = {"text", ".txt", render};
