/*
 * parse.h: numbers from the command line, strictly: the whole text counts, and
 * what does not fit is refused. Outputs are written only on success.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_AUDIT_PARSE_H
#define LIP_AUDIT_PARSE_H

#include "audit.h"

/* Decimal digits only: no sign, no blanks, no exponent. */
bool parse_u64(const char *text, uint64_t *out);
bool parse_int(const char *text, int low, int high, int *out); /* low <= *out <= high, low >= 0 */

/* Bytes: "2000000", "512K", "512KiB", "4G", "1T" (factors of 1024), > 0. */
bool parse_size(const char *text, uint64_t *out);

/* A finite number: "0.5", "-1e-3", or a fraction of two such: "8/255". The nearest double. */
bool parse_number(const char *text, double *out);

/* "0.1,8/255,2": 1 to `room` numbers. On failure `out` may hold some of them. */
bool parse_numbers(const char *text, double *out, size_t room, size_t *count);

/* "0:1" or "0:1,-1:8/255": 1 to `room` intervals, lo <= hi. */
bool parse_intervals(const char *text, double *lo, double *hi, size_t room, size_t *count);

/* "1x3x224x224": 1 to LIP_MAX_RANK dimensions, each >= 1. */
bool parse_shape(const char *text, lip_shape *out);

#endif
