/*
 * slices.h: a tensor as outer x count x inner around one axis, for operators
 * that work along it.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_ONNX_OPS_SLICES_H
#define LIP_ONNX_OPS_SLICES_H

#include "op.h"

/* Element i of slice (o, j): at (o * count + i) * inner + j. */
typedef struct lip_slices {
    int64_t outer, count, inner;
} lip_slices;

/* Around the axes [first, end), taken as one. A tensor without elements has no slices. */
lip_slices lip_slices_around(const lip_shape *x, int first, int end);

/* Softmax, LogSoftmax, Hardmax: along `axis` (default -1) from opset 13; before, along all axes from `axis` (default 1)
 * on, flattened. Checks input 0. */
lip_status lip_slices_of_softmax(const lip_node *node, lip_slices *out, lip_error *error);
lip_status lip_slices_shape(const lip_node *node, lip_error *error); /* a `shape` function for these */

#endif
