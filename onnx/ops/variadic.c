/*
 * variadic.c: shapes of nodes with any number of inputs.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "variadic.h"

#include "support.h"

lip_status lip_variadic_shape(const lip_node *node, lip_error *error)
{
    lip_shape shape = {0};
    if (node->input_count == 0) return lip_fail_node(error, LIP_EFORMAT, node, "has no inputs");
    LIP_TRY(lip_check_inputs(node, node->input_count, node->input_count, error));
    for (size_t k = 0; k < node->input_count; k++) {
        LIP_TRY(lip_check_number(node, k, error));
        if (node->inputs[k]->dtype != node->inputs[0]->dtype)
            return lip_fail_node(error, LIP_EFORMAT, node, "its inputs have different types");
        if (!lip_shape_broadcast(&shape, &node->inputs[k]->shape, &shape))
            return lip_fail_node(error, LIP_EFORMAT, node, "its inputs' shapes do not broadcast (input %zu)", k);
    }
    return lip_set_output(node, 0, node->inputs[0]->dtype, &shape, error);
}

lip_status lip_variadic_shape_real(const lip_node *node, lip_error *error)
{
    LIP_TRY(lip_check_inputs(node, 1, node->input_count, error));
    LIP_TRY(lip_check_real(node, 0, error));
    return lip_variadic_shape(node, error);
}

lip_broadcast lip_variadic_begin(const lip_call *call, size_t k)
{
    lip_shape shape = {0};
    const lip_shape *operand = &call->in[k]->shape;
    for (size_t i = 0; i < call->node->input_count; i++) (void)lip_shape_broadcast(&shape, &call->in[i]->shape, &shape);
    return lip_broadcast_begin(&shape, &operand, 1);
}
