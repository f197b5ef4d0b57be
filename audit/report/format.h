/*
 * format.h: the ways to write a document. A format is one constant value at
 * the end of its file and one row in the table of the command that offers it
 * (audit/commands/).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_AUDIT_FORMAT_H
#define LIP_AUDIT_FORMAT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* Writes the document. False: out of memory. Errors of the stream are left in the stream. */
typedef bool lip_render(const json_t *document, FILE *stream);

typedef struct lip_format {
    const char *name, *extension;
    lip_render *render;
} lip_format;

/* Any document. */
extern const lip_format format_json;

/* A report: DOCUMENT_SCHEMA, with or without each section. */
extern const lip_format format_text, format_csv, format_markdown, format_html;
extern const lip_format format_junit, format_sarif, format_github, format_gitlab, format_openmetrics, format_dot;

extern const lip_format format_inspect_text;
extern const lip_format format_ops_text, format_ops_markdown;

/* Those for a report, ends with NULL; the first is the default. */
extern const lip_format *const report_formats[];

#endif
