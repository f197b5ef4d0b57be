/*
 * rows.h: what every format is read as: rows of numbers, one a sample or a
 * label.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_AUDIT_ROWS_H
#define LIP_AUDIT_ROWS_H

#include "fault.h"

typedef struct lip_rows lip_rows;

typedef struct lip_rows_kind {
    /*
     * Rows [first, first + count), within rows->count: to[i * width ...], and what stands before the row (`lead`
     * columns) into lead[i] unless NULL. Refuses a file that ends before, naming the row. Elements that no double
     * holds are NaN.
     */
    lip_status (*read)(lip_rows *rows, int64_t first, int64_t count, double *to, double *lead, lip_error *error);
    const char *(*file)(const lip_rows *rows, size_t index); /* NULL: one file, rows->path */
    void (*close)(lip_rows *rows); /* all but *rows itself; safe on half-built ones */
} lip_rows_kind;

struct lip_rows {
    const lip_rows_kind *kind;
    const char *path;
    const char *format; /* "npy" */
    const char *dtype;  /* "uint8" */
    lip_shape shape;     /* as stored: rows, then a row's dimensions */
    int64_t count, width;
    int64_t parts;       /* equal parts of the rows that may each be one sample as a whole; 0: none */
    int64_t lead;        /* columns before each row: 0, or 1 for CSV with labels */
    size_t file_count;   /* 0: one */
};

/* The openers. `path` must outlive the rows, which are closed with rows_close. */
lip_status npy_open(const char *path, lip_data_memory *memory, lip_rows **out, lip_error *error);
lip_status idx_open(const char *path, lip_data_memory *memory, lip_rows **out, lip_error *error);
lip_status csv_open(const char *path, lip_data_memory *memory, lip_rows **out, lip_error *error);
lip_status pb_open(const char *path, lip_data_memory *memory, lip_rows **out, lip_error *error); /* file or folder */

typedef enum lip_npz_role { NPZ_SAMPLES, NPZ_LABELS, NPZ_LABELS_ALONE } lip_npz_role;
/*
 * The array of an archive with that role. NPZ_LABELS: *out = NULL where the archive has none.
 * NPZ_LABELS_ALONE: a file of labels, whose only array may have any name. `input`: the model input's name.
 */
lip_status npz_open(const char *path, lip_npz_role role, const char *input, lip_data_memory *memory, lip_rows **out,
                    lip_error *error);

/* By the first bytes (folders and .pb files: by what they are). Refuses what is well known to be something else. */
lip_status rows_open(const char *path, lip_npz_role role, const char *input, lip_data_memory *memory, lip_rows **out,
                      lip_error *error);
void rows_close(lip_rows **rows); /* idempotent */

/* Checks a stored shape and sets shape, count, width and parts (1). With 16 bytes an element it fits int64_t. */
lip_status rows_set_shape(lip_rows *rows, const lip_shape *shape, lip_error *error);
/* Each part becomes one row, before anything is read. parts > 0, and the shape has room for one more dimension. */
void rows_take_whole(lip_rows *rows);

#endif
