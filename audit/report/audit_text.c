/*
 * audit_text.c: the audit as a person reads it in a terminal: the table of
 * layers, then the network in a few lines and what was proved in one sentence.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "format.h"
#include "layers.h"
#include "paragraph.h"
#include "sections.h"
#include "table.h"
#include "utf8.h"

#include <inttypes.h>
#include <math.h>

static void print_quoted(FILE *stream, const char *name)
{
    fputc('\'', stream);
    utf8_print(stream, name);
    fputc('\'', stream);
}

static void print_tensor(FILE *stream, const json_t *tensor, const char *name, const char *shape_key)
{
    char text[160];
    lip_shape shape = {0};
    bool known = field_shape(tensor, shape_key, &shape);
    shape_text(&shape, known, text, sizeof text);
    print_quoted(stream, name);
    fprintf(stream, " %s", text);
}

static void print_inputs(FILE *stream, const json_t *inputs)
{
    const json_t *input;
    size_t i;
    json_array_foreach((json_t *)inputs, i, input) {
        fprintf(stream, "%s", i > 0 ? ", " : json_array_size(inputs) > 1 ? "inputs " : "input ");
        print_tensor(stream, input, field_text(input, "name"), "shape");
    }
}

static void print_model(const json_t *report, FILE *stream)
{
    const json_t *model = field(report, "model"), *network = field(report, "network");
    utf8_print(stream, field_text(model, "path"));
    fprintf(stream, " (sha256 %.12s)\n  ",
            utf8_fit(field_text(model, "sha256"), UTF8_LABEL_WIDTH, UTF8_KEEP_START).text);
    if (field_text(model, "producer")[0] != '\0') {
        utf8_print(stream, field_text(model, "producer"));
        fprintf(stream, ", ");
    }
    fprintf(stream, "opset %" PRId64 ", %" PRIu64 " nodes", field_integer(model, "opset"), field_count(model, "nodes"));
    if (field_count(model, "nodes_folded") > 0)
        fprintf(stream, " (%" PRIu64 " more folded into constants)", field_count(model, "nodes_folded"));
    fprintf(stream, ", %s parameters\n  ", number_count(field_count(model, "parameters")).text);
    print_inputs(stream, field(report, "threat_model.inputs"));
    fprintf(stream, ", logits ");
    print_tensor(stream, network, field_text(network, "output"), "output_shape");
    fprintf(stream, "\n\n");
}

static void write_costliest(const json_t *report, FILE *stream)
{
    size_t index[LAYERS_COSTLIEST];
    if (layers_costliest(report, index) == 0)
        return;
    fprintf(stream, "Costs most: ");
    layers_print_costliest(report, stream);
}

static void write_estimate(const json_t *report, FILE *stream)
{
    if (isnan(field_number(report, "network.power_iteration_product")))
        return;
    fprintf(stream, "Power iteration: ");
    network_print_estimate(report, stream);
}

/* Every layer without a bound, with its reason. */
static void print_reasons(const json_t *report, bool colour, FILE *stream)
{
    const json_t *layer;
    size_t i;
    json_array_foreach((json_t *)report_layers(report), i, layer) {
        lip_verdict verdict = verdict_of(layer);
        if (verdict == LIP_BOUNDED)
            continue;
        fprintf(stream, "%s%s%s: node '", verdict_colour(verdict, colour), verdict_alarm(verdict),
                colour ? COLOUR_END : "");
        utf8_print(stream, field_text(layer, "name"));
        fprintf(stream, "' (");
        if (field_text(layer, "module")[0] != '\0') {
            fprintf(stream, "module ");
            utf8_print(stream, field_text(layer, "module"));
            fprintf(stream, ", ");
        }
        utf8_print(stream, field_text(layer, "op"));
        fprintf(stream, "): ");
        utf8_print(stream, field_text(layer, "reason"));
        fputc('\n', stream);
    }
}

/* Where the network was split: what each part came to. */
static void print_stages(const json_t *stages, FILE *stream)
{
    size_t i;
    const json_t *stage;
    if (json_array_size(stages) < 2)
        return;
    json_array_foreach((json_t *)(uintptr_t)stages, i, stage)
    {
        fprintf(stream, "    stage %zu, ", i + 1);
        utf8_print(stream, field_text(stage, "first"));
        fprintf(stream, " to ");
        utf8_print(stream, field_text(stage, "last"));
        fprintf(stream, ": %s by ", number_upper(field_number(stage, "upper"), 6).text);
        utf8_print(stream, field_text(stage, "method"));
        if (field_number(stage, "product_upper") > field_number(stage, "upper"))
            fprintf(stream, " (product: %s)", number_upper(field_number(stage, "product_upper"), 6).text);
        if (field_text(stage, "reason")[0] != '\0') {
            fputs(": ", stream);
            utf8_print(stream, field_text(stage, "reason"));
        }
        fputc('\n', stream);
    }
}

/* What each level of effort came to, and what was found from below. */
static void print_levels(const json_t *network, FILE *stream)
{
    size_t i;
    const json_t *level, *levels = json_object_get(network, "levels");
    json_array_foreach((json_t *)(uintptr_t)levels, i, level)
    {
        fputs("  ", stream);
        utf8_print(stream, field_text(level, "method"));
        fprintf(stream, ": %s in %s s", number_upper(field_number(level, "upper"), 6).text,
                number_seconds(field_number(level, "seconds")).text);
        if (isfinite(field_number(level, "pairs_mean_upper")))
            fprintf(stream, ", pairs of logits %s on average",
                    number_upper(field_number(level, "pairs_mean_upper"), 6).text);
        fputc('\n', stream);
    }
    print_stages(json_object_get(network, "stages"), stream);
    if (field_text(network, "levels_reason")[0] != '\0') {
        fputs("  no multipliers: ", stream);
        utf8_print(stream, field_text(network, "levels_reason"));
        fputc('\n', stream);
    }
    double found = field_number(network, "lower_estimate");
    if (found > 0)
        fprintf(stream, "  largest slope found (not proved%s): %s, which leaves a factor of %s\n",
                field_count(network, "lower_estimate_samples") > 0 ? "; also from samples" : "",
                number_lower(found, 6).text, number_upper(field_number(network, "lipschitz.upper") / found, 4).text);
}

static void print_lipschitz(const json_t *network, bool colour, FILE *stream)
{
    double lower = field_number(network, "lipschitz.lower"), upper = field_number(network, "lipschitz.upper");
    double product = field_number(network, "product_upper");
    if (verdict_of(network) != LIP_BOUNDED) {
        fprintf(stream, "%sL_F: no bound%s\n", verdict_colour(verdict_of(network), colour), colour ? COLOUR_END : "");
        return;
    }
    fprintf(stream, "%sL_F <= %s%s", colour ? COLOUR_STRONG : "", number_upper(upper, 6).text,
            colour ? COLOUR_END : "");
    if (lower > 0.0)
        fprintf(stream, ", and >= %s", number_lower(lower, 6).text);
    if (product > upper)
        fprintf(stream, " (product of the layers: %s)", number_upper(product, 6).text);
    fputc('\n', stream);
    print_levels(network, stream);
}

static void print_cost(const json_t *report, FILE *stream)
{
    fprintf(stream, "Took %s s (reading %s, bounds %s), %s of memory at the peak.\n",
            number_seconds(field_number(report, "timing.total")).text,
            number_seconds(field_number(report, "timing.load")).text,
            number_seconds(field_number(report, "timing.bounds")).text,
            number_bytes(field_count(report, "peak_memory_bytes")).text);
}

static bool render(const json_t *report, FILE *stream)
{
    bool colour = stream_colour(stream);
    print_model(report, stream);
    table_print_layers(report, stream_width(stream), colour, stream);
    bool complete = paragraph_print(report, layers_print_rearranged, stream);
    complete = paragraph_print(report, layers_print_folded, stream) && complete;
    fputc('\n', stream);
    print_reasons(report, colour, stream);
    print_lipschitz(field(report, "network"), colour, stream);
    complete = paragraph_print(report, write_estimate, stream) && complete;
    complete = paragraph_print(report, write_costliest, stream) && complete;
    complete = paragraph_print(report, network_print_proof, stream) && complete;
    sections_text(report, stream);
    print_cost(report, stream);
    return complete;
}

const lip_format format_text = {"text", ".txt", render};
