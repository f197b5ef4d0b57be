/*
 * on_range.h: gains of nodes on the ranges of their inputs, as onnx/range.h
 * finds them; for products of activations their norms.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_BOUNDS_ON_RANGE_H
#define LIP_BOUNDS_ON_RANGE_H

#include "gain_of.h"
#include "range.h"

/* input[i]: a proved Lipschitz constant of the node in its input i on the ranges; +inf where no rule gives one. lower:
 * a slope that is attained there, or 0. */
typedef struct lip_range_gain {
    const double *input;
    double lower;
    const lip_interval *slopes; /* NULL, or for each element of input 0 of an elementwise node:
                                   (f(z) - f(z')) / (z - z') lies in it for all z, z' in the element's range */
    bool everywhere; /* the ranges hold for all inputs of the model, not for a box only */
} lip_range_gain;

/*
 * MatMul, Gemm and FusedMatMul, inputs 0 and 1 taken as they vary: lowers gain[] to
 *   gain[0] = |alpha| sqrt(copies of A) max_B ||B||_2,  gain[1] alike,  gain[2] = |beta| sqrt(copies of C),
 * the norms over all matrices within the ranges. Other nodes: nothing. Cost: that of lip_dense_norm for each matrix
 * that may hold the maximum, where all cost at most 2e10 flops; otherwise a pass over the elements.
 */
lip_status lip_range_gain_product(const lip_range_call *call, uint64_t seed, double *gain, lip_error *error);

/* Puts what is known on the ranges into the gain of the layer: a smaller upper bound, with its method and reason, and
 * a lower bound that holds there. */
void lip_range_gain_apply(const lip_layer_task *task, const lip_range_gain *on_range, lip_layer_gain *gain);

/* Gain of the node in input `index`, for a node with several varying inputs: of its kind and on the ranges (may be
 * NULL), whichever is smaller. +inf: none. */
double lip_range_gain_in(const lip_node *node, const lip_gain *gain, const lip_range_gain *on_range, size_t index);

/* Whether the lower bound of this kind is the norm of a linear map, and holds wherever the map is applied. */
bool lip_range_gain_keeps_lower(lip_gain_kind kind);

#endif
