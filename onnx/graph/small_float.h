/*
 * small_float.h: floating-point types of 8 bits or fewer: what a code means,
 * and rounding to one. Each value is a float32.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_ONNX_GRAPH_SMALL_FLOAT_H
#define LIP_ONNX_GRAPH_SMALL_FLOAT_H

#include "tensor.h"

/* How Cast and QuantizeLinear round. */
typedef struct lip_small_rounding {
    bool saturate;                                  /* beyond the largest value: that value; else infinity or NaN */
    enum { LIP_SCALE_UP, LIP_SCALE_DOWN, LIP_SCALE_NEAREST } scale; /* float8e8m0, powers of two, alone */
} lip_small_rounding;

/* What a code of a small type (lip_dtype_is_small) stands for; bits above its width do not count. */
float lip_small_float_value(lip_dtype dtype, uint8_t code);

/* x as a small type holds it: the nearest value, ties to the even code. NaN stays NaN where the type has one, else it
 * is 0. float8e8m0 has neither sign nor 0: |x| is rounded, 0 to the smallest value, infinity to NaN. */
double lip_small_float_round(lip_dtype dtype, double x, lip_small_rounding rounding);

#endif
