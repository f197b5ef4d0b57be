/*
 * concat.c: Concat along an axis.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "copy.h"
#include "ranges.h"
#include "support.h"
#include "view.h"

#include <string.h>

static lip_status axis_of(const lip_node *node, int *axis, lip_error *error)
{
    if (node->opset >= 4 && !lip_attr_find(node, "axis"))
        return lip_fail_node(error, LIP_EFORMAT, node, "attribute axis is missing");
    return lip_check_axis(node, lip_attr_int(node, "axis", 1), node->inputs[0]->shape.rank, axis, error);
}

static lip_status shape(const lip_node *node, lip_error *error)
{
    int axis = 0;
    if (node->input_count == 0) return lip_fail_node(error, LIP_EFORMAT, node, "has no inputs");
    LIP_TRY(lip_check_inputs(node, node->input_count, node->input_count, error));
    lip_shape y = node->inputs[0]->shape;
    LIP_TRY(axis_of(node, &axis, error));
    for (size_t k = 0; k < node->input_count; k++) {
        LIP_TRY(lip_check_number(node, k, error));
        lip_shape x = node->inputs[k]->shape;
        if (node->inputs[k]->dtype != node->inputs[0]->dtype)
            return lip_fail_node(error, LIP_EFORMAT, node, "its inputs have different types");
        int64_t along = x.rank == y.rank ? x.dim[axis] : 0;
        if (x.rank == y.rank) x.dim[axis] = y.dim[axis];
        if (!lip_shape_equal(&x, &y))
            return lip_fail_node(error, LIP_EFORMAT, node, "input %zu does not fit the others outside of axis %d", k,
                                 axis);
        if (k > 0 && !lip_size_add(y.dim[axis], along, &y.dim[axis]))
            return lip_fail_node(error, LIP_EFORMAT, node, "its output's dimension overflows");
    }
    return lip_set_output(node, 0, node->inputs[0]->dtype, &y, error);
}

/* The view between input k and its place in the output; *at is where it begins along the axis. */
static lip_view place(const lip_node *node, size_t k, int axis, int64_t total, int64_t *at)
{
    const lip_shape *x = &node->inputs[k]->shape;
    int64_t outer = lip_dims_product(x, 0, axis), inner = lip_dims_product(x, axis + 1, x->rank);
    int64_t own = x->dim[axis];
    lip_view view = {.out_offset = *at * inner};
    lip_view_push(&view, outer, own * inner, total * inner);
    lip_view_push(&view, own * inner, 1, 1);
    *at += own;
    return view;
}

static int64_t total_along(const lip_node *node, int axis)
{
    int64_t total = 0;
    for (size_t k = 0; k < node->input_count; k++) total += node->inputs[k]->shape.dim[axis];
    return total;
}

static lip_status forward(const lip_call *call, lip_error *error)
{
    int axis = 0;
    int64_t at = 0;
    if (!call->out[0]) return LIP_OK;
    LIP_TRY(axis_of(call->node, &axis, error));
    int64_t total = total_along(call->node, axis);
    if (call->linear_part) memset(call->out[0]->room, 0, (size_t)call->out[0]->count * sizeof(double));
    for (size_t k = 0; k < call->node->input_count; k++) {
        lip_view view = place(call->node, k, axis, total, &at);
        bool drop = call->linear_part && !lip_input_varies(call->node, k);
        if (!drop) lip_view_copy(&view, call->in[k]->data, call->out[0]->room);
    }
    return LIP_OK;
}

static lip_status adjoint(const lip_call *call, lip_error *error)
{
    int axis = 0;
    int64_t at = 0;
    LIP_TRY(axis_of(call->node, &axis, error));
    int64_t total = total_along(call->node, axis);
    for (size_t k = 0; k < call->node->input_count; k++) {
        lip_view view = place(call->node, k, axis, total, &at);
        lip_zero_grad(call, k);
        if (call->in_grad[k] && call->out_grad[0]) lip_view_add(&view, call->out_grad[0], call->in_grad[k]);
    }
    return LIP_OK;
}

const lip_op lip_op_concat = {
    .name = "Concat",
    .domain = "",
    .opset_first = 1,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_CONCAT},
    .shape = shape,
    .forward = forward,
    .adjoint = adjoint,
    .range = lip_range_monotone,
};
