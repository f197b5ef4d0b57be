/*
 * hardmax.c: Hardmax: 1 at the first largest element, 0 elsewhere.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "slices.h"
#include "support.h"

static lip_status forward(const lip_call *call, lip_error *error)
{
    lip_slices s = { 0 };
    LIP_TRY(lip_slices_of_softmax(call->node, &s, error));
    for (int64_t k = 0; k < s.outer * s.inner; k++) {
        const int64_t at = k / s.inner * s.count * s.inner + k % s.inner;
        const double *x = call->in[0]->f64 + at;
        int64_t best = 0;
        for (int64_t i = 1; i < s.count; i++)
            if (x[i * s.inner] > x[best * s.inner])
                best = i;
        for (int64_t i = 0; i < s.count; i++)
            call->out[0]->f64_room[at + i * s.inner] = i == best;
    }
    return LIP_OK;
}

const lip_op lip_op_hardmax = {
    .name = "Hardmax",
    .domain = "",
    .opset_first = 1,
    .opset_last = LIP_OPSET_LAST,
    .gain = { .kind = LIP_GAIN_UNBOUNDED, .reason = "discontinuous: it jumps where the largest element changes" },
    .shape = lip_slices_shape,
    .forward = forward,
};
