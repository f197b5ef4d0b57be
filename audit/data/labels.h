/*
 * labels.h: classes, as whole numbers or one-hot rows.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_AUDIT_LABELS_H
#define LIP_AUDIT_LABELS_H

#include "rows.h"

typedef struct lip_labels {
    lip_rows *rows; /* NULL: none of their own */
    int64_t classes;  /* 0: not known */
    int64_t per_read;
    double *room;     /* for per_read rows */
} lip_labels;

/* Takes `rows` (also on failure) as the labels of `count` samples. */
lip_status labels_open(lip_rows *rows, int64_t count, int64_t classes, lip_data_memory *memory, lip_labels *out,
                       lip_error *error);
void labels_close(lip_labels *labels); /* idempotent */

/* Labels of samples [first, first + count). */
lip_status labels_read(lip_labels *labels, int64_t first, int64_t count, int64_t *to, lip_error *error);

/* A stored number to a class; `sample` is for the message. */
lip_status label_of(double value, int64_t sample, int64_t classes, const char *path, int64_t *out, lip_error *error);

#endif
