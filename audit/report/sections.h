/*
 * sections.h: what the formats for people say about the sections that only
 * some reports have.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_AUDIT_SECTIONS_H
#define LIP_AUDIT_SECTIONS_H

#include <jansson.h>
#include <stdio.h>

/* Each section that the report has, as sentences and small tables; nothing where it has none. */
void sections_text(const json_t *report, FILE *stream);
void sections_markdown(const json_t *report, FILE *stream);

#endif
