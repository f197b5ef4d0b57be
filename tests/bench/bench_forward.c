/*
 * bench_forward.c: samples per second of batched forward passes.
 *
 *   bench_forward [--batch N] [--threads T] [--bits 32|64] [--visit] [--repeat R] MODEL
 *
 * Each repetition passes N random samples once, divided over T threads with a
 * lip_batch each. Prints one line: samples per second at the best and at the
 * median repetition, and per second of processor time (which other work on the
 * machine changes less). --visit looks at every node, so that nothing is done
 * together with the node before it. forward.py compares with onnxruntime.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "batch.h"

#include <cblas.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MOST_THREADS = 64, MOST_REPEATS = 10000 };

typedef struct settings {
    const char *path;
    int64_t batch;
    int threads, bits, repeats;
    bool visit;
} settings;

typedef struct worker {
    const settings *set;
    lip_batch *batch;
    double *samples;
    int64_t count;
    double processor; /* seconds */
    pthread_barrier_t *barrier;
    double *wall; /* one per repetition; the first worker's clock */
    lip_error error;
    lip_status status;
} worker;

static double now(clockid_t clock)
{
    struct timespec time;
    clock_gettime(clock, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static lip_status look(void *context, lip_batch *batch, const lip_node *node, int64_t count, lip_error *error)
{
    (void)context, (void)batch, (void)node, (void)count, (void)error;
    return LIP_OK;
}

static void *run(void *context)
{
    worker *w = context;
    for (int i = -2; i < w->set->repeats; i++) { /* two to warm up */
        pthread_barrier_wait(w->barrier);
        const double start = now(CLOCK_MONOTONIC), processor = now(CLOCK_THREAD_CPUTIME_ID);
        if (w->status == LIP_OK)
            w->status = lip_batch_forward(w->batch, w->samples, w->count, w->set->visit ? look : NULL, NULL, &w->error);
        const double used = now(CLOCK_THREAD_CPUTIME_ID) - processor;
        pthread_barrier_wait(w->barrier);
        if (i < 0)
            continue;
        w->processor += used;
        if (w->wall != NULL)
            w->wall[i] = now(CLOCK_MONOTONIC) - start;
    }
    return NULL;
}

static int increasing(const void *x, const void *y)
{
    const double a = *(const double *)x, b = *(const double *)y;
    return (a > b) - (a < b);
}

static bool open_worker(worker *w, const lip_model *model, lip_memory *memory)
{
    const lip_batch_precision precision = w->set->bits == 32 ? LIP_BATCH_F32 : LIP_BATCH_F64;
    int64_t elements = 0;
    lip_shape_count(&model->inputs[0]->shape, &elements);
    w->samples = malloc((size_t)(w->count * elements + 1) * sizeof *w->samples);
    for (int64_t i = 0; w->samples != NULL && i < w->count * elements; i++)
        w->samples[i] = (double)(float)rand() / RAND_MAX;
    w->status = lip_batch_open(model, w->count, precision, memory, &w->batch, &w->error);
    return w->samples != NULL && w->status == LIP_OK;
}

static bool run_all(const settings *set, worker *workers)
{
    pthread_t threads[MOST_THREADS];
    pthread_barrier_t barrier;
    bool well = pthread_barrier_init(&barrier, NULL, (unsigned)set->threads) == 0;
    for (int i = 0; well && i < set->threads; i++) {
        workers[i].barrier = &barrier;
        if (pthread_create(&threads[i], NULL, run, &workers[i]) != 0)
            abort();
    }
    for (int i = 0; well && i < set->threads; i++) {
        pthread_join(threads[i], NULL);
        well = well && workers[i].status == LIP_OK;
    }
    return well;
}

static int measure(const settings *set, const lip_model *model)
{
    static double wall[MOST_REPEATS];
    worker workers[MOST_THREADS] = { { .set = set, .wall = wall } };
    lip_memory memory;
    double processor = 0;
    bool well = true;
    lip_memory_init(&memory, 0);
    for (int i = 0; i < set->threads && well; i++) {
        workers[i].set = set;
        workers[i].count = set->batch * (i + 1) / set->threads - set->batch * i / set->threads;
        well = open_worker(&workers[i], model, &memory);
    }
    well = well && run_all(set, workers);
    for (int i = 0; i < set->threads; i++) {
        if (workers[i].status != LIP_OK)
            fprintf(stderr, "bench_forward: %s: %s\n", workers[i].error.node, workers[i].error.reason);
        processor += workers[i].processor;
        lip_batch_free(&workers[i].batch);
        free(workers[i].samples);
    }
    if (!well)
        return 1;
    qsort(wall, (size_t)set->repeats, sizeof *wall, increasing);
    const double batch = (double)set->batch;
    printf("batch %lld threads %d bits %d: best %.0f median %.0f samples/s, %.0f samples/processor-s, %.1f MiB\n",
           (long long)set->batch, set->threads, set->bits, batch / wall[0], batch / wall[set->repeats / 2],
           batch * set->repeats / processor, (double)memory.peak / (1 << 20));
    return 0;
}

static bool parse(int argc, char **argv, settings *set)
{
    for (int i = 1; i < argc; i++) {
        const bool more = i + 1 < argc;
        if (strcmp(argv[i], "--visit") == 0)
            set->visit = true;
        else if (more && strcmp(argv[i], "--batch") == 0)
            set->batch = atoll(argv[++i]);
        else if (more && strcmp(argv[i], "--threads") == 0)
            set->threads = atoi(argv[++i]);
        else if (more && strcmp(argv[i], "--bits") == 0)
            set->bits = atoi(argv[++i]);
        else if (more && strcmp(argv[i], "--repeat") == 0)
            set->repeats = atoi(argv[++i]);
        else
            set->path = argv[i];
    }
    return set->path != NULL && set->threads >= 1 && set->threads <= MOST_THREADS && set->batch >= set->threads &&
           (set->bits == 32 || set->bits == 64) && set->repeats >= 1 && set->repeats <= MOST_REPEATS;
}

int main(int argc, char **argv)
{
    settings set = { .batch = 256, .threads = 2, .bits = 32, .repeats = 50 };
    lip_model *model = NULL;
    lip_error error = { 0 };
    if (!parse(argc, argv, &set)) {
        fprintf(stderr, "usage: bench_forward [--batch N] [--threads T] [--bits 32|64] [--visit] [--repeat R] MODEL\n");
        return 2;
    }
    openblas_set_num_threads(1);
    if (lip_model_open(set.path, NULL, &model, &error) != LIP_OK) {
        fprintf(stderr, "bench_forward: %s: %s\n", set.path, error.reason);
        return 1;
    }
    const int status = measure(&set, model);
    lip_model_free(&model);
    return status;
}
