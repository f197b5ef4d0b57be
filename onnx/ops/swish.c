/*
 * swish.c: Swish, y = x s(alpha x) with the logistic function s, and
 * com.microsoft's QuickGelu, the same with another default.
 *
 * y = g(alpha x) / alpha with g(x) = x s(x), so that y' takes the values of
 * g' = s + x s (1 - s), whatever alpha != 0. With T = tanh(x / 2),
 * s = (1 + T) / 2 and s (1 - s) = (1 - T^2) / 4; g'' = s (1 - s) (2 - x T) is
 * zero where x T = 2, there g' = 1/2 + 1/x + x/4 - 1/x = 1/2 + x/4. x T is even
 * and increases with |x|: one maximum, at x = 2.39935728052..., of
 * 1.09983932012886691..., one minimum at -x, and g'(-x) = 1 - g'(x). At the
 * ends g' tends to 0 and 1. For alpha = 0 y = x / 2.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "elementwise.h"
#include "ranges.h"
#include "support.h"

#include <math.h>

static double logistic(double x)
{
    double e = exp(-fabs(x));
    return x >= 0 ? 1 / (1 + e) : e / (1 + e);
}

static double value(double x, const double *p)
{
    return x * logistic(p[0] * x);
}

static double slope(double x, const double *p)
{
    double s = logistic(p[0] * x);
    return s + p[0] * x * s * (1 - s);
}

static double alpha(const lip_node *node)
{
    return lip_attr_float(node, "alpha", node->domain[0] == '\0' ? 1.0f : 1.702f);
}

static lip_status forward(const lip_call *call, lip_error *error)
{
    (void)error;
    return lip_map_forward(call, value, (double[]){alpha(call->node)});
}

static lip_status adjoint(const lip_call *call, lip_error *error)
{
    (void)error;
    return lip_map_adjoint(call, slope, (double[]){alpha(call->node)});
}

static lip_status describe(const lip_node *node, lip_arena *arena, lip_gain *gain, lip_error *error)
{
    (void)arena, (void)error;
    if (alpha(node) == 0) *gain = (lip_gain){.kind = LIP_GAIN_SLOPES, .slopes = {.a = 0.5, .b = 0.5}};
    return LIP_OK;
}

const lip_op lip_op_microsoft_quick_gelu = {
    .name = "QuickGelu",
    .domain = "com.microsoft",
    .opset_first = 1,
    .opset_last = 1,
    .gain = {.kind = LIP_GAIN_SLOPES, .slopes = {.a = -0.099839320128867, .b = 1.099839320128867, .slack = 2.3e-16}},
    .shape = lip_shape_of_map,
    .forward = forward,
    .adjoint = adjoint,
    .describe = describe,
    .curve = &lip_curve_swish,
};

const lip_op lip_op_swish = {
    .name = "Swish",
    .domain = "",
    .opset_first = 24,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_SLOPES, .slopes = {.a = -0.099839320128867, .b = 1.099839320128867, .slack = 2.3e-16}},
    .shape = lip_shape_of_map,
    .forward = forward,
    .adjoint = adjoint,
    .describe = describe,
    .curve = &lip_curve_swish,
};
