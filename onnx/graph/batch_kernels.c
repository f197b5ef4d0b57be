/*
 * batch_kernels.c: chooses the kernels of batched forward passes by what the
 * processor runs.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "batch_kernels.h"

#define LIP_KERNELS_LIST(X) LIP_KERNELS_X86(X) X(base, true)
#if defined(__x86_64__)
#define LIP_KERNELS_X86(X)                                                                     \
    X(avx512, __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("fma"))              \
    X(avx2, __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
#else
#define LIP_KERNELS_X86(X)
#endif

#define LIP_KERNELS_DECLARE(isa, runs) extern const lip_kernels lip_kernels_##isa##_f32, lip_kernels_##isa##_f64;
LIP_KERNELS_LIST(LIP_KERNELS_DECLARE)

const lip_kernels *lip_kernels_at(size_t index, lip_batch_precision precision)
{
#define LIP_KERNELS_FIND(isa, runs)                                                                       \
    if ((runs) && index-- == 0)                                                                           \
        return precision == LIP_BATCH_F32 ? &lip_kernels_##isa##_f32 : &lip_kernels_##isa##_f64;
    LIP_KERNELS_LIST(LIP_KERNELS_FIND)
#undef LIP_KERNELS_FIND
    return NULL;
}
