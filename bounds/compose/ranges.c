/*
 * ranges.c: see ranges.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "ranges.h"

#include "report.h"

#include <cblas.h>
#include <string.h>

enum { MOST_SLOPES = 10000 }; /* elements: larger activations fit no system of multipliers (multiplier/system.h) */

typedef struct pass {
    lip_layer_plan *plans;
    size_t count, next;
    uint64_t seed;
    bool everywhere;
    lip_arena *arena;
} pass;

static bool has_no_gain(const lip_layer_plan *plan)
{
    return plan->gain.kind == LIP_GAIN_UNBOUNDED || plan->gain.kind == LIP_GAIN_UNKNOWN;
}

static bool is_wanted(const lip_layer_plan *plans, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (has_no_gain(&plans[i]) && !plans[i].node->unknown)
            return true;
    return false;
}

/* Slopes of the elements of an activation on their ranges; NULL: not known, or more than anybody will ask for. */
static const lip_interval *slopes_of(const pass *p, const lip_layer_plan *plan, const lip_range_call *call)
{
    const lip_node *node = call->node;
    const lip_curve *curve = node->op ? node->op->curve : NULL;
    const lip_span *in = &call->in[0];
    double parameters[LIP_CURVE_PARAMETERS] = { 0 };
    if (plan->gain.kind != LIP_GAIN_SLOPES || !curve || lip_node_varying(node) != 0 || !in->lo ||
        in->count > MOST_SLOPES || (curve->parameters && !curve->parameters(node, parameters)))
        return NULL;
    lip_interval *slopes = lip_arena_alloc(p->arena, in->count, sizeof *slopes), value;
    for (int64_t i = 0; slopes && i < in->count; i++)
        curve->on((lip_interval) { in->lo[i], in->hi[i] }, parameters, &value, &slopes[i]);
    return slopes;
}

static lip_status visit(void *context, const lip_range_call *call, lip_error *error)
{
    pass *p = context;
    if (p->next == p->count || p->plans[p->next].node != call->node)
        return LIP_OK;
    lip_layer_plan *plan = &p->plans[p->next++];
    if (plan->folded_away || (p->everywhere && !has_no_gain(plan)))
        return LIP_OK;
    const size_t inputs = call->node->input_count;
    double *gain = lip_arena_alloc(p->arena, (int64_t)inputs, sizeof *gain);
    lip_range_gain *on_range = lip_arena_alloc(p->arena, 1, sizeof *on_range);
    if (!gain || !on_range)
        return lip_fail(error, LIP_EMEMORY, "the list of gains passes the memory cap");
    for (size_t i = 0; i < inputs; i++)
        gain[i] = call->gain[i];
    *on_range = (lip_range_gain) { gain, *call->gain_lower, slopes_of(p, plan, call), p->everywhere };
    plan->on_range = on_range;
    return has_no_gain(plan) ? lip_range_gain_product(call, p->seed, gain, error) : LIP_OK;
}

lip_status lip_plan_ranges(const lip_model *model, const lip_input_range *box, uint64_t seed, lip_layer_plan *plans,
                           size_t count, lip_arena *arena, lip_memory *memory, lip_error *error)
{
    pass p = { .plans = plans, .count = count, .seed = seed, .everywhere = box == NULL, .arena = arena };
    if (!box && !is_wanted(plans, count))
        return LIP_OK;
    int threads = openblas_get_num_threads(); /* results do not depend on how many there are */
    openblas_set_num_threads(1);
    lip_status status = lip_ranges_walk(model, box, memory, visit, &p, error);
    openblas_set_num_threads(threads);
    return status;
}

lip_status lip_report_set_range(lip_report *report, const lip_model *model, const lip_input_range *box,
                                lip_error *error)
{
    lip_arena *arena = lip_report_arena(report);
    double *lo = lip_arena_alloc(arena, (int64_t)box->count, sizeof *lo);
    double *hi = lip_arena_alloc(arena, (int64_t)box->count, sizeof *hi);
    const char **names = lip_arena_alloc(arena, (int64_t)model->input_count, sizeof *names);
    if (!lo || !hi || !names)
        return lip_fail(error, LIP_EMEMORY, "the report passes the memory cap");
    memcpy(lo, box->lo, box->count * sizeof *lo);
    memcpy(hi, box->hi, box->count * sizeof *hi);
    report->range_input_count = 0;
    for (size_t i = 0; i < model->input_count; i++)
        if (model->inputs[i]->varies)
            names[report->range_input_count++] = model->inputs[i]->name;
    report->range_inputs = names;
    report->range = (lip_input_range) { lo, hi, box->count };
    return LIP_OK;
}
