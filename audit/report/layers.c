/*
 * layers.c: what the formats for people say about layers and the network.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "layers.h"
#include "utf8.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

const char *layer_name(const lip_layer *layer)
{
    return layer->module && layer->module[0] != '\0' ? layer->module : layer->name;
}

bool layer_rearranges(const lip_layer *layer)
{
    return layer->verdict == LIP_BOUNDED && layer->gain.upper == 1.0 && layer->gain.lower == 1.0 &&
           layer->gain.method && strcmp(layer->gain.method, LIP_METHOD_ISOMETRY) == 0;
}

void shape_text(const lip_shape *shape, bool known, char *text, size_t size)
{
    size_t length = 0;
    snprintf(text, size, "%s", known ? "scalar" : "?");
    for (int i = 0; known && i < shape->rank && length < size; i++) {
        int written = snprintf(text + length, size - length, "%s%" PRId64, i > 0 ? "x" : "", shape->dim[i]);
        length += written > 0 ? (size_t)written : 0;
    }
}

static void shape_of_sample(const lip_shape *shape, char *text, size_t size)
{
    lip_shape sample = *shape;
    if (sample.rank > 1 && sample.dim[0] == 1) {
        memmove(sample.dim, sample.dim + 1, (size_t)(sample.rank - 1) * sizeof *sample.dim);
        sample.rank--;
    }
    shape_text(&sample, true, text, size);
}

void layer_shapes(const lip_layer *layer, char *text, size_t size)
{
    char in[160], out[160];
    shape_of_sample(&layer->input_shape, in, sizeof in);
    shape_of_sample(&layer->output_shape, out, sizeof out);
    if (strcmp(in, out) == 0)
        snprintf(text, size, "%s", in);
    else
        snprintf(text, size, "%s->%s", in, out);
}

lip_number layer_cell(lip_number_style *style, double value, int digits, size_t width)
{
    lip_number none = {"-"};
    return isnan(value) ? none : number_fit(style, value, digits, width);
}

const char *verdict_text(lip_verdict verdict)
{
    return verdict == LIP_BOUNDED ? "bounded" : verdict == LIP_UNBOUNDED ? "unbounded" : "unknown";
}

size_t layers_costliest(const lip_report *report, size_t index[LAYERS_COSTLIEST])
{
    size_t count = 0;
    for (size_t i = 0; i < report->layer_count; i++) {
        double share = report->layers[i].log_share;
        if (!(share > 0.0))
            continue;
        size_t at = count < LAYERS_COSTLIEST ? count++ : LAYERS_COSTLIEST;
        while (at > 0 && share > report->layers[index[at - 1]].log_share) {
            if (at < LAYERS_COSTLIEST)
                index[at] = index[at - 1];
            at--;
        }
        if (at < LAYERS_COSTLIEST)
            index[at] = i;
    }
    return count;
}

void layers_print_folded(const lip_report *report, FILE *stream)
{
    size_t count = 0;
    for (size_t i = 0; i < report->layer_count; i++)
        count += report->layers[i].folded_count;
    if (count > 0)
        fprintf(stream, "%zu %s of the linear layer beside %s and bounded together with it", count,
                count == 1 ? "scaling node is part" : "scaling nodes are part", count == 1 ? "it" : "them");
}

/* Is this the first of the re-arranging layers with its operator? */
static bool first_of_operator(const lip_report *report, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (layer_rearranges(&report->layers[i]) && strcmp(report->layers[i].op, report->layers[index].op) == 0)
            return false;
    return true;
}

static size_t count_rearranged(const lip_report *report, const char *op)
{
    size_t count = 0;
    for (size_t i = 0; i < report->layer_count; i++)
        if (layer_rearranges(&report->layers[i]) && (!op || strcmp(report->layers[i].op, op) == 0))
            count++;
    return count;
}

void layers_print_rearranged(const lip_report *report, FILE *stream)
{
    size_t all = count_rearranged(report, NULL);
    if (all == 0)
        return;
    fprintf(stream, "%zu %s of gain exactly 1 only re-arrange%s: ", all, all == 1 ? "node" : "nodes",
            all == 1 ? "s its input" : " their input");
    const char *comma = "";
    for (size_t i = 0; i < report->layer_count; i++) {
        const lip_layer *layer = &report->layers[i];
        if (!layer_rearranges(layer) || !first_of_operator(report, i))
            continue;
        fprintf(stream, "%s", comma);
        utf8_print(stream, layer->op);
        fprintf(stream, " %zu", count_rearranged(report, layer->op));
        comma = ", ";
    }
}

void layers_print_costliest(const lip_report *report, FILE *stream)
{
    size_t index[LAYERS_COSTLIEST];
    size_t count = layers_costliest(report, index);
    for (size_t i = 0; i < count; i++) {
        const lip_layer *layer = &report->layers[index[i]];
        fprintf(stream, "%s", i > 0 ? ", " : "");
        utf8_print(stream, layer_name(layer));
        fprintf(stream, " %s %% (gain %s)", number_percent(layer->log_share).text,
                number_upper(layer->gain.upper, 6).text);
    }
}

void network_print_estimate(const lip_report *report, FILE *stream)
{
    double product = report->power_product_estimate, upper = report->network.upper;
    if (isnan(product))
        return;
    fprintf(stream, "%s", number_nearest(product, 6).text);
    if (isfinite(upper) && upper > 0.0)
        fprintf(stream, ", an estimate: %s (%s %%) under the proved bound", number_nearest(upper - product, 2).text,
                number_nearest(100.0 * (1.0 - product / upper), 2).text);
}

static void print_inputs(const lip_run_info *run, FILE *stream)
{
    fprintf(stream, "%s ", run->info.input_count > 1 ? "inputs" : "input");
    for (size_t i = 0; i < run->info.input_count; i++) {
        fprintf(stream, "%s'", i > 0 ? ", " : "");
        utf8_print(stream, run->inputs[i].name);
        fputc('\'', stream);
    }
}

static void print_not_proved(const lip_report *report, FILE *stream)
{
    fprintf(stream, "Nothing is proved about the whole network: node '");
    utf8_print(stream, report->reason_node ? report->reason_node : "?");
    fprintf(stream, "' is %s", verdict_text(report->verdict));
    if (report->reason && report->reason[0] != '\0') {
        fprintf(stream, " (");
        utf8_print(stream, report->reason);
        fputc(')', stream);
    }
    fprintf(stream, ". The bounds of the bounded layers hold.");
}

void network_print_proof(const lip_run_info *run, FILE *stream)
{
    const lip_report *report = run->report;
    if (report->verdict != LIP_BOUNDED) {
        print_not_proved(report, stream);
        return;
    }
    fprintf(stream, "Proved: for any two inputs x and y, without restriction to a range, the logits f change by"
                    " ||f(x)-f(y)|| <= %s ||x-y|| in L2, from ",
            number_upper(report->network.upper, 6).text);
    print_inputs(run, stream);
    fprintf(stream, " to '");
    utf8_print(stream, run->logits.name);
    fprintf(stream, "'; f is the network in real arithmetic with the weights as stored, and the rounding of this"
                    " audit is part of the proof. Power iteration and exact SVD are not proved.");
}
