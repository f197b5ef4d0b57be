/*
 * step_summary.c: the Markdown report on the page of a GitHub Actions run.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "step_summary.h"
#include "format.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char cut_here[] = "\n(cut: a step summary holds 1 MiB)\n";

static bool fail(const char *path, const char *reason, lip_output_error *error)
{
    snprintf(error->message, sizeof error->message, "cannot append the report to the step summary %.300s: %s", path,
             reason);
    return false;
}

static char *markdown_of(const json_t *report, size_t *size)
{
    char *text = NULL;
    FILE *memory = open_memstream(&text, size);
    if (!memory)
        return NULL;
    bool complete = format_markdown.render(report, memory) && !ferror(memory);
    if (fclose(memory) == 0 && complete)
        return text;
    free(text);
    return NULL;
}

/* How many bytes of the text fit behind `used` ones, in whole lines, with room for the remark. */
static size_t fitting(const char *text, size_t size, size_t used)
{
    size_t room = used + sizeof cut_here < STEP_SUMMARY_MOST ? STEP_SUMMARY_MOST - used - sizeof cut_here : 0;
    if (size <= room)
        return size;
    while (room > 0 && text[room - 1] != '\n')
        room--;
    return room;
}

static bool append(FILE *file, const char *text, size_t size)
{
    long used = fseek(file, 0, SEEK_END) == 0 ? ftell(file) : 0; /* a pipe has no length */
    size_t fits = fitting(text, size, used > 0 ? (size_t)used : 0);
    bool written = fwrite(text, 1, fits, file) == fits;
    if (fits < size && used < STEP_SUMMARY_MOST - (long)sizeof cut_here)
        written = fputs(cut_here, file) >= 0 && written;
    return written;
}

bool step_summary_append(const json_t *report, lip_output_error *error)
{
    const char *path = getenv("GITHUB_STEP_SUMMARY");
    size_t size = 0;
    if (!path || path[0] == '\0')
        return true;
    char *text = markdown_of(report, &size);
    FILE *file = text ? fopen(path, "a") : NULL;
    bool written = file && append(file, text, size);
    int reason = errno;
    if (file && fclose(file) != 0) {
        written = false;
        reason = errno;
    }
    free(text);
    return written || fail(path, !text ? "out of memory" : strerror(reason), error);
}
