/*
 * hyperbolic.c: Asinh (1 / sqrt(1 + x^2) in (0, 1], 1 at 0), and Sinh, Cosh,
 * Acosh, Atanh, whose slopes are unbounded.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "elementwise.h"
#include "ranges.h"
#include "support.h"

#include <math.h>

static double acosh_value(double x, const double *p)
{
    (void)p;
    return acosh(x);
}

static double acosh_slope(double x, const double *p)
{
    (void)p;
    return 1 / sqrt(x * x - 1);
}

LIP_MAP(acosh_forward, acosh_adjoint, acosh_value, acosh_slope)

static double asinh_value(double x, const double *p)
{
    (void)p;
    return asinh(x);
}

static double asinh_slope(double x, const double *p)
{
    (void)p;
    return 1 / sqrt(1 + x * x);
}

LIP_MAP(asinh_forward, asinh_adjoint, asinh_value, asinh_slope)

static double atanh_value(double x, const double *p)
{
    (void)p;
    return atanh(x);
}

static double atanh_slope(double x, const double *p)
{
    (void)p;
    return 1 / (1 - x * x);
}

LIP_MAP(atanh_forward, atanh_adjoint, atanh_value, atanh_slope)

static double cosh_value(double x, const double *p)
{
    (void)p;
    return cosh(x);
}

static double cosh_slope(double x, const double *p)
{
    (void)p;
    return sinh(x);
}

LIP_MAP(cosh_forward, cosh_adjoint, cosh_value, cosh_slope)

static double sinh_value(double x, const double *p)
{
    (void)p;
    return sinh(x);
}

static double sinh_slope(double x, const double *p)
{
    (void)p;
    return cosh(x);
}

LIP_MAP(sinh_forward, sinh_adjoint, sinh_value, sinh_slope)

const lip_op lip_op_acosh = {
    .name = "Acosh",
    .domain = "",
    .opset_first = 9,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_UNBOUNDED, .reason = "its slope is unbounded near 1"},
    .shape = lip_shape_of_map,
    .forward = acosh_forward,
    .adjoint = acosh_adjoint,
    .curve = &lip_curve_acosh,
};

const lip_op lip_op_asinh = {
    .name = "Asinh",
    .domain = "",
    .opset_first = 9,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_SLOPES, .slopes = {.a = 0, .b = 1}},
    .shape = lip_shape_of_map,
    .forward = asinh_forward,
    .adjoint = asinh_adjoint,
    .curve = &lip_curve_asinh,
};

const lip_op lip_op_atanh = {
    .name = "Atanh",
    .domain = "",
    .opset_first = 9,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_UNBOUNDED, .reason = "its slope is unbounded near -1 and 1"},
    .shape = lip_shape_of_map,
    .forward = atanh_forward,
    .adjoint = atanh_adjoint,
    .curve = &lip_curve_atanh,
};

const lip_op lip_op_cosh = {
    .name = "Cosh",
    .domain = "",
    .opset_first = 9,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_UNBOUNDED, .reason = "its slope sinh(x) grows without bound"},
    .shape = lip_shape_of_map,
    .forward = cosh_forward,
    .adjoint = cosh_adjoint,
    .curve = &lip_curve_cosh,
};

const lip_op lip_op_sinh = {
    .name = "Sinh",
    .domain = "",
    .opset_first = 9,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_UNBOUNDED, .reason = "its slope cosh(x) grows without bound"},
    .shape = lip_shape_of_map,
    .forward = sinh_forward,
    .adjoint = sinh_adjoint,
    .curve = &lip_curve_sinh,
};
