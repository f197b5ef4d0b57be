/*
 * markdown.c: text inside GitHub-flavoured Markdown.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "markdown.h"
#include "said.h"
#include "utf8.h"

#include <stdlib.h>
#include <string.h>

void markdown_print(FILE *stream, const char *text)
{
    while (*text != '\0') {
        char character[5] = {0};
        size_t size = utf8_size(text);
        size = size > 0 ? size : 1;
        memcpy(character, text, size);
        if (strchr("\\|`*_<[]&", *text))
            fputc('\\', stream);
        utf8_print(stream, character);
        text += size;
    }
}

bool markdown_said(const json_t *report, void (*write)(const json_t *report, FILE *stream), FILE *stream)
{
    char *text = said(report, write);
    if (text)
        markdown_print(stream, text);
    bool complete = text != NULL;
    free(text);
    return complete;
}
