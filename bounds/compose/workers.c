/*
 * workers.c: see workers.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "workers.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

enum { MOST_THREADS = 256 };

typedef struct queue {
    lip_job *job;
    void *context;
    const size_t *order;
    size_t count;
    atomic_size_t next;
} queue;

static void *work(void *argument)
{
    queue *q = argument;
    for (size_t i = atomic_fetch_add(&q->next, 1); i < q->count; i = atomic_fetch_add(&q->next, 1))
        q->job(q->context, q->order[i]);
    return NULL;
}

void lip_run_jobs(lip_job *job, void *context, const size_t *order, size_t count, int threads)
{
    pthread_t helpers[MOST_THREADS];
    queue q = { .job = job, .context = context, .order = order, .count = count };
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    long wanted = threads > 0 ? threads : processors > 0 ? processors : 1;
    int started = 0;
    if (wanted > MOST_THREADS)
        wanted = MOST_THREADS;
    if ((size_t)wanted > count)
        wanted = (long)count;
    while (started + 1 < wanted && pthread_create(&helpers[started], NULL, work, &q) == 0)
        started++;
    work(&q);
    for (int i = 0; i < started; i++)
        pthread_join(helpers[i], NULL);
}
