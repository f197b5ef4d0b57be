/*
 * sum.c: Sum and Mean of any number of inputs, with broadcasting.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "elementwise.h"
#include "ranges.h"
#include "support.h"
#include "variadic.h"

#include <math.h>
#include <string.h>

/* y += c * x, x broadcast to y; or its adjoint, x += c * y. */
static void accumulate(const lip_call *call, size_t k, double c, double *y, double *grad)
{
    lip_broadcast it = lip_variadic_begin(call, k);
    do {
        for (int64_t i = 0; i < it.row; i++) {
            int64_t at = it.offset[0] + i * it.step[0];
            if (grad)
                grad[at] += c * call->out_grad[0][it.at + i];
            else
                y[it.at + i] += c * call->in[k]->f64[at];
        }
    } while (lip_broadcast_next(&it));
}

static lip_status sum(const lip_call *call, double divisor)
{
    if (!call->out[0]) return LIP_OK;
    double *y = call->out[0]->f64_room;
    memset(y, 0, (size_t)call->out[0]->count * sizeof *y);
    for (size_t k = 0; k < call->node->input_count; k++) {
        if (!call->linear_part || lip_input_varies(call->node, k)) accumulate(call, k, 1, y, NULL);
    }
    if (divisor > 1) {
        for (int64_t i = 0; i < call->out[0]->count; i++) y[i] /= divisor;
    }
    return LIP_OK;
}

static lip_status spread(const lip_call *call, double divisor)
{
    for (size_t k = 0; k < call->node->input_count; k++) {
        if (!call->in_grad[k]) continue;
        memset(call->in_grad[k], 0, (size_t)call->in[k]->count * sizeof(double));
        if (call->out_grad[0]) accumulate(call, k, 1 / divisor, NULL, call->in_grad[k]);
    }
    return LIP_OK;
}

static lip_status sum_forward(const lip_call *call, lip_error *error)
{
    (void)error;
    return sum(call, 1);
}

static lip_status mean_forward(const lip_call *call, lip_error *error)
{
    (void)error;
    return sum(call, (double)call->node->input_count);
}

static lip_status sum_adjoint(const lip_call *call, lip_error *error)
{
    (void)error;
    return spread(call, 1);
}

static lip_status mean_adjoint(const lip_call *call, lip_error *error)
{
    (void)error;
    return spread(call, (double)call->node->input_count);
}

static lip_status mean_describe(const lip_node *node, lip_arena *arena, lip_gain *gain, lip_error *error)
{
    (void)arena, (void)error;
    size_t n = node->input_count;
    bool exact = (n & (n - 1)) == 0;
    gain->coefficient = exact ? 1 / (double)n : nextafter(1 / (double)n, INFINITY);
    return LIP_OK;
}

const lip_op lip_op_mean = {
    .name = "Mean",
    .domain = "",
    .opset_first = 1,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_SUM, .coefficient = 1},
    .shape = lip_variadic_shape_real,
    .forward = mean_forward,
    .adjoint = mean_adjoint,
    .describe = mean_describe,
    .range = lip_range_weighted,
};

const lip_op lip_op_sum = {
    .name = "Sum",
    .domain = "",
    .opset_first = 1,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_SUM, .coefficient = 1},
    .shape = lip_variadic_shape_real,
    .forward = sum_forward,
    .adjoint = sum_adjoint,
    .range = lip_range_weighted,
};
