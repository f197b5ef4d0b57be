/*
 * copy.h: what operators that only move elements share.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_ONNX_OPS_COPY_H
#define LIP_ONNX_OPS_COPY_H

#include "op.h"

/* Whole `forward` and `adjoint` functions: output 0 has input 0's elements in their order. */
lip_status lip_copy_forward(const lip_call *call, lip_error *error);
lip_status lip_copy_adjoint(const lip_call *call, lip_error *error);

/* Zeroes in_grad[k], where it is there. */
void lip_zero_grad(const lip_call *call, size_t k);

#endif
