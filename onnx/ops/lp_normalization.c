/*
 * lp_normalization.c: LpNormalization, y = x / |x|_p along an axis, p = 1 or 2.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "slices.h"
#include "ranges.h"
#include "support.h"

#include <math.h>

static lip_status read(const lip_node *node, lip_slices *out, int *p, lip_error *error)
{
    int axis = 0;
    LIP_TRY(lip_check_inputs(node, 1, 1, error));
    LIP_TRY(lip_check_real(node, 0, error));
    const lip_shape *x = &node->inputs[0]->shape;
    LIP_TRY(lip_check_axis(node, lip_attr_int(node, "axis", -1), x->rank, &axis, error));
    const int64_t power = lip_attr_int(node, "p", 2);
    if (power != 1 && power != 2)
        return lip_fail_node(error, LIP_EFORMAT, node, "p is %lld, not 1 or 2", (long long)power);
    *p = (int)power;
    *out = lip_slices_around(x, axis, axis + 1);
    return LIP_OK;
}

static lip_status shape(const lip_node *node, lip_error *error)
{
    lip_slices s = { 0 };
    int p = 0;
    LIP_TRY(read(node, &s, &p, error));
    return lip_set_output(node, 0, node->inputs[0]->dtype, &node->inputs[0]->shape, error);
}

static double norm_of(const lip_slices *s, int p, const double *x)
{
    double sum = 0;
    for (int64_t i = 0; i < s->count; i++)
        sum += p == 1 ? fabs(x[i * s->inner]) : x[i * s->inner] * x[i * s->inner];
    return p == 1 ? sum : sqrt(sum);
}

static lip_status forward(const lip_call *call, lip_error *error)
{
    lip_slices s = { 0 };
    int p = 0;
    LIP_TRY(read(call->node, &s, &p, error));
    for (int64_t k = 0; k < s.outer * s.inner; k++) {
        const int64_t at = k / s.inner * s.count * s.inner + k % s.inner;
        const double norm = norm_of(&s, p, call->in[0]->f64 + at);
        for (int64_t i = 0; i < s.count; i++)
            call->out[0]->f64_room[at + i * s.inner] = norm > 0 ? call->in[0]->f64[at + i * s.inner] / norm : 0;
    }
    return LIP_OK;
}

/* dx = (grad - d|x| (y . grad)) / |x|, where d|x| = sign(x) for p = 1 and y for p = 2; 0 at x = 0. */
static lip_status adjoint(const lip_call *call, lip_error *error)
{
    lip_slices s = { 0 };
    int p = 0;
    LIP_TRY(read(call->node, &s, &p, error));
    for (int64_t k = 0; k < s.outer * s.inner; k++) {
        const int64_t at = k / s.inner * s.count * s.inner + k % s.inner;
        const double *x = call->in[0]->f64 + at, *y = call->out[0]->f64 + at, *grad = call->out_grad[0] + at;
        const double norm = norm_of(&s, p, x);
        double along = 0;
        for (int64_t i = 0; i < s.count; i++)
            along += y[i * s.inner] * grad[i * s.inner];
        for (int64_t i = 0; i < s.count; i++) {
            const double sign = (double)(x[i * s.inner] > 0) - (double)(x[i * s.inner] < 0);
            const double slope = p == 1 ? sign : y[i * s.inner];
            call->in_grad[0][at + i * s.inner] = norm > 0 ? (grad[i * s.inner] - slope * along) / norm : 0;
        }
    }
    return LIP_OK;
}

const lip_op lip_op_lp_normalization = {
    .name = "LpNormalization",
    .domain = "",
    .opset_first = 1,
    .opset_last = LIP_OPSET_LAST,
    .gain = { .kind = LIP_GAIN_UNBOUNDED, .reason = "x / |x| has no finite constant near 0" },
    .shape = shape,
    .forward = forward,
    .adjoint = adjoint,
    .range = lip_range_lp_normalization,
};
