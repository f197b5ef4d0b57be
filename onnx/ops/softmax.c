/*
 * softmax.c: Softmax.
 *
 * Gain: at p = softmax(x) the Jacobian is J = diag(p) - p p', symmetric and
 * positive semidefinite, since v'Jv = sum p_i v_i^2 - (sum p_i v_i)^2 is the
 * variance of v under p. A variable in [min v, max v] has variance at most
 * (max v - min v)^2 / 4 [Popoviciu 1935], and (a - b)^2 <= 2 (a^2 + b^2), so
 * v'Jv <= |v|^2 / 2: the constant is 1/2. It is the supremum: for p near
 * (1/2, 1/2, 0, ...) and v = (1, -1, 0, ...), v'Jv / |v|^2 tends to 1/2.
 * With one class the output is constant. Slices are independent blocks.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "slices.h"
#include "ranges.h"
#include "support.h"

#include <math.h>

static lip_status forward(const lip_call *call, lip_error *error)
{
    lip_slices s = { 0 };
    LIP_TRY(lip_slices_of_softmax(call->node, &s, error));
    for (int64_t k = 0; k < s.outer * s.inner; k++) {
        const int64_t at = k / s.inner * s.count * s.inner + k % s.inner;
        const double *x = call->in[0]->f64 + at;
        double *y = call->out[0]->f64_room + at;
        double most = -INFINITY, sum = 0;
        for (int64_t i = 0; i < s.count; i++)
            most = fmax(most, x[i * s.inner]);
        for (int64_t i = 0; i < s.count; i++)
            sum += y[i * s.inner] = exp(x[i * s.inner] - most);
        for (int64_t i = 0; i < s.count; i++)
            y[i * s.inner] /= sum;
    }
    return LIP_OK;
}

static lip_status adjoint(const lip_call *call, lip_error *error)
{
    lip_slices s = { 0 };
    LIP_TRY(lip_slices_of_softmax(call->node, &s, error));
    for (int64_t k = 0; k < s.outer * s.inner; k++) {
        const int64_t at = k / s.inner * s.count * s.inner + k % s.inner;
        const double *y = call->out[0]->f64 + at, *grad = call->out_grad[0] + at;
        double mean = 0;
        for (int64_t i = 0; i < s.count; i++)
            mean += y[i * s.inner] * grad[i * s.inner];
        for (int64_t i = 0; i < s.count; i++)
            call->in_grad[0][at + i * s.inner] = y[i * s.inner] * (grad[i * s.inner] - mean);
    }
    return LIP_OK;
}

static lip_status describe(const lip_node *node, lip_arena *arena, lip_gain *gain, lip_error *error)
{
    (void)arena;
    lip_slices s = { 0 };
    LIP_TRY(lip_slices_of_softmax(node, &s, error));
    const double norm = s.count > 1 ? 0.5 : 0;
    gain->lipschitz.upper = norm;
    gain->lipschitz.lower = norm;
    return LIP_OK;
}

const lip_op lip_op_softmax = {
    .name = "Softmax",
    .domain = "",
    .opset_first = 1,
    .opset_last = LIP_OPSET_LAST,
    .gain = { .kind = LIP_GAIN_LIPSCHITZ, .lipschitz = { .upper = 0.5 } },
    .shape = lip_slices_shape,
    .forward = forward,
    .adjoint = adjoint,
    .describe = describe,
    .range = lip_range_softmax,
};
