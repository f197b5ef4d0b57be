/*
 * windows.h: which inputs each output of a max-pool is the largest of.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_ONNX_WINDOWS_H
#define LIP_ONNX_WINDOWS_H

#include "op.h"

/* Output o is the largest of the elements input[start[o]] .. input[start[o + 1] - 1] of input 0, at least one. */
typedef struct lip_windows {
    int64_t outputs;
    int64_t *start;
    int32_t *input;
} lip_windows;

/* MaxPool and GlobalMaxPool; *out is empty for other nodes and where there are 2^31 elements or more. The lists live in
 * the arena. LIP_EMEMORY. */
lip_status lip_max_windows(const lip_node *node, lip_arena *arena, lip_windows *out, lip_error *error);

#endif
