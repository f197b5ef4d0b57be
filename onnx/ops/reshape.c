/*
 * reshape.c: Reshape to a constant shape (an attribute before opset 5), where
 * 0 keeps a dimension (unless allowzero) and one -1 takes what is left.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "copy.h"
#include "ranges.h"
#include "support.h"

static lip_status wanted(const lip_node *node, lip_ints *out, lip_error *error)
{
    if (node->opset < 5)
        LIP_TRY(lip_ints_of_attr(node, "shape", out, error));
    else
        LIP_TRY(lip_ints_of_input(node, 1, "shape", out, error));
    return out->value ? LIP_OK : lip_fail_node(error, LIP_EFORMAT, node, "has no target shape");
}

/* Fills the dimension at `left` so that the counts agree. */
static lip_status fill(const lip_node *node, lip_shape *y, int left, int64_t count, lip_error *error)
{
    int64_t rest;
    lip_shape known = *y;
    known.dim[left] = 1;
    if (!lip_shape_count(&known, &rest))
        return lip_fail_node(error, LIP_EFORMAT, node, "its target shape's element count overflows");
    if (rest == 0 || count % rest != 0)
        return lip_fail_node(error, LIP_EFORMAT, node, "cannot infer the -1 of its target shape: %lld elements in %lld",
                             (long long)count, (long long)rest);
    y->dim[left] = count / rest;
    return LIP_OK;
}

static lip_status shape(const lip_node *node, lip_error *error)
{
    lip_ints target;
    lip_shape y = {0};
    int left = -1;
    int64_t count = 0, made = 0;
    LIP_TRY(lip_check_inputs(node, 1, 2, error));
    LIP_TRY(lip_check_number(node, 0, error));
    LIP_TRY(wanted(node, &target, error));
    const lip_shape *x = &node->inputs[0]->shape;
    bool zero_is_zero = lip_attr_int(node, "allowzero", 0) != 0;
    for (int64_t i = 0; i < target.count; i++) {
        int64_t dim = target.value[i];
        if (dim == -1) {
            if (left >= 0) return lip_fail_node(error, LIP_EFORMAT, node, "its target shape has two -1");
            left = (int)i;
            dim = 1;
        } else if (dim == 0 && !zero_is_zero) {
            if (i >= x->rank)
                return lip_fail_node(error, LIP_EFORMAT, node, "its target keeps a dimension that is not there");
            dim = x->dim[i];
        }
        LIP_TRY(lip_push_dim(node, &y, dim, error));
    }
    if (!lip_shape_count(x, &count)) return lip_fail_node(error, LIP_EFORMAT, node, "its input is too large");
    if (left >= 0) LIP_TRY(fill(node, &y, left, count, error));
    if (!lip_shape_count(&y, &made) || made != count)
        return lip_fail_node(error, LIP_EFORMAT, node, "its target shape does not have the input's %lld elements",
                             (long long)count);
    return lip_set_output(node, 0, node->inputs[0]->dtype, &y, error);
}

const lip_op lip_op_reshape = {
    .name = "Reshape",
    .domain = "",
    .opset_first = 1,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_ISOMETRY},
    .shape = shape,
    .forward = lip_copy_forward,
    .adjoint = lip_copy_adjoint,
    .range = lip_range_monotone,
};
