/*
 * paragraph.c: sentences in a text report.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "paragraph.h"
#include "said.h"
#include "table.h"

#include <stdlib.h>
#include <string.h>

/* A name that a CI service would take for one of its commands, were it the first of a line. */
static bool is_command(const char *word)
{
    return strncmp(word, "::", 2) == 0 || strncmp(word, "##[", 3) == 0;
}

/* Breaks at spaces, so that long sentences stay readable. */
static void print_wrapped(const char *text, int width, FILE *stream)
{
    int at = 0;
    while (*text != '\0') {
        int word = (int)strcspn(text, " ");
        if (at > 0 && at + 1 + word > width && !is_command(text)) {
            fputc('\n', stream);
            at = 0;
        }
        fprintf(stream, "%s%.*s", at > 0 ? " " : "", word, text);
        at += word + (at > 0);
        text += word;
        text += strspn(text, " ");
    }
    fputc('\n', stream);
}

bool paragraph_print(const json_t *report, void (*write)(const json_t *report, FILE *stream), FILE *stream)
{
    char *text = said(report, write);
    if (text && text[0] != '\0')
        print_wrapped(text, stream_width(stream), stream);
    bool complete = text != NULL;
    free(text);
    return complete;
}
