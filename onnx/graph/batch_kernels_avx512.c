/*
 * batch_kernels_avx512.c: the kernels of batched forward passes for
 * x86-64 with AVX-512F.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "batch_kernels.h"

#define VECTOR_BYTES 64
#define POSITIONS 12

extern const lip_kernels lip_kernels_avx512_f32, lip_kernels_avx512_f64;

#define REAL float
#define NAME(x) x##_avx512_f32
#include "batch_kernels.inc"

#define REAL double
#define NAME(x) x##_avx512_f64
#include "batch_kernels.inc"
