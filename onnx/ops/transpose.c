/*
 * transpose.c: Transpose; the default permutation reverses the axes.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "copy.h"
#include "ranges.h"
#include "support.h"
#include "view.h"

static lip_status permutation(const lip_node *node, int *perm, lip_error *error)
{
    lip_ints given;
    bool found[LIP_MAX_RANK];
    int rank = node->inputs[0]->shape.rank;
    LIP_TRY(lip_ints_of_attr(node, "perm", &given, error));
    for (int i = 0; i < rank; i++) perm[i] = rank - 1 - i;
    if (!given.value) return LIP_OK;
    if (given.count != rank)
        return lip_fail_node(error, LIP_EFORMAT, node, "attribute perm has %lld entries for %d dimensions",
                             (long long)given.count, rank);
    LIP_TRY(lip_check_axes(node, given.value, given.count, rank, found, error));
    for (int i = 0; i < rank; i++) perm[i] = (int)(given.value[i] < 0 ? given.value[i] + rank : given.value[i]);
    return LIP_OK;
}

static lip_status shape(const lip_node *node, lip_error *error)
{
    int perm[LIP_MAX_RANK];
    LIP_TRY(lip_check_inputs(node, 1, 1, error));
    LIP_TRY(lip_check_number(node, 0, error));
    LIP_TRY(permutation(node, perm, error));
    const lip_shape *x = &node->inputs[0]->shape;
    lip_shape y = {.rank = x->rank};
    for (int i = 0; i < x->rank; i++) y.dim[i] = x->dim[perm[i]];
    return lip_set_output(node, 0, node->inputs[0]->dtype, &y, error);
}

static lip_status plan(const lip_node *node, lip_view *view, lip_error *error)
{
    int perm[LIP_MAX_RANK];
    int64_t in_stride[LIP_MAX_RANK], out_stride[LIP_MAX_RANK];
    const lip_shape *x = &node->inputs[0]->shape;
    LIP_TRY(permutation(node, perm, error));
    lip_shape y = {.rank = x->rank};
    for (int i = 0; i < x->rank; i++) y.dim[i] = x->dim[perm[i]];
    lip_strides(x, in_stride);
    lip_strides(&y, out_stride);
    *view = (lip_view){0};
    for (int i = 0; i < y.rank; i++) lip_view_push(view, y.dim[i], in_stride[perm[i]], out_stride[i]);
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

const lip_op lip_op_transpose = {
    .name = "Transpose",
    .domain = "",
    .opset_first = 1,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_ISOMETRY},
    .shape = shape,
    .forward = forward,
    .adjoint = adjoint,
    .range = lip_range_monotone,
};
