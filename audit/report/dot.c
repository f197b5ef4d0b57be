/*
 * dot.c: the graph of layers for Graphviz, coloured by each layer's share of
 * log L_F: the redder, the more it costs; blue damps.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "format.h"
#include "layers.h"
#include "sources.h"
#include "utf8.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

static void put(FILE *stream, const char *text)
{
    char character[5];
    while (*text != '\0') {
        size_t size = utf8_size(text);
        size = size > 0 ? size : 1;
        memcpy(character, text, size);
        character[size] = '\0';
        if (*text == '"' || *text == '\\')
            fputc('\\', stream);
        utf8_print(stream, character);
        text += size;
    }
}

/* Hue, saturation, value. */
static void put_colour(FILE *stream, const json_t *layer)
{
    double share = field_number(layer, "log_share"), strength = fabs(share) * 1.5;
    if (verdict_of(layer) != LIP_BOUNDED)
        fputs("fillcolor=\"#d9d9d9\", color=\"#c00000\", penwidth=2, style=\"filled,dashed\"", stream);
    else if (!isfinite(share))
        fputs("fillcolor=\"white\"", stream);
    else
        fprintf(stream, "fillcolor=\"%.3f %.3f 1.000\"", share > 0.0 ? 0.02 : 0.58, strength < 0.85 ? strength : 0.85);
}

static void put_node(FILE *stream, const json_t *layer, size_t index)
{
    double share = field_number(layer, "log_share");
    fprintf(stream, "  n%zu [label=\"", index);
    put(stream, layer_name(layer));
    fputs("\\n", stream);
    put(stream, field_text(layer, "op"));
    if (verdict_of(layer) != LIP_BOUNDED)
        fprintf(stream, "\\n%s", verdict_alarm(verdict_of(layer)));
    else if (!layer_rearranges(layer))
        fprintf(stream, "\\n<= %s", number_upper(field_number(layer, "gain.upper"), 5).text);
    if (isfinite(share) && share != 0.0)
        fprintf(stream, ", %s %%", number_percent(share).text);
    fputs("\", ", stream);
    put_colour(stream, layer);
    fputs("];\n", stream);
}

static void put_edges(FILE *stream, const json_t *layer, size_t index)
{
    const json_t *source;
    size_t i;
    json_array_foreach((json_t *)field(layer, "sources"), i, source) {
        json_int_t from = json_integer_value(source);
        if (from == SOURCE_INPUT)
            fprintf(stream, "  input -> n%zu;\n", index);
        else if (from >= 0)
            fprintf(stream, "  n%" JSON_INTEGER_FORMAT " -> n%zu;\n", from, index);
    }
}

static bool render(const json_t *report, FILE *stream)
{
    const json_t *layer, *layers = report_layers(report);
    size_t i;
    fputs("digraph lipaudit {\n  label=\"", stream);
    put(stream, field_text(report, "model.path"));
    if (verdict_of(field(report, "network")) == LIP_BOUNDED)
        fprintf(stream, ": L_F <= %s", number_upper(field_number(report, "network.lipschitz.upper"), 6).text);
    fputs("\";\n  node [shape=box, style=filled, fontname=\"sans-serif\", fontsize=11];\n  input [label=\"", stream);
    put(stream, field_text(report, "threat_model.input.name"));
    fputs("\", shape=oval, fillcolor=white];\n", stream);
    json_array_foreach((json_t *)layers, i, layer)
        put_node(stream, layer, i);
    json_array_foreach((json_t *)layers, i, layer)
        put_edges(stream, layer, i);
    fputs("}\n", stream);
    return true;
}

const lip_format format_dot = {"dot", ".dot", render};
