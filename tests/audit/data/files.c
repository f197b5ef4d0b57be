/*
 * files.c: see files.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#define _XOPEN_SOURCE 700 /* nftw */
#include "files.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <zlib.h>

#define MAX_PATHS 200

const char *files_folder = ".";
static char folder[] = "/tmp/lipaudit-data-XXXXXX";
static char paths[MAX_PATHS][512];
static size_t path_count;

int files_begin(void **unused)
{
    (void)unused;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *about, int kind, struct FTW *where)
{
    (void)about, (void)kind, (void)where;
    return remove(path);
}

int files_end(void **unused)
{
    (void)unused;
    return nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static char *new_path(const char *in, const char *name)
{
    assert_true(path_count < MAX_PATHS);
    char *path = paths[path_count++];
    snprintf(path, sizeof paths[0], "%s/%s", in, name);
    return path;
}

static char *prepare(const char *name)
{
    char *path = new_path(folder, name);
    for (char *slash = strchr(path + strlen(folder) + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(path, 0700);
        *slash = '/';
    }
    return path;
}

const char *files_put(const char *name, const void *bytes, size_t size)
{
    char *path = prepare(name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    fclose(file);
    return path;
}

const char *files_put_gz(const char *name, const void *bytes, size_t size)
{
    char *path = prepare(name);
    gzFile file = gzopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(gzwrite(file, bytes, (unsigned)size), size);
    assert_int_equal(gzclose(file), Z_OK);
    return path;
}

const char *files_written(const char *name)
{
    return new_path(files_folder, name);
}

size_t npy_bytes(unsigned char *to, int version, const char *header, const void *data, size_t size)
{
    size_t length = strlen(header), before = version == 1 ? 10 : 12;
    memcpy(to, "\x93NUMPY", 6);
    to[6] = (unsigned char)version;
    to[7] = 0;
    for (size_t i = 8; i < before; i++)
        to[i] = (unsigned char)(length >> 8 * (i - 8));
    memcpy(to + before, header, length);
    if (size)
        memcpy(to + before + length, data, size);
    return before + length + size;
}

lip_data_options data_for(const char *path, lip_shape shape)
{
    return (lip_data_options){.path = path, .input = "x", .shape = shape};
}

void expect_data(const lip_data_options *options, int64_t count, const double *samples, const int64_t *labels)
{
    lip_data *data = NULL;
    lip_error error = {0};
    if (data_open(options, &data, &error) != LIP_OK)
        fail_msg("%s: %s", error.file, error.reason);
    lip_data_info info = data_describe(data);
    assert_int_equal(info.count, count);
    assert_int_equal(info.has_labels, labels != NULL);
    size_t elements = (size_t)info.elements;
    double *found = calloc((size_t)count * elements, sizeof *found);
    int64_t *found_labels = calloc((size_t)count, sizeof *found_labels);
    assert_non_null(found);
    assert_non_null(found_labels);
    if (data_read(data, info.first, count, found, found_labels, &error) != LIP_OK)
        fail_msg("%s: %s", error.file, error.reason);
    assert_memory_equal(found, samples, (size_t)count * elements * sizeof *found);
    for (int64_t i = 0; i < count; i++)
        assert_int_equal(found_labels[i], labels ? labels[i] : -1);
    for (int64_t i = count; i-- > 0;) { /* and backwards */
        assert_int_equal(data_read(data, info.first + i, 1, found, found_labels, &error), LIP_OK);
        assert_memory_equal(found, samples + (size_t)i * elements, elements * sizeof *found);
        assert_int_equal(found_labels[0], labels ? labels[i] : -1);
    }
    free(found);
    free(found_labels);
    data_close(&data);
    assert_null(data);
    data_close(&data);
}

static lip_status read_all(lip_data *data, lip_error *error)
{
    lip_data_info info = data_describe(data);
    double *samples = calloc((size_t)info.count * (size_t)info.elements, sizeof *samples);
    int64_t *labels = calloc((size_t)info.count, sizeof *labels);
    assert_non_null(samples);
    assert_non_null(labels);
    lip_status status = data_read(data, info.first, info.count, samples, labels, error);
    free(samples);
    free(labels);
    return status;
}

void expect_refusal(const lip_data_options *options, lip_status status, const char *part)
{
    lip_data *data = NULL;
    lip_error error = {0};
    lip_status found = data_open(options, &data, &error);
    if (found == LIP_OK)
        found = read_all(data, &error);
    else
        assert_null(data);
    data_close(&data);
    if (found != status || !strstr(error.reason, part))
        fail_msg("status %d (wanted %d), \"%s\" (wanted \"%s\")", (int)found, (int)status, error.reason, part);
    assert_string_not_equal(error.file, "");
}
