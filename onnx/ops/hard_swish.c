/*
 * hard_swish.c: HardSwish, y = x max(0, min(1, x / 6 + 1/2)). The slope is 0
 * below -3, 1 above 3 and x / 3 + 1/2 between: there it runs from -1/2 to 3/2,
 * both reached in the limit.
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
    return x * fmax(0, fmin(1, x / 6 + 0.5));
}

static double slope(double x, const double *p)
{
    (void)p;
    if (x <= -3) return 0;
    return x >= 3 ? 1 : x / 3 + 0.5;
}

LIP_MAP(forward, adjoint, value, slope)

const lip_op lip_op_hard_swish = {
    .name = "HardSwish",
    .domain = "",
    .opset_first = 14,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_SLOPES, .slopes = {.a = -0.5, .b = 1.5}},
    .shape = lip_shape_of_map,
    .forward = forward,
    .adjoint = adjoint,
    .curve = &lip_curve_hard_swish,
};
