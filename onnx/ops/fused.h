/*
 * fused.h: operators that no file names: what graph/fuse.c puts in the place
 * of several nodes that compute one function of one tensor. Not in the table.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_ONNX_OPS_FUSED_H
#define LIP_ONNX_OPS_FUSED_H

#include "op.h"

/*
 * y = c x g(x), elementwise, with a gate g:
 *   SIGMOID   1 / (1 + exp(-k x))
 *   ERF       1 + erf(k x)
 *   TANH      1 + tanh(k x + q x^3), q / k^3 near LIP_GATE_CUBIC
 *   HARD      max(0, min(1, k x + b))
 *   MISH      tanh(log(1 + exp(x)))
 * Attribute "gate"; input 1 is the constant [c, k, q, b] in float64. c and k are not 0.
 */
typedef enum lip_gate { LIP_GATE_SIGMOID, LIP_GATE_ERF, LIP_GATE_TANH, LIP_GATE_HARD, LIP_GATE_MISH } lip_gate;
extern const lip_op lip_op_gate;

/* 0.044715 pi / 2: the cubic term of the usual approximation where k = 1; and by how much q / k^3 may differ. */
#define LIP_GATE_CUBIC 0.070238157848546
#define LIP_GATE_CUBIC_ROOM 1e-4

/* y = z / sqrt(mean(z^2) + eps) over the axes of attribute "axes", z = x - mean(x) with attribute "centred" 1, else x.
 * Input 1 is the constant [eps] in float64, eps > 0. */
extern const lip_op lip_op_standardize;

#endif
