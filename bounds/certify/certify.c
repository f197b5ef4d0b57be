/*
 * certify.c: certificates of many samples: batches over threads.
 *
 * Samples are cut into tiles of one size; a tile that is not full is filled up
 * with its last sample, so that what is computed for a sample depends neither
 * on how many others there are nor on the number of threads. Every thread
 * takes a worker (a batch with its activations, and room for the norms of its
 * values) from the pool while it works on a tile.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "certifier.h"
#include "compose/workers.h"
#include "gain/box.h"

#include <cblas.h>
#include <string.h>

/* ----------------------------------------------------------------- workers */

/* An idle worker, a new one, or, where memory for one more is out, the next that is given back. */
static lip_status take_worker(lip_certifier *c, lip_worker **out, lip_error *error)
{
    lip_status status = LIP_OK;
    pthread_mutex_lock(&c->lock);
    lip_worker *w = c->pool;
    if (!w)
        status = lip_certifier_worker(c, &w, error);
    else
        c->pool = w->next;
    while (status == LIP_EMEMORY && c->taken > 0) {
        pthread_cond_wait(&c->given, &c->lock);
        w = c->pool;
        if (w) {
            c->pool = w->next;
            status = LIP_OK;
        }
    }
    c->taken += status == LIP_OK;
    pthread_mutex_unlock(&c->lock);
    if (status == LIP_OK)
        *out = w;
    return status;
}

static void give_worker(lip_certifier *c, lip_worker *w)
{
    pthread_mutex_lock(&c->lock);
    w->next = c->pool;
    c->pool = w;
    c->taken--;
    pthread_cond_signal(&c->given);
    pthread_mutex_unlock(&c->lock);
}

/* ----------------------------------------------------------------- certify */

typedef struct run {
    lip_certifier *c;
    const double *samples;
    const int64_t *labels;
    size_t count;
    lip_certificate *certificates;
    atomic_bool failed;
    size_t failed_tile; /* the first of those that failed; under the lock */
    lip_error error;
} run;

/* The tile's samples, filled up with the last one. */
static const double *full_tile(const run *r, lip_worker *w, size_t first, size_t count)
{
    const size_t elements = (size_t)r->c->elements, tile = (size_t)r->c->tile;
    const double *from = r->samples + first * elements;
    if (count == tile)
        return from;
    for (size_t s = 0; s < tile; s++)
        memcpy(w->samples + s * elements, from + (s < count ? s : count - 1) * elements, elements * sizeof *from);
    return w->samples;
}

static void widen(const lip_certifier *c, lip_worker *w, size_t at, const lip_radii_work *work, lip_certificate *out)
{
    out->local_radius = out->radius > 0 ? lip_local_radius(&w->local, (int64_t)at, work->own_errors, work->left,
                                                           c->plan.classes, out->label, out->radius, work->most) : 0;
    if (out->local_radius > out->radius) {
        out->radius = out->local_radius;
        out->method = "local";
    }
}

static lip_status visit(void *context, lip_batch *batch, const lip_node *node, int64_t count, lip_error *error)
{
    lip_worker *w = context;
    if (w->local.local)
        lip_local_tile_keep(&w->local, batch, node, count);
    return lip_norms_visit(&w->norms, batch, node, count, error);
}

static void certify_sample(run *r, lip_worker *w, size_t at, size_t index)
{
    lip_certifier *c = r->c;
    const size_t elements = (size_t)c->elements;
    lip_radii_work work = w->radii;
    lip_certificate *out = &r->certificates[index];
    work.norms = w->norms.norms + at * c->plan.value_count;
    lip_radii_of(&c->radii, w->logits, r->labels ? r->labels[index] : -1, &work, out);
    if (out->radius > 0 && !lip_box_holds(c->box, &c->model->inputs[0]->shape, r->samples + index * elements))
        lip_radii_drop(out);
    if (c->local)
        widen(c, w, at, &work, out);
    if (out->margin_lower > 0)
        atomic_fetch_add(&c->separated, 1);
    if (out->radius > 0)
        atomic_fetch_add(&c->certified, 1);
}

static lip_status certify_tile(run *r, lip_worker *w, size_t first, size_t count, lip_error *error)
{
    lip_certifier *c = r->c;
    const double *samples = full_tile(r, w, first, count);
    lip_norms_of_samples(&w->norms, samples, c->elements, c->tile, c->radii.own_converts);
    lip_status status = lip_batch_forward(w->batch, samples, c->tile, visit, w, error);
    if (status != LIP_OK)
        return status;
    const size_t classes = (size_t)c->plan.classes;
    const double *wide = lip_batch_f64(w->batch, c->model->logits);
    const float *narrow = lip_batch_f32(w->batch, c->model->logits);
    if (!wide && !narrow)
        return lip_fail(error, LIP_EUNSUPPORTED, "the logits '%s' have no value", c->model->logits->name);
    for (size_t s = 0; s < count; s++) {
        for (size_t k = 0; k < classes; k++)
            w->logits[k] = wide ? wide[s * classes + k] : (double)narrow[s * classes + k];
        certify_sample(r, w, s, first + s);
    }
    return LIP_OK;
}

static void certify_job(void *context, size_t index)
{
    run *r = context;
    lip_certifier *c = r->c;
    lip_error error = { 0 };
    size_t first = index * (size_t)c->tile, left = r->count - first;
    if (atomic_load(&r->failed))
        return;
    lip_worker *w = NULL;
    lip_status status = take_worker(c, &w, &error);
    if (status == LIP_OK) {
        status = certify_tile(r, w, first, left < (size_t)c->tile ? left : (size_t)c->tile, &error);
        give_worker(c, w);
    }
    if (status == LIP_OK)
        return;
    pthread_mutex_lock(&c->lock);
    if (!atomic_exchange(&r->failed, true) || index < r->failed_tile) {
        r->failed_tile = index;
        r->error = error;
    }
    pthread_mutex_unlock(&c->lock);
}

static lip_status check_labels(const lip_certifier *c, const int64_t *labels, size_t count, lip_error *error)
{
    for (size_t i = 0; labels && i < count; i++)
        if (labels[i] >= c->plan.classes)
            return lip_fail(error, LIP_EUSAGE, "the label %lld of sample %zu is no class: there are %lld",
                            (long long)labels[i], i, (long long)c->plan.classes);
    return LIP_OK;
}

lip_status lip_certify(lip_certifier *c, const double *samples, const int64_t *labels, size_t count,
                       lip_certificate *certificates, lip_error *error)
{
    const size_t tile = (size_t)c->tile, tiles = count / tile + (count % tile > 0);
    lip_status status = check_labels(c, labels, count, error);
    if (status != LIP_OK || count == 0)
        return status;
    size_t *order = lip_alloc(c->memory, (int64_t)tiles, sizeof *order);
    lip_certificate *found = lip_alloc(c->memory, (int64_t)count, sizeof *found); /* the caller's only if all succeed */
    for (size_t i = 0; order && i < tiles; i++)
        order[i] = i;
    run r = { .c = c, .samples = samples, .labels = labels, .count = count, .certificates = found };
    int blas_threads = openblas_get_num_threads();
    openblas_set_num_threads(1);
    if (order && found)
        lip_run_jobs(certify_job, &r, order, tiles, c->options.threads);
    openblas_set_num_threads(blas_threads);
    bool has_room = order && found;
    if (has_room && !atomic_load(&r.failed))
        memcpy(certificates, found, count * sizeof *found);
    lip_free(c->memory, order);
    lip_free(c->memory, found);
    if (!has_room)
        return lip_fail(error, LIP_EMEMORY, "the certificates' list passes the memory cap");
    if (!atomic_load(&r.failed))
        return LIP_OK;
    if (error) {
        *error = r.error;
        lip_copy_printable(error->file, sizeof error->file, c->model->path);
    }
    return r.error.status;
}
