/*
 * tiled.c: left-looking factorisation by columns of tiles: column k takes the
 * products of the columns before it, its diagonal tile is factorised, the
 * tiles below are solved with it.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tiled.h"

#include "compose/workers.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <string.h>

static const double WORTH_THREADS = 4e7; /* flops of a column */

static void fill_in(int64_t count, bool *wanted)
{
    for (int64_t k = 0; k < count; k++)
        for (int64_t i = k + 1; i < count; i++)
            for (int64_t j = k + 1; wanted[i * (i + 1) / 2 + k] && j <= i; j++)
                if (wanted[j * (j + 1) / 2 + k])
                    wanted[i * (i + 1) / 2 + j] = true;
}

double lip_tiled_flops(int64_t n, int64_t side, bool *wanted)
{
    int64_t count = (n + side - 1) / side;
    double flops = 0, cube = (double)side * (double)side * (double)side;
    fill_in(count, wanted);
    for (int64_t k = 0; k < count; k++) {
        double below = 0;
        for (int64_t i = k + 1; i < count; i++)
            below += wanted[i * (i + 1) / 2 + k];
        flops += cube * (1.0 / 3 + below + below * below); /* dpotrf, dtrsm, dgemm and dsyrk */
    }
    return flops;
}

bool lip_tiled_open(lip_tiled *t, int64_t n, int64_t side, bool *wanted, int threads, lip_memory *memory)
{
    *t = (lip_tiled) { .n = n, .side = side, .count = (n + side - 1) / side, .threads = threads, .memory = memory };
    for (int64_t i = 0; i < t->count; i++)
        wanted[i * (i + 1) / 2 + i] = true;
    t->flops = lip_tiled_flops(n, side, wanted);
    t->tile = lip_alloc(memory, t->count * (t->count + 1) / 2, sizeof *t->tile);
    for (int64_t i = 0; i < t->count; i++)
        for (int64_t j = 0; j <= i; j++)
            t->store_count += wanted[i * (i + 1) / 2 + j] ? (lip_tiled_height(t, i) * side + 7) / 8 * 8 : 0;
    t->store = t->tile ? lip_alloc(memory, t->store_count + 64, sizeof(double)) : NULL;
    if (!t->store)
        return false;
    double *next = t->store;
    for (int64_t i = 0; i < t->count; i++)
        for (int64_t j = 0; j <= i; j++)
            if (wanted[i * (i + 1) / 2 + j]) {
                *lip_tiled_at(t, i, j) = next;
                next += (lip_tiled_height(t, i) * side + 7) / 8 * 8;
            }
    return true;
}

void lip_tiled_close(lip_tiled *t)
{
    lip_free(t->memory, t->store);
    lip_free(t->memory, t->tile);
    t->store = NULL;
    t->tile = NULL;
}

void lip_tiled_clear(lip_tiled *t) { memset(t->store, 0, (size_t)t->store_count * sizeof(double)); }

/* One column of tiles being factorised. */
typedef struct column {
    const lip_tiled *t;
    int64_t k;
} column;

static void update(void *context, size_t index)
{
    const column *c = context;
    const lip_tiled *t = c->t;
    int64_t i = c->k + (int64_t)index, k = c->k;
    double *to = *lip_tiled_at(t, i, k);
    blasint rows = (blasint)lip_tiled_height(t, i), cols = (blasint)lip_tiled_height(t, k);
    if (!to)
        return;
    for (int64_t j = 0; j < k; j++) {
        const double *left = *lip_tiled_at(t, i, j), *right = *lip_tiled_at(t, k, j);
        if (!left || !right)
            continue;
        if (i == k)
            cblas_dsyrk(CblasColMajor, CblasLower, CblasNoTrans, rows, (blasint)t->side, -1, left, rows, 1, to, rows);
        else
            cblas_dgemm(CblasColMajor, CblasNoTrans, CblasTrans, rows, cols, (blasint)t->side, -1, left, rows, right,
                        cols, 1, to, rows);
    }
}

static void solve(void *context, size_t index)
{
    const column *c = context;
    int64_t i = c->k + 1 + (int64_t)index;
    double *to = *lip_tiled_at(c->t, i, c->k);
    blasint rows = (blasint)lip_tiled_height(c->t, i), cols = (blasint)lip_tiled_height(c->t, c->k);
    if (to)
        cblas_dtrsm(CblasColMajor, CblasRight, CblasLower, CblasTrans, CblasNonUnit, rows, cols, 1,
                    *lip_tiled_at(c->t, c->k, c->k), cols, to, rows);
}

static double column_flops(const lip_tiled *t, int64_t k)
{
    double products = 1, cube = (double)t->side * (double)t->side * (double)t->side;
    for (int64_t i = k; i < t->count; i++)
        for (int64_t j = 0; j < k && *lip_tiled_at(t, i, k); j++)
            products += *lip_tiled_at(t, i, j) && *lip_tiled_at(t, k, j);
    return 2 * products * cube;
}

static bool factor_diagonal(const lip_tiled *t, int64_t k)
{
    double *a = *lip_tiled_at(t, k, k);
    lapack_int n = (lapack_int)lip_tiled_height(t, k);
    if (LAPACKE_dpotrf_work(LAPACK_COL_MAJOR, 'L', n, a, n) != 0)
        return false;
    for (lapack_int j = 0; j < n; j++) /* dpotrf takes NaN for a pivot */
        if (!(a[j * n + j] > 0) || !isfinite(a[j * n + j]))
            return false;
    return true;
}

bool lip_tiled_factor(lip_tiled *t)
{
    size_t order[LIP_TILED_MOST];
    for (size_t i = 0; i < LIP_TILED_MOST; i++)
        order[i] = i;
    if (t->count > LIP_TILED_MOST)
        return false;
    for (int64_t k = 0; k < t->count; k++) {
        column c = { t, k };
        int threads = column_flops(t, k) < WORTH_THREADS ? 1 : t->threads;
        lip_run_jobs(update, &c, order, (size_t)(t->count - k), threads);
        if (!factor_diagonal(t, k))
            return false;
        lip_run_jobs(solve, &c, order, (size_t)(t->count - k - 1), threads);
    }
    return true;
}

int64_t lip_tiled_terms(const lip_tiled *t, int64_t i)
{
    int64_t bi = i / t->side, terms = i % t->side + 1;
    for (int64_t j = 0; j < bi; j++)
        terms += *lip_tiled_at(t, bi, j) ? t->side : 0;
    return terms;
}

void lip_tiled_append(const lip_tiled *t, int64_t count, double *r)
{
    blasint m = (blasint)count;
    for (int64_t k = 0; k < t->count; k++) {
        blasint cols = (blasint)lip_tiled_height(t, k);
        double *to = r + k * t->side * count;
        for (int64_t j = 0; j < k; j++)
            if (*lip_tiled_at(t, k, j))
                cblas_dgemm(CblasColMajor, CblasNoTrans, CblasTrans, m, cols, (blasint)t->side, -1,
                            r + j * t->side * count, m, *lip_tiled_at(t, k, j), cols, 1, to, m);
        cblas_dtrsm(CblasColMajor, CblasRight, CblasLower, CblasTrans, CblasNonUnit, m, cols, 1,
                    *lip_tiled_at(t, k, k), cols, to, m);
    }
}

void lip_tiled_back(const lip_tiled *t, int64_t count, double *r)
{
    blasint m = (blasint)count;
    for (int64_t k = t->count - 1; k >= 0; k--) {
        blasint cols = (blasint)lip_tiled_height(t, k);
        double *to = r + k * t->side * count;
        for (int64_t i = k + 1; i < t->count; i++) {
            blasint height = (blasint)lip_tiled_height(t, i);
            if (*lip_tiled_at(t, i, k))
                cblas_dgemm(CblasColMajor, CblasNoTrans, CblasNoTrans, m, cols, height, -1, r + i * t->side * count, m,
                            *lip_tiled_at(t, i, k), height, 1, to, m);
        }
        cblas_dtrsm(CblasColMajor, CblasRight, CblasLower, CblasNoTrans, CblasNonUnit, m, cols, 1,
                    *lip_tiled_at(t, k, k), cols, to, m);
    }
}
