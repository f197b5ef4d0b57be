/*
 * cholesky.h: floating-point Cholesky factorisation as a proof that
 * ||A||_2 <= mu, for a Gram matrix G computed in floating point.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_BOUNDS_CHOLESKY_H
#define LIP_BOUNDS_CHOLESKY_H

#include <complex.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * Column-major n x n, G in the strict upper triangle and the diagonal given
 * apart: diagonal[j] = G_jj. True only if it is proved that
 *     mu_squared I - H  is positive semidefinite
 * for every symmetric H with ||H - G||_2 <= gram_error. False: not proved.
 * The lower triangle and the diagonal of `gram` are overwritten.
 * Cost: n^3 / 3 flops (dpotrf).
 */
bool lip_gram_below(double *gram, const double *diagonal, int64_t n, double mu_squared, double gram_error);

/* The same for a Hermitian matrix. Cost: 4 n^3 / 3 flops (zpotrf). */
bool lip_gram_below_complex(double complex *gram, const double *diagonal, int64_t n, double mu_squared,
                            double gram_error);

/* Relative slack of the factorisation alone, at most: sum_j (j + 6) u mu^2 <= this times mu^2; to choose mu. */
double lip_cholesky_slack(int64_t n);

#endif
