/*
 * worker.h: what one thread needs to certify a tile of samples.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_BOUNDS_WORKER_H
#define LIP_BOUNDS_WORKER_H

#include "local_radius.h"
#include "norms.h"
#include "radii.h"

typedef struct lip_worker {
    struct lip_worker *next; /* for a list of idle ones */
    lip_memory *memory;
    lip_batch *batch;
    lip_norms norms;         /* of a tile */
    lip_radii_work radii;    /* its norms are set for each sample */
    double *samples;         /* a tile */
    double *logits;          /* of one sample */
    lip_local_tile local;    /* .local NULL: not asked for */
} lip_worker;

/* `elements` of a sample; the plan outlives the worker. */
lip_status lip_worker_open(const lip_model *model, const lip_error_plan *plan, lip_batch_precision precision,
                           int64_t tile, int64_t elements, lip_memory *memory, lip_worker **out, lip_error *error);
void lip_worker_free(lip_worker **worker);

#endif
