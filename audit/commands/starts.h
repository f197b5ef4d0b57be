/*
 * starts.h: samples of --data as places where `audit` searches for large
 * slopes.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_AUDIT_STARTS_H
#define LIP_AUDIT_STARTS_H

#include "opened.h"

typedef struct lip_starts {
    double *samples; /* [count][elements] */
    size_t count;
} lip_starts;

/* Up to 64 of the samples that options->data names, spread over them; none where it names none. Tells what went wrong
 * on standard error and returns false. Free with starts_free in either case. */
bool starts_read(const lip_options *options, const lip_opened *opened, lip_starts *out);
void starts_free(lip_starts *starts);

#endif
