/*
 * worker.c: see worker.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "worker.h"

void lip_worker_free(lip_worker **worker)
{
    if (!worker || !*worker)
        return;
    lip_worker *w = *worker;
    lip_local_tile_close(&w->local, w->memory);
    lip_batch_free(&w->batch);
    lip_free(w->memory, w->norms.norms);
    lip_free(w->memory, w->radii.own_errors);
    lip_free(w->memory, w->radii.errors);
    lip_free(w->memory, w->radii.own_rows);
    lip_free(w->memory, w->radii.rows);
    lip_free(w->memory, w->radii.left);
    lip_free(w->memory, w->samples);
    lip_free(w->memory, w->logits);
    lip_free(w->memory, w);
    *worker = NULL;
}

static bool allocate(lip_worker *w, const lip_error_plan *plan, int64_t tile, int64_t elements)
{
    int64_t values = (int64_t)plan->value_count, norms, samples;
    if (!lip_size_mul(values, tile, &norms) || !lip_size_mul(elements, tile, &samples))
        return false;
    w->norms = (lip_norms) { plan, lip_alloc(w->memory, norms, sizeof(double)) };
    w->samples = lip_alloc(w->memory, samples, sizeof(double));
    w->logits = lip_alloc(w->memory, plan->classes, sizeof(double));
    w->radii.own_errors = lip_alloc(w->memory, values, sizeof(lip_affine));
    w->radii.errors = lip_alloc(w->memory, values, sizeof(lip_affine));
    w->radii.own_rows = lip_alloc(w->memory, plan->classes, sizeof(lip_affine));
    w->radii.rows = lip_alloc(w->memory, plan->classes, sizeof(lip_affine));
    w->radii.left = lip_alloc(w->memory, plan->classes, sizeof(lip_affine));
    return w->norms.norms && w->samples && w->logits && w->radii.own_errors && w->radii.errors && w->radii.own_rows &&
           w->radii.rows && w->radii.left;
}

lip_status lip_worker_open(const lip_model *model, const lip_error_plan *plan, lip_batch_precision precision,
                           int64_t tile, int64_t elements, lip_memory *memory, lip_worker **out, lip_error *error)
{
    lip_worker *w = lip_alloc(memory, 1, sizeof *w);
    lip_status status;
    if (w)
        w->memory = memory;
    if (w && allocate(w, plan, tile, elements))
        status = lip_batch_open(model, tile, precision, memory, &w->batch, error);
    else
        status = lip_fail(error, LIP_EMEMORY, "a tile of %lld samples passes the memory cap", (long long)tile);
    if (status == LIP_OK)
        *out = w;
    else
        lip_worker_free(&w);
    return status;
}
