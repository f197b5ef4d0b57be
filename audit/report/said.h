/*
 * said.h: sentences written to memory first, so that each format can set them
 * in its own way.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_AUDIT_SAID_H
#define LIP_AUDIT_SAID_H

#include <jansson.h>
#include <stdio.h>

/* What `say` prints of the report; NULL if there is no memory for it. The caller frees it. */
char *said(const json_t *report, void (*say)(const json_t *report, FILE *stream));

#endif
