/*
 * rounding.c: Floor, Ceil, Round (to the even neighbour) and Sign: piecewise
 * constant, with jumps.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "elementwise.h"
#include "ranges.h"
#include "support.h"

#include <math.h>

static double sign(double x, const double *p)
{
    (void)p;
    return isnan(x) ? x : (x > 0) - (x < 0);
}

static int64_t sign_whole(int64_t x)
{
    return (x > 0) - (x < 0);
}

static double round_even(double x, const double *p)
{
    (void)p;
    return nearbyint(x);
}

static double round_down(double x, const double *p)
{
    (void)p;
    return floor(x);
}

static double round_up(double x, const double *p)
{
    (void)p;
    return ceil(x);
}

static lip_status ceil_forward(const lip_call *call, lip_error *error)
{
    (void)error;
    return lip_map_forward(call, round_up, NULL);
}

static lip_status floor_forward(const lip_call *call, lip_error *error)
{
    (void)error;
    return lip_map_forward(call, round_down, NULL);
}

static lip_status round_forward(const lip_call *call, lip_error *error)
{
    (void)error;
    return lip_map_forward(call, round_even, NULL);
}

static lip_status sign_forward(const lip_call *call, lip_error *error)
{
    (void)error;
    return lip_number_forward(call, sign, sign_whole);
}

const lip_op lip_op_ceil = {
    .name = "Ceil",
    .domain = "",
    .opset_first = 1,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_UNBOUNDED, .reason = "discontinuous: it jumps at whole numbers"},
    .shape = lip_shape_of_map,
    .forward = ceil_forward,
    .range = lip_range_monotone,
};

const lip_op lip_op_floor = {
    .name = "Floor",
    .domain = "",
    .opset_first = 1,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_UNBOUNDED, .reason = "discontinuous: it jumps at whole numbers"},
    .shape = lip_shape_of_map,
    .forward = floor_forward,
    .range = lip_range_monotone,
};

const lip_op lip_op_round = {
    .name = "Round",
    .domain = "",
    .opset_first = 11,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_UNBOUNDED, .reason = "discontinuous: it jumps half-way between whole numbers"},
    .shape = lip_shape_of_map,
    .forward = round_forward,
    .range = lip_range_monotone,
};

const lip_op lip_op_sign = {
    .name = "Sign",
    .domain = "",
    .opset_first = 9,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_UNBOUNDED, .reason = "discontinuous: it jumps at zero"},
    .shape = lip_shape_of_number,
    .forward = sign_forward,
    .range = lip_range_monotone,
};
