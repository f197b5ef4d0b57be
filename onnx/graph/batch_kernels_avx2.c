/*
 * batch_kernels_avx2.c: the kernels of batched forward passes for
 * x86-64 with AVX2 and FMA.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "batch_kernels.h"

#define VECTOR_BYTES 32
#define POSITIONS 6

extern const lip_kernels lip_kernels_avx2_f32, lip_kernels_avx2_f64;

#define REAL float
#define NAME(x) x##_avx2_f32
#include "batch_kernels.inc"

#define REAL double
#define NAME(x) x##_avx2_f64
#include "batch_kernels.inc"
