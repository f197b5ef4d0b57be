/*
 * hard_sigmoid.c: HardSigmoid, y = max(0, min(1, alpha x + beta)). Its slopes
 * are 0 and alpha.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "elementwise.h"
#include "ranges.h"
#include "support.h"

#include <math.h>

static double value(double x, const double *p)
{
    return fmax(0, fmin(1, p[0] * x + p[1]));
}

static double slope(double x, const double *p)
{
    double y = p[0] * x + p[1];
    return y > 0 && y < 1 ? p[0] : 0;
}

static void parameters(const lip_node *node, double p[2])
{
    p[0] = lip_attr_float(node, "alpha", 0.2f);
    p[1] = lip_attr_float(node, "beta", 0.5f);
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
    gain->slopes.a = fmin(0, p[0]);
    gain->slopes.b = fmax(0, p[0]);
    return LIP_OK;
}

const lip_op lip_op_hard_sigmoid = {
    .name = "HardSigmoid",
    .domain = "",
    .opset_first = 1,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_SLOPES, .slopes = {.a = 0, .b = 1}},
    .shape = lip_shape_of_map,
    .forward = forward,
    .adjoint = adjoint,
    .describe = describe,
    .curve = &lip_curve_hard_sigmoid,
};
