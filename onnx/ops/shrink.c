/*
 * shrink.c: Shrink, y = x + bias for x < -lambd, x - bias for x > lambd, 0
 * between. For lambd >= 0 it is continuous only with bias = lambd (soft
 * thresholding, slopes 0 and 1). For lambd < 0 the first case covers all
 * x < |lambd| and the second the rest: continuous only with bias = 0, where
 * y = x.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "elementwise.h"
#include "support.h"

static double value(double x, const double *p)
{
    if (x < -p[0]) return x + p[1];
    return x > p[0] ? x - p[1] : 0;
}

static double slope(double x, const double *p)
{
    return x < -p[0] || x > p[0] ? 1 : 0;
}

static void parameters(const lip_node *node, double p[2])
{
    p[0] = lip_attr_float(node, "lambd", 0.5f);
    p[1] = lip_attr_float(node, "bias", 0.0f);
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
    if (p[1] == (p[0] < 0 ? 0 : p[0])) *gain = (lip_gain){.kind = LIP_GAIN_SLOPES, .slopes = {.a = 0, .b = 1}};
    return LIP_OK;
}

const lip_op lip_op_shrink = {
    .name = "Shrink",
    .domain = "",
    .opset_first = 9,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_UNBOUNDED, .reason = "discontinuous: it jumps where |x| = lambd, unless bias = lambd"},
    .shape = lip_shape_of_map,
    .forward = forward,
    .adjoint = adjoint,
    .describe = describe,
};
