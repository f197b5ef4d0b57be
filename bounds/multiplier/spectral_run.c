/*
 * spectral_run.c: levels of effort on a torus.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "spectral_run.h"

#include "levels.h"
#include "objective.h"

#include <math.h>
#include <string.h>

static const double FLOPS = 1.5e12; /* of each level */

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

/* Compass search over one factor for each group's multipliers: a step that proves less is kept and enlarged, one that
 * does not is turned around and halved. */
static void search(run *r)
{
    static const char method[] = "searched multipliers on a torus";
    const lip_spectral *s = r->spectral;
    double started = lip_clock(), step[LIP_SPECTRAL_GROUPS];
    int left = evaluations(r, 12, 400);
    for (int64_t k = 0; k < s->groups; k++)
        step[k] = 0.25;
    for (double longest = 1; longest > 0 && left > 0 && in_time(r);) {
        longest = 0;
        for (int64_t k = 0; k < s->groups && left > 0 && in_time(r); k++) {
            const lip_spectral_group *g = &s->group[k];
            if ((g->kind != LIP_VAR_SLOPE && g->kind != LIP_VAR_AUX) || k == s->output || fabs(step[k]) < 0.005)
                continue;
            longest = fmax(longest, fabs(step[k]));
            memcpy(r->multipliers, r->best, (size_t)s->multipliers * sizeof *r->best);
            for (int64_t c = 0; c < g->channels; c++)
                r->multipliers[g->multiplier + c] *= exp(step[k]);
            left--;
            step[k] *= keep(r, prove(r, method)) ? 1.5 : -0.5;
        }
    }
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
        search(&r);
    lip_spectral_close(&spectral);
    return status;
}
