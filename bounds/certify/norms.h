/*
 * norms.h: the norms of the values that the error analysis asks for, read off
 * a batch while it is computed.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_BOUNDS_NORMS_H
#define LIP_BOUNDS_NORMS_H

#include "batch.h"
#include "error_plan.h"

typedef struct lip_norms {
    const lip_error_plan *plan;
    double *norms; /* [capacity of the batch][plan->value_count] */
} lip_norms;

/* norms[s][input] of the samples themselves, rounded up; `rounded`: of the samples as float32. */
void lip_norms_of_samples(lip_norms *norms, const double *samples, int64_t elements, int64_t count, bool rounded);

/* The lip_batch_visit whose context is a lip_norms: norms[s][v] of the outputs that are measured, rounded up. */
lip_status lip_norms_visit(void *context, lip_batch *batch, const lip_node *node, int64_t count, lip_error *error);

#endif
