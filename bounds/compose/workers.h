/*
 * workers.h: independent jobs over threads. Which thread runs which job does
 * not matter to the result: every job computes on its own.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_BOUNDS_WORKERS_H
#define LIP_BOUNDS_WORKERS_H

#include <stddef.h>

typedef void lip_job(void *context, size_t index);

/* Runs job(context, order[i]) for all i < count, taken in this order, on `threads` threads (0: one per processor), the
 * calling one included. Falls back to fewer threads where the system gives no more. */
void lip_run_jobs(lip_job *job, void *context, const size_t *order, size_t count, int threads);

#endif
