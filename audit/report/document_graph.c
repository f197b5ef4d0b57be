/*
 * document_graph.c: the graph as lipaudit understands it, as a document.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "document.h"

typedef lip_tensor_info tensor_of(const lip_model *model, size_t node, size_t index);

static json_t *tensors(const lip_run_info *run, size_t node, size_t count, tensor_of *tensor_at)
{
    bool complete = true;
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++) {
        lip_tensor_info tensor = tensor_at(run->model, node, i);
        json_push(array, &complete, json_tensor(&tensor));
    }
    return json_whole(array, complete);
}

static json_t *one_node(const lip_run_info *run, size_t index)
{
    bool complete = true;
    lip_node_info node = lip_model_node(run->model, index);
    json_t *object = json_object();
    json_put(object, &complete, "name", json_text(node.name));
    json_put(object, &complete, "op", json_text(node.op));
    json_put(object, &complete, "module", json_optional(node.module));
    json_put(object, &complete, "folded", json_boolean(node.folded));
    json_put(object, &complete, "understood", json_boolean(node.understood));
    json_put(object, &complete, "reason", json_optional(node.reason));
    json_put(object, &complete, "inputs", tensors(run, index, node.input_count, lip_model_node_input));
    json_put(object, &complete, "outputs", tensors(run, index, node.output_count, lip_model_node_output));
    return json_whole(object, complete);
}

static json_t *all_nodes(const lip_run_info *run)
{
    bool complete = true;
    json_t *array = json_array();
    for (size_t i = 0; i < run->info.nodes + run->info.nodes_folded; i++)
        json_push(array, &complete, one_node(run, i));
    return json_whole(array, complete);
}

json_t *document_of_graph(const lip_run_info *run)
{
    bool complete = true;
    json_t *root = json_object(), *inputs = json_array();
    for (size_t i = 0; i < run->info.input_count; i++)
        json_push(inputs, &complete, json_tensor(&run->inputs[i]));
    json_put(root, &complete, "schema", json_text("lipaudit.inspect/1"));
    json_put(root, &complete, "tool", json_tool(run));
    json_put(root, &complete, "command", json_command(run));
    json_put(root, &complete, "model", json_model(&run->info));
    json_put(root, &complete, "inputs", inputs);
    json_put(root, &complete, "logits", json_tensor(&run->logits));
    json_put(root, &complete, "nodes", all_nodes(run));
    return json_whole(root, complete);
}
