/*
 * pow.c: Pow, y = a^b, with broadcasting. Finite gains exist for the exponents
 * 1 (the identity) and 0 (a constant) only: |b x^(b - 1)| is unbounded at
 * infinity for b > 1, at zero for b < 1.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "elementwise.h"
#include "ranges.h"
#include "support.h"

#include <math.h>
#include <string.h>

static lip_status shape(const lip_node *node, lip_error *error)
{
    lip_pair pair;
    LIP_TRY(lip_check_inputs(node, 2, 2, error));
    LIP_TRY(lip_check_number(node, 0, error));
    LIP_TRY(lip_check_number(node, 1, error));
    LIP_TRY(lip_pair_shapes(node, &pair, error));
    return lip_set_output(node, 0, node->inputs[0]->dtype, &pair.y, error);
}

/* Integer powers are taken in double and cut: exact up to 2^53. */
static int64_t to_whole(double x, lip_dtype dtype)
{
    if (isnan(x)) return 0;
    if (x >= 0x1p63) return lip_wrap(INT64_MAX, dtype);
    if (x <= -0x1p63) return lip_wrap(INT64_MIN, dtype);
    return lip_wrap((int64_t)x, dtype);
}

static lip_status forward(const lip_call *call, lip_error *error)
{
    lip_pair pair;
    if (!call->out[0]) return LIP_OK;
    LIP_TRY(lip_pair_shapes(call->node, &pair, error));
    const lip_shape *operand[] = {&pair.a, &pair.b};
    lip_broadcast it = lip_broadcast_begin(&pair.y, operand, 2);
    do {
        for (int64_t i = 0; i < it.row; i++) {
            double a = lip_tensor_real(call->in[0], it.offset[0] + i * it.step[0]);
            double b = lip_tensor_real(call->in[1], it.offset[1] + i * it.step[1]);
            double y = b == 1 ? a : b == 2 ? a * a : pow(a, b);
            if (call->linear_part && b == 0) y = 0; /* a constant term */
            if (call->out[0]->storage == LIP_F64)
                call->out[0]->f64_room[it.at + i] = y;
            else
                call->out[0]->i64_room[it.at + i] = to_whole(y, call->out[0]->dtype);
        }
    } while (lip_broadcast_next(&it));
    return LIP_OK;
}

static lip_status adjoint(const lip_call *call, lip_error *error)
{
    lip_pair pair;
    LIP_TRY(lip_pair_shapes(call->node, &pair, error));
    for (int k = 0; k < 2; k++) {
        if (call->in_grad[k]) memset(call->in_grad[k], 0, (size_t)call->in[k]->count * sizeof(double));
    }
    if (!call->out_grad[0]) return LIP_OK;
    const lip_shape *operand[] = {&pair.a, &pair.b};
    lip_broadcast it = lip_broadcast_begin(&pair.y, operand, 2);
    do {
        for (int64_t i = 0; i < it.row; i++) {
            int64_t at_a = it.offset[0] + i * it.step[0], at_b = it.offset[1] + i * it.step[1];
            double a = lip_tensor_real(call->in[0], at_a), b = lip_tensor_real(call->in[1], at_b);
            double g = call->out_grad[0][it.at + i];
            if (call->in_grad[0]) call->in_grad[0][at_a] += b == 0 ? 0 : g * b * pow(a, b - 1);
            if (call->in_grad[1]) call->in_grad[1][at_b] += a == 0 ? 0 : g * pow(a, b) * log(a);
        }
    } while (lip_broadcast_next(&it));
    return LIP_OK;
}

/* The one exponent that all elements share; NaN if they differ. */
static double common(const lip_tensor *exponent)
{
    double first = exponent->count > 0 ? lip_tensor_real(exponent, 0) : 1;
    for (int64_t i = 1; i < exponent->count; i++) {
        if (lip_tensor_real(exponent, i) != first) return NAN;
    }
    return first;
}

static lip_status describe(const lip_node *node, lip_arena *arena, lip_gain *gain, lip_error *error)
{
    const lip_tensor *exponent = lip_node_constant(node, 1);
    lip_pair pair;
    if (lip_node_varying(node) != 0 || !exponent) return LIP_OK;
    double b = common(exponent);
    if (b != 0 && b != 1) return LIP_OK;
    LIP_TRY(lip_pair_shapes(node, &pair, error));
    int64_t x_count = lip_dims_product(&pair.a, 0, pair.a.rank), y_count = lip_dims_product(&pair.y, 0, pair.y.rank);
    double *factor = lip_arena_alloc(arena, 1, sizeof *factor);
    if (!factor) return lip_fail_memory(error, node, "the factor");
    *factor = b;
    *gain = (lip_gain){.kind = LIP_GAIN_SCALE,
                       .scale = {.factor = factor,
                                 .count = 1,
                                 .axis = -1,
                                 .multiplicity = x_count > 0 ? y_count / x_count : 1}};
    return LIP_OK;
}

const lip_op lip_op_pow = {
    .name = "Pow",
    .domain = "",
    .opset_first = 1,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_UNBOUNDED,
             .reason = "a power other than 0 and 1 has no finite constant: its slope is unbounded at infinity or zero"},
    .shape = shape,
    .forward = forward,
    .adjoint = adjoint,
    .describe = describe,
    .range = lip_range_pow,
};
