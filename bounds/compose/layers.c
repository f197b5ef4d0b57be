/*
 * layers.c: see layers.h.
 *
 * Folding is exact algebra: the linear part of x -> A (s * x + b) + c is
 * A diag(s), also where A pads with zeros, because only the linear part counts.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "layers.h"

static bool varies(const lip_node *node)
{
    for (size_t i = 0; i < node->output_count; i++)
        if (node->outputs[i] && node->outputs[i]->varies)
            return !node->folded;
    return false;
}

static lip_status describe(lip_layer_plan *plan, lip_arena *arena, lip_error *error)
{
    const lip_node *node = plan->node;
    if (node->unknown || !node->op) {
        plan->gain = (lip_gain) { .kind = LIP_GAIN_UNKNOWN, .reason = node->unknown };
        return LIP_OK;
    }
    plan->gain = node->op->gain;
    lip_status status = node->op->describe ? node->op->describe(node, arena, &plan->gain, error) : LIP_OK;
    if (status != LIP_EUNSUPPORTED)
        return status;
    const char *reason = error ? lip_arena_string(arena, error->reason, sizeof error->reason) : NULL;
    plan->gain = (lip_gain) { .kind = LIP_GAIN_UNKNOWN, .reason = reason };
    return LIP_OK;
}

static lip_layer_plan *plan_of(lip_layer_plan *plans, size_t count, const lip_node *node)
{
    size_t low = 0, high = count; /* plans are in the order of node->index */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (plans[middle].node->index < node->index)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && plans[low].node == node ? &plans[low] : NULL;
}

/* One varying input, of the output's shape: an axis of the one is that axis of the other. */
static bool keeps_shape(const lip_layer_plan *plan)
{
    int input = lip_node_varying(plan->node);
    return input >= 0 && lip_shape_equal(&plan->node->inputs[input]->shape, &plan->node->outputs[0]->shape);
}

/* A node that only adds a constant. */
static bool is_translation(const lip_layer_plan *plan)
{
    return plan->gain.kind == LIP_GAIN_SUM && plan->gain.coefficient == 1 && keeps_shape(plan);
}

/* The layer whose output reaches this one through translations, nobody else reading the values between; or NULL. */
static lip_layer_plan *directly_before(lip_layer_plan *plans, size_t count, const lip_layer_plan *at)
{
    for (;;) {
        int input = lip_node_varying(at->node);
        const lip_value *value = input >= 0 ? at->node->inputs[input] : NULL;
        lip_layer_plan *previous =
            value && value->producer && value->consumers == 1 ? plan_of(plans, count, value->producer) : NULL;
        if (!previous || previous->node->outputs[0] != value || !is_translation(previous))
            return previous && previous->node->outputs[0] == value ? previous : NULL;
        at = previous;
    }
}

static void fold_after(lip_layer_plan *plans, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (plans[i].gain.kind != LIP_GAIN_SCALE)
            continue;
        lip_layer_plan *linear = directly_before(plans, count, &plans[i]);
        if (linear && !linear->after && keeps_shape(&plans[i]) &&
            lip_scale_fits_after(&plans[i].gain.scale, &linear->gain)) {
            linear->after = &plans[i];
            plans[i].folded_away = true;
        }
    }
}

static void fold_before(lip_layer_plan *plans, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (plans[i].gain.kind != LIP_GAIN_CONV && plans[i].gain.kind != LIP_GAIN_DENSE)
            continue;
        lip_layer_plan *scale = directly_before(plans, count, &plans[i]);
        if (scale && scale->gain.kind == LIP_GAIN_SCALE && !scale->folded_away &&
            lip_scale_fits_before(&scale->gain.scale, &plans[i].gain)) {
            plans[i].before = scale;
            scale->folded_away = true;
        }
    }
}

lip_status lip_plan_layers(const lip_model *model, lip_arena *arena, lip_layer_plan **out, size_t *out_count,
                           lip_error *error)
{
    size_t count = 0;
    lip_layer_plan *plans = lip_arena_alloc(arena, (int64_t)model->node_count, sizeof *plans);
    if (!plans)
        return lip_fail(error, LIP_EMEMORY, "the list of layers passes the memory cap");
    for (size_t i = 0; i < model->node_count; i++) {
        if (!varies(model->nodes[i]))
            continue;
        plans[count].node = model->nodes[i];
        lip_status status = describe(&plans[count++], arena, error);
        if (status != LIP_OK)
            return status;
    }
    fold_after(plans, count);
    fold_before(plans, count);
    *out = plans;
    *out_count = count;
    return LIP_OK;
}
