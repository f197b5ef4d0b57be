/*
 * selu.c: Selu, y = gamma x for x > 0, gamma alpha (e^x - 1) below. All
 * slopes lie in the hull of 0, gamma and gamma alpha, the latter two are
 * limits. The product of two float32 attributes is exact in float64.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "elementwise.h"
#include "ranges.h"
#include "support.h"

#include <math.h>

static double value(double x, const double *p)
{
    return x > 0 ? p[0] * x : p[0] * p[1] * expm1(x);
}

static double slope(double x, const double *p)
{
    return x > 0 ? p[0] : p[0] * p[1] * exp(x);
}

static void parameters(const lip_node *node, double p[2])
{
    bool old = node->opset < 6; /* whose defaults had fewer digits */
    p[0] = lip_attr_float(node, "gamma", old ? 1.0507f : 1.05070102214813232421875f);
    p[1] = lip_attr_float(node, "alpha", old ? 1.6732f : 1.67326319217681884765625f);
}

static lip_status forward(const lip_call *call, lip_error *error)
{
    (void)error;
    double p[2];
    parameters(call->node, p);
    return lip_map_forward(call, value, p);
}

static lip_status adjoint(const lip_call *call, lip_error *error)
{
    (void)error;
    double p[2];
    parameters(call->node, p);
    return lip_map_adjoint(call, slope, p);
}

static lip_status describe(const lip_node *node, lip_arena *arena, lip_gain *gain, lip_error *error)
{
    (void)arena, (void)error;
    double p[2];
    parameters(node, p);
    gain->slopes.a = fmin(0, fmin(p[0], p[0] * p[1]));
    gain->slopes.b = fmax(0, fmax(p[0], p[0] * p[1]));
    return LIP_OK;
}

const lip_op lip_op_selu = {
    .name = "Selu",
    .domain = "",
    .opset_first = 1,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_SLOPES, .slopes = {.a = 0, .b = 1}},
    .shape = lip_shape_of_map,
    .forward = forward,
    .adjoint = adjoint,
    .describe = describe,
    .curve = &lip_curve_selu,
};
