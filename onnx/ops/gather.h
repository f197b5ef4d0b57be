/*
 * gather.h: indices as the gathering and scattering operators take them.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_ONNX_OPS_GATHER_H
#define LIP_ONNX_OPS_GATHER_H

#include "op.h"

/* Input 1 is there and holds integers. */
lip_status lip_check_indices(const lip_node *node, lip_error *error);

/* An index in [-n, n) as one in [0, n); LIP_EFORMAT outside. */
lip_status lip_check_index(const lip_node *node, int64_t index, int64_t n, int64_t *out, lip_error *error);

/* A whole `describe` function of a gathering node, data in input 0 and indices in input 1: COPY with constant indices,
 * otherwise the reason why not. */
lip_status lip_gather_describe(const lip_node *node, lip_arena *arena, lip_gain *gain, lip_error *error);

#endif
