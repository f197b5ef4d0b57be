/*
 * grouping.c: see grouping.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "grouping.h"

#include "support.h"

lip_status lip_grouping_read(const lip_node *node, const int64_t *otherwise, int64_t otherwise_count,
                             lip_grouping *out, lip_error *error)
{
    bool mask[LIP_MAX_RANK] = { false };
    lip_ints axes = { 0 };
    lip_grouping g = { .groups = 1, .count = 1 };
    const lip_shape *x = &node->inputs[0]->shape;
    LIP_TRY(lip_ints_of_attr(node, "axes", &axes, error));
    if (axes.value == NULL)
        axes = (lip_ints){ otherwise, otherwise_count };
    LIP_TRY(lip_check_axes(node, axes.value, axes.count, x->rank, mask, error));
    for (int i = x->rank - 1; i >= 0; i--) {
        g.stride[i] = mask[i] ? 0 : g.groups;
        if (!lip_size_mul(mask[i] ? g.count : g.groups, x->dim[i], mask[i] ? &g.count : &g.groups))
            return lip_fail_node(error, LIP_EUNSUPPORTED, node, "its input is too large");
    }
    *out = g;
    return LIP_OK;
}

int64_t lip_group_of(const lip_grouping *g, const lip_shape *shape, int64_t element)
{
    int64_t group = 0;
    for (int i = shape->rank - 1; i >= 0; i--) {
        group += element % shape->dim[i] * g->stride[i];
        element /= shape->dim[i];
    }
    return group;
}
