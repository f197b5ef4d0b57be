/*
 * abs.c: Abs, y = |x|. Its slopes are -1 and 1; at 0 Clarke's subdifferential
 * is [-1, 1].
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "elementwise.h"
#include "ranges.h"
#include "support.h"

#include <math.h>

static double value(double x, const double *p)
{
    (void)p;
    return fabs(x);
}

static double slope(double x, const double *p)
{
    (void)p;
    return (x > 0) - (x < 0);
}

static int64_t whole(int64_t x)
{
    return x < 0 ? (int64_t)(0 - (uint64_t)x) : x;
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

const lip_op lip_op_abs = {
    .name = "Abs",
    .domain = "",
    .opset_first = 1,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_SLOPES, .slopes = {.a = -1, .b = 1}},
    .shape = lip_shape_of_number,
    .forward = forward,
    .adjoint = adjoint,
    .curve = &lip_curve_abs,
};
