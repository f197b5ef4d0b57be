/*
 * fuzz_data.c: the bytes become a file in memory, which one reader reads:
 * once as a whole and once row by row from the end, then as samples of a
 * model that takes them.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#define _GNU_SOURCE /* memfd_create */
#include "fuzz_data.h"
#include "data.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define CAP (8 << 20)          /* bytes that one file may take */
#define MAX_ELEMENTS (1 << 12) /* that are read */

static void read_twice(lip_rows *rows)
{
    lip_error error;
    int64_t width = rows->width, count = rows->count < 64 ? rows->count : 64;
    double *whole = calloc((size_t)(count * width), sizeof *whole), *row = calloc((size_t)width, sizeof *row);
    if (whole && row && rows->kind->read(rows, 0, count, whole, NULL, &error) == LIP_OK)
        for (int64_t i = count; i-- > 0;) {
            if (rows->kind->read(rows, i, 1, row, NULL, &error) != LIP_OK ||
                memcmp(row, whole + i * width, (size_t)width * sizeof *row) != 0)
                abort();
        }
    free(whole);
    free(row);
}

static void read_samples(const char *path, const lip_shape *shape)
{
    lip_data_options options = {.path = path, .input = "x", .shape = *shape, .classes = 10, .max_memory = CAP};
    double samples[MAX_ELEMENTS];
    int64_t label;
    lip_error error;
    lip_data *data = NULL;
    options.shape.dim[0] = 1;
    if (data_open(&options, &data, &error) == LIP_OK)
        for (int64_t i = 0; i < data_describe(data).count && i < 4; i++)
            data_read(data, i, 1, samples, &label, &error);
    data_close(&data);
}

static void read_file(const char *path, fuzz_opener *opener)
{
    lip_data_memory memory = data_memory(CAP);
    lip_rows *rows = NULL;
    lip_error error;
    if (opener(path, &memory, &rows, &error) == LIP_OK && rows && rows->width <= MAX_ELEMENTS) {
        lip_shape shape = rows->shape;
        read_twice(rows);
        rows_close(&rows);
        read_samples(path, &shape);
    }
    rows_close(&rows);
}

int fuzz_data(const uint8_t *data, size_t size, fuzz_opener *opener)
{
    char path[64];
    int file = memfd_create("fuzz", MFD_CLOEXEC);
    if (file >= 0 && (size == 0 || write(file, data, size) == (ssize_t)size)) {
        snprintf(path, sizeof path, "/proc/self/fd/%d", file);
        read_file(path, opener);
    }
    if (file >= 0)
        close(file);
    return 0;
}
