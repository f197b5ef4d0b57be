/*
 * fault.c: filling a lip_error, and memory under the cap.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "fault.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

lip_status data_fail(lip_error *error, const char *path, lip_status status, const char *format, ...)
{
    va_list arguments;
    *error = (lip_error){.status = status};
    snprintf(error->file, sizeof error->file, "%s", path);
    va_start(arguments, format);
    vsnprintf(error->reason, sizeof error->reason, format, arguments);
    va_end(arguments);
    return status;
}

lip_data_memory data_memory(uint64_t cap)
{
    long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    uint64_t half = pages > 0 && page > 0 ? (uint64_t)pages / 2 * (uint64_t)page : UINT64_C(4) << 30;
    return (lip_data_memory){cap ? cap : half};
}

void *data_alloc(lip_data_memory *memory, int64_t count, size_t size)
{
    if (count < 0 || (uint64_t)count > SIZE_MAX / size || (uint64_t)count * size > memory->left)
        return NULL;
    void *block = calloc(count ? (size_t)count : 1, size);
    if (block)
        memory->left -= (uint64_t)count * size;
    return block;
}

lip_status data_no_memory(lip_error *error, const char *path, const char *what)
{
    return data_fail(error, path, LIP_EMEMORY, "%s would pass the memory cap", what);
}
