/*
 * where.c: Where, y = condition ? a : b, with broadcasting. With a condition
 * that does not depend on the model's input each output element is one of a
 * or of b; otherwise the output jumps where the condition changes.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "elementwise.h"
#include "ranges.h"
#include "support.h"

#include <string.h>

static bool common_shape(const lip_node *node, lip_shape *y)
{
    return lip_shape_broadcast(&node->inputs[0]->shape, &node->inputs[1]->shape, y) &&
           lip_shape_broadcast(y, &node->inputs[2]->shape, y);
}

static lip_status shape(const lip_node *node, lip_error *error)
{
    lip_shape y;
    LIP_TRY(lip_check_inputs(node, 3, 3, error));
    for (size_t k = 0; k < 3; k++) LIP_TRY(lip_check_number(node, k, error));
    if (lip_dtype_is_real(node->inputs[0]->dtype))
        return lip_fail_node(error, LIP_EFORMAT, node, "its condition is not bool");
    if (lip_dtype_is_real(node->inputs[1]->dtype) != lip_dtype_is_real(node->inputs[2]->dtype))
        return lip_fail_node(error, LIP_EFORMAT, node, "its two branches have different types");
    if (!common_shape(node, &y)) return lip_fail_node(error, LIP_EFORMAT, node, "its inputs' shapes do not broadcast");
    return lip_set_output(node, 0, node->inputs[1]->dtype, &y, error);
}

static lip_broadcast begin(const lip_call *call)
{
    const lip_shape *operand[] = {&call->in[0]->shape, &call->in[1]->shape, &call->in[2]->shape};
    lip_shape y = {0};
    (void)common_shape(call->node, &y);
    return lip_broadcast_begin(&y, operand, 3);
}

static lip_status forward(const lip_call *call, lip_error *error)
{
    (void)error;
    if (!call->out[0]) return LIP_OK;
    lip_broadcast it = begin(call);
    bool real = call->out[0]->storage == LIP_F64;
    do {
        for (int64_t i = 0; i < it.row; i++) {
            int k = call->in[0]->i64[it.offset[0] + i * it.step[0]] ? 1 : 2;
            int64_t from = it.offset[k] + i * it.step[k];
            bool drop = call->linear_part && !lip_input_varies(call->node, (size_t)k);
            if (real)
                call->out[0]->f64_room[it.at + i] = drop ? 0 : call->in[k]->f64[from];
            else
                call->out[0]->i64_room[it.at + i] = call->in[k]->i64[from];
        }
    } while (lip_broadcast_next(&it));
    return LIP_OK;
}

static lip_status adjoint(const lip_call *call, lip_error *error)
{
    (void)error;
    for (int k = 1; k < 3; k++) {
        if (call->in_grad[k]) memset(call->in_grad[k], 0, (size_t)call->in[k]->count * sizeof(double));
    }
    if (!call->out_grad[0]) return LIP_OK;
    lip_broadcast it = begin(call);
    do {
        for (int64_t i = 0; i < it.row; i++) {
            int k = call->in[0]->i64[it.offset[0] + i * it.step[0]] ? 1 : 2;
            if (call->in_grad[k]) call->in_grad[k][it.offset[k] + i * it.step[k]] += call->out_grad[0][it.at + i];
        }
    } while (lip_broadcast_next(&it));
    return LIP_OK;
}

static lip_status describe(const lip_node *node, lip_arena *arena, lip_gain *gain, lip_error *error)
{
    (void)arena, (void)error;
    if (lip_input_varies(node, 0))
        *gain = lip_gain_none(LIP_GAIN_UNBOUNDED, "discontinuous: its condition depends on the input");
    else if (lip_node_constant(node, 0) && lip_node_varying(node) > 0)
        *gain = (lip_gain){.kind = LIP_GAIN_COPY};
    return LIP_OK;
}

const lip_op lip_op_where = {
    .name = "Where",
    .domain = "",
    .opset_first = 9,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_JOIN},
    .shape = shape,
    .forward = forward,
    .adjoint = adjoint,
    .describe = describe,
    .range = lip_range_where,
};
