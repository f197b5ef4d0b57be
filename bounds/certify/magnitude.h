/*
 * magnitude.h: || |A| ||_2 of a matrix or convolution A: how large the sums of
 * absolute values that rounding errors are measured by can be.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_BOUNDS_MAGNITUDE_H
#define LIP_BOUNDS_MAGNITUDE_H

#include "gain/gain_of.h"

/*
 * *upper >= || |after| |A| |before| ||_2 with A the linear part of a DENSE or CONV node, |.| elementwise; scales may be
 * NULL. Also at most `row_terms` elements of A that are not zero in a row, `column_terms` in a column. inf where an
 * element is NaN or Inf. Cost: a few products with the matrix; of a convolution, with one that has a column for
 * each input channel and position modulo the stride. Memory: two vectors; of a convolution, that matrix of one group.
 */
typedef struct lip_magnitude {
    double upper, row_terms, column_terms;
} lip_magnitude;

lip_status lip_magnitude_of(const lip_gain *gain, const lip_scale *before, const lip_scale *after, lip_memory *memory,
                            lip_magnitude *out, lip_error *error);

#endif
