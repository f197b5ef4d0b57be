/*
 * thresholded_relu.c: ThresholdedRelu, y = x for x > alpha, 0 below. It jumps
 * by alpha at alpha; with alpha = 0 it is Relu.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "elementwise.h"
#include "support.h"

static double value(double x, const double *p)
{
    return x > p[0] ? x : 0;
}

static double slope(double x, const double *p)
{
    return x > p[0] ? 1 : 0;
}

static double alpha(const lip_node *node)
{
    return lip_attr_float(node, "alpha", 1.0f);
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
    if (alpha(node) == 0) *gain = (lip_gain){.kind = LIP_GAIN_SLOPES, .slopes = {.a = 0, .b = 1}};
    return LIP_OK;
}

const lip_op lip_op_thresholded_relu = {
    .name = "ThresholdedRelu",
    .domain = "",
    .opset_first = 1,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_UNBOUNDED, .reason = "discontinuous: it jumps by alpha at x = alpha"},
    .shape = lip_shape_of_map,
    .forward = forward,
    .adjoint = adjoint,
    .describe = describe,
};
