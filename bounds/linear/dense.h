/*
 * dense.h: the spectral norm of a dense matrix, proved from both sides.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_BOUNDS_DENSE_H
#define LIP_BOUNDS_DENSE_H

#include "operator.h"

/*
 * A matrix that is read in panels, so that only the Gram matrix of its shorter
 * side is held: `fill` writes lines [first, first + count) along the longer
 * side (`length` lines of `width` elements, width <= length), each line
 * contiguous. Whether lines are rows or columns does not matter to the norm.
 */
typedef struct lip_panels {
    int64_t length, width;
    void *context;
    void (*fill)(void *context, int64_t first, int64_t count, double *lines);
    double relative_error; /* |true element - element| <= relative_error * |element| */
} lip_panels;

/* A row-major matrix in memory as panels; it must outlive them. */
typedef struct lip_matrix {
    const double *elements;
    int64_t rows, cols;
} lip_matrix;

lip_panels lip_matrix_panels(lip_matrix *matrix, double relative_error);

typedef struct lip_norm {
    double lower, upper;
    double power_estimate; /* after `iterations` steps of the paper's power iteration */
    const char *method;
    double power_error_term; /* the paper's, see lip_power_error_term; 0 where power_estimate is NaN */
} lip_norm;

/*
 * lower <= ||A||_2 <= upper for the true matrix. upper is +inf if no proof
 * went through (a NaN or Inf among the elements).
 * Method: Gram matrix of the shorter side (dsyrk over panels), Lanczos on it,
 * one verified Cholesky factorisation; lip_cholesky's derivation.
 * iterations: of the power iteration; 0: none (estimate is NaN).
 * Memory: width^2 + a panel. Cost: length width^2 + width^3 / 3 flops.
 */
lip_status lip_dense_norm(const lip_panels *panels, int iterations, lip_random *random, lip_memory *memory,
                          lip_norm *out, lip_error *error);

#endif
