/*
 * error_plan_of_report.c: the steps of an execution with the bounds of an
 * audit's report.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "error_plan.h"
#include "rounding.h"

typedef struct layers {
    const lip_model *model;
    lip_layer_plan *plans;
    size_t count;
    double *gains, *cumulative;
} layers;

static lip_status full(lip_error *error)
{
    return lip_fail(error, LIP_EMEMORY, "the error analysis of the network passes the memory cap");
}

/* A gain that holds wherever an execution may take the node, not only on the ranges of the true values. */
static double gain_everywhere(const lip_layer_plan *plan, const lip_layer *row)
{
    int input = lip_node_varying(plan->node);
    switch (plan->gain.kind) {
    case LIP_GAIN_SLOPES: return fmax(fabs(plan->gain.slopes.a), fabs(plan->gain.slopes.b));
    case LIP_GAIN_LIPSCHITZ: return plan->gain.lipschitz.upper;
    case LIP_GAIN_SELECT: return lip_sqrt_up((double)plan->gain.select);
    case LIP_GAIN_SUM:
    case LIP_GAIN_JOIN:
    case LIP_GAIN_CONCAT: return input >= 0 ? lip_branch_gain(plan->node, &plan->gain, (size_t)input) : 0;
    case LIP_GAIN_UNKNOWN:
    case LIP_GAIN_UNBOUNDED: return (double)INFINITY;
    default: return row->gain.upper; /* linear */
    }
}

/* Gains and cumulative bounds per plan. A layer of the report is a plan that was not folded away; a folded scale has
 * what is before it. */
static lip_status read_report(layers *c, const lip_report *report, lip_arena *arena, lip_error *error)
{
    size_t layer = 0, *maker = lip_arena_alloc(arena, (int64_t)c->model->value_count, sizeof *maker);
    c->gains = lip_arena_alloc(arena, (int64_t)c->count, sizeof *c->gains);
    c->cumulative = lip_arena_alloc(arena, (int64_t)c->count, sizeof *c->cumulative);
    if (!maker || !c->gains || !c->cumulative)
        return full(error);
    for (size_t i = 0; i < c->count; i++) {
        const lip_node *node = c->plans[i].node;
        int input = lip_node_varying(node);
        const lip_layer *row = layer < report->layer_count ? &report->layers[layer] : NULL;
        bool known = c->plans[i].folded_away || (row && row->name == node->name);
        if (!known)
            return lip_fail(error, LIP_EUSAGE, "the report is not of this model");
        const lip_value *from = input >= 0 ? node->inputs[input] : NULL;
        c->gains[i] = c->plans[i].folded_away ? 1 : gain_everywhere(&c->plans[i], row);
        c->cumulative[i] = !c->plans[i].folded_away ? row->cumulative_upper
                           : from && from->producer ? c->cumulative[maker[from->index]] : 1;
        layer += c->plans[i].folded_away ? 0 : 1;
        for (size_t o = 0; o < node->output_count; o++)
            if (node->outputs[o])
                maker[node->outputs[o]->index] = i;
    }
    return LIP_OK;
}

lip_status lip_error_plan_of_report(const lip_model *model, const lip_report *report, int64_t classes, lip_arena *arena,
                                    lip_memory *memory, lip_error_plan *out, lip_error *error)
{
    layers c = { .model = model };
    lip_status status = lip_plan_layers(model, arena, &c.plans, &c.count, error);
    if (status == LIP_OK)
        status = read_report(&c, report, arena, error);
    if (status == LIP_OK)
        status = lip_error_plan_make(model, c.plans, c.gains, c.cumulative, c.count, classes, arena, memory, out,
                                     error);
    return status;
}
