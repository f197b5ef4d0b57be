/*
 * grouping.h: the elements of a tensor in groups: those that agree on every
 * axis but the chosen ones. For normalisations over any axes.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_ONNX_OPS_GROUPING_H
#define LIP_ONNX_OPS_GROUPING_H

#include "op.h"

typedef struct lip_grouping {
    int64_t groups, count;        /* each group has `count` elements */
    int64_t stride[LIP_MAX_RANK]; /* of the group's number along each axis; 0 on the chosen ones */
} lip_grouping;

/* The groups of input 0 over the axes of attribute `axes` (where it is left out, over `otherwise`). */
lip_status lip_grouping_read(const lip_node *node, const int64_t *otherwise, int64_t otherwise_count,
                             lip_grouping *out, lip_error *error);
int64_t lip_group_of(const lip_grouping *g, const lip_shape *shape, int64_t element);

#endif
