/*
 * value_proto.c: the graph's inputs and outputs as declared.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "value_proto.h"

#include "onnx.pb-c.h"

#include <string.h>

static const Onnx__TypeProto__Tensor *tensor_type(const Onnx__ValueInfoProto *info)
{
    const Onnx__TypeProto *type = info->type;
    return type && type->value_case == ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE ? type->tensor_type : NULL;
}

static lip_status read_dimensions(lip_draft *draft, const Onnx__TensorShapeProto *shape, lip_draft_input *input,
                                  lip_error *error)
{
    if (shape->n_dim > LIP_MAX_RANK) {
        input->value->why = "has more than 8 dimensions, which is not supported";
        return LIP_OK;
    }
    input->has_shape = true;
    input->rank = (int)shape->n_dim;
    for (size_t i = 0; i < shape->n_dim; i++) {
        const Onnx__TensorShapeProto__Dimension *dim = shape->dim[i];
        const char *symbol = NULL;
        if (dim->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE)
            input->dim[i] = dim->dim_value;
        else if (dim->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM)
            symbol = dim->dim_param;
        if (!symbol || !symbol[0])
            continue;
        input->symbol[i] = lip_arena_string(&draft->scratch, symbol, strlen(symbol));
        if (!input->symbol[i])
            return lip_fail_memory(error, NULL, "an input");
    }
    return LIP_OK;
}

static lip_status read_input(lip_draft *draft, const Onnx__ValueInfoProto *info, lip_error *error)
{
    if (!info->name || !info->name[0])
        return lip_fail(error, LIP_EFORMAT, "an input of the graph has no name");
    lip_draft_value *value = lip_draft_value_named(draft, info->name);
    if (!value)
        return lip_fail_memory(error, NULL, "an input");
    if (value->is_input)
        return lip_fail(error, LIP_EFORMAT, "the graph has two inputs '%s'", info->name);
    if (value->defined) /* an initializer: before IR version 4 each was an input too */
        return LIP_OK;
    value->defined = value->is_input = true;
    lip_draft_input *input = &draft->inputs[draft->input_count++];
    input->value = value;
    const Onnx__TypeProto__Tensor *type = tensor_type(info);
    if (!type) {
        value->why = "is not a tensor (a sequence, map or optional), which is not supported";
        return LIP_OK;
    }
    value->value.dtype = (lip_dtype)type->elem_type;
    return type->shape ? read_dimensions(draft, type->shape, input, error) : LIP_OK;
}

lip_status lip_read_inputs(lip_draft *draft, const Onnx__GraphProto *graph, lip_error *error)
{
    draft->inputs = lip_arena_alloc(&draft->scratch, (int64_t)graph->n_input, sizeof *draft->inputs);
    if (!draft->inputs)
        return lip_fail_memory(error, NULL, "the inputs");
    for (size_t i = 0; i < graph->n_input; i++) {
        lip_status status = read_input(draft, graph->input[i], error);
        if (status)
            return status;
    }
    return LIP_OK;
}

lip_status lip_read_outputs(lip_draft *draft, const Onnx__GraphProto *graph, lip_error *error)
{
    draft->outputs = lip_arena_alloc(&draft->scratch, (int64_t)graph->n_output, sizeof(lip_value *));
    if (!draft->outputs)
        return lip_fail_memory(error, NULL, "the outputs");
    for (size_t i = 0; i < graph->n_output; i++) {
        const Onnx__ValueInfoProto *info = graph->output[i];
        if (!info->name || !info->name[0])
            return lip_fail(error, LIP_EFORMAT, "an output of the graph has no name");
        lip_draft_value *value = lip_draft_value_named(draft, info->name);
        if (!value)
            return lip_fail_memory(error, NULL, "the outputs");
        const Onnx__TypeProto__Tensor *type = tensor_type(info);
        if (value->value.dtype == LIP_DTYPE_UNDEFINED && type)
            value->value.dtype = (lip_dtype)type->elem_type;
        draft->outputs[draft->output_count++] = &value->value;
    }
    return LIP_OK;
}
