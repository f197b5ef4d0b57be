/*
 * paragraph.h: sentences in a text report.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_AUDIT_PARAGRAPH_H
#define LIP_AUDIT_PARAGRAPH_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* What `write` says of the report, broken at spaces to the width of `stream`; nothing if it says nothing.
 * False: out of memory. */
bool paragraph_print(const json_t *report, void (*write)(const json_t *report, FILE *stream), FILE *stream);

#endif
