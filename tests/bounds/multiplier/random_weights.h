/*
 * random_weights.h: weights of made ONNX models, for the tests of multipliers.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_TESTS_RANDOM_WEIGHTS_H
#define LIP_TESTS_RANDOM_WEIGHTS_H

#include "model_builder.h"
#include "oracle.h"

#include <math.h>

/* A constant of `count` normal numbers, or their magnitudes. */
static inline void random_weights(build *b, uint64_t *state, const char *name, const char *shape, int64_t count,
                                  bool nonnegative)
{
    double *w = oracle_alloc(count, sizeof *w);
    oracle_fill(state, w, count);
    for (int64_t i = 0; nonnegative && i < count; i++)
        w[i] = fabs(w[i]);
    build_reals(b, name, shape, w);
    oracle_free(w);
}

#endif
