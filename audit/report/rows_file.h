/*
 * rows_file.h: one row a sample in a file of its own (--per-sample): CSV, to
 * which rows go as they come, or .npz, one array a column, made of the rows at
 * the end.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_AUDIT_ROWS_FILE_H
#define LIP_AUDIT_ROWS_FILE_H

#include "certification.h"
#include "replacement.h"

#define ROWS_FILE_WHAT "the samples" /* in messages: "cannot write the samples to ..." */

bool rows_file_known(const char *path); /* does its name end in .csv or .npz? */

typedef struct lip_rows_file {
    lip_replacement file;
    bool npz;
    lip_row_columns columns;
} lip_rows_file;

/* False with a message; then there is nothing to discard. */
bool rows_file_open(const char *path, lip_row_columns columns, lip_rows_file *out, lip_output_error *error);
void rows_file_add(lip_rows_file *file, const lip_row *row);

/* The file under its name, in full, with `rows`: those that were added, in this order. */
bool rows_file_commit(lip_rows_file *file, const lip_rows *rows, lip_output_error *error);

/* For any state, also all zeros. */
void rows_file_discard(lip_rows_file *file);

#endif
