/*
 * binding.c: see binding.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "binding.h"

#include <string.h>

lip_tensor lip_tensor_converted(const lip_tensor *constant, lip_memory *memory)
{
    lip_tensor tensor = *constant;
    double *data = lip_alloc(memory, constant->count, sizeof *data);
    tensor.storage = LIP_F64;
    tensor.data = data;
    if (data != NULL)
        lip_tensor_to_real(constant, data);
    return tensor;
}

lip_status lip_binding_open(lip_binding *binding, lip_memory *memory, size_t inputs, size_t outputs, lip_error *error)
{
    *binding = (lip_binding){ .memory = memory, .input_room = inputs, .output_room = outputs };
    binding->in = lip_alloc(memory, (int64_t)inputs, sizeof *binding->in);
    binding->in_grad = lip_alloc(memory, (int64_t)inputs, sizeof *binding->in_grad);
    binding->converted = lip_alloc(memory, (int64_t)inputs, sizeof *binding->converted);
    binding->out = lip_alloc(memory, (int64_t)outputs, sizeof *binding->out);
    binding->out_grad = lip_alloc(memory, (int64_t)outputs, sizeof *binding->out_grad);
    if (binding->in == NULL || binding->in_grad == NULL || binding->converted == NULL || binding->out == NULL ||
        binding->out_grad == NULL)
        return lip_fail_memory(error, NULL, "an evaluation");
    return LIP_OK;
}

void lip_binding_clear(lip_binding *binding)
{
    if (binding->converted != NULL)
        for (size_t i = 0; i < binding->input_room; i++) {
            lip_free(binding->memory, binding->converted[i].room);
            binding->converted[i] = (lip_tensor){ .data = NULL };
        }
    binding->node = NULL;
}

void lip_binding_close(lip_binding *binding)
{
    if (binding->memory == NULL)
        return;
    lip_binding_clear(binding);
    lip_free(binding->memory, binding->in);
    lip_free(binding->memory, binding->in_grad);
    lip_free(binding->memory, binding->converted);
    lip_free(binding->memory, binding->out);
    lip_free(binding->memory, binding->out_grad);
    *binding = (lip_binding){ .memory = NULL };
}

lip_status lip_binding_set(lip_binding *binding, const lip_node *node, lip_error *error)
{
    if (node->input_count > binding->input_room || node->output_count > binding->output_room)
        return lip_fail_node(error, LIP_EINTERNAL, node, "more inputs or outputs than were counted");
    lip_binding_clear(binding);
    binding->node = node;
    memset(binding->in, 0, node->input_count * sizeof *binding->in);
    memset(binding->in_grad, 0, node->input_count * sizeof *binding->in_grad);
    memset(binding->out, 0, node->output_count * sizeof *binding->out);
    memset(binding->out_grad, 0, node->output_count * sizeof *binding->out_grad);
    for (size_t i = 0; i < node->input_count; i++) {
        const lip_tensor *constant = lip_node_constant(node, i);
        binding->in[i] = constant;
        if (constant == NULL || constant->storage != LIP_F32)
            continue;
        binding->converted[i] = lip_tensor_converted(constant, binding->memory);
        if (binding->converted[i].data == NULL)
            return lip_fail_memory(error, node, "a constant in float64");
        binding->in[i] = &binding->converted[i];
    }
    return LIP_OK;
}

lip_call lip_binding_call(const lip_binding *binding, bool linear_part)
{
    return (lip_call){ .node = binding->node,
                       .in = binding->in,
                       .out = binding->out,
                       .out_grad = binding->out_grad,
                       .in_grad = binding->in_grad,
                       .linear_part = linear_part,
                       .memory = binding->memory };
}
