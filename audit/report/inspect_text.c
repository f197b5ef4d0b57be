/*
 * inspect_text.c: the graph as lipaudit understands it, one node a line.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "format.h"
#include "layers.h"
#include "table.h"
#include "utf8.h"

#include <inttypes.h>
#include <string.h>

#define NAME_WIDTH 30
#define OP_WIDTH 20

static void print_shape(FILE *stream, const json_t *tensor)
{
    char text[160];
    lip_shape shape = {0};
    bool known = field_shape(tensor, "shape", &shape);
    shape_text(&shape, known, text, sizeof text);
    fputs(text, stream);
}

static void print_tensor(FILE *stream, const char *what, const json_t *tensor)
{
    fprintf(stream, "%-8s", what);
    utf8_print(stream, field_text(tensor, "name"));
    fprintf(stream, "  %s ", field_text(tensor, "dtype"));
    print_shape(stream, tensor);
    fputc('\n', stream);
}

static void print_head(const json_t *document, FILE *stream)
{
    const json_t *model = field(document, "model"), *input;
    const char *producer = field_text(model, "producer");
    size_t i;
    fprintf(stream, "file    ");
    utf8_print(stream, field_text(model, "path"));
    fprintf(stream, "\nsha256  %s\nmade by ", field_text(model, "sha256"));
    utf8_print(stream, producer[0] != '\0' ? producer : "(not stated)");
    fprintf(stream, ", IR version %" PRId64 ", opset %" PRId64 "\n", field_integer(model, "ir_version"),
            field_integer(model, "opset"));
    fprintf(stream, "nodes   %" PRIu64 " in the file; %" PRIu64 " between input and logits, %" PRIu64
                    " folded into constants\n",
            field_count(model, "nodes_in_file"), field_count(model, "nodes"), field_count(model, "nodes_folded"));
    fprintf(stream, "weights %s parameters\n", number_count(field_count(model, "parameters")).text);
    json_array_foreach((json_t *)field(document, "inputs"), i, input)
        print_tensor(stream, "input", input);
    print_tensor(stream, "logits", field(document, "logits"));
    fputc('\n', stream);
}

static void print_shapes(const json_t *tensors, FILE *stream)
{
    const json_t *tensor;
    size_t i;
    json_array_foreach((json_t *)tensors, i, tensor) {
        fputs(i > 0 ? ", " : "", stream);
        if (field_text(tensor, "name")[0] != '\0')
            print_shape(stream, tensor);
        else
            fputs("(none)", stream);
    }
}

static void print_node(const json_t *node, bool colour, FILE *stream)
{
    lip_label name = utf8_fit(layer_name(node), NAME_WIDTH, UTF8_KEEP_END);
    lip_label op = utf8_fit(field_text(node, "op"), OP_WIDTH, UTF8_KEEP_START);
    fprintf(stream, "%s%*s%s%*s", name.text, NAME_WIDTH + 1 - name.width, "", op.text, OP_WIDTH + 1 - op.width, "");
    print_shapes(field(node, "inputs"), stream);
    fputs(" -> ", stream);
    print_shapes(field(node, "outputs"), stream);
    if (!field_true(node, "understood")) {
        fprintf(stream, "\n    %sNOT UNDERSTOOD%s: node '", verdict_colour(LIP_UNKNOWN, colour),
                colour ? COLOUR_END : "");
        utf8_print(stream, field_text(node, "name"));
        fprintf(stream, "': ");
        utf8_print(stream, field_text(node, "reason"));
    }
    fputc('\n', stream);
}

static bool render(const json_t *document, FILE *stream)
{
    const json_t *node;
    size_t i, understood = 0;
    print_head(document, stream);
    json_array_foreach((json_t *)field(document, "nodes"), i, node) {
        if (field_true(node, "folded"))
            continue;
        understood += field_true(node, "understood") ? 1 : 0;
        print_node(node, stream_colour(stream), stream);
    }
    fprintf(stream, "\n%zu of %" PRIu64 " nodes understood.\n", understood, field_count(document, "model.nodes"));
    return true;
}

const lip_format format_inspect_text = {"text", ".txt", render};
