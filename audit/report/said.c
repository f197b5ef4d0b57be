/*
 * said.c: see said.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "said.h"

#include <stdbool.h>
#include <stdlib.h>

char *said(const json_t *report, void (*say)(const json_t *report, FILE *stream))
{
    char *text = NULL;
    size_t size = 0;
    FILE *memory = open_memstream(&text, &size);
    if (!memory)
        return NULL;
    say(report, memory);
    bool complete = !ferror(memory);
    complete = fclose(memory) == 0 && complete;
    if (complete)
        return text;
    free(text);
    return NULL;
}
