/*
 * propagate.c: one forward pass over the graph.
 *
 * For a value v let c(v) bound the Lipschitz constant of x -> v(x), x all
 * varying inputs of the model taken jointly (an input itself: 1, a projection).
 * A node with gains g_i in its inputs v_i has
 *     c <= sum_i g_i c(v_i)                       (SUM, and in general),
 *     c <= sqrt(sum_i (g_i c(v_i))^2)             (JOIN, CONCAT: each output element of a CONCAT comes from one part;
 *                                                  |max(a, b) - max(a', b')|^2 <= |a - a'|^2 + |b - b'|^2 for a JOIN),
 * and with one varying input c = g c(v). A value that does not vary has c = 0.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "propagate.h"
#include "rounding.h"

#include <math.h>

/* What is known of the map from the input to one value. */
typedef struct reach {
    double upper, estimate;
    double lower;  /* NaN: not known */
    bool isometry; /* the map so far preserves distances */
} reach;

static double estimate_of(const lip_layer_gain *gain)
{
    return isnan(gain->power_estimate) ? gain->upper : gain->power_estimate;
}

static reach combine_branches(const lip_layer_plan *plan, const reach *reaches)
{
    reach total = { 0, 0, (double)NAN, false };
    bool sum = plan->gain.kind == LIP_GAIN_SUM;
    for (size_t i = 0; i < plan->node->input_count; i++) {
        const lip_value *value = plan->node->inputs[i];
        if (!value || !value->varies)
            continue;
        double gain = lip_branch_gain(plan->node, &plan->gain, i);
        double upper = lip_mul_up(gain, reaches[value->index].upper), estimate = gain * reaches[value->index].estimate;
        total.upper = lip_add_up(total.upper, sum ? upper : lip_mul_up(upper, upper));
        total.estimate += sum ? estimate : estimate * estimate;
    }
    if (!sum) {
        total.upper = lip_sqrt_up(total.upper);
        total.estimate = sqrt(total.estimate);
    }
    return total;
}

static reach apply_gain(const lip_layer_plan *plan, const lip_layer_gain *gain, const reach *reaches)
{
    int input = lip_node_varying(plan->node);
    lip_gain_kind kind = plan->gain.kind;
    bool branches = kind == LIP_GAIN_SUM || kind == LIP_GAIN_JOIN || kind == LIP_GAIN_CONCAT;
    if (input < 0 && branches)
        return combine_branches(plan, reaches);
    if (input < 0) { /* several varying inputs and no rule for them: not finite, or not known */
        double infinite = (double)INFINITY;
        return (reach) { infinite, infinite, (double)NAN, false };
    }
    reach from = reaches[plan->node->inputs[input]->index], to;
    if (plan->folded_away) /* the layer that took this scale has it in its gain */
        return from;
    bool isometry = gain->upper == 1 && (kind == LIP_GAIN_ISOMETRY || kind == LIP_GAIN_SUM);
    to.upper = lip_mul_up(gain->upper, from.upper);
    to.estimate = gain->upper == 0 || from.estimate == 0 ? 0 : estimate_of(gain) * from.estimate;
    to.isometry = from.isometry && isometry;
    to.lower = isometry ? from.lower : from.isometry ? gain->lower : (double)NAN;
    return to;
}

lip_status lip_propagate(const lip_model *model, const lip_layer_plan *plans, const lip_layer_gain *gains, size_t count,
                         lip_arena *arena, lip_propagation *out, lip_error *error)
{
    reach *reaches = lip_arena_alloc(arena, (int64_t)model->value_count, sizeof *reaches);
    *out = (lip_propagation) { .cumulative = lip_arena_alloc(arena, (int64_t)count, sizeof(double)) };
    if (!reaches || !out->cumulative)
        return lip_fail(error, LIP_EMEMORY, "the bounds of the network's values pass the memory cap");
    size_t varying = 0;
    for (size_t i = 0; i < model->input_count; i++)
        varying += model->inputs[i]->varies;
    for (size_t i = 0; i < model->input_count; i++)
        if (model->inputs[i]->varies)
            reaches[model->inputs[i]->index] = (reach) { 1, 1, varying == 1 ? 1 : (double)NAN, varying == 1 };
    for (size_t i = 0; i < count; i++) {
        reach result = apply_gain(&plans[i], &gains[i], reaches);
        for (size_t o = 0; o < plans[i].node->output_count; o++)
            if (plans[i].node->outputs[o])
                reaches[plans[i].node->outputs[o]->index] = result;
        out->cumulative[i] = result.upper;
    }
    reach logits = reaches[model->logits->index];
    out->network_upper = logits.upper;
    out->network_estimate = logits.estimate;
    out->network_lower = logits.lower;
    return LIP_OK;
}
