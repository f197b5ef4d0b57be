/*
 * softplus.c: Softplus, y = log(1 + e^x). Its slope is the logistic function,
 * in (0, 1), which comes arbitrarily close to 1.
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
    return fmax(x, 0) + log1p(exp(-fabs(x)));
}

static double slope(double x, const double *p)
{
    (void)p;
    double e = exp(-fabs(x));
    return x >= 0 ? 1 / (1 + e) : e / (1 + e);
}

LIP_MAP(forward, adjoint, value, slope)

const lip_op lip_op_softplus = {
    .name = "Softplus",
    .domain = "",
    .opset_first = 1,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_SLOPES, .slopes = {.a = 0, .b = 1}},
    .shape = lip_shape_of_map,
    .forward = forward,
    .adjoint = adjoint,
    .curve = &lip_curve_softplus,
};
