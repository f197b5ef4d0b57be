/*
 * svd.h: LAPACK's singular values, a cross-check beside the proved bounds.
 * Accurate to a few units in practice, but not a proof: LAPACK states no
 * constant for its error.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_BOUNDS_SVD_H
#define LIP_BOUNDS_SVD_H

#include "operator.h"

/*
 * Largest singular value of a rows x cols matrix (its order in memory does not
 * matter, nor which side comes first), which is overwritten.
 */
lip_status lip_svd_largest(double *matrix, int64_t rows, int64_t cols, lip_memory *memory, double *sigma,
                           lip_error *error);

/* NULL if the SVD of a rows x cols matrix is wanted under `exact`; otherwise the reason why not, for the report. */
const char *lip_svd_refusal(int64_t rows, int64_t cols, lip_exact exact, const lip_memory *memory);

/* The same for an operator, formed column by column. NaN and a reason where lip_svd_refusal refuses. */
lip_status lip_svd_of_operator(const lip_operator *operator, lip_exact exact, lip_memory *memory, double *sigma,
                               const char **reason, lip_error *error);

#endif
