/*
 * tanh.c: Tanh. tanh' = 1 - tanh^2 lies in (0, 1] and is 1 at 0.
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
    return tanh(x);
}

static double slope(double x, const double *p)
{
    (void)p;
    double t = tanh(x);
    return 1 - t * t;
}

LIP_MAP(forward, adjoint, value, slope)

const lip_op lip_op_tanh = {
    .name = "Tanh",
    .domain = "",
    .opset_first = 1,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_SLOPES, .slopes = {.a = 0, .b = 1}},
    .shape = lip_shape_of_map,
    .forward = forward,
    .adjoint = adjoint,
    .curve = &lip_curve_tanh,
};
