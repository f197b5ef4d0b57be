/*
 * neg.c: Neg, y = -x: an isometry.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "elementwise.h"
#include "ranges.h"
#include "support.h"

static double value(double x, const double *p)
{
    (void)p;
    return -x;
}

static double slope(double x, const double *p)
{
    (void)x, (void)p;
    return -1;
}

static int64_t whole(int64_t x)
{
    return (int64_t)(0 - (uint64_t)x);
}

static lip_status forward(const lip_call *call, lip_error *error)
{
    (void)error;
    return lip_number_forward(call, value, whole);
}

static lip_status adjoint(const lip_call *call, lip_error *error)
{
    (void)error;
    return lip_map_adjoint(call, slope, NULL);
}

const lip_op lip_op_neg = {
    .name = "Neg",
    .domain = "",
    .opset_first = 1,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_ISOMETRY},
    .shape = lip_shape_of_number,
    .forward = forward,
    .adjoint = adjoint,
    .curve = &lip_curve_neg,
};
