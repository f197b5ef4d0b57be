/*
 * radii.h: from logits and error bounds to a certificate.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_BOUNDS_RADII_H
#define LIP_BOUNDS_RADII_H

#include "error_plan.h"

/* What every sample's certificate is made of. */
typedef struct lip_radii {
    const lip_error_plan *plan;
    double network_upper;
    const double *pairwise_upper; /* [classes][classes], NULL: none */
    lip_ieee own, deployed;
    double *own_growth, *deployed_growth; /* as lip_error_growths has it */
    bool own_converts, deployed_is_exact;
    bool own_refused, deployed_refused; /* a step without an error bound: no radius */
} lip_radii;

/* Room for one sample: per value, and per class. */
typedef struct lip_radii_work {
    double *norms; /* per value */
    lip_affine *own_errors, *errors;
    lip_affine *own_rows, *rows; /* per class */
    lip_affine *left;            /* per class j != t, where there is a radius: the radius r keeps t above j as long as
                                    (f_t - f_j)(x) - (f_t - f_j)(x') < left.at0 - left.slope r for all x' within r */
    double most;                 /* no radius above this */
} lip_radii_work;

/* label < 0: not known. work->norms holds what plan->is_measured asks for, upper bounds of the norms of the values that
 * gave these logits. */
void lip_radii_of(const lip_radii *radii, const double *logits, int64_t label, lip_radii_work *work,
                  lip_certificate *out);

/* The same without a radius. */
void lip_radii_drop(lip_certificate *out);

#endif
