/*
 * document.h: one run of lipaudit as one JSON document, schema
 * "lipaudit.report/1". It is canonical: every format is rendered from it, and
 * a saved report renders to the very same text. Names and meanings are stable;
 * fields may be added, never renamed. lipaudit-report(5) describes them,
 * report.schema.json checks them.
 *
 * Numbers are doubles that read back exactly; rounding outward is the business
 * of whoever prints fewer digits. Infinite is the string "inf", what was not
 * computed is null or absent.
 *
 * To add a section (a top-level member such as "certification"):
 *   1. the command puts it into the document with document_put, or, where it follows from lip_run_info, one row in
 *      the table of document.c builds it;
 *   2. formats for people get one row in the table of sections.c: what the section is in text and in Markdown;
 *   3. report.schema.json and lipaudit-report(5) say what it holds.
 * To add a field to "network" or to a layer: one line in document.c.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_AUDIT_DOCUMENT_H
#define LIP_AUDIT_DOCUMENT_H

#include "json.h"

#define DOCUMENT_SCHEMA "lipaudit.report/1"

/* New references, NULL without memory. */
json_t *document_of(const lip_run_info *run);  /* an audit: run->report is set */
json_t *document_of_graph(const lip_run_info *run); /* `inspect`: "lipaudit.inspect/1", run->model is set */
json_t *document_of_operators(void);           /* `ops`: "lipaudit.ops/1" */

/* Sets a member, stealing `value`; on failure (also: value NULL) releases the document and makes it NULL. */
void document_put(json_t **document, const char *key, json_t *value);

/*
 * A saved report. Refuses, with a one-line reason, what is no regular file, not JSON, of another schema, or so far from
 * the schema that no format could say anything right about it. At most max_memory bytes are read (0: 1 GiB).
 */
json_t *document_load(const char *path, uint64_t max_memory, lip_error *error);

/* Does the file look like a report (its first byte that is no blank is a brace), and not like a model? */
bool document_recognises(const char *path);

#endif
