/*
 * inspect_text.c: the graph as lipaudit understands it, one node a line.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "layers.h"
#include "table.h"
#include "utf8.h"

#include <string.h>

#define NAME_WIDTH 30
#define OP_WIDTH 20

static void print_tensor(FILE *stream, const char *what, const lip_tensor_info *tensor)
{
    char shape[160];
    shape_text(&tensor->shape, tensor->shape_known, shape, sizeof shape);
    fprintf(stream, "%-8s", what);
    utf8_print(stream, tensor->name);
    fprintf(stream, "  %s %s\n", tensor->dtype, shape);
}

static void print_head(const lip_run_info *run, FILE *stream)
{
    const lip_model_info *info = &run->info;
    fprintf(stream, "file    ");
    utf8_print(stream, info->path);
    fprintf(stream, "\nsha256  %s\nmade by ", info->sha256);
    utf8_print(stream, info->producer && info->producer[0] != '\0' ? info->producer : "(not stated)");
    fprintf(stream, ", IR version %lld, opset %lld\n", (long long)info->ir_version, (long long)info->opset);
    fprintf(stream, "nodes   %zu in the file; %zu between input and logits, %zu folded into constants\n",
            info->nodes_in_file, info->nodes, info->nodes_folded);
    fprintf(stream, "weights %s parameters\n", number_count(info->parameters).text);
    for (size_t i = 0; i < info->input_count; i++)
        print_tensor(stream, "input", &run->inputs[i]);
    print_tensor(stream, "logits", &run->logits);
    fputc('\n', stream);
}

static void print_shapes(const lip_run_info *run, size_t index, const lip_node_info *node, FILE *stream)
{
    char shape[160];
    const char *comma = "";
    for (size_t i = 0; i < node->input_count; i++) {
        lip_tensor_info tensor = lip_model_node_input(run->model, index, i);
        shape_text(&tensor.shape, tensor.shape_known, shape, sizeof shape);
        fprintf(stream, "%s%s", comma, tensor.name && tensor.name[0] != '\0' ? shape : "(none)");
        comma = ", ";
    }
    fprintf(stream, " -> ");
    comma = "";
    for (size_t i = 0; i < node->output_count; i++) {
        lip_tensor_info tensor = lip_model_node_output(run->model, index, i);
        shape_text(&tensor.shape, tensor.shape_known, shape, sizeof shape);
        fprintf(stream, "%s%s", comma, tensor.name && tensor.name[0] != '\0' ? shape : "(none)");
        comma = ", ";
    }
}

static void print_node(const lip_run_info *run, size_t index, const lip_node_info *node, bool colour, FILE *stream)
{
    lip_label name = utf8_fit(node->module && node->module[0] != '\0' ? node->module : node->name, NAME_WIDTH,
                              UTF8_KEEP_END);
    lip_label op = utf8_fit(node->op, OP_WIDTH, UTF8_KEEP_START);
    fprintf(stream, "%s%*s%s%*s", name.text, NAME_WIDTH + 1 - name.width, "", op.text, OP_WIDTH + 1 - op.width, "");
    print_shapes(run, index, node, stream);
    if (!node->understood) {
        fprintf(stream, "\n    %sNOT UNDERSTOOD%s: node '", verdict_colour(LIP_UNKNOWN, colour),
                colour ? COLOUR_END : "");
        utf8_print(stream, node->name);
        fprintf(stream, "': ");
        utf8_print(stream, node->reason ? node->reason : "");
    }
    fputc('\n', stream);
}

static bool render(const lip_run_info *run, FILE *stream)
{
    size_t all = run->info.nodes + run->info.nodes_folded, understood = 0;
    print_head(run, stream);
    for (size_t i = 0; i < all; i++) {
        lip_node_info node = lip_model_node(run->model, i);
        if (node.folded)
            continue;
        understood += node.understood ? 1 : 0;
        print_node(run, i, &node, stream_colour(stream), stream);
    }
    fprintf(stream, "\n%zu of %zu nodes understood.\n", understood, run->info.nodes);
    return true;
}

const lip_format format_inspect_text = {"text", ".txt", render};
