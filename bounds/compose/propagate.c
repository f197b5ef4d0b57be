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
 * c(v) = 0 makes v constant, and what any map makes of v alone; but a node
 * that is not understood may depend on more than it lists (a subgraph reads
 * values around it): its c is not finite whatever c(v) is.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "propagate.h"
#include "rounding.h"

#include <math.h>

static bool is_empty(const lip_value *value)
{
    int64_t count;
    return value->shape_known && lip_shape_count(&value->shape, &count) && count == 0;
}

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
    bool sum = plan->gain.kind != LIP_GAIN_JOIN && plan->gain.kind != LIP_GAIN_CONCAT;
    for (size_t i = 0; i < plan->node->input_count; i++) {
        const lip_value *value = plan->node->inputs[i];
        if (!value || !value->varies)
            continue;
        double gain = lip_range_gain_in(plan->node, &plan->gain, plan->on_range, i);
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

/* A part of a Split is less than its input: distances shrink. */
static bool keeps_elements(const lip_value *from, const lip_value *to)
{
    int64_t before, after;
    return to && lip_shape_count(&from->shape, &before) && lip_shape_count(&to->shape, &after) && before == after;
}

/* A slope that is attained on the range of a value need not be on the box of inputs that the range came from. */
static bool lower_holds(const lip_layer_plan *plan)
{
    return !plan->on_range || plan->on_range->everywhere || lip_range_gain_keeps_lower(plan->gain.kind);
}

static reach apply_gain(const lip_layer_plan *plan, const lip_layer_gain *gain, const reach *reaches)
{
    int input = lip_node_varying(plan->node);
    lip_gain_kind kind = plan->gain.kind;
    bool branches = kind == LIP_GAIN_SUM || kind == LIP_GAIN_JOIN || kind == LIP_GAIN_CONCAT;
    if (input < 0 && (branches || (gain->verdict == LIP_BOUNDED && plan->on_range)))
        return combine_branches(plan, reaches);
    if (input < 0 || gain->verdict == LIP_UNKNOWN) { /* no rule for several varying inputs: not finite, or not known */
        double infinite = (double)INFINITY;
        return (reach) { infinite, infinite, (double)NAN, false };
    }
    reach from = reaches[plan->node->inputs[input]->index], to;
    if (plan->folded_away) /* the layer that took this scale has it in its gain */
        return from;
    bool isometry = gain->lower == 1 && gain->upper == 1 && (kind == LIP_GAIN_ISOMETRY || kind == LIP_GAIN_SUM) &&
                    keeps_elements(plan->node->inputs[input], plan->node->outputs[0]);
    to.upper = lip_mul_up(gain->upper, from.upper);
    to.estimate = gain->upper == 0 || from.estimate == 0 ? 0 : estimate_of(gain) * from.estimate;
    to.isometry = from.isometry && isometry;
    to.lower = isometry ? from.lower : from.isometry && lower_holds(plan) ? gain->lower : (double)NAN;
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
        if (model->inputs[i]->varies) {
            bool alone = varying == 1 && !is_empty(model->inputs[i]);
            reaches[model->inputs[i]->index] = (reach) { 1, 1, alone ? 1 : (double)NAN, alone };
        }
    for (size_t i = 0; i < count; i++) {
        reach result = apply_gain(&plans[i], &gains[i], reaches);
        out->cumulative[i] = result.upper;
        for (size_t o = 0; o < plans[i].node->output_count; o++) {
            if (plans[i].node->outputs[o])
                reaches[plans[i].node->outputs[o]->index] = result;
            result.isometry = false; /* gains are of output 0 from below: a mask, for instance, is constant */
            result.lower = (double)NAN;
        }
    }
    reach logits = reaches[model->logits->index];
    out->network_upper = logits.upper;
    out->network_estimate = logits.estimate;
    out->network_lower = logits.lower;
    return LIP_OK;
}
