/*
 * spectral_start.c: multipliers group by group, all frequencies together.
 * Nothing here is proved.
 *
 * LAPACK sees the row-major lower triangle of J as the upper one of its
 * conjugate B = U^H U. With X = U^-H Z_k^T the conjugate of Z_k J^-1 Z_k^H is X^H X,
 * and the next columns of U are X times the factors of the rows.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "spectral.h"

#include "compose/workers.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <string.h>

enum { STEPS = 30 };

typedef struct sweep {
    const lip_spectral *s;
    const lip_spectral_group *group;
    double complex **u;     /* per frequency: the factor so far, column-major upper = row-major lower of the conjugate */
    double *diagonal;       /* per frequency and channel: sum over phases */
    double *lambda;         /* per frequency */
    double *weight;         /* D^-power of each channel of the group */
    const double *multipliers;
    bool *failed;
} sweep;

/* X into the group's columns of u, and the diagonal of X^H X by channel. */
static void solve(void *context, size_t f)
{
    sweep *w = context;
    const lip_spectral_group *g = w->group;
    const double complex one = 1;
    blasint n = (blasint)w->s->variables, first = (blasint)g->first, count = (blasint)(g->channels * g->phases);
    double complex *x = w->u[f] + g->first * w->s->variables;
    const double complex *z = w->s->z[f] + g->first * w->s->variables;
    memcpy(x, z, (size_t)(count * n) * sizeof *x);
    cblas_ztrsm(CblasColMajor, CblasLeft, CblasUpper, CblasConjTrans, CblasNonUnit, first, count, &one, w->u[f], n, x, n);
    for (int64_t c = 0; c < g->channels; c++) {
        double sum = 0;
        for (int64_t p = 0; p < g->phases; p++) {
            double norm = cblas_dznrm2(first, x + (c * g->phases + p) * n, 1);
            sum += norm * norm;
        }
        w->diagonal[(int64_t)f * w->s->variables + c] = sum;
    }
}

/* Largest eigenvalue of W X^H X W, W = weight^(1/2). */
static void measure(void *context, size_t f)
{
    sweep *w = context;
    const lip_spectral_group *g = w->group;
    const double complex one = 1, zero = 0;
    blasint n = (blasint)w->s->variables, first = (blasint)g->first, count = (blasint)(g->channels * g->phases);
    const double complex *x = w->u[f] + g->first * w->s->variables;
    double complex *v = lip_alloc(w->s->memory, (int64_t)count + first, sizeof *v), *image = v + count;
    double norm = 0;
    w->failed[f] = w->failed[f] || !v;
    for (blasint i = 0; v && i < count; i++)
        v[i] = 1 + 0.5 * sin(1.7 * i + 0.3) + 0.5 * I * cos(2.3 * i);
    for (int step = 0; v && step < STEPS; step++) {
        norm = cblas_dznrm2(count, v, 1);
        for (blasint i = 0; i < count; i++)
            v[i] *= norm > 0 ? sqrt(w->weight[i / g->phases]) / norm : 0;
        cblas_zgemv(CblasColMajor, CblasNoTrans, first, count, &one, x, n, v, 1, &zero, image, 1);
        cblas_zgemv(CblasColMajor, CblasConjTrans, first, count, &one, x, n, image, 1, &zero, v, 1);
        for (blasint i = 0; i < count; i++)
            v[i] *= sqrt(w->weight[i / g->phases]);
    }
    w->lambda[f] = v ? cblas_dznrm2(count, v, 1) : 0;
    lip_free(w->s->memory, v);
}

/* The group's columns of U. */
static void extend(void *context, size_t f)
{
    sweep *w = context;
    const lip_spectral_group *g = w->group;
    blasint n = (blasint)w->s->variables, first = (blasint)g->first, count = (blasint)(g->channels * g->phases);
    double complex *x = w->u[f] + g->first * w->s->variables, *block = x + first;
    for (blasint i = 0; i < count; i++) {
        double t = g->multiplier < 0 ? 1 : w->multipliers[g->multiplier + i / g->phases];
        lip_variable variable = { g->kind, 0, g->plan, g->constant };
        cblas_zdscal(first, lip_form_factor(&variable, t), x + i * n, 1);
        memset(block + i * n, 0, (size_t)(count) * sizeof *block);
        block[i * n + i] = lip_form_diagonal(&variable, t);
    }
    if (first > 0 && (g->kind == LIP_VAR_SLOPE || g->kind == LIP_VAR_AUX))
        cblas_zherk(CblasColMajor, CblasUpper, CblasConjTrans, count, first, -1, x, n, 1, block, n);
    w->failed[f] = w->failed[f] ||
                   LAPACKE_zpotrf_work(LAPACK_COL_MAJOR, 'U', count, block, n) != 0 || !isfinite(creal(block[0]));
}

static void choose(const sweep *w, double power, const size_t *order, int threads, double *multipliers)
{
    const lip_spectral_group *g = w->group;
    const lip_spectral *s = w->s;
    double largest = 0, mean = 0, lambda = 0;
    for (int64_t c = 0; c < g->channels; c++) {
        w->weight[c] = 0;
        for (int64_t f = 0; f < s->frequencies; f++)
            w->weight[c] += w->diagonal[f * s->variables + c] / (double)(s->frequencies * g->phases);
        mean += w->weight[c] / (double)g->channels;
    }
    for (int64_t c = 0; c < g->channels; c++)
        w->weight[c] = pow(fmax(w->weight[c], 1e-3 * mean + 1e-300), -power);
    lip_run_jobs(measure, (void *)(uintptr_t)w, order, (size_t)s->frequencies, threads);
    for (int64_t f = 0; f < s->frequencies; f++)
        largest = fmax(largest, w->lambda[f]);
    lambda = largest * 1.03 + 1e-300;
    double by = g->kind == LIP_VAR_SLOPE ? g->constant * g->constant * lambda : 2 * g->constant * lambda;
    for (int64_t c = 0; c < g->channels; c++)
        multipliers[g->multiplier + c] = by > 0 && isfinite(w->weight[c] / by) ? w->weight[c] / by : 1;
}

static bool sweep_groups(sweep *w, double power, const size_t *order, int threads, double *multipliers)
{
    const lip_spectral *s = w->s;
    w->multipliers = multipliers;
    for (int64_t k = 0; k < s->groups; k++) {
        w->group = &s->group[k];
        bool rows = w->group->kind == LIP_VAR_SLOPE || w->group->kind == LIP_VAR_AUX;
        if (rows) {
            lip_run_jobs(solve, w, order, (size_t)s->frequencies, threads);
            choose(w, power, order, threads, multipliers);
        }
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
    size_t *order = lip_alloc(memory, s->frequencies, sizeof *order);
    w.u = lip_alloc(memory, s->frequencies, sizeof *w.u);
    w.diagonal = lip_alloc(memory, s->frequencies * s->variables, sizeof *w.diagonal);
    w.lambda = lip_alloc(memory, s->frequencies, sizeof *w.lambda);
    w.weight = lip_alloc(memory, s->variables, sizeof *w.weight);
    w.failed = lip_alloc(memory, s->frequencies, sizeof *w.failed);
    bool fine = order && w.u && w.diagonal && w.lambda && w.weight && w.failed;
    for (int64_t f = 0; fine && f < s->frequencies; f++) {
        order[f] = (size_t)f;
        w.u[f] = lip_alloc(memory, s->variables * s->variables, sizeof **w.u);
        fine = w.u[f] != NULL;
    }
    fine = fine && sweep_groups(&w, power, order, threads, multipliers);
    for (int64_t f = 0; w.u && f < s->frequencies; f++)
        lip_free(memory, w.u[f]);
    lip_free(memory, w.failed);
    lip_free(memory, w.weight);
    lip_free(memory, w.lambda);
    lip_free(memory, w.diagonal);
    lip_free(memory, w.u);
    lip_free(memory, order);
    return fine;
}
