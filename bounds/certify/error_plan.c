/*
 * error_plan.c: the steps of an execution: a product with what is executed as
 * one with it [error_group.c], or one node [error_rules.c].
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "error_builder.h"
#include "error_rules.h"
#include "rounding.h"

static lip_status full(lip_error *error)
{
    return lip_fail(error, LIP_EMEMORY, "the error analysis of the network passes the memory cap");
}

static lip_error_branch *branches_of(const lip_error_builder *b, size_t plan, size_t *count)
{
    const lip_node *node = b->plans[plan].node;
    const lip_gain *gain = &b->plans[plan].gain;
    lip_error_branch *branches = lip_arena_alloc(b->arena, (int64_t)node->input_count, sizeof *branches);
    bool several = lip_node_varying(node) < 0;
    *count = 0;
    for (size_t i = 0; branches && i < node->input_count; i++)
        if (node->inputs[i] && node->inputs[i]->varies)
            branches[(*count)++] = (lip_error_branch) { .value = node->inputs[i]->index,
                .gain = several ? lip_branch_gain(node, gain, i) : b->gains[plan] };
    return branches;
}

static lip_status add_node(const lip_error_builder *b, size_t i, lip_error_step *step, lip_error *error)
{
    const lip_layer_plan *plan = &b->plans[i];
    const lip_node *node = step->node = plan->node;
    step->squares = (plan->gain.kind == LIP_GAIN_JOIN || plan->gain.kind == LIP_GAIN_CONCAT) && step->branch_count > 1;
    step->coarsest = lip_error_coarsest(node, NULL);
    lip_error_rule(node, &plan->gain, step);
    for (size_t o = 1; o < node->output_count; o++)
        if (node->outputs[o] && node->outputs[o]->varies && node->outputs[o]->consumers > 0 && step->units > 0)
            step->refusal = "the rounding error of its second output is not bounded";
    step->own_units = step->own_units > 0 ? step->own_units : step->units;
    for (size_t k = 0; k < step->branch_count && plan->gain.kind == LIP_GAIN_SUM; k++) /* a runtime may fuse them */
        if (b->reader[step->branches[k].value] == i)
            step->units = fmax(step->units, b->product_units[step->branches[k].value] + LIP_SHIFT_UNITS +
                                                (double)node->input_count);
    if (plan->gain.kind != LIP_GAIN_SCALE)
        return LIP_OK;
    bool known = true;
    lip_status status = lip_error_scale_constants(b, i, &step->constant, &known, error);
    if (!known)
        step->refusal = "a constant that it adds is not known";
    return status;
}

static lip_status add_steps(const lip_error_builder *b, int64_t classes, lip_error *error)
{
    lip_error_plan *out = b->out;
    lip_status status = LIP_OK;
    for (size_t i = 0; i < b->count && status == LIP_OK; i++) {
        bool leads = b->groups[i].is_member && b->groups[i].leader == i;
        lip_error_step *step = &out->steps[out->count];
        if (b->groups[i].is_member && !leads) /* in its leader's step */
            continue;
        step->branches = branches_of(b, i, &step->branch_count);
        if (!step->branches)
            return full(error);
        status = leads ? lip_error_group_step(b, i, classes, step, error) : add_node(b, i, step, error);
        size_t end = leads ? b->groups[i].end : i;
        for (size_t o = 0; o < step->node->output_count; o++)
            if (step->node->outputs[o])
                out->lipschitz[step->node->outputs[o]->index] = b->cumulative[end];
        for (size_t k = 0; k < step->branch_count && step->units > 0; k++)
            out->is_measured[step->branches[k].value] = true;
        out->count++;
        lip_model_release(b->model, b->plans[i].node);
    }
    return status;
}

lip_status lip_error_plan_make(const lip_model *model, const lip_layer_plan *plans, const double *gains,
                               const double *cumulative, size_t count, int64_t classes, lip_arena *arena,
                               lip_memory *memory, lip_error_plan *out, lip_error *error)
{
    int64_t values = (int64_t)model->value_count;
    lip_error_builder b = { .model = model, .plans = plans, .gains = gains, .cumulative = cumulative, .count = count,
                  .arena = arena, .memory = memory, .out = out };
    *out = (lip_error_plan) { .plans = plans, .gains = gains, .plan_count = count, .value_count = model->value_count,
                              .logits = model->logits->index, .last = SIZE_MAX, .classes = classes };
    b.groups = lip_arena_alloc(arena, (int64_t)count, sizeof *b.groups);
    b.reader = lip_arena_alloc(arena, values, sizeof *b.reader);
    b.maker = lip_arena_alloc(arena, values, sizeof *b.maker);
    b.product_units = lip_arena_alloc(arena, values, sizeof *b.product_units);
    out->steps = lip_arena_alloc(arena, (int64_t)count, sizeof *out->steps);
    out->lipschitz = lip_arena_alloc(arena, values, sizeof *out->lipschitz);
    out->is_measured = lip_arena_alloc(arena, values, sizeof *out->is_measured);
    if (!b.groups || !b.reader || !b.maker || !b.product_units || !out->steps || !out->lipschitz || !out->is_measured)
        return full(error);
    for (size_t i = 0; i < model->input_count; i++)
        if (model->inputs[i]->varies) {
            out->input = model->inputs[i]->index;
            out->input_tiny = lip_root_of_count(model->inputs[i]);
        }
    out->lipschitz[out->input] = 1;
    out->is_measured[out->input] = true;
    lip_error_find_groups(&b);
    return add_steps(&b, classes, error);
}
