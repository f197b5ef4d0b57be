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

const char *layer_name(const json_t *layer)
{
    const char *module = field_text(layer, "module");
    return module[0] != '\0' ? module : field_text(layer, "name");
}

bool layer_rearranges(const json_t *layer)
{
    return verdict_of(layer) == LIP_BOUNDED && field_number(layer, "gain.upper") == 1.0 &&
           field_number(layer, "gain.lower") == 1.0 &&
           strcmp(field_text(layer, "gain.method"), LIP_METHOD_ISOMETRY) == 0;
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

static void shape_of_sample(const json_t *layer, const char *key, char *text, size_t size)
{
    lip_shape sample = {0};
    field_shape(layer, key, &sample);
    if (sample.rank > 1 && sample.dim[0] == 1) {
        memmove(sample.dim, sample.dim + 1, (size_t)(sample.rank - 1) * sizeof *sample.dim);
        sample.rank--;
    }
    shape_text(&sample, true, text, size);
}

void layer_shapes(const json_t *layer, char *text, size_t size)
{
    char in[160], out[160];
    shape_of_sample(layer, "input_shape", in, sizeof in);
    shape_of_sample(layer, "output_shape", out, sizeof out);
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

lip_verdict verdict_of(const json_t *object)
{
    const char *text = field_text(object, "verdict");
    return strcmp(text, "bounded") == 0 ? LIP_BOUNDED : strcmp(text, "unbounded") == 0 ? LIP_UNBOUNDED : LIP_UNKNOWN;
}

const char *verdict_alarm(lip_verdict verdict)
{
    return verdict == LIP_BOUNDED ? "BOUNDED" : verdict == LIP_UNBOUNDED ? "UNBOUNDED" : "UNKNOWN";
}

const json_t *report_layers(const json_t *report)
{
    return json_object_get(report, "layers");
}

static const json_t *layer_at(const json_t *report, size_t index)
{
    return json_array_get(report_layers(report), index);
}

static size_t layer_count(const json_t *report)
{
    return json_array_size(report_layers(report));
}

size_t layers_costliest(const json_t *report, size_t index[LAYERS_COSTLIEST])
{
    size_t count = 0;
    for (size_t i = 0; i < layer_count(report); i++) {
        double share = field_number(layer_at(report, i), "log_share");
        if (!(share > 0.0))
            continue;
        size_t at = count < LAYERS_COSTLIEST ? count++ : LAYERS_COSTLIEST;
        while (at > 0 && share > field_number(layer_at(report, index[at - 1]), "log_share")) {
            if (at < LAYERS_COSTLIEST)
                index[at] = index[at - 1];
            at--;
        }
        if (at < LAYERS_COSTLIEST)
            index[at] = i;
    }
    return count;
}

void layers_print_folded(const json_t *report, FILE *stream)
{
    size_t count = 0;
    for (size_t i = 0; i < layer_count(report); i++)
        count += json_array_size(field(layer_at(report, i), "folded"));
    if (count > 0)
        fprintf(stream, "%zu %s of the linear layer beside %s and bounded together with it", count,
                count == 1 ? "scaling node is part" : "scaling nodes are part", count == 1 ? "it" : "them");
}

static bool is_rearranging(const json_t *layer, const char *op)
{
    return layer_rearranges(layer) && strcmp(field_text(layer, "op"), op) == 0;
}

/* Is this the first of the re-arranging layers with its operator? */
static bool first_of_operator(const json_t *report, size_t index)
{
    const char *op = field_text(layer_at(report, index), "op");
    for (size_t i = 0; i < index; i++)
        if (is_rearranging(layer_at(report, i), op))
            return false;
    return true;
}

static size_t count_rearranged(const json_t *report, const char *op)
{
    size_t count = 0;
    for (size_t i = 0; i < layer_count(report); i++)
        if (op ? is_rearranging(layer_at(report, i), op) : layer_rearranges(layer_at(report, i)))
            count++;
    return count;
}

void layers_print_rearranged(const json_t *report, FILE *stream)
{
    size_t all = count_rearranged(report, NULL);
    if (all == 0)
        return;
    fprintf(stream, "%zu %s of gain exactly 1 only re-arrange%s: ", all, all == 1 ? "node" : "nodes",
            all == 1 ? "s its input" : " their input");
    const char *comma = "";
    for (size_t i = 0; i < layer_count(report); i++) {
        const json_t *layer = layer_at(report, i);
        if (!layer_rearranges(layer) || !first_of_operator(report, i))
            continue;
        fprintf(stream, "%s", comma);
        utf8_print(stream, field_text(layer, "op"));
        fprintf(stream, " %zu", count_rearranged(report, field_text(layer, "op")));
        comma = ", ";
    }
}

void layers_print_reasons(const json_t *report, const char *alarm, const char *end_alarm, const char *end,
                          void (*print)(FILE *stream, const char *text), FILE *stream)
{
    const json_t *layer;
    size_t i;
    json_array_foreach((json_t *)report_layers(report), i, layer) {
        if (verdict_of(layer) == LIP_BOUNDED)
            continue;
        fprintf(stream, "%s%s%s: node ", alarm, verdict_alarm(verdict_of(layer)), end_alarm);
        print(stream, field_text(layer, "name"));
        fputs(" (", stream);
        print(stream, field_text(layer, "op"));
        fputs("): ", stream);
        print(stream, field_text(layer, "reason"));
        fputs(end, stream);
    }
}

void layers_print_costliest(const json_t *report, FILE *stream)
{
    size_t index[LAYERS_COSTLIEST];
    size_t count = layers_costliest(report, index);
    for (size_t i = 0; i < count; i++) {
        const json_t *layer = layer_at(report, index[i]);
        fprintf(stream, "%s", i > 0 ? ", " : "");
        utf8_print(stream, layer_name(layer));
        fprintf(stream, " %s %% (gain %s)", number_percent(field_number(layer, "log_share")).text,
                number_upper(field_number(layer, "gain.upper"), 6).text);
    }
}

void network_print_estimate(const json_t *report, FILE *stream)
{
    double product = field_number(report, "network.power_iteration_product");
    double upper = field_number(report, "network.product_upper");
    bool tighter = field_number(report, "network.lipschitz.upper") < upper; /* the like is compared with the like */
    if (isnan(product))
        return;
    fprintf(stream, "%s", number_nearest(product, 6).text);
    if (isfinite(upper) && upper > 0.0 && product <= upper)
        fprintf(stream, ", an estimate: %s (%s %%) under the proved %s", number_nearest(upper - product, 2).text,
                number_nearest(100.0 * (1.0 - product / upper), 2).text, tighter ? "product of the layers" : "bound");
    else
        fprintf(stream, ", an estimate");
}

static void print_inputs(const json_t *report, FILE *stream)
{
    const json_t *inputs = field(report, "threat_model.inputs"), *input;
    size_t i;
    fprintf(stream, "%s ", json_array_size(inputs) > 1 ? "inputs" : "input");
    json_array_foreach((json_t *)inputs, i, input) {
        fprintf(stream, "%s'", i > 0 ? ", " : "");
        utf8_print(stream, field_text(input, "name"));
        fputc('\'', stream);
    }
}

static void print_interval(const json_t *pair, FILE *stream)
{
    fprintf(stream, "[%.17g, %.17g]", value_number(json_array_get(pair, 0)), value_number(json_array_get(pair, 1)));
}

/* The box that the bounds hold on: the same for all inputs. */
static void print_range(const json_t *report, FILE *stream)
{
    const char *name;
    json_t *box, *pair;
    size_t c;
    json_object_foreach((json_t *)field(report, "network.range"), name, box) {
        fprintf(stream, " with every element in ");
        if (!json_is_array(json_array_get(box, 0)))
            print_interval(box, stream);
        else
            json_array_foreach(box, c, pair) {
                fprintf(stream, "%s", c > 0 ? ", " : "");
                print_interval(pair, stream);
            }
        fprintf(stream, "%s, and for no others", json_is_array(json_array_get(box, 0)) ? " (by channel)" : "");
        break;
    }
}

static void print_not_proved(const json_t *report, FILE *stream)
{
    const char *node = field_text(report, "network.reason_node"), *reason = field_text(report, "network.reason");
    fprintf(stream, "Nothing is proved about the whole network: node '");
    utf8_print(stream, node);
    fprintf(stream, "' is %s", field_text(report, "network.verdict"));
    if (reason[0] != '\0') {
        fprintf(stream, " (");
        utf8_print(stream, reason);
        fputc(')', stream);
    }
    fprintf(stream, ". The bounds of the bounded layers hold.");
}

void network_print_proof(const json_t *report, FILE *stream)
{
    if (verdict_of(field(report, "network")) != LIP_BOUNDED) {
        print_not_proved(report, stream);
        return;
    }
    fprintf(stream, "Proved: for any two inputs x and y");
    if (json_object_size(field(report, "network.range")) > 0)
        print_range(report, stream);
    else
        fprintf(stream, ", without restriction to a range");
    fprintf(stream, ", the logits f change by ||f(x)-f(y)|| <= %s ||x-y|| in L2, from ",
            number_upper(field_number(report, "network.lipschitz.upper"), 6).text);
    print_inputs(report, stream);
    fprintf(stream, " to '");
    utf8_print(stream, field_text(report, "network.output"));
    fprintf(stream, "'; f is the network in real arithmetic with the weights as stored, and the rounding of this"
                    " audit is part of the proof. Power iteration and exact SVD are not proved.");
}
