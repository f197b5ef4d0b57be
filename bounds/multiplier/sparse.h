/*
 * sparse.h: sparse matrices by rows, and what is known of how far they are
 * from the true ones.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_BOUNDS_SPARSE_H
#define LIP_BOUNDS_SPARSE_H

#include "alloc.h"

/* Row i holds elements start[i] .. start[i + 1]; no column twice in a row. */
typedef struct lip_rows {
    int64_t rows, cols;
    int64_t *start;
    int32_t *col;
    double *value;
} lip_rows;

/*
 * A matrix M known through its computed M^:
 *     |M - M^|_ij <= relative |M^_ij| + R_ij  with  ||R_i||_2 <= absolute[i]  for every row i.
 */
typedef struct lip_enclosed {
    lip_rows m;
    double relative;
    const double *absolute; /* NULL: zero */
} lip_enclosed;

/* Rows are appended one after the other; what was allocated lives in the arena. Grows by doubling. */
typedef struct lip_rows_builder {
    lip_arena *arena;
    lip_rows m;
    int64_t room, row;
} lip_rows_builder;

bool lip_rows_begin(lip_rows_builder *builder, lip_arena *arena, int64_t rows, int64_t cols);
bool lip_rows_put(lip_rows_builder *builder, int64_t col, double value); /* an element of the current row */
void lip_rows_next(lip_rows_builder *builder);                           /* ends the current row */

/*
 * *out = A B, A with elementwise relative error a_relative. Where every element of the product comes from one product
 * of elements, errors stay relative; else
 *     ||R_i|| <= sum_m |A_im| (absolute_B[m] + (relative_A + relative_B + gamma_(terms + 2)) ||B_m||_2),
 * rounded up. False: no memory.
 */
bool lip_enclosed_product(const lip_rows *a, double a_relative, const lip_enclosed *b, lip_arena *arena,
                          lip_enclosed *out);

/* *out = ca A + cb B elementwise for exact ca, cb (1 or -1 or any double), errors as above. */
bool lip_enclosed_sum(double ca, const lip_enclosed *a, double cb, const lip_enclosed *b, lip_arena *arena,
                      lip_enclosed *out);

/* Rows of `parts` one after the other: out row i is row index[i] of part source[i]. */
bool lip_enclosed_gather(const lip_enclosed *parts, const int32_t *source, const int64_t *index, int64_t rows,
                         lip_arena *arena, lip_enclosed *out);

#endif
