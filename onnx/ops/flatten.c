/*
 * flatten.c: Flatten to two dimensions, split at an axis.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "copy.h"
#include "ranges.h"
#include "support.h"

static lip_status shape(const lip_node *node, lip_error *error)
{
    LIP_TRY(lip_check_inputs(node, 1, 1, error));
    LIP_TRY(lip_check_number(node, 0, error));
    const lip_shape *x = &node->inputs[0]->shape;
    int64_t axis = lip_attr_int(node, "axis", 1);
    if (axis < -x->rank || axis > x->rank)
        return lip_fail_node(error, LIP_EFORMAT, node, "axis %lld is outside of its input's %d dimensions",
                             (long long)axis, x->rank);
    int at = (int)(axis < 0 ? axis + x->rank : axis);
    lip_shape y = {.rank = 2, .dim = {lip_dims_product(x, 0, at), lip_dims_product(x, at, x->rank)}};
    return lip_set_output(node, 0, node->inputs[0]->dtype, &y, error);
}

const lip_op lip_op_flatten = {
    .name = "Flatten",
    .domain = "",
    .opset_first = 1,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_ISOMETRY},
    .shape = shape,
    .forward = lip_copy_forward,
    .adjoint = lip_copy_adjoint,
    .range = lip_range_monotone,
};
