/*
 * relu.c: Relu, y = max(x, 0). Slopes 0 and 1; the adjoint takes 0 at 0.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "elementwise.h"
#include "ranges.h"
#include "support.h"

static lip_status forward(const lip_call *call, lip_error *error)
{
    (void)error;
    if (!call->out[0]) return LIP_OK;
    int64_t count = call->in[0]->count;
    if (call->in[0]->storage == LIP_I64) {
        const int64_t *whole = call->in[0]->i64;
        for (int64_t i = 0; i < count; i++) call->out[0]->i64_room[i] = whole[i] > 0 ? whole[i] : 0;
        return LIP_OK;
    }
    const double *x = call->in[0]->f64;
    double *y = call->out[0]->f64_room;
    for (int64_t i = 0; i < count; i++) y[i] = x[i] < 0 ? 0 : x[i]; /* NaN stays NaN */
    return LIP_OK;
}

static lip_status adjoint(const lip_call *call, lip_error *error)
{
    (void)error;
    const double *x = call->in[0]->f64, *g = call->out_grad[0];
    double *to = call->in_grad[0];
    if (!to) return LIP_OK;
    for (int64_t i = 0; i < call->in[0]->count; i++) to[i] = g && x[i] > 0 ? g[i] : 0;
    return LIP_OK;
}

const lip_op lip_op_relu = {
    .name = "Relu",
    .domain = "",
    .opset_first = 1,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_SLOPES, .slopes = {.a = 0, .b = 1}},
    .shape = lip_shape_of_number,
    .forward = forward,
    .adjoint = adjoint,
    .curve = &lip_curve_relu,
};
