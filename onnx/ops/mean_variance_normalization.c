/*
 * mean_variance_normalization.c: MeanVarianceNormalization over `axes`,
 *   y = z / (d + e),  z = C x,  d = |z| / sqrt(N),  e = float32(1e-9),
 * the constant of the standard's function body.
 *
 * Gain: the derivative of z -> z / (d + e) is (I - z z' / (N d (d + e))) / (d + e):
 * 1 / (d + e) on the complement of z, e / (d + e)^2 along z. Both are at most
 * 1 / e, and tend to it as z -> 0; |C| = 1 for N >= 2, so 1 / e is the constant.
 * With N = 1 the output is 0.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "grouping.h"
#include "outward.h"
#include "support.h"

#define EPSILON ((double)1e-9F)

static lip_status read(const lip_node *node, lip_grouping *out, lip_error *error)
{
    static const int64_t usual[] = { 0, 2, 3 };
    LIP_TRY(lip_check_inputs(node, 1, 1, error));
    LIP_TRY(lip_check_real(node, 0, error));
    return lip_grouping_read(node, usual, 3, out, error);
}

static lip_status shape(const lip_node *node, lip_error *error)
{
    lip_grouping g = { 0 };
    LIP_TRY(read(node, &g, error));
    return lip_set_output(node, 0, node->inputs[0]->dtype, &node->inputs[0]->shape, error);
}

/* Per group: the mean, and d. */
static void statistics(const lip_grouping *g, const lip_tensor *x, double *mean, double *deviation)
{
    for (int64_t i = 0; i < x->count; i++)
        mean[lip_group_of(g, &x->shape, i)] += x->f64[i] / (double)g->count;
    for (int64_t i = 0; i < x->count; i++) {
        const int64_t k = lip_group_of(g, &x->shape, i);
        deviation[k] += (x->f64[i] - mean[k]) * (x->f64[i] - mean[k]) / (double)g->count;
    }
    for (int64_t k = 0; k < g->groups; k++)
        deviation[k] = sqrt(deviation[k]);
}

static lip_status forward(const lip_call *call, lip_error *error)
{
    lip_grouping g = { 0 };
    LIP_TRY(read(call->node, &g, error));
    double *mean = lip_alloc(call->memory, g.groups, 2 * sizeof *mean);
    if (mean == NULL)
        return lip_fail_memory(error, call->node, "its statistics");
    const lip_tensor *x = call->in[0];
    statistics(&g, x, mean, mean + g.groups);
    for (int64_t i = 0; i < x->count; i++) {
        const int64_t k = lip_group_of(&g, &x->shape, i);
        call->out[0]->f64_room[i] = (x->f64[i] - mean[k]) / (mean[g.groups + k] + EPSILON);
    }
    lip_free(call->memory, mean);
    return LIP_OK;
}

/* With y = z / (d + e): dx = C (grad - y (y . grad) (d + e) / (N d)) / (d + e). */
static lip_status adjoint(const lip_call *call, lip_error *error)
{
    lip_grouping g = { 0 };
    LIP_TRY(read(call->node, &g, error));
    double *mean = lip_alloc(call->memory, g.groups, 4 * sizeof *mean);
    if (mean == NULL)
        return lip_fail_memory(error, call->node, "its statistics");
    double *deviation = mean + g.groups, *along = deviation + g.groups, *sum = along + g.groups;
    const lip_tensor *x = call->in[0];
    const double *y = call->out[0]->f64, *grad = call->out_grad[0];
    statistics(&g, x, mean, deviation);
    for (int64_t i = 0; i < x->count; i++)
        along[lip_group_of(&g, &x->shape, i)] += y[i] * grad[i] / (double)g.count;
    for (int64_t i = 0; i < x->count; i++) {
        const int64_t k = lip_group_of(&g, &x->shape, i);
        const double width = deviation[k] + EPSILON;
        const double radial = deviation[k] > 0 ? y[i] * along[k] * width / deviation[k] : 0;
        call->in_grad[0][i] = (grad[i] - radial) / width;
        sum[k] += call->in_grad[0][i] / (double)g.count;
    }
    for (int64_t i = 0; i < x->count; i++)
        call->in_grad[0][i] -= sum[lip_group_of(&g, &x->shape, i)];
    lip_free(call->memory, mean);
    return LIP_OK;
}

static lip_status describe(const lip_node *node, lip_arena *arena, lip_gain *gain, lip_error *error)
{
    (void)arena;
    lip_grouping g = { 0 };
    LIP_TRY(read(node, &g, error));
    gain->lipschitz.upper = g.count > 1 ? lip_up(1 / EPSILON) : 0;
    gain->lipschitz.lower = g.count > 1 ? lip_down(1 / EPSILON) : 0;
    return LIP_OK;
}

const lip_op lip_op_mean_variance_normalization = {
    .name = "MeanVarianceNormalization",
    .domain = "",
    .opset_first = 9,
    .opset_last = LIP_OPSET_LAST,
    .gain = { .kind = LIP_GAIN_LIPSCHITZ },
    .shape = shape,
    .forward = forward,
    .adjoint = adjoint,
    .describe = describe,
};
