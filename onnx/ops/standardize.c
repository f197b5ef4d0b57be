/*
 * standardize.c: y = z / s, s = sqrt(mean(z^2) + eps), z = x - mean(x) or x,
 * over any axes, see fused.h: what layer, group and RMS normalisation are
 * where an exporter spells them out. Gain: that of normalize.h with scale 1,
 * 1 / sqrt(eps), and 0 with centring and one element.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "fused.h"
#include "grouping.h"
#include "outward.h"
#include "ranges.h"
#include "support.h"

static bool is_centred(const lip_node *node)
{
    return lip_attr_int(node, "centred", 1) != 0;
}

static lip_status shape(const lip_node *node, lip_error *error)
{
    lip_grouping g = { 0 };
    LIP_TRY(lip_grouping_read(node, NULL, 0, &g, error));
    return lip_set_output(node, 0, node->inputs[0]->dtype, &node->inputs[0]->shape, error);
}

/* Per group: the mean (0 if not centred), and s. */
static void statistics(const lip_call *call, const lip_grouping *g, double *mean, double *deviation)
{
    const lip_tensor *x = call->in[0];
    for (int64_t i = 0; is_centred(call->node) && i < x->count; i++)
        mean[lip_group_of(g, &x->shape, i)] += x->f64[i] / (double)g->count;
    for (int64_t i = 0; i < x->count; i++) {
        const int64_t k = lip_group_of(g, &x->shape, i);
        deviation[k] += (x->f64[i] - mean[k]) * (x->f64[i] - mean[k]) / (double)g->count;
    }
    for (int64_t k = 0; k < g->groups; k++)
        deviation[k] = sqrt(deviation[k] + call->in[1]->f64[0]);
}

static lip_status forward(const lip_call *call, lip_error *error)
{
    lip_grouping g = { 0 };
    LIP_TRY(lip_grouping_read(call->node, NULL, 0, &g, error));
    double *mean = lip_alloc(call->memory, g.groups, 2 * sizeof *mean);
    if (mean == NULL)
        return lip_fail_memory(error, call->node, "its statistics");
    const lip_tensor *x = call->in[0];
    statistics(call, &g, mean, mean + g.groups);
    for (int64_t i = 0; call->out[0] != NULL && i < x->count; i++) {
        const int64_t k = lip_group_of(&g, &x->shape, i);
        call->out[0]->f64_room[i] = (x->f64[i] - mean[k]) / mean[g.groups + k];
    }
    lip_free(call->memory, mean);
    return LIP_OK;
}

/* dx = C (grad - y (y . grad) / N) / s. */
static lip_status adjoint(const lip_call *call, lip_error *error)
{
    lip_grouping g = { 0 };
    if (call->in_grad[0] == NULL)
        return LIP_OK;
    LIP_TRY(lip_grouping_read(call->node, NULL, 0, &g, error));
    double *mean = lip_alloc(call->memory, g.groups, 4 * sizeof *mean);
    if (mean == NULL)
        return lip_fail_memory(error, call->node, "its statistics");
    double *deviation = mean + g.groups, *along = deviation + g.groups, *sum = along + g.groups;
    const lip_tensor *x = call->in[0];
    statistics(call, &g, mean, deviation);
    for (int64_t i = 0; i < x->count; i++) {
        const int64_t k = lip_group_of(&g, &x->shape, i);
        along[k] += (x->f64[i] - mean[k]) / deviation[k] * call->out_grad[0][i] / (double)g.count;
    }
    for (int64_t i = 0; i < x->count; i++) {
        const int64_t k = lip_group_of(&g, &x->shape, i);
        const double y = (x->f64[i] - mean[k]) / deviation[k];
        call->in_grad[0][i] = (call->out_grad[0][i] - y * along[k]) / deviation[k];
        sum[k] += call->in_grad[0][i] / (double)g.count;
    }
    for (int64_t i = 0; is_centred(call->node) && i < x->count; i++)
        call->in_grad[0][i] -= sum[lip_group_of(&g, &x->shape, i)];
    lip_free(call->memory, mean);
    return LIP_OK;
}

static lip_status describe(const lip_node *node, lip_arena *arena, lip_gain *gain, lip_error *error)
{
    (void)arena;
    lip_grouping g = { 0 };
    LIP_TRY(lip_grouping_read(node, NULL, 0, &g, error));
    const double eps = lip_node_constant(node, 1)->f64[0];
    *gain = (lip_gain){ .kind = LIP_GAIN_LIPSCHITZ };
    gain->reason = "these nodes are a normalisation: one over the root of epsilon, at zero deviation";
    if (is_centred(node) && g.count <= 1)
        return LIP_OK;
    gain->lipschitz.upper = lip_over_root_upper(1, eps);
    gain->lipschitz.lower = lip_over_root_lower(1, eps);
    return LIP_OK;
}

/* Group by group, their elements gathered side by side. */
static lip_status range(const lip_range_call *call, lip_error *error)
{
    lip_grouping g = { 0 };
    const lip_span *x = &call->in[0];
    LIP_TRY(lip_grouping_read(call->node, NULL, 0, &g, error));
    int64_t *at = lip_alloc(call->memory, x->count + g.groups, sizeof *at), *filled = at + x->count;
    double *block = lip_alloc(call->memory, g.count, 4 * sizeof *block), largest = 0;
    if (at == NULL || block == NULL || call->out[0].lo == NULL) {
        lip_free(call->memory, at);
        lip_free(call->memory, block);
        return lip_fail_memory(error, call->node, "ranges");
    }
    for (int64_t i = 0; i < x->count; i++) {
        const int64_t k = lip_group_of(&g, &x->shape, i);
        at[k * g.count + filled[k]++] = i;
    }
    double *lo = block, *hi = lo + g.count, *f_lo = hi + g.count, *f_hi = f_lo + g.count;
    for (int64_t k = 0; k < g.groups; k++) {
        for (int64_t i = 0; i < g.count; i++) {
            lo[i] = x->lo[at[k * g.count + i]];
            hi[i] = x->hi[at[k * g.count + i]];
        }
        largest = fmax(largest, lip_range_standardize(lo, hi, g.count, is_centred(call->node), call->in[1].lo[0], f_lo,
                                                      f_hi));
        for (int64_t i = 0; i < g.count; i++) {
            call->out[0].lo[at[k * g.count + i]] = f_lo[i];
            call->out[0].hi[at[k * g.count + i]] = f_hi[i];
        }
    }
    call->gain[0] = largest;
    lip_free(call->memory, at);
    lip_free(call->memory, block);
    return LIP_OK;
}

const lip_op lip_op_standardize = {
    .name = "Standardize",
    .domain = "",
    .opset_first = 1,
    .opset_last = LIP_OPSET_LAST,
    .gain = { .kind = LIP_GAIN_LIPSCHITZ },
    .shape = shape,
    .forward = forward,
    .adjoint = adjoint,
    .describe = describe,
    .range = range,
};
