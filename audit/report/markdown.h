/*
 * markdown.h: text inside GitHub-flavoured Markdown.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_AUDIT_MARKDOWN_H
#define LIP_AUDIT_MARKDOWN_H

#include <stdio.h>

/* `text` with what Markdown or HTML would read as markup escaped; control characters as by utf8_print. */
void markdown_print(FILE *stream, const char *text);

#endif
