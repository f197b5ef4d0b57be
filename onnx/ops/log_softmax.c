/*
 * log_softmax.c: LogSoftmax.
 *
 * Gain: the Jacobian is J = I - 1 p', with p on the simplex and 1'p = 1, so
 * J J = J: a projector, of rank n - 1. A projector I - u v' with v'u = 1 has
 * norm |u| |v| for n >= 2 (the norm of a projector other than 0 and I equals
 * that of its complement [Szyld 2006, "The many proofs of an identity on the
 * norm of oblique projections"]), here sqrt(n) |p| <= sqrt(n), approached as p
 * tends to a vertex. With one class the output is constant.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "outward.h"
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
        double most = -INFINITY, sum = 0;
        for (int64_t i = 0; i < s.count; i++)
            most = fmax(most, x[i * s.inner]);
        for (int64_t i = 0; i < s.count; i++)
            sum += exp(x[i * s.inner] - most);
        for (int64_t i = 0; i < s.count; i++)
            call->out[0]->f64_room[at + i * s.inner] = x[i * s.inner] - most - log(sum);
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
        double sum = 0;
        for (int64_t i = 0; i < s.count; i++)
            sum += grad[i * s.inner];
        for (int64_t i = 0; i < s.count; i++)
            call->in_grad[0][at + i * s.inner] = grad[i * s.inner] - exp(y[i * s.inner]) * sum;
    }
    return LIP_OK;
}

static lip_status describe(const lip_node *node, lip_arena *arena, lip_gain *gain, lip_error *error)
{
    (void)arena;
    lip_slices s = { 0 };
    LIP_TRY(lip_slices_of_softmax(node, &s, error));
    gain->lipschitz.upper = s.count > 1 ? lip_up(sqrt((double)s.count)) : 0;
    gain->lipschitz.lower = s.count > 1 ? lip_down(sqrt((double)s.count)) : 0;
    return LIP_OK;
}

const lip_op lip_op_log_softmax = {
    .name = "LogSoftmax",
    .domain = "",
    .opset_first = 1,
    .opset_last = LIP_OPSET_LAST,
    .gain = { .kind = LIP_GAIN_LIPSCHITZ },
    .shape = lip_slices_shape,
    .forward = forward,
    .adjoint = adjoint,
    .describe = describe,
    .range = lip_range_log_softmax,
};
