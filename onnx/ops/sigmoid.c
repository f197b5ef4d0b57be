/*
 * sigmoid.c: Sigmoid, s = 1 / (1 + e^-x). s' = s (1 - s) lies in (0, 1/4] by
 * the inequality of the means, and is 1/4 at 0.
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
    double e = exp(-fabs(x)); /* does not overflow */
    return x >= 0 ? 1 / (1 + e) : e / (1 + e);
}

static double slope(double x, const double *p)
{
    (void)p;
    double e = exp(-fabs(x));
    return e / ((1 + e) * (1 + e));
}

LIP_MAP(forward, adjoint, value, slope)

const lip_op lip_op_sigmoid = {
    .name = "Sigmoid",
    .domain = "",
    .opset_first = 1,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_SLOPES, .slopes = {.a = 0, .b = 0.25}},
    .shape = lip_shape_of_map,
    .forward = forward,
    .adjoint = adjoint,
    .curve = &lip_curve_sigmoid,
};
