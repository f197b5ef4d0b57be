/*
 * markdown.h: text inside GitHub-flavoured Markdown.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_AUDIT_MARKDOWN_H
#define LIP_AUDIT_MARKDOWN_H

#include <stdbool.h>
#include <stdio.h>

#include <jansson.h>

/* `text` with what Markdown or HTML would read as markup escaped; control characters as by utf8_print. */
void markdown_print(FILE *stream, const char *text);

/* What `write` says of the report, escaped likewise; false without memory. */
bool markdown_said(const json_t *report, void (*write)(const json_t *report, FILE *stream), FILE *stream);

#endif
