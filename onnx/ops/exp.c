/*
 * exp.c: Exp, Log, Sqrt, Reciprocal: each has slopes without bound, at infinity
 * or near zero.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "elementwise.h"
#include "ranges.h"
#include "support.h"

#include <math.h>

static double exp_value(double x, const double *p)
{
    (void)p;
    return exp(x);
}

static double exp_slope(double x, const double *p)
{
    (void)p;
    return exp(x);
}

LIP_MAP(exp_forward, exp_adjoint, exp_value, exp_slope)

static double log_value(double x, const double *p)
{
    (void)p;
    return log(x);
}

static double log_slope(double x, const double *p)
{
    (void)p;
    return 1 / x;
}

LIP_MAP(log_forward, log_adjoint, log_value, log_slope)

static double reciprocal_value(double x, const double *p)
{
    (void)p;
    return 1 / x;
}

static double reciprocal_slope(double x, const double *p)
{
    (void)p;
    return -1 / (x * x);
}

LIP_MAP(reciprocal_forward, reciprocal_adjoint, reciprocal_value, reciprocal_slope)

static double sqrt_value(double x, const double *p)
{
    (void)p;
    return sqrt(x);
}

static double sqrt_slope(double x, const double *p)
{
    (void)p;
    return 0.5 / sqrt(x);
}

LIP_MAP(sqrt_forward, sqrt_adjoint, sqrt_value, sqrt_slope)

const lip_op lip_op_exp = {
    .name = "Exp",
    .domain = "",
    .opset_first = 1,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_UNBOUNDED, .reason = "its slope e^x grows without bound"},
    .shape = lip_shape_of_map,
    .forward = exp_forward,
    .adjoint = exp_adjoint,
    .curve = &lip_curve_exp,
};

const lip_op lip_op_log = {
    .name = "Log",
    .domain = "",
    .opset_first = 1,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_UNBOUNDED, .reason = "its slope 1/x is unbounded near zero"},
    .shape = lip_shape_of_map,
    .forward = log_forward,
    .adjoint = log_adjoint,
    .curve = &lip_curve_log,
};

const lip_op lip_op_reciprocal = {
    .name = "Reciprocal",
    .domain = "",
    .opset_first = 1,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_UNBOUNDED, .reason = "its slope 1/x^2 is unbounded near zero"},
    .shape = lip_shape_of_map,
    .forward = reciprocal_forward,
    .adjoint = reciprocal_adjoint,
    .curve = &lip_curve_reciprocal,
};

const lip_op lip_op_sqrt = {
    .name = "Sqrt",
    .domain = "",
    .opset_first = 1,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_UNBOUNDED, .reason = "its slope 1/(2 sqrt(x)) is unbounded near zero"},
    .shape = lip_shape_of_map,
    .forward = sqrt_forward,
    .adjoint = sqrt_adjoint,
    .curve = &lip_curve_sqrt,
};
