/*
 * gather_targets.c: where indices point to, see gather.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "gather.h"

#include "support.h"

lip_status lip_check_element_indices(const lip_node *node, lip_error *error)
{
    int axis = 0;
    int64_t picked;
    LIP_TRY(lip_check_number(node, 0, error));
    LIP_TRY(lip_check_indices(node, error));
    const lip_shape *x = &node->inputs[0]->shape, *indices = &node->inputs[1]->shape;
    LIP_TRY(lip_check_axis(node, lip_attr_int(node, "axis", 0), x->rank, &axis, error));
    bool fits = x->rank == indices->rank;
    for (int i = 0; fits && i < x->rank; i++) fits = i == axis || indices->dim[i] <= x->dim[i];
    if (!fits) return lip_fail_node(error, LIP_EFORMAT, node, "its indices' shape does not fit its data");
    const lip_tensor *index = lip_node_constant(node, 1);
    for (int64_t j = 0; index && j < index->count; j++)
        LIP_TRY(lip_check_index(node, index->i64[j], x->dim[axis], &picked, error));
    return LIP_OK;
}

lip_status lip_element_target(const lip_call *call, int64_t j, int64_t *out, lip_error *error)
{
    const lip_shape *x = &call->in[0]->shape, *indices = &call->in[1]->shape;
    int64_t at = 0, rest = j, stride = 1, index = 0;
    int axis = 0;
    LIP_TRY(lip_check_axis(call->node, lip_attr_int(call->node, "axis", 0), x->rank, &axis, error));
    LIP_TRY(lip_check_index(call->node, call->in[1]->i64[j], x->dim[axis], &index, error));
    for (int i = x->rank - 1; i >= 0; i--) {
        int64_t own = rest % indices->dim[i];
        rest /= indices->dim[i];
        at += (i == axis ? index : own) * stride;
        stride *= x->dim[i];
    }
    *out = at;
    return LIP_OK;
}

lip_status lip_tuples_read(const lip_node *node, lip_tuples *out, lip_error *error)
{
    const lip_shape *x = &node->inputs[0]->shape, *indices = &node->inputs[1]->shape;
    int64_t batch = lip_attr_int(node, "batch_dims", 0);
    if (indices->rank < 1 || batch < 0 || batch >= indices->rank || batch >= x->rank)
        return lip_fail_node(error, LIP_EFORMAT, node, "batch_dims %lld does not fit its inputs", (long long)batch);
    int64_t depth = indices->dim[indices->rank - 1];
    if (depth < 0 || depth > x->rank - batch)
        return lip_fail_node(error, LIP_EFORMAT, node, "its indices name %lld axes of %d", (long long)depth, x->rank);
    for (int i = 0; i < batch; i++) {
        if (x->dim[i] != indices->dim[i])
            return lip_fail_node(error, LIP_EFORMAT, node, "batch dimension %d differs between its inputs", i);
    }
    out->first = (int)batch;
    out->depth = (int)depth;
    out->batch = lip_dims_product(x, 0, out->first);
    out->tuples = lip_dims_product(indices, out->first, indices->rank - 1);
    out->block = lip_dims_product(x, out->first + out->depth, x->rank);
    return LIP_OK;
}

lip_status lip_tuple_target(const lip_node *node, const lip_tuples *at, const int64_t *indices, int64_t b, int64_t t,
                            int64_t *out, lip_error *error)
{
    const lip_shape *x = &node->inputs[0]->shape;
    int64_t block = b, index = 0;
    for (int i = 0; i < at->depth; i++) {
        int64_t n = x->dim[at->first + i];
        LIP_TRY(lip_check_index(node, indices[(b * at->tuples + t) * at->depth + i], n, &index, error));
        block = block * n + index;
    }
    *out = block * at->block;
    return LIP_OK;
}

lip_status lip_tuples_check(const lip_node *node, const lip_tuples *at, lip_error *error)
{
    const lip_tensor *indices = lip_node_constant(node, 1);
    int64_t begin;
    for (int64_t b = 0; indices && b < at->batch; b++) {
        for (int64_t t = 0; t < at->tuples; t++)
            LIP_TRY(lip_tuple_target(node, at, indices->i64, b, t, &begin, error));
    }
    return LIP_OK;
}

lip_status lip_tuples_shape(const lip_node *node, const lip_tuples *at, lip_shape *y, lip_error *error)
{
    const lip_shape *x = &node->inputs[0]->shape, *indices = &node->inputs[1]->shape;
    *y = (lip_shape){0};
    for (int i = 0; i < indices->rank - 1; i++) LIP_TRY(lip_push_dim(node, y, indices->dim[i], error));
    for (int i = at->first + at->depth; i < x->rank; i++) LIP_TRY(lip_push_dim(node, y, x->dim[i], error));
    return LIP_OK;
}
