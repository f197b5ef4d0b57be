/*
 * module_path.c: the PyTorch module path of a node.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "module_path.h"

#include <string.h>

static bool append(char *path, size_t size, size_t *used, const char *text, size_t length)
{
    if (length >= size - *used)
        return false;
    memcpy(path + *used, text, length);
    *used += length;
    path[*used] = '\0';
    return true;
}

bool lip_module_from_name(const char *name, char *path, size_t size)
{
    if (name[0] != '/' || size == 0)
        return false;
    const char *previous = "", *at = name + 1;
    size_t previous_length = 0, used = 0;
    path[0] = '\0';
    for (const char *slash; (slash = strchr(at, '/')); at = slash + 1) {
        size_t length = (size_t)(slash - at);
        /* A child of a container repeats the container's name: "layer1" and then "layer1.0". */
        bool repeats = previous_length > 0 && length > previous_length && at[previous_length] == '.' &&
                       memcmp(at, previous, previous_length) == 0;
        size_t skipped = repeats ? previous_length : 0;
        if (!repeats && used > 0 && !append(path, size, &used, ".", 1))
            return false;
        if (!append(path, size, &used, at + skipped, length - skipped))
            return false;
        previous = at;
        previous_length = length;
    }
    return used > 0;
}

bool lip_module_from_scopes(const char *scopes, size_t length, char *path, size_t size)
{
    const char *last = NULL, *before = NULL, *end = scopes + length;
    size_t last_length = 0, before_length = 0;
    for (const char *at = scopes; at < end; at++) {
        if (*at != '\'' && *at != '"')
            continue;
        const char *start = at + 1, *stop = memchr(start, *at, (size_t)(end - start));
        if (!stop)
            return false;
        before = last;
        before_length = last_length;
        last = start;
        last_length = (size_t)(stop - start);
        at = stop;
    }
    size_t used = 0;
    return before && before_length > 0 && size > 0 && append(path, size, &used, before, before_length);
}
