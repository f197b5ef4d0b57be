/*
 * progress.c: the progress line. The library calls back when it takes up a
 * layer; a thread of its own writes the line, so that the seconds run on
 * through a long layer.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "progress.h"
#include "opened.h"

#include <inttypes.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

/* Columns for the node's name, so that the line fits the terminal: one that wraps cannot be rewritten. */
static int name_width(void)
{
    struct winsize size;
    const int full = 40, others = 30, least = 4;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_col >= full + others)
        return full;
    return size.ws_col > others + least ? size.ws_col - others : least;
}

static void note_layer(void *context, size_t layers_done, size_t layers, const char *node)
{
    lip_progress_line *p = context;
    pthread_mutex_lock(&p->lock);
    p->done = layers_done;
    p->layers = layers;
    p->node = utf8_fit(node ? node : "", name_width(), UTF8_KEEP_END);
    pthread_mutex_unlock(&p->lock);
}

static void write_line(lip_progress_line *p)
{
    size_t at = p->done < p->layers ? p->done + 1 : p->layers;
    fprintf(stderr, "\r\033[Klayer %zu/%zu %s ... %.0f s", at, p->layers, p->node.text, clock_seconds() - p->started);
    fflush(stderr);
    p->shown = true;
}

static void *tick(void *context)
{
    lip_progress_line *p = context;
    struct timespec next;
    clock_gettime(CLOCK_REALTIME, &next);
    pthread_mutex_lock(&p->lock);
    while (!p->stop) {
        next.tv_sec++;
        while (!p->stop && pthread_cond_timedwait(&p->wake, &p->lock, &next) == 0)
            ;
        if (!p->stop && p->layers > 0)
            write_line(p);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

static bool is_wanted(const lip_options *options)
{
    return !options->quiet && !options->no_progress && isatty(STDERR_FILENO);
}

void progress_start(lip_progress_line *p, const lip_options *options, lip_audit_options *audit)
{
    *p = (lip_progress_line){.started = clock_seconds()};
    if (!is_wanted(options))
        return;
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->wake, NULL);
    p->running = pthread_create(&p->thread, NULL, tick, p) == 0;
    if (p->running) {
        audit->progress = note_layer;
        audit->progress_context = p;
    }
}

void progress_stop(lip_progress_line *p)
{
    if (!p->running)
        return;
    pthread_mutex_lock(&p->lock);
    p->stop = true;
    pthread_cond_signal(&p->wake);
    pthread_mutex_unlock(&p->lock);
    pthread_join(p->thread, NULL);
    p->running = false;
    if (p->shown)
        fprintf(stderr, "\r\033[K");
}

void progress_samples_start(lip_sample_progress *p, const lip_options *options, int64_t count)
{
    double now = clock_seconds();
    *p = (lip_sample_progress){.running = is_wanted(options), .count = count, .started = now, .written = now};
}

void progress_samples(lip_sample_progress *p, int64_t done)
{
    double now = clock_seconds(), spent = now - p->started;
    if (!p->running || now - p->written < 1.0 || done <= 0)
        return;
    fprintf(stderr, "\r\033[Ksample %" PRId64 "/%" PRId64 " ... %.0f s, %.0f s left", done, p->count, spent,
            spent / (double)done * (double)(p->count - done));
    fflush(stderr);
    p->written = now;
    p->shown = true;
}

void progress_samples_stop(lip_sample_progress *p)
{
    if (p->shown)
        fprintf(stderr, "\r\033[K");
    p->shown = false;
}
