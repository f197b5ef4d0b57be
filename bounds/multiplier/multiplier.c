/*
 * multiplier.c: from the graph to proved bounds, level by level.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "multiplier.h"

#include "levels.h"
#include "liplt.h"
#include "objective.h"
#include "pattern_search.h"
#include "spectral_run.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const double SEARCH_FLOPS = 4.5e10;
static const double FLOPS = 1.5e12;
/* In log L^2, of five iterations: 0.06 % of L an iteration, where the objective is sharpened; 0.003 %, and less where
 * a factorisation takes few flops, at the end. */
static const double EARLY = 6e-3, TOLERANCE = 3e-4, FINE_TOLERANCE = 1e-4, FEW_FLOPS = 1e9;

typedef struct run {
    const lip_model *model;
    const lip_multiplier_options *options;
    lip_memory *memory;
    lip_multiplier_bounds *out;
    const lip_system *system;
    lip_form form;
    lip_objective objective;
    lip_random random;
    double tolerance, deadline, *theta, *best, *reach;
    int iterations;
} run;

/* What the multipliers exp(theta) prove. */
static void take_proof(run *r, const double *theta, const char *method)
{
    lip_certificate_of certificate;
    bool proved;
    for (int64_t i = 0; i < r->system->multipliers; i++)
        r->objective.multipliers[i] = exp(theta[i]);
    if (lip_certificate_open(&r->form, r->objective.multipliers, r->out->pairs != NULL, r->memory, &certificate,
                             &proved, NULL) != LIP_OK)
        return;
    if (proved)
        lip_bounds_take(r->out, &certificate, method);
    lip_certificate_close(&certificate);
}

static bool in_time(const run *r) { return lip_clock() < r->deadline; }

static void descend(run *r, lip_goal goal, int iterations)
{
    r->objective.goal = goal;
    lip_descent options = { iterations, r->deadline, r->tolerance, EARLY, NULL };
    memcpy(r->theta, r->best, (size_t)r->system->multipliers * sizeof(double));
    lip_descend(&r->objective, &options, r->theta);
}

static void keep(run *r) { memcpy(r->best, r->theta, (size_t)r->system->multipliers * sizeof(double)); }

static void optimise(run *r)
{
    double started = lip_clock();
    descend(r, LIP_GOAL_NETWORK, r->iterations);
    take_proof(r, r->theta, "optimised multipliers");
    keep(r);
    if (r->out->pairs && in_time(r)) {
        descend(r, LIP_GOAL_PAIRS, r->iterations / 2 + 1);
        take_proof(r, r->theta, "optimised multipliers");
        keep(r);
    }
    lip_bounds_end_level(r->out, "optimised multipliers", started);
}

static void optimise_pairs(run *r)
{
    double started = lip_clock();
    for (int64_t i = 0; i < r->system->classes; i++)
        for (int64_t j = i + 1; j < r->system->classes && in_time(r); j++) {
            r->objective.first = i;
            r->objective.second = j;
            descend(r, LIP_GOAL_PAIR, r->iterations / 2 + 1);
            take_proof(r, r->theta, "optimised multipliers for each pair");
        }
    lip_bounds_end_level(r->out, "optimised multipliers for each pair", started);
}

static void turn_slopes(run *r)
{
    static const char method[] = "LipLT";
    double started = lip_clock(), upper;
    if (!lip_liplt(r->system, r->options->threads, r->options->seed, r->memory, &upper, r->out->pairs))
        return;
    lip_bounds_take_upper(r->out, upper, method);
    r->out->pairs_method = method;
    lip_bounds_end_level(r->out, method, started);
}

/* What a factorisation leaves for iterations. */
static int iterations_for(const lip_tiled *t)
{
    return (int)fmin(fmax(FLOPS / t->flops, 30), 300);
}

/* How much of the product each activation layer's multipliers took away, from the bounds of what enters them. */
static void judge_layers(run *r, const lip_layer_plan *plans, const double *cumulative, size_t count)
{
    double before = 1;
    if (!lip_start_layerwise(&r->form, false, &r->random, r->best, r->reach))
        return;
    for (size_t i = 0; i < count; i++) {
        r->out->won_estimate[i] = (double)NAN;
        if (r->system->first[i] < 0 || plans[i].gain.kind != LIP_GAIN_SLOPES)
            continue;
        double slope = fmax(fabs(plans[i].gain.slopes.a), fabs(plans[i].gain.slopes.b));
        double ratio = cumulative[i] / (slope * r->reach[i]);
        r->out->won_estimate[i] = ratio / before;
        before = ratio;
    }
}

static bool open_run(run *r, lip_arena *arena, lip_arena *results, size_t count)
{
    int64_t m = r->system->multipliers;
    lip_error error = { 0 };
    r->theta = lip_arena_alloc(arena, m, sizeof(double));
    r->best = lip_arena_alloc(arena, m, sizeof(double));
    r->reach = lip_arena_alloc(arena, (int64_t)count, sizeof(double));
    return r->theta && r->best && r->reach && lip_bounds_open(r->out, results, count, r->system->classes) &&
           lip_form_open(r->system, r->model, r->options->threads, r->memory, &r->form, &error) == LIP_OK &&
           lip_objective_open(&r->form, r->memory, &r->objective, &error) == LIP_OK;
}

static void climb(run *r, const lip_layer_plan *plans, const double *cumulative, size_t count)
{
    turn_slopes(r);
    double started = lip_clock();
    r->iterations = iterations_for(&r->form.tiles);
    r->tolerance = r->form.tiles.flops < FEW_FLOPS ? FINE_TOLERANCE : TOLERANCE;
    bool fine = lip_start_layerwise(&r->form, true, &r->random, r->best, r->reach);
    if (fine)
        take_proof(r, r->best, "layerwise multipliers");
    lip_bounds_end_level(r->out, "layerwise multipliers", started);
    if (!fine)
        return;
    if (r->options->effort >= 2 && in_time(r) && r->system->multipliers > 0)
        optimise(r);
    if (r->options->effort >= 3 && in_time(r) && r->out->pairs && r->system->multipliers > 0)
        optimise_pairs(r);
    judge_layers(r, plans, cumulative, count);
    if (r->options->effort >= 2 && !r->options->no_search)
        r->out->lower_estimate =
            lip_pattern_search(r->model, r->system, plans, r->options->range, SEARCH_FLOPS, r->options->seed);
}

static lip_status run_system(run *r, const lip_layer_plan *plans, const lip_layer_gain *gains, const double *cumulative,
                             size_t count, lip_arena *arena, lip_arena *results, lip_error *error)
{
    lip_system system;
    int64_t outputs;
    if (!lip_shape_count(&r->model->logits->shape, &outputs) || outputs > LIP_MULTIPLIER_OUTPUTS)
        return lip_fail(error, LIP_EUNSUPPORTED, "the network has more than %d outputs", LIP_MULTIPLIER_OUTPUTS);
    lip_status status = lip_system_build(r->model, plans, gains, count, LIP_SYSTEM_MOST, arena, &system, error);
    if (status != LIP_OK)
        return status;
    r->system = &system;
    if (open_run(r, arena, results, count))
        climb(r, plans, cumulative, count);
    else
        status = LIP_EMEMORY;
    lip_objective_close(&r->objective);
    lip_form_close(&r->form);
    r->system = NULL;
    return status;
}

void lip_multiplier_run(const lip_model *model, const lip_layer_plan *plans, const lip_layer_gain *gains,
                        const double *cumulative, size_t count, const lip_multiplier_options *options,
                        lip_arena *results, lip_multiplier_bounds *out)
{
    static const char no_room[] = "the memory cap leaves no room for multipliers";
    lip_arena arena;
    lip_error error = { 0 }, on_torus = { 0 };
    double limit = options->max_seconds > 0 ? options->max_seconds : 1e9;
    run r = { .model = model, .options = options, .memory = results->memory, .out = out,
              .random = lip_random_seed(options->seed, 0x6d756c74), .deadline = lip_clock() + limit };
    *out = (lip_multiplier_bounds) { .network_upper = (double)INFINITY, .own_upper = (double)INFINITY,
                                     .lower_estimate = (double)NAN, .reason = "" };
    lip_arena_init(&arena, results->memory);
    lip_status status = run_system(&r, plans, gains, cumulative, count, &arena, results, &error);
    if (status == LIP_EUNSUPPORTED) {
        lip_arena_free(&arena);
        status = lip_spectral_run(model, plans, count, options, r.deadline, &arena, results, out, &on_torus);
        if (status == LIP_EUNSUPPORTED) {
            char reason[sizeof error.reason + sizeof on_torus.reason + 8];
            int length = snprintf(reason, sizeof reason, "%s, and %s", error.reason, on_torus.reason);
            out->reason = lip_arena_string(results, reason, (size_t)length);
        }
    }
    if (!out->reason || (status != LIP_OK && !out->reason[0]))
        out->reason = no_room;
    lip_arena_free(&arena);
}
