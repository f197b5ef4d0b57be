/*
 * trigonometry.c: Sin and Cos (slopes cos and -sin, in [-1, 1], both attained),
 * Atan (1 / (1 + x^2) in (0, 1], 1 at 0), and Tan, Asin, Acos, whose slopes
 * are unbounded.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "elementwise.h"
#include "ranges.h"
#include "support.h"

#include <math.h>

static double acos_value(double x, const double *p)
{
    (void)p;
    return acos(x);
}

static double acos_slope(double x, const double *p)
{
    (void)p;
    return -1 / sqrt(1 - x * x);
}

LIP_MAP(acos_forward, acos_adjoint, acos_value, acos_slope)

static double asin_value(double x, const double *p)
{
    (void)p;
    return asin(x);
}

static double asin_slope(double x, const double *p)
{
    (void)p;
    return 1 / sqrt(1 - x * x);
}

LIP_MAP(asin_forward, asin_adjoint, asin_value, asin_slope)

static double atan_value(double x, const double *p)
{
    (void)p;
    return atan(x);
}

static double atan_slope(double x, const double *p)
{
    (void)p;
    return 1 / (1 + x * x);
}

LIP_MAP(atan_forward, atan_adjoint, atan_value, atan_slope)

static double cos_value(double x, const double *p)
{
    (void)p;
    return cos(x);
}

static double cos_slope(double x, const double *p)
{
    (void)p;
    return -sin(x);
}

LIP_MAP(cos_forward, cos_adjoint, cos_value, cos_slope)

static double sin_value(double x, const double *p)
{
    (void)p;
    return sin(x);
}

static double sin_slope(double x, const double *p)
{
    (void)p;
    return cos(x);
}

LIP_MAP(sin_forward, sin_adjoint, sin_value, sin_slope)

static double tan_value(double x, const double *p)
{
    (void)p;
    return tan(x);
}

static double tan_slope(double x, const double *p)
{
    (void)p;
    return 1 / (cos(x) * cos(x));
}

LIP_MAP(tan_forward, tan_adjoint, tan_value, tan_slope)

const lip_op lip_op_acos = {
    .name = "Acos",
    .domain = "",
    .opset_first = 7,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_UNBOUNDED, .reason = "its slope is unbounded near -1 and 1"},
    .shape = lip_shape_of_map,
    .forward = acos_forward,
    .adjoint = acos_adjoint,
    .curve = &lip_curve_acos,
};

const lip_op lip_op_asin = {
    .name = "Asin",
    .domain = "",
    .opset_first = 7,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_UNBOUNDED, .reason = "its slope is unbounded near -1 and 1"},
    .shape = lip_shape_of_map,
    .forward = asin_forward,
    .adjoint = asin_adjoint,
    .curve = &lip_curve_asin,
};

const lip_op lip_op_atan = {
    .name = "Atan",
    .domain = "",
    .opset_first = 7,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_SLOPES, .slopes = {.a = 0, .b = 1}},
    .shape = lip_shape_of_map,
    .forward = atan_forward,
    .adjoint = atan_adjoint,
    .curve = &lip_curve_atan,
};

const lip_op lip_op_cos = {
    .name = "Cos",
    .domain = "",
    .opset_first = 7,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_SLOPES, .slopes = {.a = -1, .b = 1}},
    .shape = lip_shape_of_map,
    .forward = cos_forward,
    .adjoint = cos_adjoint,
    .curve = &lip_curve_cos,
};

const lip_op lip_op_sin = {
    .name = "Sin",
    .domain = "",
    .opset_first = 7,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_SLOPES, .slopes = {.a = -1, .b = 1}},
    .shape = lip_shape_of_map,
    .forward = sin_forward,
    .adjoint = sin_adjoint,
    .curve = &lip_curve_sin,
};

const lip_op lip_op_tan = {
    .name = "Tan",
    .domain = "",
    .opset_first = 7,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_UNBOUNDED, .reason = "its slope is unbounded near odd multiples of pi/2"},
    .shape = lip_shape_of_map,
    .forward = tan_forward,
    .adjoint = tan_adjoint,
    .curve = &lip_curve_tan,
};
