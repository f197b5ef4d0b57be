/*
 * mish.c: Mish, y = x t(x) with t = tanh(log(1 + e^x)).
 *
 * The slope f' = t + x (1 - t^2) s, s = 1 / (1 + e^-x), lies in [a, b] below.
 * Tails: 0 < t <= log(1 + e^x) <= e^x and 0 < t' <= s <= e^x, so that for
 * x <= -12 |f'| <= (1 + |x|) e^x < 1e-4; with 1 - t^2 <= 4 e^-2x for x >= 12,
 * 0 < f' <= 1 + 4 x e^-2x < 1 + 1e-8. Between: branch and bound on intervals
 * with |f'(y) - f'(x)| <= |f''(x)| r + K r^2 / 2 for |y - x| <= r, where
 * |f'''| = |3 t'' + x t'''| <= K = 3.1 + 2.7 |x|: with p = log(1 + e^x),
 * p' in (0, 1), p'' in (0, 1/4], |p'''| <= 0.1 and |tanh''| <= 0.77,
 * |tanh'''| <= 2 the chain rule gives |t''| <= 1.02, |t'''| <= 2.7.
 * tests/onnx/ops/test_slopes.c runs that search. The extremes are at
 * x = 1.4905711794... and x = -2.2563763963...
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "elementwise.h"
#include "ranges.h"
#include "support.h"

#include <math.h>

static double tanh_softplus(double x)
{
    return tanh(fmax(x, 0) + log1p(exp(-fabs(x))));
}

static double value(double x, const double *p)
{
    (void)p;
    return x * tanh_softplus(x);
}

static double slope(double x, const double *p)
{
    (void)p;
    double t = tanh_softplus(x);
    return t + x * (1 - t * t) / (1 + exp(-x));
}

LIP_MAP(forward, adjoint, value, slope)

const lip_op lip_op_mish = {
    .name = "Mish",
    .domain = "",
    .opset_first = 18,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_SLOPES, .slopes = {.a = -0.112526122390, .b = 1.088498161253, .slack = 2e-12}},
    .shape = lip_shape_of_map,
    .forward = forward,
    .adjoint = adjoint,
    .curve = &lip_curve_mish,
};
