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

enum { ALWAYS, LOCAL, ATTACK };
static const struct column {
    const char *name, *type;
    size_t offset, size;
    int when;
} all[] = {
    {"index.npy", ORDER "i8", offsetof(lip_row, index), 8, ALWAYS},
    {"label.npy", ORDER "i8", offsetof(lip_row, label), 8, ALWAYS},
    {"predicted.npy", ORDER "i8", offsetof(lip_row, predicted), 8, ALWAYS},
    {"margin.npy", ORDER "f8", offsetof(lip_row, margin), 8, ALWAYS},
    {"radius.npy", ORDER "f8", offsetof(lip_row, radius), 8, ALWAYS},
    {"sqrt2.npy", ORDER "f8", offsetof(lip_row, sqrt2), 8, ALWAYS},
    {"pairwise.npy", ORDER "f8", offsetof(lip_row, pairwise), 8, ALWAYS},
    {"method.npy", "|S16", offsetof(lip_row, method), sizeof((lip_row *)NULL)->method, ALWAYS},
    {"local.npy", ORDER "f8", offsetof(lip_row, local), 8, LOCAL},
    {"attack.npy", ORDER "f8", offsetof(lip_row, attack), 8, ATTACK},
    {"gradient.npy", ORDER "f8", offsetof(lip_row, gradient), 8, ATTACK},
};

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

static bool fill(zip_source_t *memory, const lip_rows *rows, lip_row_columns columns)
{
    zip_t *archive = zip_open_from_source(memory, ZIP_TRUNCATE, NULL);
    if (!archive)
        return false;
    zip_source_keep(memory); /* closing the archive frees the one that it was opened from */
    bool done = true;
    for (size_t i = 0; done && i < sizeof all / sizeof *all; i++)
        if (all[i].when == ALWAYS || (all[i].when == LOCAL ? columns.local : columns.attack))
            done = add_column(archive, &all[i], rows);
    if (done && zip_close(archive) == 0)
        return true;
    zip_discard(archive);
    return false;
}

bool rows_npz_write(const lip_rows *rows, lip_row_columns columns, FILE *stream)
{
    zip_source_t *memory = zip_source_buffer_create(NULL, 0, 0, NULL);
    bool done = memory && fill(memory, rows, columns) && copy_out(memory, stream);
    zip_source_free(memory);
    return done;
}
