/*
 * oracle.h: what the tests of bounds/ share: random numbers, random
 * convolution geometries, norms from an independent method in higher
 * precision, and the check of an enclosure from both sides.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_TESTS_BOUNDS_ORACLE_H
#define LIP_TESTS_BOUNDS_ORACLE_H

#include "linear/convolution.h"

/* Which side of [lower, upper] a norm breaks, known up to a relative `doubt`; 0: neither, 1: upper, -1: lower. */
int oracle_breaks(double lower, double upper, double truth, double doubt);

uint64_t oracle_bits(uint64_t *state);
int64_t oracle_int(uint64_t *state, int64_t low, int64_t high); /* both included */
double oracle_normal(uint64_t *state);
void oracle_fill(uint64_t *state, double *x, int64_t count);

lip_memory *oracle_memory(void); /* one account for the test program */
void *oracle_alloc(int64_t count, size_t size); /* asserts */
void oracle_free(void *block);
uint64_t oracle_in_use(void); /* bytes; the same before and after a call that gives back what it takes */

/* Largest singular value: one-sided Jacobi in long double (small matrices), LAPACK's dgesdd. Column-major. */
long double oracle_jacobi(const double *matrix, int64_t rows, int64_t cols);
double oracle_svd(const double *matrix, int64_t rows, int64_t cols);

/* A small random geometry: any contract-abiding values, n_out not tied to n. The operator has at most `most` rows
 * and columns. */
lip_conv oracle_conv(uint64_t *state, int64_t most);
/* The convolution with weights w as a column-major matrix, straight from the definition in conv.h (for oracle_free);
 * and its norm. */
double *oracle_conv_matrix(const lip_conv *conv, const double *w);
double oracle_conv_norm(const lip_conv *conv, const double *w);
void oracle_conv_text(const lip_conv *conv, char *text, size_t size);

/* Scales w in place so that its largest element is in [1, 2). */
void oracle_scale(double *w, int64_t count);

#endif
