/*
 * certifier.c: certificates of many samples: batches over threads.
 *
 * Samples are cut into tiles of one size; a tile that is not full is filled up
 * with its last sample, so that what is computed for a sample depends neither
 * on how many others there are nor on the number of threads. Every thread
 * takes a worker (a batch with its activations, and room for the norms of its
 * values) from the pool while it works on a tile.
 *
 * Precision: the logits are computed in float64 unless asked otherwise. Float32 would be proved as well, but its own
 * rounding error has the size of the deployed one and is taken off a second time: measured on the fixtures, 0.7 to 2.8
 * percent of every radius.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "audit.h"
#include "box.h"
#include "compose/workers.h"
#include "rounding.h"
#include "worker.h"

#include <cblas.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

enum { TILE = 32, TILE_ELEMENTS = 1 << 22 };

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
    char remark[1024];
    atomic_size_t separated, certified; /* samples with a proved margin, and those of them with a radius */
};

static const char vacuous[] = "the rounding error of the deployed precision is bounded, but its bound exceeds every "
                              "margin so far";

static lip_status full(lip_error *error)
{
    return lip_fail(error, LIP_EMEMORY, "the certificates' analysis passes the memory cap");
}

/* ------------------------------------------------------------------- check */

static int64_t classes_of(const lip_value *logits)
{
    const lip_shape *s = &logits->shape;
    if (!logits->shape_known || s->rank < 1 || s->rank > 2 || (s->rank == 2 && s->dim[0] != 1))
        return 0;
    return s->dim[s->rank - 1];
}

static lip_status check_model(const lip_model *model, const lip_report *report, lip_error *error)
{
    char shape[96] = "of unknown shape";
    if (!isfinite(report->network.upper)) {
        lip_fail(error, LIP_EUNSUPPORTED, "the network has no finite Lipschitz bound: %s", report->reason);
        if (error)
            lip_copy_printable(error->node, sizeof error->node, report->reason_node);
        return LIP_EUNSUPPORTED;
    }
    if (model->input_count != 1 || !model->inputs[0]->varies)
        return lip_fail(error, LIP_EUNSUPPORTED, "the network has %zu inputs; certificates are for networks with one",
                        model->input_count);
    if (classes_of(model->logits) >= 2)
        return LIP_OK;
    if (model->logits->shape_known)
        lip_shape_text(&model->logits->shape, shape, sizeof shape);
    return lip_fail(error, LIP_EUNSUPPORTED, "the logits '%s' are %s, not one vector of two classes or more",
                    model->logits->name, shape);
}

/* -------------------------------------------------------------------- open */

static lip_status open_worker(const lip_certifier *c, lip_worker **out, lip_error *error)
{
    return lip_worker_open(c->model, &c->plan, c->precision, c->tile, c->elements, c->memory, out, error);
}

/* An idle worker, a new one, or, where memory for one more is out, the next that is given back. */
static lip_status take_worker(lip_certifier *c, lip_worker **out, lip_error *error)
{
    lip_status status = LIP_OK;
    pthread_mutex_lock(&c->lock);
    lip_worker *w = c->pool;
    if (!w)
        status = open_worker(c, &w, error);
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

static const lip_ieee *deployed_precision(lip_deployed deployed)
{
    return deployed == LIP_DEPLOYED_FLOAT16 ? &lip_ieee_float16 : &lip_ieee_float32;
}

/* The step without a bound in an execution of this precision, and why; or NULL. */
static const lip_error_step *refused_step(const lip_certifier *c, lip_worker *w, const lip_ieee *precision, bool is_own,
                                          const char **why)
{
    const lip_error_step *refused = NULL;
    double most;
    memset(w->norms.norms, 0, c->plan.value_count * sizeof(double));
    memset(w->radii.own_errors, 0, c->plan.value_count * sizeof(lip_affine));
    lip_error_case which = { .precision = precision, .norms = w->norms.norms,
                             .own = is_own ? NULL : w->radii.own_errors };
    if (lip_error_run(&c->plan, &which, w->radii.errors, &most, &refused))
        return NULL;
    *why = lip_error_refusal(refused, &which);
    return refused;
}

static lip_status keep_growths(lip_certifier *c, const lip_worker *w, lip_error *error)
{
    const lip_error_case own = { .precision = &c->radii.own };
    const lip_error_case deployed = { .precision = &c->radii.deployed, .own = w->radii.own_errors };
    c->radii.own_growth = lip_arena_alloc(&c->arena, (int64_t)c->plan.count, sizeof(double));
    c->radii.deployed_growth = lip_arena_alloc(&c->arena, (int64_t)c->plan.count, sizeof(double));
    if (!c->radii.own_growth || !c->radii.deployed_growth)
        return full(error);
    lip_error_growths(&c->plan, &own, c->radii.own_growth);
    lip_error_growths(&c->plan, &deployed, c->radii.deployed_growth);
    return LIP_OK;
}

static void find_refusals(lip_certifier *c, lip_worker *w)
{
    static const char *const names[] = { "float32", "float16", "real arithmetic" };
    const char *why = "", *why_own = "";
    const lip_error_step *deployed =
        c->radii.deployed_is_exact ? NULL : refused_step(c, w, &c->radii.deployed, false, &why);
    const lip_error_step *own = refused_step(c, w, &c->radii.own, true, &why_own);
    c->radii.own_refused = own != NULL;
    c->radii.deployed_refused = deployed != NULL;
    const lip_error_step *step = own ? own : deployed;
    if (!step)
        return;
    char text[1024];
    snprintf(text, sizeof text, "no radius is proved for %s: the rounding of node '%s' (%s): %s",
             own ? "this network" : names[c->options.deployed], step->node->name, step->node->op_type,
             own ? why_own : why);
    lip_copy_printable(c->remark, sizeof c->remark, text);
}

static lip_status open_parts(lip_certifier *c, const lip_report *report, lip_error *error)
{
    const lip_model *model = c->model;
    int64_t largest = 1, count;
    lip_status status = lip_error_plan_of_report(model, report, classes_of(model->logits), &c->arena, c->memory,
                                                 &c->plan, error);
    if (status != LIP_OK)
        return status;
    for (size_t v = 0; v < model->value_count; v++)
        if (model->values[v]->varies && model->values[v]->shape_known &&
            lip_shape_count(&model->values[v]->shape, &count) && count > largest)
            largest = count;
    if (!lip_shape_count(&model->inputs[0]->shape, &c->elements))
        return lip_fail(error, LIP_EUNSUPPORTED, "the size of the input is not known");
    c->tile = largest < TILE_ELEMENTS / TILE ? TILE : largest < TILE_ELEMENTS ? TILE_ELEMENTS / largest : 1;
    c->box = &report->range;
    c->radii.plan = &c->plan;
    c->radii.network_upper = report->network.upper;
    c->radii.pairwise_upper = report->pairwise_upper;
    status = open_worker(c, &c->pool, error);
    if (status != LIP_OK)
        return status;
    find_refusals(c, c->pool);
    return keep_growths(c, c->pool, error);
}

static void set_options(lip_certifier *c, const lip_certify_options *options)
{
    if (options)
        c->options = *options;
    bool narrow = c->options.precision == LIP_PRECISION_FLOAT32;
    c->precision = narrow ? LIP_BATCH_F32 : LIP_BATCH_F64;
    c->radii.own = narrow ? lip_ieee_float32 : lip_ieee_float64;
    c->radii.own_converts = narrow;
    c->radii.deployed_is_exact = c->options.deployed == LIP_DEPLOYED_EXACT;
    c->radii.deployed = *deployed_precision(c->options.deployed);
}

lip_status lip_certifier_open(const lip_model *model, const lip_report *report, const lip_certify_options *options,
                              lip_certifier **out, lip_error *error)
{
    lip_memory *memory = (lip_memory *)(uintptr_t)&model->memory; /* the account is not the model */
    lip_error inner = { 0 };
    lip_status status = check_model(model, report, &inner);
    lip_certifier *c = status == LIP_OK ? lip_alloc(memory, 1, sizeof *c) : NULL;
    if (status == LIP_OK && !c)
        status = full(&inner);
    if (c) {
        c->model = model;
        c->memory = memory;
        lip_arena_init(&c->arena, memory);
        set_options(c, options);
        c->has_lock = pthread_mutex_init(&c->lock, NULL) == 0;
        c->has_condition = pthread_cond_init(&c->given, NULL) == 0;
        status = c->has_lock && c->has_condition ? open_parts(c, report, &inner)
                                                 : lip_fail(&inner, LIP_EINTERNAL, "cannot make a lock");
    }
    if (status == LIP_OK) {
        *out = c;
        return LIP_OK;
    }
    lip_certifier_free(&c);
    if (error) {
        *error = inner;
        lip_copy_printable(error->file, sizeof error->file, model->path);
    }
    return status;
}

void lip_certifier_free(lip_certifier **certifier)
{
    if (!certifier || !*certifier)
        return;
    lip_certifier *c = *certifier;
    for (lip_worker *w = c->pool, *next; w; w = next) {
        next = w->next;
        lip_worker_free(&w);
    }
    if (c->has_condition)
        pthread_cond_destroy(&c->given);
    if (c->has_lock)
        pthread_mutex_destroy(&c->lock);
    lip_arena_free(&c->arena);
    lip_free(c->memory, c);
    *certifier = NULL;
}

const char *lip_certifier_remark(const lip_certifier *c)
{
    if (c->remark[0])
        return c->remark;
    return atomic_load(&c->separated) > 0 && atomic_load(&c->certified) == 0 ? vacuous : "";
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

static void certify_sample(run *r, const lip_worker *w, size_t at, size_t index)
{
    lip_certifier *c = r->c;
    const size_t elements = (size_t)c->elements;
    lip_radii_work work = w->radii;
    lip_certificate *out = &r->certificates[index];
    work.norms = w->norms.norms + at * c->plan.value_count;
    lip_radii_of(&c->radii, w->logits, r->labels ? r->labels[index] : -1, &work, out);
    if (out->radius > 0 && !lip_box_holds(c->box, &c->model->inputs[0]->shape, r->samples + index * elements))
        lip_radii_drop(out);
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
    lip_status status = lip_batch_forward(w->batch, samples, c->tile, lip_norms_visit, &w->norms, error);
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
        return full(error);
    if (!atomic_load(&r.failed))
        return LIP_OK;
    if (error) {
        *error = r.error;
        lip_copy_printable(error->file, sizeof error->file, c->model->path);
    }
    return r.error.status;
}
