/*
 * spectral_factor.c: patterns of blocks, and Cholesky factorisation of
 * Hermitian matrices in them, row of blocks by row of blocks.
 *
 * Block (k, j) of the factor is there where the matrix has it, or where an i < j has both (k, i) and (j, i). An
 * element of L comes from one inner product, whose terms are summed block by block: the componentwise error analysis
 * (certificate.c) holds for every order of them.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "spectral.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <string.h>

/* Places the blocks of `there`. */
static bool place(const lip_spectral *s, const bool *there, lip_arena *arena, lip_spectral_pattern *out)
{
    int64_t n = s->groups;
    *out = (lip_spectral_pattern) { lip_arena_alloc(arena, n + 1, sizeof *out->start),
                                    lip_arena_alloc(arena, n, sizeof *out->width),
                                    lip_arena_alloc(arena, n * n, sizeof *out->column) };
    if (!out->start || !out->width || !out->column)
        return false;
    for (int64_t k = 0; k < n; k++) {
        for (int64_t j = 0; j < n; j++) {
            out->column[k * n + j] = there[k * n + j] ? out->width[k] : -1;
            out->width[k] += there[k * n + j] ? lip_spectral_width(s, j) : 0;
        }
        out->start[k + 1] = out->start[k] + lip_spectral_width(s, k) * out->width[k];
    }
    return true;
}

/* Real operations of row k: complex ones are 8, halves of products count half. */
static double flops_of_row(const lip_spectral *s, const bool *there, int64_t k)
{
    double rows = (double)lip_spectral_width(s, k), products = 0, before = 0;
    for (int64_t j = 0; j < k; j++) {
        if (!there[k * s->groups + j])
            continue;
        double columns = (double)lip_spectral_width(s, j);
        products += columns * columns / 2;
        for (int64_t i = 0; i < j; i++)
            if (there[k * s->groups + i] && there[j * s->groups + i])
                products += columns * (double)lip_spectral_width(s, i);
        before += columns;
    }
    return 8 * rows * (products + rows * before / 2 + rows * rows / 6);
}

bool lip_spectral_patterns(lip_spectral *s, const bool *reads, lip_arena *arena)
{
    int64_t n = s->groups;
    bool *there = lip_arena_alloc(arena, n * n, sizeof *there);
    if (!there || !place(s, reads, arena, &s->rows))
        return false;
    memcpy(there, reads, (size_t)(n * n) * sizeof *there);
    s->flops = 0;
    for (int64_t k = 0; k < n; k++) {
        for (int64_t j = 0; j < k; j++)
            for (int64_t i = 0; i < j && !there[k * n + j]; i++)
                there[k * n + j] = there[k * n + i] && there[j * n + i];
        there[k * n + k] = true;
        s->flops += flops_of_row(s, there, k);
    }
    return place(s, there, arena, &s->factor);
}

void lip_spectral_copy(const lip_spectral *s, int64_t f, int64_t k, double complex *l)
{
    for (int64_t j = 0; j < k; j++) {
        int64_t from = lip_spectral_column(s, &s->rows, k, j), to = lip_spectral_column(s, &s->factor, k, j);
        for (int64_t i = 0; from >= 0 && i < lip_spectral_width(s, k); i++)
            memcpy(l + s->factor.start[k] + i * s->factor.width[k] + to,
                   s->z[f] + s->rows.start[k] + i * s->rows.width[k] + from,
                   (size_t)lip_spectral_width(s, j) * sizeof *l);
    }
}

void lip_spectral_solve(const lip_spectral *s, int64_t k, double complex *l)
{
    const lip_spectral_pattern *p = &s->factor;
    const double complex one = 1, minus = -1;
    blasint rows = (blasint)lip_spectral_width(s, k), lead = (blasint)p->width[k];
    double complex *row = l + p->start[k];
    for (int64_t j = 0; j < k; j++) {
        int64_t at = lip_spectral_column(s, p, k, j);
        if (at < 0)
            continue;
        blasint columns = (blasint)lip_spectral_width(s, j), lead_j = (blasint)p->width[j];
        const double complex *row_j = l + p->start[j];
        for (int64_t i = 0; i < j; i++) {
            int64_t from = lip_spectral_column(s, p, k, i), from_j = lip_spectral_column(s, p, j, i);
            if (from >= 0 && from_j >= 0)
                cblas_zgemm(CblasRowMajor, CblasNoTrans, CblasConjTrans, rows, columns,
                            (blasint)lip_spectral_width(s, i), &minus, row + from, lead, row_j + from_j, lead_j, &one,
                            row + at, lead);
        }
        cblas_ztrsm(CblasRowMajor, CblasRight, CblasLower, CblasConjTrans, CblasNonUnit, rows, columns, &one,
                    row_j + lip_spectral_column(s, p, j, j), lead_j, row + at, lead);
    }
}

bool lip_spectral_finish(const lip_spectral *s, int64_t k, double complex *l)
{
    const lip_spectral_pattern *p = &s->factor;
    blasint rows = (blasint)lip_spectral_width(s, k), lead = (blasint)p->width[k];
    blasint before = (blasint)lip_spectral_column(s, p, k, k);
    double complex *row = l + p->start[k], *diagonal = row + before;
    if (before > 0)
        cblas_zherk(CblasRowMajor, CblasLower, CblasNoTrans, rows, before, -1, row, lead, 1, diagonal, lead);
    if (LAPACKE_zpotrf_work(LAPACK_COL_MAJOR, 'U', rows, diagonal, lead) != 0) /* row-major lower: of the conjugate */
        return false;
    for (blasint i = 0; i < rows; i++)
        if (!(creal(diagonal[i * (int64_t)lead + i]) > 0) || !isfinite(creal(diagonal[i * (int64_t)lead + i])))
            return false;
    return true;
}
