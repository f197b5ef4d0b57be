/*
 * leaky_relu.c: LeakyRelu, y = x for x >= 0, alpha x below. Its slopes are 1
 * and alpha.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "elementwise.h"
#include "ranges.h"
#include "support.h"

#include <math.h>

static double value(double x, const double *p)
{
    return x < 0 ? p[0] * x : x;
}

static double slope(double x, const double *p)
{
    return x < 0 ? p[0] : 1;
}

static double alpha(const lip_node *node)
{
    return lip_attr_float(node, "alpha", 0.01f);
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
    gain->slopes.a = fmin(1, alpha(node));
    gain->slopes.b = fmax(1, alpha(node));
    return LIP_OK;
}

const lip_op lip_op_leaky_relu = {
    .name = "LeakyRelu",
    .domain = "",
    .opset_first = 1,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_SLOPES, .slopes = {.a = 0, .b = 1}},
    .shape = lip_shape_of_map,
    .forward = forward,
    .adjoint = adjoint,
    .describe = describe,
    .curve = &lip_curve_leaky_relu,
};
