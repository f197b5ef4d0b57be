/*
 * certifier.h: what certifier.c makes ready and certify.c works with.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_BOUNDS_CERTIFIER_H
#define LIP_BOUNDS_CERTIFIER_H

#include "audit.h"
#include "worker.h"

#include <pthread.h>
#include <stdatomic.h>

struct lip_certifier {
    const lip_model *model;
    lip_memory *memory;
    lip_arena arena;
    lip_certify_options options;
    lip_error_plan plan;
    lip_radii radii;
    const lip_input_range *box; /* the report's */
    lip_batch_precision precision;
    int64_t elements, tile;
    pthread_mutex_t lock; /* around the pool and the first error */
    pthread_cond_t given; /* a worker went back into the pool */
    bool has_lock, has_condition;
    lip_worker *pool;
    size_t taken;
    const lip_local *local; /* NULL: not asked for, or there is none */
    const size_t *local_end;
    char local_reason[1024];
    char remark[1024];
    atomic_size_t separated, certified; /* samples with a proved margin, and those of them with a radius */
};

/* One more worker: a batch of a tile's size, and room for its norms. */
lip_status lip_certifier_worker(const lip_certifier *certifier, lip_worker **out, lip_error *error);

#endif
