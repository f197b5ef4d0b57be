/*
 * fault.h: filling a lip_error, and memory under the cap, for the readers.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_AUDIT_FAULT_H
#define LIP_AUDIT_FAULT_H

#include "audit.h"

/* Sets file, status and reason; returns the status. */
lip_status data_fail(lip_error *error, const char *path, lip_status status, const char *format, ...) LIP_PRINTF(4, 5);

/* What the readers of one data set may still take. */
typedef struct lip_data_memory {
    uint64_t left;
} lip_data_memory;

lip_data_memory data_memory(uint64_t cap); /* 0: half of the machine's memory */

/* count * size zeroed bytes off the account; NULL where they are more than is left, or the product overflows. Not given
 * back: blocks live as long as the data set. */
void *data_alloc(lip_data_memory *memory, int64_t count, size_t size);

/* LIP_EMEMORY for `what`. */
lip_status data_no_memory(lip_error *error, const char *path, const char *what);

#endif
