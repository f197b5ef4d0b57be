/*
 * add.c: Add and Sub, with broadcasting. A constant on one side makes the
 * node a translation.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "elementwise.h"
#include "ranges.h"
#include "support.h"

static lip_status shape(const lip_node *node, lip_error *error)
{
    return lip_pair_shape(node, LIP_DTYPE_UNDEFINED, error);
}

static void add_row(int64_t n, const double *a, int64_t a_step, const double *b, int64_t b_step, double *y)
{
    if (a_step == 1 && b_step == 1) {
        for (int64_t i = 0; i < n; i++) y[i] = a[i] + b[i];
    } else {
        for (int64_t i = 0; i < n; i++) y[i] = a[i * a_step] + b[i * b_step];
    }
}

static void sub_row(int64_t n, const double *a, int64_t a_step, const double *b, int64_t b_step, double *y)
{
    for (int64_t i = 0; i < n; i++) y[i] = a[i * a_step] - b[i * b_step];
}

static void first_row(int64_t n, const double *a, int64_t a_step, const double *b, int64_t b_step, double *y)
{
    (void)b, (void)b_step;
    for (int64_t i = 0; i < n; i++) y[i] = a[i * a_step];
}

static void second_row(int64_t n, const double *a, int64_t a_step, const double *b, int64_t b_step, double *y)
{
    first_row(n, b, b_step, a, a_step, y);
}

static void minus_second_row(int64_t n, const double *a, int64_t a_step, const double *b, int64_t b_step, double *y)
{
    (void)a, (void)a_step;
    for (int64_t i = 0; i < n; i++) y[i] = -b[i * b_step];
}

static bool add_whole(int64_t a, int64_t b, int64_t *y)
{
    *y = (int64_t)((uint64_t)a + (uint64_t)b);
    return true;
}

static bool sub_whole(int64_t a, int64_t b, int64_t *y)
{
    *y = (int64_t)((uint64_t)a - (uint64_t)b);
    return true;
}

static lip_status add_forward(const lip_call *call, lip_error *error)
{
    lip_real_row *row = add_row;
    if (call->linear_part && !lip_input_varies(call->node, 1)) row = first_row;
    if (call->linear_part && !lip_input_varies(call->node, 0)) row = second_row;
    return lip_pair_forward(call, row, add_whole, error);
}

static lip_status sub_forward(const lip_call *call, lip_error *error)
{
    lip_real_row *row = sub_row;
    if (call->linear_part && !lip_input_varies(call->node, 1)) row = first_row;
    if (call->linear_part && !lip_input_varies(call->node, 0)) row = minus_second_row;
    return lip_pair_forward(call, row, sub_whole, error);
}

static void add_slopes(double a, double b, double *in_a, double *in_b)
{
    (void)a, (void)b;
    *in_a = 1;
    *in_b = 1;
}

static void sub_slopes(double a, double b, double *in_a, double *in_b)
{
    (void)a, (void)b;
    *in_a = 1;
    *in_b = -1;
}

static lip_status add_adjoint(const lip_call *call, lip_error *error)
{
    return lip_pair_adjoint(call, add_slopes, error);
}

static lip_status sub_adjoint(const lip_call *call, lip_error *error)
{
    return lip_pair_adjoint(call, sub_slopes, error);
}

const lip_op lip_op_add = {
    .name = "Add",
    .domain = "",
    .opset_first = 1,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_SUM, .coefficient = 1},
    .shape = shape,
    .forward = add_forward,
    .adjoint = add_adjoint,
    .range = lip_range_add,
};

const lip_op lip_op_sub = {
    .name = "Sub",
    .domain = "",
    .opset_first = 1,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_SUM, .coefficient = 1},
    .shape = shape,
    .forward = sub_forward,
    .adjoint = sub_adjoint,
    .range = lip_range_sub,
};
