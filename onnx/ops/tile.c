/*
 * tile.c: Tile: each axis is repeated. Opset 1 repeats one axis, given by two
 * scalar inputs.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "copy.h"
#include "ranges.h"
#include "support.h"
#include "view.h"

static lip_status repeats_of(const lip_node *node, int64_t *repeats, lip_error *error)
{
    lip_ints given, axis;
    int rank = node->inputs[0]->shape.rank, at = 0;
    for (int i = 0; i < rank; i++) repeats[i] = 1;
    LIP_TRY(lip_ints_of_input(node, 1, "repeats", &given, error));
    if (node->opset < 6) {
        LIP_TRY(lip_ints_of_input(node, 2, "axis", &axis, error));
        if (given.count != 1 || axis.count != 1)
            return lip_fail_node(error, LIP_EFORMAT, node, "tiles or axis is not a scalar");
        LIP_TRY(lip_check_axis(node, axis.value[0], rank, &at, error));
        repeats[at] = given.value[0];
    } else {
        if (given.count != rank)
            return lip_fail_node(error, LIP_EFORMAT, node, "has %lld repeats for %d dimensions", (long long)given.count,
                                 rank);
        for (int i = 0; i < rank; i++) repeats[i] = given.value[i];
    }
    for (int i = 0; i < rank; i++) {
        if (repeats[i] < 0) return lip_fail_node(error, LIP_EFORMAT, node, "a repeat is negative");
    }
    return LIP_OK;
}

static lip_status tiled(const lip_node *node, const int64_t *repeats, lip_shape *y, lip_error *error)
{
    *y = node->inputs[0]->shape;
    for (int i = 0; i < y->rank; i++) {
        if (!lip_size_mul(y->dim[i], repeats[i], &y->dim[i]))
            return lip_fail_node(error, LIP_EFORMAT, node, "its output's dimension %d overflows", i);
    }
    return LIP_OK;
}

static lip_status shape(const lip_node *node, lip_error *error)
{
    int64_t repeats[LIP_MAX_RANK];
    lip_shape y;
    LIP_TRY(lip_check_inputs(node, 2, 3, error));
    LIP_TRY(lip_check_number(node, 0, error));
    LIP_TRY(repeats_of(node, repeats, error));
    LIP_TRY(tiled(node, repeats, &y, error));
    return lip_set_output(node, 0, node->inputs[0]->dtype, &y, error);
}

static lip_status plan(const lip_node *node, lip_view *view, lip_error *error)
{
    int64_t repeats[LIP_MAX_RANK], in_stride[LIP_MAX_RANK], out_stride[LIP_MAX_RANK];
    lip_shape y;
    const lip_shape *x = &node->inputs[0]->shape;
    LIP_TRY(repeats_of(node, repeats, error));
    LIP_TRY(tiled(node, repeats, &y, error));
    lip_strides(x, in_stride);
    lip_strides(&y, out_stride);
    *view = (lip_view){0};
    if (lip_dims_product(&y, 0, y.rank) == 0) {
        lip_view_push(view, 0, 0, 0); /* a repeat of 0: strides below could overflow */
        return LIP_OK;
    }
    for (int i = 0; i < x->rank; i++) {
        lip_view_push(view, repeats[i], 0, x->dim[i] * out_stride[i]);
        lip_view_push(view, x->dim[i], in_stride[i], out_stride[i]);
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

const lip_op lip_op_tile = {
    .name = "Tile",
    .domain = "",
    .opset_first = 1,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_COPY},
    .shape = shape,
    .forward = forward,
    .adjoint = adjoint,
    .range = lip_range_monotone,
};
