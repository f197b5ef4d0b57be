/*
 * stages.c: see stages.h.
 *
 * A stage is a network of its own: its input is the value of a cut, its output
 * that of the next one. Distances multiply: |y| <= L_n |v_n-1| <= L_n L_n-1 |v_n-2| ...
 * Which cuts: the way from the first to the last cut of least cost, where a
 * stage that multipliers can bound costs 1, and a step to the next cut by the
 * product as much as it has linear nodes, since one of them alone is bounded as well by its gain.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "stages.h"

#include "compose/pairwise.h"
#include "levels.h"
#include "objective.h"
#include "rounding.h"
#include "spectral.h"

#include <math.h>
#include <string.h>

enum { MOST_OUTPUTS = 1024, PATIENCE = 8 };
static const double STAGE_FLOPS = 2e11; /* of one factorisation */
static const char PRODUCT[] = "product";

typedef struct split {
    const lip_model *model;
    const lip_layer_plan *plans;
    const lip_layer_gain *gains;
    const double *cumulative;
    size_t count;
    const lip_multiplier_options *options;
    lip_arena *arena, *results;
    lip_multiplier_bounds *out;
    lip_cut *cut;
    size_t cuts;
    double *cost;     /* per cut: of the best way to it */
    size_t *from;     /* the cut before it on this way */
    bool *multiplied; /* that stage is bounded by multipliers */
    double deadline;
} split;

typedef struct part {
    lip_model model; /* of which only the values, inputs and logits are set */
    lip_value *input;
    const lip_layer_plan *plans;
    const lip_layer_gain *gains;
    size_t count;
} part;

static void open_stage(const split *s, size_t a, size_t b, part *out)
{
    *out = (part) { .model = { .values = s->model->values, .value_count = s->model->value_count },
                     .input = (lip_value *)(uintptr_t)s->cut[a].value, .plans = s->plans + s->cut[a].end,
                     .gains = s->gains + s->cut[a].end, .count = s->cut[b].end - s->cut[a].end };
    out->model.inputs = a == 0 ? s->model->inputs : &out->input;
    out->model.input_count = a == 0 ? s->model->input_count : 1;
    out->model.logits = (lip_value *)(uintptr_t)s->cut[b].value;
}

static bool is_linear(const lip_layer_plan *plan)
{
    lip_gain_kind kind = plan->gain.kind;
    return kind == LIP_GAIN_DENSE || kind == LIP_GAIN_CONV || kind == LIP_GAIN_NONNEGATIVE ||
           (kind == LIP_GAIN_SCALE && !plan->folded_away);
}

static int64_t elements_of(const lip_value *value)
{
    int64_t count;
    return value && value->shape_known && lip_shape_count(&value->shape, &count) ? count : LIP_SYSTEM_MOST + 1;
}

/* Whether system.h has room for it, roughly: what it says itself is what counts. */
static bool fits_system(const part *stage)
{
    int64_t variables = 0;
    for (size_t i = 0; i < stage->model.input_count; i++)
        variables += stage->model.inputs[i]->varies ? elements_of(stage->model.inputs[i]) : 0;
    for (size_t i = 0; i < stage->count && variables <= LIP_SYSTEM_MOST; i++) {
        const lip_layer_plan *plan = &stage->plans[i];
        bool known = is_linear(plan) || plan->folded_away || plan->gain.kind == LIP_GAIN_ISOMETRY ||
                     plan->gain.kind == LIP_GAIN_COPY || plan->gain.kind == LIP_GAIN_SUM ||
                     plan->gain.kind == LIP_GAIN_CONCAT;
        if (known)
            continue;
        variables += elements_of(plan->node->outputs[0]);
        for (size_t k = 0; k < plan->node->input_count && plan->gain.kind != LIP_GAIN_SLOPES; k++)
            if (plan->node->inputs[k] && plan->node->inputs[k]->varies)
                variables += elements_of(plan->node->inputs[k]);
    }
    return variables <= LIP_SYSTEM_MOST && elements_of(stage->model.logits) <= MOST_OUTPUTS;
}

static bool fits_torus(const split *s, const part *stage)
{
    lip_spectral spectral;
    lip_arena arena;
    lip_error error = { 0 };
    lip_arena_init(&arena, s->arena->memory);
    lip_status status =
        lip_spectral_build(&stage->model, stage->plans, stage->count, true, 1, &arena, &spectral, &error);
    bool fits = status == LIP_OK && spectral.flops <= STAGE_FLOPS;
    lip_spectral_close(&spectral);
    lip_arena_free(&arena);
    return fits;
}

static size_t linear_nodes(const part *stage)
{
    size_t nodes = 0;
    for (size_t i = 0; i < stage->count; i++)
        nodes += is_linear(&stage->plans[i]);
    return nodes;
}

static void relax(split *s, size_t a, size_t b, double cost, bool multiplied)
{
    if (!(s->cost[a] + cost < s->cost[b]))
        return;
    s->cost[b] = s->cost[a] + cost;
    s->from[b] = a;
    s->multiplied[b] = multiplied;
}

/* Ways on from cut a: longer and longer stages, until several in a row are out of question. */
static void relax_from(split *s, size_t a)
{
    part stage;
    open_stage(s, a, a + 1, &stage);
    relax(s, a, a + 1, 0.01 + (double)linear_nodes(&stage), false);
    for (size_t b = a + 1, misses = 0; b < s->cuts && misses < PATIENCE; b++) {
        open_stage(s, a, b, &stage);
        if (linear_nodes(&stage) < 2)
            continue;
        bool fits = fits_system(&stage) || fits_torus(s, &stage);
        misses = fits ? 0 : misses + 1;
        if (fits)
            relax(s, a, b, 1, true);
    }
}

/* The cuts on the best way, marked by to[a] = the one after a. */
static size_t choose(split *s, size_t *to)
{
    size_t stages = 0;
    for (size_t b = 1; b < s->cuts; b++)
        s->cost[b] = (double)INFINITY;
    for (size_t a = 0; a + 1 < s->cuts; a++)
        relax_from(s, a);
    for (size_t b = s->cuts - 1; b > 0; b = s->from[b]) {
        bool joined = !s->multiplied[b] && to[b] != 0 && !s->multiplied[to[b]];
        to[s->from[b]] = joined ? to[b] : b; /* steps by the product in a row are one stage */
        stages += !joined;
    }
    return stages;
}

/* Pairs of the last stage times `factor`, the bound of what comes before it. */
static void set_pairs(split *s, const part *stage, const lip_propagation *own, const lip_multiplier_bounds *bounds,
                      double factor)
{
    lip_pairwise table;
    lip_multiplier_bounds *out = s->out;
    if (lip_pairwise_bounds(&stage->model, stage->plans, own->cumulative, stage->count, own->network_upper, s->arena,
                            s->arena->memory, &table, NULL) != LIP_OK || table.classes == 0)
        return;
    int64_t k = table.classes;
    out->pairs = lip_arena_alloc(s->results, k * k, sizeof(double));
    out->pairs_method = "stages";
    out->classes = out->pairs ? k : 0;
    for (int64_t i = 0; out->pairs && i < k * k; i++) {
        double least = bounds->pairs && bounds->classes == k ? fmin(bounds->pairs[i], table.upper[i]) : table.upper[i];
        out->pairs[i] = i % (k + 1) == 0 ? 0 : lip_mul_up(factor, least);
    }
}

static const char *name_of(const lip_layer_plan *plan) { return plan->node->name; }

/* The bound of one stage into the list and the product; false: no memory. */
static bool bound_stage(split *s, size_t a, size_t b, double share)
{
    part stage;
    lip_propagation own;
    lip_multiplier_bounds bounds = { .network_upper = (double)INFINITY, .reason = "" };
    lip_stage *row = &((lip_stage *)(uintptr_t)s->out->stages)[s->out->stage_count];
    double started = lip_clock(), before = s->out->network_upper;
    open_stage(s, a, b, &stage);
    if (stage.count == 0 ||
        lip_propagate(&stage.model, stage.plans, stage.gains, stage.count, s->arena, &own, NULL) != LIP_OK)
        return false;
    if (s->multiplied[b] && s->from[b] == a && lip_clock() < s->deadline) {
        lip_multiplier_options options = *s->options;
        options.no_search = true;
        options.share = share;
        options.max_seconds = options.max_seconds > 0 ? s->deadline - started : 0;
        lip_multiplier_run(&stage.model, stage.plans, stage.gains, own.cumulative, stage.count, &options, s->results,
                           &bounds);
    } else if (s->multiplied[b] && s->from[b] == a) {
        bounds.reason = "no time is left";
    } else if (linear_nodes(&stage) > 1) {
        bounds.reason = "neither a torus nor a matrix of all its neurons can be made of it";
    }
    for (size_t i = 0; bounds.won_estimate && i < stage.count; i++)
        s->out->won_estimate[s->cut[a].end + i] = bounds.won_estimate[i];
    bool won = bounds.network_upper < own.network_upper;
    *row = (lip_stage) { .first = name_of(&stage.plans[0]), .last = name_of(&stage.plans[stage.count - 1]),
                         .method = won ? bounds.network_method : PRODUCT, .reason = bounds.reason,
                         .upper = won ? bounds.network_upper : own.network_upper, .product_upper = own.network_upper };
    s->out->network_upper = lip_mul_up(before, row->upper);
    if (b + 1 == s->cuts)
        set_pairs(s, &stage, &own, &bounds, before);
    row->seconds = lip_clock() - started;
    s->out->stage_count++;
    return true;
}

static bool open_split(split *s)
{
    if (!lip_find_cuts(s->model, s->plans, s->count, s->arena, &s->cut, &s->cuts) ||
        s->cut[s->cuts - 1].value != s->model->logits || s->cuts < 3)
        return false;
    s->cost = lip_arena_alloc(s->arena, (int64_t)s->cuts, sizeof *s->cost);
    s->from = lip_arena_alloc(s->arena, (int64_t)s->cuts, sizeof *s->from);
    s->multiplied = lip_arena_alloc(s->arena, (int64_t)s->cuts, sizeof *s->multiplied);
    return s->cost && s->from && s->multiplied;
}

/* False: nothing can be done. */
static bool run_split(split *s)
{
    double started = lip_clock();
    size_t stages, *to, hard = 0;
    if (!open_split(s) || !(to = lip_arena_alloc(s->arena, (int64_t)s->cuts, sizeof *to)))
        return false;
    stages = choose(s, to);
    for (size_t b = s->cuts - 1; b > 0; b = s->from[b])
        hard += s->multiplied[b];
    s->out->stages = lip_arena_alloc(s->results, (int64_t)stages, sizeof *s->out->stages);
    s->out->won_estimate = lip_arena_alloc(s->results, (int64_t)s->count, sizeof(double));
    if (hard == 0 || !s->out->stages || !s->out->won_estimate)
        return false;
    for (size_t i = 0; i < s->count; i++)
        s->out->won_estimate[i] = (double)NAN;
    s->out->network_upper = 1;
    s->out->network_method = "stages";
    for (size_t a = 0; a + 1 < s->cuts; a = to[a])
        if (!bound_stage(s, a, to[a], 1 / (double)hard))
            return false;
    s->out->own_upper = s->out->network_upper;
    lip_bounds_end_level(s->out, s->out->network_method, started);
    return true;
}

/* The network as its only stage. */
static void list_whole(const split *s, double seconds, lip_multiplier_bounds *out)
{
    size_t last = 0;
    while (last < s->count && s->plans[last].node->outputs[0] != s->model->logits)
        last++;
    lip_stage *row = last < s->count ? lip_arena_alloc(s->results, 1, sizeof *row) : NULL;
    if (!row)
        return;
    double product = s->cumulative[last];
    bool won = out->network_upper < product;
    *row = (lip_stage) { .first = name_of(&s->plans[0]), .last = name_of(&s->plans[last]),
                         .method = won ? out->network_method : PRODUCT, .upper = won ? out->network_upper : product,
                         .product_upper = product, .seconds = seconds, .reason = out->reason };
    out->stages = row;
    out->stage_count = 1;
}

void lip_stages_run(const lip_model *model, const lip_layer_plan *plans, const lip_layer_gain *gains,
                    const double *cumulative, size_t count, const lip_multiplier_options *options, lip_arena *results,
                    lip_multiplier_bounds *out)
{
    lip_arena arena;
    lip_multiplier_bounds parts = { .network_upper = (double)INFINITY, .lower_estimate = (double)NAN, .reason = "" };
    double started = lip_clock(), limit = options->max_seconds > 0 ? options->max_seconds : 1e9;
    split s = { .model = model, .plans = plans, .gains = gains, .cumulative = cumulative, .count = count,
                .options = options, .arena = &arena,
                .results = results, .out = &parts, .deadline = started + limit };
    lip_multiplier_run(model, plans, gains, cumulative, count, options, results, out);
    lip_arena_init(&arena, results->memory);
    if (out->reason[0] && run_split(&s))
        *out = parts;
    else
        list_whole(&s, lip_clock() - started, out);
    lip_arena_free(&arena);
}
