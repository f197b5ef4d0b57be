/*
 * spectral_start.c: multipliers group by group, all frequencies together.
 * Nothing here is proved.
 *
 * With J = L L^H so far and X = Z_k L^-H, Z_k J^-1 Z_k^H is X X^H, and the next
 * row of L is X, each of its rows times its factor.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "spectral.h"

#include "compose/workers.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

enum { STEPS = 30 };

typedef struct sweep {
    const lip_spectral *s;
    int64_t group;
    double complex **l; /* per frequency: the factor so far */
    double *diagonal;   /* per frequency and channel of the group: sum over phases */
    double *lambda;     /* per frequency */
    double *weight;     /* D^-power of each channel of the group */
    const double *multipliers;
    bool *failed;
    int64_t widest;     /* channels of any group */
} sweep;

/* X = Z L^-H of the group into its row of the factor, and the diagonal of X X^H by channel. */
static void solve(void *context, size_t f)
{
    sweep *w = context;
    const lip_spectral *s = w->s;
    const lip_spectral_group *g = &s->group[w->group];
    blasint before = (blasint)lip_spectral_column(s, &s->factor, w->group, w->group);
    const double complex *x = w->l[f] + s->factor.start[w->group];
    int64_t lead = s->factor.width[w->group];
    lip_spectral_copy(s, (int64_t)f, w->group, w->l[f]);
    lip_spectral_solve(s, w->group, w->l[f]);
    for (int64_t c = 0; c < g->channels; c++) {
        double sum = 0;
        for (int64_t p = 0; p < g->phases; p++) {
            double norm = cblas_dznrm2(before, x + (c * g->phases + p) * lead, 1);
            sum += norm * norm;
        }
        w->diagonal[(int64_t)f * w->widest + c] = sum;
    }
}

/* Largest eigenvalue of W X X^H W, W = weight^(1/2). */
static void measure(void *context, size_t f)
{
    sweep *w = context;
    const lip_spectral *s = w->s;
    const double complex one = 1, zero = 0;
    blasint before = (blasint)lip_spectral_column(s, &s->factor, w->group, w->group);
    blasint count = (blasint)lip_spectral_width(s, w->group), lead = (blasint)s->factor.width[w->group];
    const double complex *x = w->l[f] + s->factor.start[w->group];
    double complex *v = lip_alloc(s->memory, (int64_t)count + before, sizeof *v), *image = v + count;
    double norm = 0;
    w->failed[f] = w->failed[f] || !v;
    for (blasint i = 0; v && i < count; i++)
        v[i] = 1 + 0.5 * sin(1.7 * i + 0.3) + 0.5 * I * cos(2.3 * i);
    for (int step = 0; v && step < STEPS; step++) {
        norm = cblas_dznrm2(count, v, 1);
        for (blasint i = 0; i < count; i++)
            v[i] *= norm > 0 ? sqrt(w->weight[i / s->group[w->group].phases]) / norm : 0;
        cblas_zgemv(CblasRowMajor, CblasConjTrans, count, before, &one, x, lead, v, 1, &zero, image, 1);
        cblas_zgemv(CblasRowMajor, CblasNoTrans, count, before, &one, x, lead, image, 1, &zero, v, 1);
        for (blasint i = 0; i < count; i++)
            v[i] *= sqrt(w->weight[i / s->group[w->group].phases]);
    }
    w->lambda[f] = v ? cblas_dznrm2(count, v, 1) : 0;
    lip_free(s->memory, v);
}

/* The group's row of the factor. */
static void extend(void *context, size_t f)
{
    sweep *w = context;
    const lip_spectral *s = w->s;
    const lip_spectral_group *g = &s->group[w->group];
    int64_t before = lip_spectral_column(s, &s->factor, w->group, w->group), lead = s->factor.width[w->group];
    double complex *row = w->l[f] + s->factor.start[w->group];
    for (int64_t i = 0; i < g->channels * g->phases; i++) {
        double t = lip_spectral_multiplier(g, i, w->multipliers);
        lip_variable variable = { .kind = g->kind, .plan = g->plan, .constant = g->constant };
        cblas_zdscal((blasint)before, lip_form_factor(&variable, t), row + i * lead, 1);
        row[i * lead + before + i] = lip_form_diagonal(&variable, t);
    }
    w->failed[f] = w->failed[f] || !lip_spectral_finish(s, w->group, w->l[f]);
}

/* The output's: 1 / L^2, with room for what the estimate misses. */
static void choose_output(const sweep *w, double lambda, double *multipliers)
{
    multipliers[w->s->group[w->group].multiplier] = 1 / (lambda * LIP_SPECTRAL_ROOM + 1e-300);
}

static void choose(const sweep *w, double power, const size_t *order, int threads, double *multipliers)
{
    const lip_spectral *s = w->s;
    const lip_spectral_group *g = &s->group[w->group];
    double largest = 0, mean = 0, lambda = 0;
    for (int64_t c = 0; c < g->channels; c++) {
        w->weight[c] = 0;
        for (int64_t f = 0; f < s->frequencies; f++)
            w->weight[c] += w->diagonal[f * w->widest + c] / (double)(s->frequencies * g->phases);
        mean += w->weight[c] / (double)g->channels;
    }
    for (int64_t c = 0; c < g->channels; c++)
        w->weight[c] = w->group == s->output ? 1 : pow(fmax(w->weight[c], 1e-3 * mean + 1e-300), -power);
    lip_run_jobs(measure, (void *)(uintptr_t)w, order, (size_t)s->frequencies, threads);
    for (int64_t f = 0; f < s->frequencies; f++)
        largest = fmax(largest, w->lambda[f]);
    if (w->group == s->output) {
        choose_output(w, largest, multipliers);
        return;
    }
    lambda = largest * 1.03 + 1e-300;
    double by = g->kind == LIP_VAR_SLOPE ? g->constant * g->constant * lambda : 2 * g->constant * lambda;
    for (int64_t c = 0; c < g->channels; c++)
        multipliers[g->multiplier + c] = by > 0 && isfinite(w->weight[c] / by) ? w->weight[c] / by : 1;
}

static bool sweep_groups(sweep *w, double power, const size_t *order, int threads, double *multipliers)
{
    const lip_spectral *s = w->s;
    w->multipliers = multipliers;
    for (w->group = 0; w->group < s->groups; w->group++) {
        lip_variable_kind kind = s->group[w->group].kind;
        if (kind == LIP_VAR_SLOPE || kind == LIP_VAR_AUX) {
            lip_run_jobs(solve, w, order, (size_t)s->frequencies, threads);
            choose(w, power, order, threads, multipliers);
        }
        if (w->group == s->output)
            return true;
        lip_run_jobs(extend, w, order, (size_t)s->frequencies, threads);
        for (int64_t f = 0; f < s->frequencies; f++)
            if (w->failed[f])
                return false;
    }
    return true;
}

bool lip_spectral_start(const lip_spectral *s, double power, int threads, double *multipliers)
{
    sweep w = { .s = s };
    lip_memory *memory = s->memory;
    for (int64_t k = 0; k < s->groups; k++)
        w.widest = s->group[k].channels > w.widest ? s->group[k].channels : w.widest;
    size_t *order = lip_alloc(memory, s->frequencies, sizeof *order);
    w.l = lip_alloc(memory, s->frequencies, sizeof *w.l);
    w.diagonal = lip_alloc(memory, s->frequencies * w.widest, sizeof *w.diagonal);
    w.lambda = lip_alloc(memory, s->frequencies, sizeof *w.lambda);
    w.weight = lip_alloc(memory, w.widest, sizeof *w.weight);
    w.failed = lip_alloc(memory, s->frequencies, sizeof *w.failed);
    bool fine = order && w.l && w.diagonal && w.lambda && w.weight && w.failed;
    for (int64_t f = 0; fine && f < s->frequencies; f++) {
        order[f] = (size_t)f;
        w.l[f] = lip_alloc(memory, s->factor.start[s->groups], sizeof **w.l);
        fine = w.l[f] != NULL;
    }
    fine = fine && sweep_groups(&w, power, order, threads, multipliers);
    for (int64_t f = 0; w.l && f < s->frequencies; f++)
        lip_free(memory, w.l[f]);
    lip_free(memory, w.failed);
    lip_free(memory, w.weight);
    lip_free(memory, w.lambda);
    lip_free(memory, w.diagonal);
    lip_free(memory, w.l);
    lip_free(memory, order);
    return fine;
}
