/*
 * quantization.h: scales and zero points, per tensor, per axis or per block,
 * and rounding to an integer type.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_ONNX_OPS_QUANTIZATION_H
#define LIP_ONNX_OPS_QUANTIZATION_H

#include "graph/small_float.h"
#include "op.h"

/* Why a node that rounds has no gain. */
#define LIP_REASON_ROUNDS "discontinuous: it rounds to whole numbers"
#define LIP_REASON_SMALL "discontinuous: it rounds to a type of 8 bits or fewer"
#define LIP_REASON_QUANTIZED "discontinuous: its input is quantised, which jumps between whole numbers"

/* Which scale belongs to an element: slices around `axis`, `per` of its positions for each of the `count` scales. */
typedef struct lip_quantization {
    int64_t inner, size, per, count;
    bool blocked;
} lip_quantization;

/* Reads the layout of the scale in input `scale` for the data in input `data`, and checks that the zero point in input
 * `zero`, where it is there, has the scale's shape. */
lip_status lip_quantization_of(const lip_node *node, size_t data, size_t scale, size_t zero, lip_quantization *out,
                               lip_error *error);
/* Index of the scale of element i. */
int64_t lip_quantization_at(const lip_quantization *q, int64_t i);

/* Whether a type is one to quantise to, and the nearest whole number (ties to even), x + zero, inside of its range. */
bool lip_quantized_range(lip_dtype dtype, int64_t *low, int64_t *high);
int64_t lip_quantize(double x, int64_t zero, lip_dtype dtype);
/* How a node that converts to a small floating-point type rounds. */
lip_small_rounding lip_small_rounding_of(const lip_node *node);
/* A sum of whole numbers as one; 0 where it is beyond 2^62. */
int64_t lip_whole_of(double x);

/* LIP_EUNSUPPORTED unless input `index` is floating-point and has one element; the same for integers, if it is
 * there. */
lip_status lip_check_one_scale(const lip_node *node, size_t index, lip_error *error);
lip_status lip_check_one_zero(const lip_node *node, size_t index, lip_error *error);
/* Element `i` (0 where there is one for all) of an input that may be left out: then `otherwise`. */
double lip_parameter(const lip_call *call, size_t index, int64_t i, double otherwise);

#endif
