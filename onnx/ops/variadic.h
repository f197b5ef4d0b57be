/*
 * variadic.h: nodes with any number of inputs that broadcast together: Sum,
 * Mean, Max, Min.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_ONNX_OPS_VARIADIC_H
#define LIP_ONNX_OPS_VARIADIC_H

#include "elementwise.h"

/* Whole `shape` functions: inputs of one type; output 0 has it and the common shape. */
lip_status lip_variadic_shape(const lip_node *node, lip_error *error);
lip_status lip_variadic_shape_real(const lip_node *node, lip_error *error);

/* Iteration over output 0 with input k as the one operand. Only for a node that passed lip_variadic_shape. */
lip_broadcast lip_variadic_begin(const lip_call *call, size_t k);

#endif
