/*
 * describe.c: what the public API tells about a model.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "graph/model.h"

static size_t count_folded(const lip_model *model)
{
    size_t folded = 0;
    for (size_t i = 0; i < model->node_count; i++)
        folded += model->nodes[i]->folded;
    return folded;
}

lip_model_info lip_model_describe(const lip_model *model)
{
    lip_model_info info = {
        .path = model->path,
        .producer = model->producer,
        .ir_version = model->ir_version,
        .opset = model->opset,
        .nodes_in_file = model->nodes_in_file,
        .parameters = model->parameters,
        .logits = model->logits->name,
        .normalises = model->normalises,
        .input_count = model->input_count,
        .note_count = model->note_count,
    };
    info.nodes_folded = count_folded(model);
    info.nodes = model->node_count - info.nodes_folded;
    for (size_t i = 0; i < sizeof info.sha256; i++)
        info.sha256[i] = model->sha256[i];
    return info;
}

static lip_tensor_info describe_value(const lip_value *value)
{
    if (!value)
        return (lip_tensor_info){.name = "", .dtype = lip_dtype_name(LIP_DTYPE_UNDEFINED)};
    return (lip_tensor_info){value->name, lip_dtype_name(value->dtype), value->shape, value->shape_known};
}

lip_tensor_info lip_model_input(const lip_model *model, size_t index)
{
    return describe_value(index < model->input_count ? model->inputs[index] : NULL);
}

lip_tensor_info lip_model_logits(const lip_model *model)
{
    return describe_value(model->logits);
}

const char *lip_model_note(const lip_model *model, size_t index)
{
    return index < model->note_count ? model->notes[index] : "";
}

lip_node_info lip_model_node(const lip_model *model, size_t index)
{
    if (index >= model->node_count)
        return (lip_node_info){.name = "", .op = "", .module = "", .reason = ""};
    const lip_node *node = model->nodes[index];
    return (lip_node_info){
        .name = node->name,
        .op = lip_draft_of_node(node)->op_text,
        .module = node->module,
        .folded = node->folded,
        .understood = !node->unknown,
        .reason = node->unknown ? node->unknown : "",
        .input_count = node->input_count,
        .output_count = node->output_count,
    };
}

lip_tensor_info lip_model_node_input(const lip_model *model, size_t node, size_t index)
{
    return describe_value(node < model->node_count ? lip_node_input(model->nodes[node], index) : NULL);
}

lip_tensor_info lip_model_node_output(const lip_model *model, size_t node, size_t index)
{
    return describe_value(node < model->node_count ? lip_node_output(model->nodes[node], index) : NULL);
}
