/*
 * erf.c: Erf. erf' = 2 / sqrt(pi) e^(-x^2) lies in (0, 2 / sqrt(pi)], largest
 * at 0. 2 / sqrt(pi) = 1.12837916709551257389..., between the two neighbouring
 * doubles 1.1283791670955126 and 1.1283791670955128.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "elementwise.h"
#include "ranges.h"
#include "support.h"

#include <math.h>

static double value(double x, const double *p)
{
    (void)p;
    return erf(x);
}

static double slope(double x, const double *p)
{
    (void)p;
    return 1.1283791670955126 * exp(-x * x);
}

LIP_MAP(forward, adjoint, value, slope)

const lip_op lip_op_erf = {
    .name = "Erf",
    .domain = "",
    .opset_first = 9,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_SLOPES, .slopes = {.a = 0, .b = 1.1283791670955128, .slack = 2.3e-16}},
    .shape = lip_shape_of_map,
    .forward = forward,
    .adjoint = adjoint,
    .curve = &lip_curve_erf,
};
