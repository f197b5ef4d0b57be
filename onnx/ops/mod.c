/*
 * mod.c: Mod: the remainder with the sign of the divisor (of reals since opset
 * 28), or C's fmod with attribute fmod = 1. It jumps at multiples of the
 * divisor.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "elementwise.h"
#include "support.h"

#include <math.h>

static void fmod_row(int64_t n, const double *a, int64_t a_step, const double *b, int64_t b_step, double *y)
{
    for (int64_t i = 0; i < n; i++) y[i] = fmod(a[i * a_step], b[i * b_step]);
}

static void mod_row(int64_t n, const double *a, int64_t a_step, const double *b, int64_t b_step, double *y)
{
    for (int64_t i = 0; i < n; i++) {
        double divisor = b[i * b_step];
        y[i] = fmod(a[i * a_step], divisor);
        if (y[i] == 0)
            y[i] = copysign(0, divisor);
        else if ((y[i] < 0) != (divisor < 0))
            y[i] += divisor;
    }
}

static bool fmod_whole(int64_t a, int64_t b, int64_t *y)
{
    if (b == 0) return false;
    *y = b == -1 ? 0 : a % b;
    return true;
}

static bool mod_whole(int64_t a, int64_t b, int64_t *y)
{
    if (!fmod_whole(a, b, y)) return false;
    if (*y != 0 && (*y < 0) != (b < 0)) *y += b;
    return true;
}

static lip_status shape(const lip_node *node, lip_error *error)
{
    LIP_TRY(lip_pair_shape(node, LIP_DTYPE_UNDEFINED, error));
    if (node->opset < 28 && lip_dtype_is_real(node->inputs[0]->dtype) && lip_attr_int(node, "fmod", 0) == 0)
        return lip_fail_node(error, LIP_EFORMAT, node, "floating-point inputs need attribute fmod = 1");
    return LIP_OK;
}

static lip_status forward(const lip_call *call, lip_error *error)
{
    bool truncated = lip_attr_int(call->node, "fmod", 0) != 0;
    return lip_pair_forward(call, truncated ? fmod_row : mod_row, truncated ? fmod_whole : mod_whole, error);
}

const lip_op lip_op_mod = {
    .name = "Mod",
    .domain = "",
    .opset_first = 10,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_UNBOUNDED, .reason = "discontinuous: it jumps at multiples of the divisor"},
    .shape = shape,
    .forward = forward,
};
