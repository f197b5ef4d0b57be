/*
 * max.c: Max and Min of any number of inputs, with broadcasting.
 *
 * |max(a, b, ...) - max(a', b', ...)| <= max(|a - a'|, |b - b'|, ...): the
 * square is at most the sum of the squares, so that branches join as the root
 * of the sum of squares, 1 each. With one varying input the slope is 0 or 1.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "copy.h"
#include "ranges.h"
#include "support.h"
#include "variadic.h"

#include <math.h>

static lip_status choose(const lip_call *call, double sign)
{
    if (!call->out[0]) return LIP_OK;
    bool real = call->out[0]->storage == LIP_F64;
    for (size_t k = 0; k < call->node->input_count; k++) {
        lip_broadcast it = lip_variadic_begin(call, k);
        do {
            for (int64_t i = 0; i < it.row; i++) {
                int64_t from = it.offset[0] + i * it.step[0], to = it.at + i;
                if (real) {
                    double x = call->in[k]->f64[from], *y = &call->out[0]->f64_room[to];
                    if (k == 0 || sign * x > sign * *y || isnan(x)) *y = x;
                } else {
                    int64_t x = call->in[k]->i64[from], *y = &call->out[0]->i64_room[to];
                    if (k == 0 || (sign > 0 ? x > *y : x < *y)) *y = x;
                }
            }
        } while (lip_broadcast_next(&it));
    }
    return LIP_OK;
}

/* The gradient goes to the first input that holds the chosen value. */
static lip_status adjoint(const lip_call *call, lip_error *error)
{
    if (!call->out_grad[0]) {
        for (size_t k = 0; k < call->node->input_count; k++) lip_zero_grad(call, k);
        return LIP_OK;
    }
    unsigned char *given = lip_alloc(call->memory, call->out[0]->count, sizeof *given);
    if (!given) return lip_fail_memory(error, call->node, "marks");
    for (size_t k = 0; k < call->node->input_count; k++) {
        double *grad = call->in_grad[k];
        lip_zero_grad(call, k);
        lip_broadcast it = lip_variadic_begin(call, k);
        do {
            for (int64_t i = 0; i < it.row; i++) {
                int64_t from = it.offset[0] + i * it.step[0], to = it.at + i;
                if (given[to] || call->in[k]->f64[from] != call->out[0]->f64[to]) continue;
                given[to] = 1;
                if (grad) grad[from] += call->out_grad[0][to];
            }
        } while (lip_broadcast_next(&it));
    }
    lip_free(call->memory, given);
    return LIP_OK;
}

static lip_status max_forward(const lip_call *call, lip_error *error)
{
    (void)error;
    return choose(call, 1);
}

static lip_status min_forward(const lip_call *call, lip_error *error)
{
    (void)error;
    return choose(call, -1);
}

static lip_status describe(const lip_node *node, lip_arena *arena, lip_gain *gain, lip_error *error)
{
    (void)arena, (void)error;
    int varying = lip_node_varying(node);
    if (varying < 0) return LIP_OK;
    const lip_value *x = node->inputs[varying], *y = lip_node_output(node, 0);
    if (!y || !lip_shape_equal(&x->shape, &y->shape)) return LIP_OK; /* x is broadcast: the join counts its copies */
    /* Beside an infinite constant the node may be constant: then nothing is known from below. */
    *gain = (lip_gain){.kind = LIP_GAIN_SLOPES, .slopes = {.a = 0, .b = 1, .slack = 0}};
    for (size_t k = 0; k < node->input_count; k++) {
        const lip_tensor *limit = lip_node_constant(node, k);
        if ((int)k != varying && !limit) gain->slopes.slack = 1;
        for (int64_t i = 0; limit && i < limit->count; i++) {
            if (isinf(lip_tensor_real(limit, i))) gain->slopes.slack = 1;
        }
    }
    return LIP_OK;
}

const lip_op lip_op_max = {
    .name = "Max",
    .domain = "",
    .opset_first = 1,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_JOIN},
    .shape = lip_variadic_shape,
    .forward = max_forward,
    .adjoint = adjoint,
    .describe = describe,
    .range = lip_range_extreme,
};

const lip_op lip_op_min = {
    .name = "Min",
    .domain = "",
    .opset_first = 1,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_JOIN},
    .shape = lip_variadic_shape,
    .forward = min_forward,
    .adjoint = adjoint,
    .describe = describe,
    .range = lip_range_extreme,
};
