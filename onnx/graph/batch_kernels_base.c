/*
 * batch_kernels_base.c: the kernels of batched forward passes for
 * any processor.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "batch_kernels.h"

#define VECTOR_BYTES 16
#define POSITIONS 4

extern const lip_kernels lip_kernels_base_f32, lip_kernels_base_f64;

#define REAL float
#define NAME(x) x##_base_f32
#include "batch_kernels.inc"

#define REAL double
#define NAME(x) x##_base_f64
#include "batch_kernels.inc"
