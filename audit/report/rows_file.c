/*
 * rows_file.c: one row a sample in a file of its own.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "rows_file.h"
#include "rows_npz.h"

#include <string.h>

static bool ends_in(const char *text, const char *end)
{
    size_t length = strlen(text), wanted = strlen(end);
    return length > wanted && strcmp(text + length - wanted, end) == 0;
}

bool rows_file_known(const char *path)
{
    return ends_in(path, ".csv") || ends_in(path, ".npz");
}

bool rows_file_open(const char *path, lip_row_columns columns, lip_rows_file *out, lip_output_error *error)
{
    lip_rows_file file = {.npz = ends_in(path, ".npz"), .columns = columns};
    if (!replacement_open(ROWS_FILE_WHAT, path, &file.file, error))
        return false;
    if (!file.npz)
        rows_csv_title(columns, file.file.stream);
    *out = file;
    return true;
}

void rows_file_add(lip_rows_file *file, const lip_row *row)
{
    if (!file->npz)
        rows_csv_line(row, file->columns, file->file.stream);
}

bool rows_file_commit(lip_rows_file *file, const lip_rows *rows, lip_output_error *error)
{
    if (!file->npz || rows_npz_write(rows, file->columns, file->file.stream))
        return replacement_commit(&file->file, error);
    snprintf(error->message, sizeof error->message, "cannot write " ROWS_FILE_WHAT " to %s: out of memory",
             file->file.path);
    rows_file_discard(file);
    return false;
}

void rows_file_discard(lip_rows_file *file)
{
    replacement_discard(&file->file);
}
