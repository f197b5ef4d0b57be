/*
 * tiled.h: Cholesky factorisation of a sparse symmetric matrix in square
 * tiles, and solves with its factor.
 *
 * Results do not depend on the number of threads: a tile is computed by one
 * thread, in a fixed order.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_BOUNDS_TILED_H
#define LIP_BOUNDS_TILED_H

#include "alloc.h"

enum { LIP_TILED_MOST = 512 };

typedef struct lip_tiled {
    int64_t n, side, count; /* count = ceil(n / side) */
    double **tile;          /* (i, j), i >= j, at i (i + 1) / 2 + j; column-major, height(i) rows; NULL: zero */
    double *store;
    int64_t store_count;
    double flops; /* of a factorisation */
    int threads;
    lip_memory *memory;
} lip_tiled;

/* Flops of a factorisation of these tiles (see lip_tiled_open), with what fills in, which is added to `wanted`. */
double lip_tiled_flops(int64_t n, int64_t side, bool *wanted);

/* `wanted[i (i + 1) / 2 + j]`: tile (i, j) has elements that are not zero. Adds what the factor fills in. False: no
 * memory. Free with lip_tiled_close in any case. */
bool lip_tiled_open(lip_tiled *tiles, int64_t n, int64_t side, bool *wanted, int threads, lip_memory *memory);
void lip_tiled_close(lip_tiled *tiles);

static inline int64_t lip_tiled_height(const lip_tiled *t, int64_t i)
{
    return i + 1 < t->count ? t->side : t->n - i * t->side;
}
static inline double **lip_tiled_at(const lip_tiled *t, int64_t i, int64_t j)
{
    return &t->tile[i * (i + 1) / 2 + j];
}

void lip_tiled_clear(lip_tiled *tiles);
/* Element (i, j), i >= j, of a tile that is there. */
static inline double *lip_tiled_element(const lip_tiled *t, int64_t i, int64_t j)
{
    int64_t bi = i / t->side, bj = j / t->side;
    return *lip_tiled_at(t, bi, bj) + (j - bj * t->side) * lip_tiled_height(t, bi) + (i - bi * t->side);
}

/*
 * Lower triangle := L. False if a pivot is not positive and finite. Each element of L comes from an inner product of
 * at most lip_tiled_terms elements, in some order, with or without fused multiply-add.
 */
bool lip_tiled_factor(lip_tiled *tiles);

/* Terms of the inner products of row i of L, the diagonal one included. */
int64_t lip_tiled_terms(const lip_tiled *tiles, int64_t i);

/* Rows R (count x n, column-major with leading dimension count): R := R L^-T, which appends rows to the
 * factorisation; and R := R L^-1 (after the former: R A^-1). */
void lip_tiled_append(const lip_tiled *tiles, int64_t count, double *r);
void lip_tiled_back(const lip_tiled *tiles, int64_t count, double *r);

#endif
