/*
 * slices.c: see slices.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "slices.h"

#include "support.h"

lip_slices lip_slices_around(const lip_shape *x, int first, int end)
{
    const lip_slices s = { lip_dims_product(x, 0, first), lip_dims_product(x, first, end),
                           lip_dims_product(x, end, x->rank) };
    return lip_dims_product(x, 0, x->rank) > 0 ? s : (lip_slices){ 0, s.count, 0 };
}

lip_status lip_slices_of_softmax(const lip_node *node, lip_slices *out, lip_error *error)
{
    LIP_TRY(lip_check_inputs(node, 1, 1, error));
    LIP_TRY(lip_check_real(node, 0, error));
    const lip_shape *x = &node->inputs[0]->shape;
    const bool flattens = node->opset < 13;
    const int64_t axis = lip_attr_int(node, "axis", flattens ? 1 : -1);
    int at = 0;
    if (x->rank == 0) {
        *out = (lip_slices){ 1, 1, 1 };
        return LIP_OK;
    }
    if (flattens && axis == x->rank) /* nothing is left to normalise over */
        at = x->rank;
    else
        LIP_TRY(lip_check_axis(node, axis, x->rank, &at, error));
    const int end = flattens ? x->rank : at + 1;
    *out = lip_slices_around(x, at, end);
    return LIP_OK;
}

lip_status lip_slices_shape(const lip_node *node, lip_error *error)
{
    lip_slices s = { 0 };
    LIP_TRY(lip_slices_of_softmax(node, &s, error));
    return lip_set_output(node, 0, node->inputs[0]->dtype, &node->inputs[0]->shape, error);
}
