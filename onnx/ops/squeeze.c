/*
 * squeeze.c: Squeeze and Unsqueeze; axes are an attribute before opset 13, a
 * constant input since.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "copy.h"
#include "ranges.h"
#include "support.h"

static lip_status axes_of(const lip_node *node, lip_ints *axes, lip_error *error)
{
    if (node->opset < 13) return lip_ints_of_attr(node, "axes", axes, error);
    return lip_ints_of_input(node, 1, "axes", axes, error);
}

static lip_status squeeze_shape(const lip_node *node, lip_error *error)
{
    lip_ints axes;
    lip_shape y = {0};
    bool drop[LIP_MAX_RANK] = {false};
    LIP_TRY(lip_check_inputs(node, 1, 2, error));
    LIP_TRY(lip_check_number(node, 0, error));
    LIP_TRY(axes_of(node, &axes, error));
    const lip_shape *x = &node->inputs[0]->shape;
    LIP_TRY(lip_check_axes(node, axes.value, axes.count, x->rank, drop, error));
    for (int i = 0; i < x->rank; i++) {
        if (!axes.value && x->dim[i] == 1) drop[i] = true;
        if (drop[i] && x->dim[i] != 1)
            return lip_fail_node(error, LIP_EFORMAT, node, "axis %d has %lld elements, not 1", i, (long long)x->dim[i]);
        if (!drop[i]) LIP_TRY(lip_push_dim(node, &y, x->dim[i], error));
    }
    return lip_set_output(node, 0, node->inputs[0]->dtype, &y, error);
}

static lip_status unsqueeze_shape(const lip_node *node, lip_error *error)
{
    lip_ints axes;
    lip_shape y = {0};
    bool added[LIP_MAX_RANK] = {false};
    LIP_TRY(lip_check_inputs(node, 1, 2, error));
    LIP_TRY(lip_check_number(node, 0, error));
    LIP_TRY(axes_of(node, &axes, error));
    if (!axes.value) return lip_fail_node(error, LIP_EFORMAT, node, "has no axes");
    const lip_shape *x = &node->inputs[0]->shape;
    if (axes.count > LIP_MAX_RANK - x->rank)
        return lip_fail_node(error, LIP_EUNSUPPORTED, node, "its output has more than %d dimensions", LIP_MAX_RANK);
    int rank = x->rank + (int)axes.count;
    LIP_TRY(lip_check_axes(node, axes.value, axes.count, rank, added, error));
    for (int i = 0, from = 0; i < rank; i++) LIP_TRY(lip_push_dim(node, &y, added[i] ? 1 : x->dim[from++], error));
    return lip_set_output(node, 0, node->inputs[0]->dtype, &y, error);
}

const lip_op lip_op_squeeze = {
    .name = "Squeeze",
    .domain = "",
    .opset_first = 1,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_ISOMETRY},
    .shape = squeeze_shape,
    .forward = lip_copy_forward,
    .adjoint = lip_copy_adjoint,
    .range = lip_range_monotone,
};

const lip_op lip_op_unsqueeze = {
    .name = "Unsqueeze",
    .domain = "",
    .opset_first = 1,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_ISOMETRY},
    .shape = unsqueeze_shape,
    .forward = lip_copy_forward,
    .adjoint = lip_copy_adjoint,
    .range = lip_range_monotone,
};
