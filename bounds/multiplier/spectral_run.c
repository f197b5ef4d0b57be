/*
 * spectral_run.c: levels of effort on a torus.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "spectral_run.h"

#include "levels.h"
#include "objective.h"
#include "spectral_objective.h"

#include <math.h>
#include <string.h>

static const double FLOPS = 8e11; /* of each level */
static const double TOLERANCE = 4e-4;

typedef struct run {
    const lip_multiplier_options *options;
    lip_multiplier_bounds *out;
    const lip_spectral *spectral;
    double deadline, *multipliers, *best, least;
} run;

static bool in_time(const run *r) { return lip_clock() < r->deadline; }

/* How often all frequencies may be factorised. */
static int evaluations(const run *r, int least, int most)
{
    double share = r->options->share > 0 ? r->options->share : 1;
    return (int)fmin(fmax(share * FLOPS / (r->spectral->flops + 1), least), most);
}

/* What r->multipliers prove; +inf: nothing. Takes it. */
static double prove(run *r, const char *method)
{
    const lip_spectral *s = r->spectral;
    lip_certificate_of certificate;
    bool proved;
    double upper = (double)INFINITY;
    if (s->output >= 0) { /* the estimate of the output's multiplier may have been too small */
        double *output = &r->multipliers[s->group[s->output].multiplier], first = *output;
        for (double more = 1; isinf(upper) && more < 1.2; more += 4 * (more - 1) + 0.003) {
            *output = first / more;
            upper = lip_spectral_upper(s, r->multipliers, r->options->threads);
        }
        lip_bounds_take_upper(r->out, upper, method);
        return upper;
    }
    if (lip_spectral_certificate(s, r->multipliers, r->out->pairs != NULL, r->options->threads, &certificate, &proved,
                                 NULL) != LIP_OK)
        return upper;
    if (proved) {
        upper = lip_certificate_network_upper(&certificate);
        lip_bounds_take(r->out, &certificate, method);
    }
    lip_certificate_close(&certificate);
    return upper;
}

/* Whether r->multipliers are the best so far. */
static bool keep(run *r, double upper)
{
    if (!(upper < r->least))
        return false;
    r->least = upper;
    memcpy(r->best, r->multipliers, (size_t)r->spectral->multipliers * sizeof(double));
    return true;
}

/* Layer by layer, multipliers by channel of several shapes. */
static void start(run *r)
{
    static const double powers[] = { 0.5, 0, 0.25, 0.75 };
    static const char method[] = "layerwise multipliers on a torus";
    double started = lip_clock();
    int most = r->options->effort >= 2 ? evaluations(r, 2, 8) / 2 : 1; /* each is also proved */
    for (int i = 0; i < most && (i == 0 || in_time(r)); i++) {
        if (!lip_spectral_start(r->spectral, powers[i], r->options->threads, r->multipliers))
            break;
        keep(r, prove(r, method));
    }
    lip_bounds_end_level(r->out, method, started);
}

/* Proves exp(theta), or, where frequencies that the objective did not look at refuse it, what lies on the way to it
 * from the multipliers exp(from), which are proved: J is positive definite on a convex set. */
static void prove_optimum(run *r, lip_spectral_objective *objective, const char *method, const double *from,
                          const double *theta, double *room)
{
    static const double share[] = { 1, 0.97, 0.8, 0.5, 0.2 };
    const lip_spectral *s = r->spectral;
    double upper = (double)INFINITY, *at = room, *gradient = room + s->multipliers;
    objective->every = 1;
    for (size_t i = 0; i < sizeof share / sizeof *share && isinf(upper) && (i == 0 || in_time(r)); i++) {
        for (int64_t m = 0; m < s->multipliers; m++) {
            at[m] = from[m] + share[i] * (theta[m] - from[m]);
            r->multipliers[m] = exp(at[m]);
        }
        if (s->output >= 0) {
            if (isinf(lip_spectral_objective_at(objective, at, gradient)))
                continue;
            r->multipliers[s->group[s->output].multiplier] =
                1 / (lip_spectral_objective_largest(objective) * LIP_SPECTRAL_ROOM);
        }
        upper = prove(r, method);
    }
    keep(r, upper);
}

/* L-BFGS over all multipliers, on half of the frequencies where all would leave less than STEPS of them. */
static void optimise(run *r)
{
    enum { STEPS = 40 };
    static const char method[] = "optimised multipliers on a torus";
    static const double barriers[] = { 1e-2, 1e-3, 1e-3 };
    const lip_spectral *s = r->spectral;
    lip_spectral_objective objective;
    double started = lip_clock(), *theta = lip_alloc(s->memory, 4 * s->multipliers, sizeof *theta);
    double *from = theta ? theta + s->multipliers : NULL;
    if (theta && lip_spectral_objective_open(s, r->best, r->options->threads, &objective)) {
        for (int64_t m = 0; m < s->multipliers; m++)
            theta[m] = from[m] = log(r->best[m]);
        for (int i = 0; i < (r->out->pairs ? 3 : 2) && in_time(r); i++) {
            lip_descent options = { evaluations(r, STEPS, 160) / 4, r->deadline, TOLERANCE, 0, NULL };
            objective.every = evaluations(r, 1, STEPS) < STEPS ? 2 : 1;
            objective.barrier = barriers[i];
            objective.pairs = i == 2;
            lip_descend_on(lip_spectral_objective_at, &objective, NULL, s->multipliers, &options, s->memory, theta);
            if (i > 0)
                prove_optimum(r, &objective, method, from, theta, from + s->multipliers);
        }
    }
    if (theta)
        lip_spectral_objective_close(&objective);
    lip_free(s->memory, theta);
    lip_bounds_end_level(r->out, method, started);
}

lip_status lip_spectral_run(const lip_model *model, const lip_layer_plan *plans, size_t count,
                            const lip_multiplier_options *options, double deadline, lip_arena *arena,
                            lip_arena *results, lip_multiplier_bounds *out, lip_error *error)
{
    lip_spectral spectral;
    run r = { .options = options, .out = out, .spectral = &spectral, .deadline = deadline, .least = (double)INFINITY };
    lip_status status = lip_spectral_build(model, plans, count, false, options->threads, arena, &spectral, error);
    if (status == LIP_OK) {
        r.multipliers = lip_arena_alloc(arena, spectral.multipliers, sizeof *r.multipliers);
        r.best = lip_arena_alloc(arena, spectral.multipliers, sizeof *r.best);
        if (!r.multipliers || !r.best || !lip_bounds_open(out, results, count, spectral.classes))
            status = lip_fail(error, LIP_EMEMORY, "the torus of the multipliers passes the memory cap");
    }
    if (status == LIP_OK)
        start(&r);
    if (isfinite(r.least) && options->effort >= 2)
        optimise(&r);
    lip_spectral_close(&spectral);
    return status;
}
