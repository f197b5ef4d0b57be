/*
 * attack.c: attacks on many samples, over threads. A sample's attack depends
 * on nothing but the sample, its place and the seed.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "compose/workers.h"
#include "methods.h"

#include <cblas.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

enum { DIRECTIONS = 100 };

typedef struct attack {
    const lip_model *model;
    lip_attack_options options;
    const double *samples;
    const int64_t *classes;
    int64_t first, n;
    lip_attack_result *results;
    double *points;
    atomic_bool failed;
    pthread_mutex_t lock; /* around what follows */
    size_t failed_at;
    lip_error error;
} attack;

static lip_attack_method *const methods[] = {
    [LIP_ATTACK_DEEPFOOL] = lip_deepfool,
    [LIP_ATTACK_PGD] = lip_pgd,
    [LIP_ATTACK_CW] = lip_carlini_wagner,
};

static int64_t classes_of(const lip_value *logits)
{
    const lip_shape *s = &logits->shape;
    if (!logits->shape_known || s->rank < 1 || s->rank > 2 || (s->rank == 2 && s->dim[0] != 1))
        return 0;
    return s->dim[s->rank - 1];
}

static lip_status check_model(const lip_model *model, lip_error *error)
{
    if (model->input_count != 1 || !model->inputs[0]->varies || !model->inputs[0]->shape_known)
        return lip_fail(error, LIP_EUNSUPPORTED, "attacks are for networks with one input of known shape");
    if (classes_of(model->logits) < 2)
        return lip_fail(error, LIP_EUNSUPPORTED, "the logits '%s' are not one vector of two classes or more",
                        model->logits->name);
    return LIP_OK;
}

/* Can it be differentiated? Any point will show. */
static lip_status check_gradient(const lip_model *model, lip_error *error)
{
    lip_target t = { .memory = NULL };
    double length;
    lip_status status = lip_target_open(model, NULL, &t, error);
    if (status != LIP_OK)
        return status;
    memset(t.vector[1], 0, (size_t)t.n * sizeof(double));
    if (!lip_target_take(&t, t.vector[1], 0) || !lip_target_gradient(&t, 1, t.vector[2], &length)) {
        status = t.error.status;
        if (error)
            *error = t.error;
    }
    lip_target_close(&t);
    return status;
}

static bool attack_sample(const attack *a, size_t index, lip_target *t)
{
    lip_attack_result *out = &a->results[index];
    lip_random random = lip_random_seed(a->options.seed, (uint64_t)a->first + index);
    if (!lip_target_take(t, a->samples + index * (size_t)a->n, a->classes[index]) ||
        !lip_local_gradient(t, a->options.directions, a->options.reach, &random,
                            &out->gradient_estimate))
        return false;
    if (t->distance > 0 && !methods[a->options.method](t, &random))
        return false;
    out->distance = t->distance;
    out->found = t->found;
    if (a->points)
        memcpy(a->points + index * (size_t)a->n, t->found >= 0 ? t->best : t->sample, (size_t)a->n * sizeof(double));
    return true;
}

static void note_failure(attack *a, size_t index, const lip_error *error)
{
    pthread_mutex_lock(&a->lock);
    if (!atomic_exchange(&a->failed, true) || index < a->failed_at) {
        a->failed_at = index;
        a->error = *error;
    }
    pthread_mutex_unlock(&a->lock);
}

static void attack_job(void *context, size_t index)
{
    attack *a = context;
    lip_target t = { .memory = NULL };
    lip_error error = { 0 };
    a->results[index] = (lip_attack_result) { (double)NAN, -1, (double)NAN };
    if (atomic_load(&a->failed) || a->classes[index] < 0)
        return;
    if (lip_target_open(a->model, a->options.range, &t, &error) != LIP_OK)
        note_failure(a, index, &error);
    else if (!attack_sample(a, index, &t))
        note_failure(a, index, &t.error);
    lip_target_close(&t);
}

static lip_status run_jobs(attack *a, size_t count, lip_error *error)
{
    lip_memory *memory = (lip_memory *)(uintptr_t)&a->model->memory; /* the account is not the model */
    size_t *order = lip_alloc(memory, (int64_t)count, sizeof *order);
    if (!order)
        return lip_fail_memory(error, NULL, "an attack");
    for (size_t i = 0; i < count; i++)
        order[i] = i;
    int blas_threads = openblas_get_num_threads();
    openblas_set_num_threads(1);
    lip_run_jobs(attack_job, a, order, count, a->options.threads);
    openblas_set_num_threads(blas_threads);
    lip_free(memory, order);
    if (!atomic_load(&a->failed))
        return LIP_OK;
    if (error)
        *error = a->error;
    return a->error.status;
}

static lip_status check(const attack *a, size_t count, lip_error *error)
{
    int64_t classes = classes_of(a->model->logits);
    if ((size_t)a->options.method >= sizeof methods / sizeof *methods)
        return lip_fail(error, LIP_EUSAGE, "there is no attack number %d", (int)a->options.method);
    lip_status status = check_model(a->model, error);
    for (size_t i = 0; status == LIP_OK && i < count; i++)
        if (a->classes[i] >= classes)
            status = lip_fail(error, LIP_EUSAGE, "%lld of sample %zu is no class: there are %lld",
                              (long long)a->classes[i], i, (long long)classes);
    return status != LIP_OK || count > 0 ? status : check_gradient(a->model, error);
}

lip_status lip_attack(const lip_model *model, const lip_attack_options *options, const lip_attack_samples *samples,
                      lip_attack_result *results, double *points, lip_error *error)
{
    lip_error inner = { 0 };
    attack a = { .model = model, .samples = samples->elements, .classes = samples->classes, .first = samples->first,
                 .results = results, .points = points };
    if (options)
        a.options = *options;
    if (a.options.directions == 0)
        a.options.directions = DIRECTIONS;
    if (a.options.reach == 0)
        a.options.reach = 1;
    lip_status status = check(&a, samples->count, &inner);
    if (status == LIP_OK && samples->count > 0) {
        lip_shape_count(&model->inputs[0]->shape, &a.n);
        if (pthread_mutex_init(&a.lock, NULL) != 0)
            status = lip_fail(&inner, LIP_EINTERNAL, "cannot make a lock");
        if (status == LIP_OK) {
            status = run_jobs(&a, samples->count, &inner);
            pthread_mutex_destroy(&a.lock);
        }
    }
    if (status != LIP_OK && error) {
        *error = inner;
        lip_copy_printable(error->file, sizeof error->file, model->path);
    }
    return status;
}
