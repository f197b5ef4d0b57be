/*
 * banded.h: an upper bound of the zero-padded convolution itself, as tight as
 * asked for, by a block-banded verified Cholesky factorisation.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_BOUNDS_BANDED_H
#define LIP_BOUNDS_BANDED_H

#include "conv.h"
#include "failure.h"

typedef struct lip_banded_cost {
    double flops; /* of one factorisation, all groups */
    double bytes;
} lip_banded_cost;

lip_banded_cost lip_banded_price(const lip_conv *conv);

/*
 * Tries mu = candidate (1 + 1e-9), then up in small steps; *upper is the first mu for which ||A||_2 <= mu is proved,
 * +inf if none up to `limit` was. w: row-major [c_out, c_in / groups, taps], largest element in [1, 2).
 * candidate: the best estimate of ||A||_2. Cost: lip_banded_price().flops a try.
 */
lip_status lip_banded_upper(const lip_conv *conv, const double *w, double candidate, double limit, lip_memory *memory,
                            double *upper, lip_error *error);

#endif
