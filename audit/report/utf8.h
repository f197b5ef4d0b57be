/*
 * utf8.h: names from a file, made safe to print. A model may call a node
 * anything: invalid UTF-8, escape sequences that drive a terminal, a name of
 * a megabyte.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_AUDIT_UTF8_H
#define LIP_AUDIT_UTF8_H

#include <stddef.h>
#include <stdio.h>

/* Bytes of the well-formed character at `text` (1 to 4), or 0 if there is none; '\0' is well formed. */
size_t utf8_size(const char *text);

/* Prints `text` with '?' in place of control characters, of bytes that are not UTF-8, and of U+FFFD, which
 * stands for such bytes in a report. */
void utf8_print(FILE *stream, const char *text);

/* A copy in which bytes that are not UTF-8 are U+FFFD; NULL without memory. The caller frees it. */
char *utf8_repair(const char *text);

/* At most this many columns fit into a lip_label. */
#define UTF8_LABEL_WIDTH 60

typedef struct lip_label {
    char text[4 * UTF8_LABEL_WIDTH + 1];
    int width; /* columns, one per character */
} lip_label;

typedef enum utf8_keep {
    UTF8_KEEP_START, /* "BatchNorm." */
    UTF8_KEEP_END    /* "..2.shortcut": the end of a path says more */
} utf8_keep;

/* `text` made safe as by utf8_print and cut to at most `width` columns; of a text that GitHub's log would run as a
 * command ("::error::", "##[error]"), the first character is '?'. */
lip_label utf8_fit(const char *text, int width, utf8_keep keep);

#endif
