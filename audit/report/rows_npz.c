/*
 * rows_npz.c: rows as NumPy reads them: a zip archive of .npy arrays, format
 * version 1.0 [numpy.lib.format].
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "rows_npz.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <zip.h>

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define ORDER "<"
#else
#define ORDER ">"
#endif

#define HEADER 128 /* bytes before the elements: a multiple of 64 */
#define FIRST_DAY 315532800 /* 1980-01-01: the archive does not tell when it was made */

static const struct column {
    const char *name, *type;
    size_t offset, size;
} columns[] = {
    {"index.npy", ORDER "i8", offsetof(lip_row, index), 8},
    {"label.npy", ORDER "i8", offsetof(lip_row, label), 8},
    {"predicted.npy", ORDER "i8", offsetof(lip_row, predicted), 8},
    {"margin.npy", ORDER "f8", offsetof(lip_row, margin), 8},
    {"radius.npy", ORDER "f8", offsetof(lip_row, radius), 8},
    {"sqrt2.npy", ORDER "f8", offsetof(lip_row, sqrt2), 8},
    {"pairwise.npy", ORDER "f8", offsetof(lip_row, pairwise), 8},
    {"method.npy", "|S16", offsetof(lip_row, method), sizeof((lip_row *)NULL)->method},
    {"attack.npy", ORDER "f8", offsetof(lip_row, attack), 8},
    {"gradient.npy", ORDER "f8", offsetof(lip_row, gradient), 8},
};
enum { COLUMNS = sizeof columns / sizeof *columns, COLUMNS_OF_ATTACK = 2 };

/* The array of one column, `*size` bytes; NULL without memory. The caller frees it. */
static char *column_array(const struct column *column, const lip_rows *rows, size_t *size)
{
    *size = HEADER + rows->count * column->size; /* no overflow: a row in memory is larger */
    char *array = malloc(*size);
    if (!array)
        return NULL;
    memset(array, ' ', HEADER);
    memcpy(array, "\x93NUMPY\x01\x00", 8);
    array[8] = (char)(HEADER - 10); /* length of the rest, little-endian */
    array[9] = 0;
    int length = snprintf(array + 10, HEADER - 10, "{'descr': '%s', 'fortran_order': False, 'shape': (%zu,), }",
                          column->type, rows->count);
    array[10 + length] = ' ';
    array[HEADER - 1] = '\n';
    for (size_t i = 0; i < rows->count; i++)
        memcpy(array + HEADER + i * column->size, (const char *)&rows->row[i] + column->offset, column->size);
    return array;
}

static bool add_column(zip_t *archive, const struct column *column, const lip_rows *rows)
{
    size_t size;
    char *array = column_array(column, rows, &size);
    zip_source_t *source = array ? zip_source_buffer(archive, array, size, 1) : NULL; /* which frees the array */
    if (!source) {
        free(array);
        return false;
    }
    zip_int64_t at = zip_file_add(archive, column->name, source, ZIP_FL_ENC_UTF_8);
    if (at < 0) {
        zip_source_free(source);
        return false;
    }
    return zip_set_file_compression(archive, (zip_uint64_t)at, ZIP_CM_STORE, 0) == 0 &&
           zip_file_set_mtime(archive, (zip_uint64_t)at, FIRST_DAY, 0) == 0;
}

/* What `source` holds. */
static bool copy_out(zip_source_t *source, FILE *stream)
{
    char piece[4096];
    zip_int64_t count;
    if (zip_source_open(source) != 0)
        return false;
    while ((count = zip_source_read(source, piece, sizeof piece)) > 0)
        fwrite(piece, 1, (size_t)count, stream);
    zip_source_close(source);
    return count == 0;
}

static bool fill(zip_source_t *memory, const lip_rows *rows, size_t count)
{
    zip_t *archive = zip_open_from_source(memory, ZIP_TRUNCATE, NULL);
    if (!archive)
        return false;
    zip_source_keep(memory); /* closing the archive frees the one that it was opened from */
    bool done = true;
    for (size_t i = 0; done && i < count; i++)
        done = add_column(archive, &columns[i], rows);
    if (done && zip_close(archive) == 0)
        return true;
    zip_discard(archive);
    return false;
}

bool rows_npz_write(const lip_rows *rows, bool attacked, FILE *stream)
{
    zip_source_t *memory = zip_source_buffer_create(NULL, 0, 0, NULL);
    size_t count = attacked ? COLUMNS : COLUMNS - COLUMNS_OF_ATTACK;
    bool done = memory && fill(memory, rows, count) && copy_out(memory, stream);
    zip_source_free(memory);
    return done;
}
