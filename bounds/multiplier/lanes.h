/*
 * lanes.h: several vectors side by side, in float, for one pass through a
 * sparse matrix: the lanes of an element lie together.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_BOUNDS_LANES_H
#define LIP_BOUNDS_LANES_H

#include "sparse.h"

enum { LIP_LANES = 8 };

typedef struct lip_lanes {
    float of[LIP_LANES];
} lip_lanes;

/* start + row i of m times x, x[m->cols]. */
lip_lanes lip_lanes_row_times(const lip_rows *m, int64_t i, const lip_lanes *x, lip_lanes start);

/* x += row i of m, transposed, times at. */
void lip_lanes_add_row(const lip_rows *m, int64_t i, const lip_lanes *at, lip_lanes *x);

void lip_lanes_copy(lip_lanes *to, const lip_lanes *from, int64_t n);
lip_lanes lip_lanes_squares(const lip_lanes *x, int64_t n); /* their sums over the n elements */

/* Lengths of the lanes' vectors, which become 1; 0 stays 0. */
lip_lanes lip_lanes_normalise(lip_lanes *x, int64_t n);

#endif
