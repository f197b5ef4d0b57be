/*
 * baseline.h: a baseline: a report that is committed, and that later ones are
 * held against.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_AUDIT_BASELINE_H
#define LIP_AUDIT_BASELINE_H

#include <jansson.h>
#include <stdbool.h>

#define BASELINE_WHAT "the baseline"

bool baseline_exists(const char *path);

/*
 * Writes the report without what changes from run to run (times, memory, threads), without the single samples and
 * without what it was held against, so that the same model gives the same file. Refuses a report without a finite
 * bound. Tells what went wrong on standard error and returns false; the file is then as it was.
 */
bool baseline_write(const char *path, const json_t *report);

#endif
