/*
 * reduce.h: reductions over axes: the groups of input elements that make one
 * output element each.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_ONNX_OPS_REDUCE_H
#define LIP_ONNX_OPS_REDUCE_H

#include "op.h"

/* One output of the elements x[at[i]], i < n. */
typedef double lip_reduce(const double *x, const int64_t *at, int64_t n);
typedef int64_t lip_reduce_whole(const int64_t *x, const int64_t *at, int64_t n);
/* grad[at[i]] = g * d(output y)/d(x[at[i]]) for i < n. */
typedef void lip_reduce_slopes(const double *x, const int64_t *at, int64_t n, double y, double g, double *grad);

/* A whole `shape` function. Axes: an attribute before opset 18 (ReduceSum: 13), constant input 1 since. */
lip_status lip_reduce_shape(const lip_node *node, lip_error *error);
/* The same for floating-point inputs only. */
lip_status lip_reduce_shape_real(const lip_node *node, lip_error *error);
lip_status lip_reduce_forward(const lip_call *call, lip_reduce *real, lip_reduce_whole *whole, lip_error *error);
lip_status lip_reduce_adjoint(const lip_call *call, lip_reduce_slopes *slopes, lip_error *error);

/* Elements in a group. */
lip_status lip_reduce_size(const lip_node *node, int64_t *size, lip_error *error);

#endif
