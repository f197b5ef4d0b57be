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
#include "outward.h"
#include "support.h"

#include <string.h>

#define EPSILON ((double)1e-9F)

/* Elements are normalised in `groups` groups of `count`, those that agree on every axis that is not in the mask. */
typedef struct grouping {
    int64_t groups, count;
    int64_t stride[LIP_MAX_RANK]; /* of the group's number along each axis; 0 on normalised ones */
} grouping;

static lip_status read(const lip_node *node, grouping *out, lip_error *error)
{
    static const int64_t usual[] = { 0, 2, 3 };
    bool mask[LIP_MAX_RANK] = { false };
    lip_ints axes = { 0 };
    grouping g = { .groups = 1, .count = 1 };
    LIP_TRY(lip_check_inputs(node, 1, 1, error));
    LIP_TRY(lip_check_real(node, 0, error));
    const lip_shape *x = &node->inputs[0]->shape;
    LIP_TRY(lip_ints_of_attr(node, "axes", &axes, error));
    if (axes.value == NULL)
        axes = (lip_ints){ usual, 3 };
    LIP_TRY(lip_check_axes(node, axes.value, axes.count, x->rank, mask, error));
    for (int i = x->rank - 1; i >= 0; i--) {
        g.stride[i] = mask[i] ? 0 : g.groups;
        if (!lip_size_mul(mask[i] ? g.count : g.groups, x->dim[i], mask[i] ? &g.count : &g.groups))
            return lip_fail_node(error, LIP_EUNSUPPORTED, node, "its input is too large");
    }
    *out = g;
    return LIP_OK;
}

static lip_status shape(const lip_node *node, lip_error *error)
{
    grouping g = { 0 };
    LIP_TRY(read(node, &g, error));
    return lip_set_output(node, 0, node->inputs[0]->dtype, &node->inputs[0]->shape, error);
}

static int64_t group_of(const grouping *g, const lip_shape *shape, int64_t element)
{
    int64_t group = 0;
    for (int i = shape->rank - 1; i >= 0; i--) {
        group += element % shape->dim[i] * g->stride[i];
        element /= shape->dim[i];
    }
    return group;
}

/* Per group: the mean, and d. */
static void statistics(const grouping *g, const lip_tensor *x, double *mean, double *deviation)
{
    for (int64_t i = 0; i < x->count; i++)
        mean[group_of(g, &x->shape, i)] += x->f64[i] / (double)g->count;
    for (int64_t i = 0; i < x->count; i++) {
        const int64_t k = group_of(g, &x->shape, i);
        deviation[k] += (x->f64[i] - mean[k]) * (x->f64[i] - mean[k]) / (double)g->count;
    }
    for (int64_t k = 0; k < g->groups; k++)
        deviation[k] = sqrt(deviation[k]);
}

static lip_status forward(const lip_call *call, lip_error *error)
{
    grouping g = { 0 };
    LIP_TRY(read(call->node, &g, error));
    double *mean = lip_alloc(call->memory, g.groups, 2 * sizeof *mean);
    if (mean == NULL)
        return lip_fail_memory(error, call->node, "its statistics");
    const lip_tensor *x = call->in[0];
    statistics(&g, x, mean, mean + g.groups);
    for (int64_t i = 0; i < x->count; i++) {
        const int64_t k = group_of(&g, &x->shape, i);
        call->out[0]->f64_room[i] = (x->f64[i] - mean[k]) / (mean[g.groups + k] + EPSILON);
    }
    lip_free(call->memory, mean);
    return LIP_OK;
}

/* With y = z / (d + e): dx = C (grad - y (y . grad) (d + e) / (N d)) / (d + e). */
static lip_status adjoint(const lip_call *call, lip_error *error)
{
    grouping g = { 0 };
    LIP_TRY(read(call->node, &g, error));
    double *mean = lip_alloc(call->memory, g.groups, 4 * sizeof *mean);
    if (mean == NULL)
        return lip_fail_memory(error, call->node, "its statistics");
    double *deviation = mean + g.groups, *along = deviation + g.groups, *sum = along + g.groups;
    const lip_tensor *x = call->in[0];
    const double *y = call->out[0]->f64, *grad = call->out_grad[0];
    statistics(&g, x, mean, deviation);
    for (int64_t i = 0; i < x->count; i++)
        along[group_of(&g, &x->shape, i)] += y[i] * grad[i] / (double)g.count;
    for (int64_t i = 0; i < x->count; i++) {
        const int64_t k = group_of(&g, &x->shape, i);
        const double width = deviation[k] + EPSILON;
        const double radial = deviation[k] > 0 ? y[i] * along[k] * width / deviation[k] : 0;
        call->in_grad[0][i] = (grad[i] - radial) / width;
        sum[k] += call->in_grad[0][i] / (double)g.count;
    }
    for (int64_t i = 0; i < x->count; i++)
        call->in_grad[0][i] -= sum[group_of(&g, &x->shape, i)];
    lip_free(call->memory, mean);
    return LIP_OK;
}

static lip_status describe(const lip_node *node, lip_arena *arena, lip_gain *gain, lip_error *error)
{
    (void)arena;
    grouping g = { 0 };
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
