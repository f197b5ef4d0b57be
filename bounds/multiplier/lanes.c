/*
 * lanes.c: see lanes.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "lanes.h"

#include <math.h>
#include <string.h>

lip_lanes lip_lanes_row_times(const lip_rows *m, int64_t i, const lip_lanes *x, lip_lanes start)
{
    for (int64_t e = m->start[i]; e < m->start[i + 1]; e++) {
        float a = (float)m->value[e];
        const float *at = x[m->col[e]].of;
        for (int l = 0; l < LIP_LANES; l++)
            start.of[l] += a * at[l];
    }
    return start;
}

void lip_lanes_add_row(const lip_rows *m, int64_t i, const lip_lanes *at, lip_lanes *x)
{
    const lip_lanes own = *at; /* which x does not overlap */
    for (int64_t e = m->start[i]; e < m->start[i + 1]; e++) {
        float a = (float)m->value[e], *to = x[m->col[e]].of;
        for (int l = 0; l < LIP_LANES; l++)
            to[l] += a * own.of[l];
    }
}

void lip_lanes_copy(lip_lanes *to, const lip_lanes *from, int64_t n) { memcpy(to, from, (size_t)n * sizeof *to); }

lip_lanes lip_lanes_squares(const lip_lanes *x, int64_t n)
{
    lip_lanes sum = { { 0 } };
    for (int64_t i = 0; i < n; i++)
        for (int l = 0; l < LIP_LANES; l++)
            sum.of[l] += x[i].of[l] * x[i].of[l];
    return sum;
}

lip_lanes lip_lanes_normalise(lip_lanes *x, int64_t n)
{
    lip_lanes factor, length = lip_lanes_squares(x, n);
    for (int l = 0; l < LIP_LANES; l++) {
        length.of[l] = sqrtf(length.of[l]);
        factor.of[l] = length.of[l] > 0 ? 1 / length.of[l] : 0;
    }
    for (int64_t i = 0; i < n; i++)
        for (int l = 0; l < LIP_LANES; l++)
            x[i].of[l] *= factor.of[l];
    return length;
}
