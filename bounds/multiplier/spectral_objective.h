/*
 * spectral_objective.h: what multipliers on a torus are chosen by. Nothing
 * here is proved.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_BOUNDS_SPECTRAL_OBJECTIVE_H
#define LIP_BOUNDS_SPECTRAL_OBJECTIVE_H

#include "spectral.h"

typedef struct lip_spectral_objective {
    const lip_spectral *spectral;
    int threads;
    bool pairs;           /* the mean's outputs: not the largest growth, but the sum of the squares over pairs */
    double barrier;       /* weight of what keeps J(w) away from singular matrices */
    int64_t every;        /* about one of so many frequencies is looked at, frequency 0 always */
    double *multipliers;  /* exp(theta) of the last evaluation; the output map's is left as it was */
    double *scale;        /* per variable: root of J's diagonal at the start */
    double complex **top; /* per frequency: the vector that the output grows most for, of the last evaluation */
    double *value, *wall; /* per frequency: largest eigenvalue of Y J^-1 Y' (or that sum); r'J^-1 r */
    double *gradient;     /* per frequency: of both, and room for one more */
} lip_spectral_objective;

/* False: no memory. Close in any case. */
bool lip_spectral_objective_open(const lip_spectral *spectral, const double *multipliers, int threads,
                                 lip_spectral_objective *out);
void lip_spectral_objective_close(lip_spectral_objective *objective);

/* Half the log of the sum of squared bounds over the frequencies, in a high power, so nearly log L, and the barrier;
 * its gradient in theta = log T. +inf where J is not positive definite. A lip_value_at of lip_descend_on. */
double lip_spectral_objective_at(void *objective, const double *theta, double *gradient);

/* The largest eigenvalue that the last evaluation found. */
double lip_spectral_objective_largest(const lip_spectral_objective *objective);

#endif
