/*
 * celu.c: Celu, y = max(x, 0) + min(0, alpha (e^(x / alpha) - 1)). For
 * alpha > 0 the slope is 1 for x > 0 and e^(x / alpha) in (0, 1) below. For
 * alpha < 0 and x < 0 the slope e^(x / alpha) grows without bound.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "elementwise.h"
#include "ranges.h"
#include "support.h"

#include <math.h>

static double value(double x, const double *p)
{
    return fmax(x, 0) + fmin(0, p[0] * expm1(x / p[0]));
}

static double slope(double x, const double *p)
{
    double below = p[0] * expm1(x / p[0]) < 0 ? exp(x / p[0]) : 0;
    return (x > 0 ? 1 : 0) + below;
}

static double alpha(const lip_node *node)
{
    return lip_attr_float(node, "alpha", 1.0f);
}

static lip_status shape(const lip_node *node, lip_error *error)
{
    if (alpha(node) == 0) return lip_fail_node(error, LIP_EFORMAT, node, "attribute alpha is 0: it divides by it");
    return lip_shape_of_map(node, error);
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
    if (!(alpha(node) > 0))
        *gain = lip_gain_none(LIP_GAIN_UNBOUNDED, "with a negative alpha its slope e^(x / alpha) grows without bound");
    return LIP_OK;
}

const lip_op lip_op_celu = {
    .name = "Celu",
    .domain = "",
    .opset_first = 12,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_SLOPES, .slopes = {.a = 0, .b = 1}},
    .shape = shape,
    .forward = forward,
    .adjoint = adjoint,
    .describe = describe,
    .curve = &lip_curve_celu,
};
