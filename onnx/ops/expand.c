/*
 * expand.c: Expand to a constant shape, by broadcasting both ways.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "copy.h"
#include "ranges.h"
#include "support.h"
#include "view.h"

static lip_status target(const lip_node *node, lip_shape *y, lip_error *error)
{
    lip_ints given;
    lip_shape to = {0};
    LIP_TRY(lip_ints_of_input(node, 1, "shape", &given, error));
    for (int64_t i = 0; i < given.count; i++) LIP_TRY(lip_push_dim(node, &to, given.value[i], error));
    if (!lip_shape_broadcast(&node->inputs[0]->shape, &to, y))
        return lip_fail_node(error, LIP_EFORMAT, node, "its input does not broadcast to the target shape");
    return LIP_OK;
}

static lip_status shape(const lip_node *node, lip_error *error)
{
    lip_shape y;
    LIP_TRY(lip_check_inputs(node, 2, 2, error));
    LIP_TRY(lip_check_number(node, 0, error));
    LIP_TRY(target(node, &y, error));
    return lip_set_output(node, 0, node->inputs[0]->dtype, &y, error);
}

static lip_status plan(const lip_node *node, lip_view *view, lip_error *error)
{
    lip_shape y;
    int64_t in_stride[LIP_MAX_RANK], out_stride[LIP_MAX_RANK];
    const lip_shape *x = &node->inputs[0]->shape;
    LIP_TRY(target(node, &y, error));
    lip_strides(x, in_stride);
    lip_strides(&y, out_stride);
    *view = (lip_view){0};
    for (int i = 0; i < y.rank; i++) {
        int own = i - (y.rank - x->rank);
        bool spread = own < 0 || x->dim[own] == 1;
        lip_view_push(view, y.dim[i], spread ? 0 : in_stride[own], out_stride[i]);
    }
    return LIP_OK;
}

static lip_status forward(const lip_call *call, lip_error *error)
{
    return lip_view_forward(call, plan, error);
}

static lip_status adjoint(const lip_call *call, lip_error *error)
{
    return lip_view_adjoint(call, plan, error);
}

const lip_op lip_op_expand = {
    .name = "Expand",
    .domain = "",
    .opset_first = 8,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_COPY},
    .shape = shape,
    .forward = forward,
    .adjoint = adjoint,
    .range = lip_range_monotone,
};
