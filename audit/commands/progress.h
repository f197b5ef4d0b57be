/*
 * progress.h: one line on a terminal, rewritten every second once the work has
 * taken more than one: "layer 7/21 conv3 ... 12 s", "sample 700/10000 ... 12 s, 160 s left".
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_AUDIT_PROGRESS_H
#define LIP_AUDIT_PROGRESS_H

#include "options.h"
#include "utf8.h"

#include <pthread.h>

typedef struct lip_progress_line {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    pthread_t thread;
    bool running, stop, shown;
    size_t done, layers;
    lip_label node;
    double started;
} lip_progress_line;

/* Does nothing with --quiet, --no-progress or where standard error is no terminal. Sets the callback in *audit. */
void progress_start(lip_progress_line *progress, const lip_options *options, lip_audit_options *audit);
void progress_stop(lip_progress_line *progress); /* clears the line */

typedef struct lip_sample_progress {
    bool running, shown;
    int64_t count;
    double started, written;
} lip_sample_progress;

/* The same for samples, which are short enough to be told of by who does them. */
void progress_samples_start(lip_sample_progress *progress, const lip_options *options, int64_t count);
void progress_samples(lip_sample_progress *progress, int64_t done);
void progress_samples_stop(lip_sample_progress *progress);

#endif
