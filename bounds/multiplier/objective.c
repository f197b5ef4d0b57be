/*
 * objective.c: see objective.h.
 *
 * With V = J^-1 Y' and S = Y V, a change dJ changes S by -V' dJ V. For f(S)
 * with gradient G (symmetric, G = Q Q'), and by the rows of system.h,
 *     df/dT = sum over SLOPE variables of 2 <v, width z - v>_G, z = Z_i V,
 *           - sum over PASS of <v, v>_G + sum over AUX of <v, v>_G / (T^2 gain^2).
 * The largest eigenvalue is smoothed by the p-norm of all.
 *
 * Curvature. Row i of J V = Y' reads 2 T v - width T z = r, r what comes from the rows after it. With z and r held
 * fixed, df/dlog T = T (|width z|^2 - |r / T|^2) / 2, whose derivative in log T is T (|width z|^2 + |r / T|^2) / 2: a
 * model of the Hessian's diagonal, good enough to scale the variables with. For PASS and AUX the terms of the
 * gradient are taken as positive.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "objective.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <string.h>
#include <time.h>

double lip_clock(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

lip_status lip_objective_open(lip_form *form, lip_memory *memory, lip_objective *out, lip_error *error)
{
    const lip_system *s = form->system;
    int64_t k = s->classes;
    *out = (lip_objective) { .form = form, .memory = memory, .power = 24, .sharpest = 384,
                             .work_count = 3 * k + 64 * k };
    out->rows = lip_alloc(memory, k * s->variables, sizeof(double));
    out->z = lip_alloc(memory, 2 * k, sizeof(double));
    out->s = lip_alloc(memory, k * k, sizeof(double));
    out->weight = lip_alloc(memory, k * k, sizeof(double));
    out->eigenvalues = lip_alloc(memory, k, sizeof(double));
    out->work = lip_alloc(memory, out->work_count, sizeof(double));
    out->multipliers = lip_alloc(memory, s->multipliers, sizeof(double));
    out->curvature = lip_alloc(memory, s->multipliers, sizeof(double));
    if (out->rows && out->z && out->s && out->weight && out->eigenvalues && out->work && out->multipliers &&
        out->curvature)
        return LIP_OK;
    return lip_fail(error, LIP_EMEMORY, "the multipliers' gradient passes the memory cap");
}

void lip_objective_close(lip_objective *o)
{
    double **blocks[] = { &o->rows, &o->z, &o->s, &o->weight, &o->eigenvalues, &o->work,
                          &o->multipliers, &o->curvature };
    for (size_t i = 0; o->memory && i < sizeof blocks / sizeof *blocks; i++) {
        lip_free(o->memory, *blocks[i]);
        *blocks[i] = NULL;
    }
}

/* rows := Y in the form's order, classes x variables, column-major. */
static void place_outputs(const lip_objective *o)
{
    const lip_system *s = o->form->system;
    const lip_rows *y = &s->y.m;
    memset(o->rows, 0, (size_t)(s->classes * s->variables) * sizeof(double));
    for (int64_t k = 0; k < s->classes; k++)
        for (int64_t e = y->start[k]; e < y->start[k + 1]; e++)
            o->rows[o->form->position[y->col[e]] * s->classes + k] = y->value[e];
}

/* log of the p-norm of S's eigenvalues; weight := its gradient in S. */
static double smoothed_largest(lip_objective *o)
{
    int64_t k = o->form->system->classes;
    memcpy(o->weight, o->s, (size_t)(k * k) * sizeof(double));
    if (LAPACKE_dsyev_work(LAPACK_COL_MAJOR, 'V', 'L', (lapack_int)k, o->weight, (lapack_int)k, o->eigenvalues, o->work,
                           (lapack_int)o->work_count) != 0)
        return (double)INFINITY;
    double largest = o->eigenvalues[k - 1], sum = 0;
    if (!(largest > 0))
        return (double)INFINITY;
    for (int64_t i = 0; i < k; i++)
        sum += pow(fmax(0, o->eigenvalues[i]) / largest, o->power);
    for (int64_t i = 0; i < k; i++) {
        double factor = pow(fmax(0, o->eigenvalues[i]) / largest, o->power - 1) / (largest * sum);
        cblas_dscal((blasint)k, sqrt(factor), o->weight + i * k, 1);
    }
    memcpy(o->s, o->weight, (size_t)(k * k) * sizeof(double));
    cblas_dgemm(CblasColMajor, CblasNoTrans, CblasTrans, (blasint)k, (blasint)k, (blasint)k, 1, o->s, (blasint)k, o->s,
                (blasint)k, 0, o->weight, (blasint)k);
    return log(largest) + log(sum) / o->power;
}

static double pair_mean(lip_objective *o)
{
    int64_t k = o->form->system->classes;
    double value = 0;
    for (int64_t i = 0; i < k; i++)
        for (int64_t j = 0; j < k; j++) {
            o->weight[j * k + i] = i == j ? (double)(k - 1) : -1;
            value += o->weight[j * k + i] * o->s[j * k + i];
        }
    for (int64_t i = 0; i < k * k; i++)
        o->weight[i] /= value;
    return value > 0 ? log(value) : (double)INFINITY;
}

static double one_pair(lip_objective *o)
{
    int64_t k = o->form->system->classes, a = o->first, b = o->second;
    double value = o->s[a * k + a] + o->s[b * k + b] - o->s[a * k + b] - o->s[b * k + a];
    memset(o->weight, 0, (size_t)(k * k) * sizeof(double));
    o->weight[a * k + a] = o->weight[b * k + b] = 1 / value;
    o->weight[a * k + b] = o->weight[b * k + a] = -1 / value;
    return value > 0 ? log(value) : (double)INFINITY;
}

/* The parts of neuron i; dz: width z. */
static void add_slope(lip_objective *o, const lip_variable *variable, int64_t i, double *gradient)
{
    const lip_rows *z = &o->form->system->z.m;
    blasint k = (blasint)o->form->system->classes;
    const double *v = o->rows + o->form->position[i] * k;
    double *dz = o->z, *weighted = o->z + k, t = o->multipliers[variable->multiplier];
    memset(dz, 0, (size_t)k * sizeof *dz);
    for (int64_t e = z->start[i]; e < z->start[i + 1]; e++)
        cblas_daxpy(k, variable->constant * z->value[e], o->rows + o->form->position[z->col[e]] * k, 1, dz, 1);
    cblas_dsymv(CblasColMajor, CblasLower, k, 1, o->weight, k, dz, 1, 0, weighted, 1);
    double square = cblas_ddot(k, dz, 1, weighted, 1);
    for (blasint c = 0; c < k; c++)
        dz[c] = 2 * v[c] - dz[c]; /* r / T */
    cblas_dsymv(CblasColMajor, CblasLower, k, 1, o->weight, k, dz, 1, 0, weighted, 1);
    double rest = cblas_ddot(k, dz, 1, weighted, 1);
    gradient[variable->multiplier] += t * (square - rest) / 2;
    o->curvature[variable->multiplier] += t * (square + rest) / 2;
}

static void gather_gradient(lip_objective *o, double *gradient)
{
    const lip_system *s = o->form->system;
    blasint k = (blasint)s->classes;
    memset(gradient, 0, (size_t)s->multipliers * sizeof(double));
    memset(o->curvature, 0, (size_t)s->multipliers * sizeof(double));
    for (int64_t i = s->inputs; i < s->variables; i++) {
        const lip_variable *variable = &s->variable[i];
        if (variable->kind == LIP_VAR_SLOPE) {
            add_slope(o, variable, i, gradient);
            continue;
        }
        const double *v = o->rows + o->form->position[i] * k;
        double t = o->multipliers[variable->multiplier];
        cblas_dsymv(CblasColMajor, CblasLower, k, 1, o->weight, k, v, 1, 0, o->z, 1);
        double square = cblas_ddot(k, v, 1, o->z, 1);
        square = variable->kind == LIP_VAR_PASS ? -t * square : square / (t * variable->constant);
        gradient[variable->multiplier] += square;
        o->curvature[variable->multiplier] += fabs(square);
    }
}

double lip_objective_at(lip_objective *o, const double *theta, double *gradient)
{
    const lip_system *s = o->form->system;
    blasint k = (blasint)s->classes, n = (blasint)s->variables;
    for (int64_t i = 0; i < s->multipliers; i++)
        o->multipliers[i] = exp(theta[i]);
    lip_form_fill(o->form, o->multipliers, NULL, 0, SIZE_MAX);
    if (!lip_tiled_factor(&o->form->tiles))
        return (double)INFINITY;
    place_outputs(o);
    lip_tiled_append(&o->form->tiles, k, o->rows);
    cblas_dgemm(CblasColMajor, CblasNoTrans, CblasTrans, k, k, n, 1, o->rows, k, o->rows, k, 0, o->s, k);
    double value = o->goal == LIP_GOAL_NETWORK ? smoothed_largest(o)
                   : o->goal == LIP_GOAL_PAIRS ? pair_mean(o)
                                               : one_pair(o);
    if (!gradient || !isfinite(value))
        return isfinite(value) ? value : (double)INFINITY;
    lip_tiled_back(&o->form->tiles, k, o->rows);
    gather_gradient(o, gradient);
    return value;
}
