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

/* "1x3x224x224": 1 to LIP_MAX_RANK dimensions, each >= 1. */
bool parse_shape(const char *text, lip_shape *out);

#endif
