/*
 * identity.c: Identity.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "copy.h"
#include "elementwise.h"
#include "ranges.h"
#include "support.h"

const lip_op lip_op_identity = {
    .name = "Identity",
    .domain = "",
    .opset_first = 1,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_ISOMETRY},
    .shape = lip_shape_of_number,
    .forward = lip_copy_forward,
    .adjoint = lip_copy_adjoint,
    .range = lip_range_monotone,
};
