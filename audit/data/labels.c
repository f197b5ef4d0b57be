/*
 * labels.c: classes, as whole numbers or one-hot rows.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "labels.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define ROOM 4096

static lip_status check_shape(const lip_rows *rows, int64_t count, int64_t classes, lip_error *error)
{
    if (rows->count != count)
        return data_fail(error, rows->path, LIP_EUSAGE, "holds %" PRId64 " labels for %" PRId64 " samples", rows->count,
                         count);
    if (rows->width > 1 && classes > 0 && rows->width != classes)
        return data_fail(error, rows->path, LIP_EUSAGE,
                         "its one-hot labels have %" PRId64 " columns, the model has %" PRId64 " classes", rows->width,
                         classes);
    return LIP_OK;
}

lip_status labels_open(lip_rows *rows, int64_t count, int64_t classes, lip_data_memory *memory, lip_labels *out,
                       lip_error *error)
{
    lip_labels labels = {.rows = rows, .classes = classes};
    lip_status status = check_shape(rows, count, classes, error);
    if (!status) {
        labels.per_read = rows->width < ROOM ? ROOM / rows->width : 1;
        labels.room = data_alloc(memory, labels.per_read * rows->width, sizeof *labels.room);
        status = labels.room ? LIP_OK : data_no_memory(error, rows->path, "a row of labels");
    }
    if (status)
        labels_close(&labels);
    else
        *out = labels;
    return status;
}

void labels_close(lip_labels *labels)
{
    rows_close(&labels->rows);
    free(labels->room);
    labels->room = NULL;
}

lip_status label_of(double value, int64_t sample, int64_t classes, const char *path, int64_t *out, lip_error *error)
{
    if (!(value >= -0x1p53 && value <= 0x1p53) || value != floor(value))
        return data_fail(error, path, LIP_EFORMAT, "the label of sample %" PRId64 " is %g, not a whole number", sample,
                         value);
    if (value < 0 || (classes > 0 && value >= (double)classes)) {
        char last[40] = "";
        if (classes > 0)
            snprintf(last, sizeof last, " to %" PRId64, classes - 1);
        return data_fail(error, path, LIP_EFORMAT, "the label of sample %" PRId64 " is %.0f; classes are 0%s%s", sample,
                         value, last, classes > 0 ? "" : " and up");
    }
    *out = (int64_t)value;
    return LIP_OK;
}

static lip_status hot_one(const double *row, int64_t width, int64_t sample, const char *path, int64_t *out,
                          lip_error *error)
{
    int64_t hot = -1;
    for (int64_t i = 0; i < width; i++) {
        if (row[i] == 0)
            continue;
        if (row[i] != 1 || hot >= 0)
            return data_fail(error, path, LIP_EFORMAT,
                             "the label of sample %" PRId64 " is no one-hot row: a single 1 and zeros", sample);
        hot = i;
    }
    if (hot < 0)
        return data_fail(error, path, LIP_EFORMAT, "the label of sample %" PRId64 " is a row of zeros", sample);
    *out = hot;
    return LIP_OK;
}

lip_status labels_read(lip_labels *labels, int64_t first, int64_t count, int64_t *to, lip_error *error)
{
    lip_rows *rows = labels->rows;
    for (int64_t done = 0; done < count;) {
        int64_t step = count - done < labels->per_read ? count - done : labels->per_read;
        lip_status status = rows->kind->read(rows, first + done, step, labels->room, NULL, error);
        for (int64_t i = 0; !status && i < step; i++) {
            const double *row = labels->room + i * rows->width;
            int64_t sample = first + done + i, *label = to + done + i;
            status = rows->width == 1 ? label_of(*row, sample, labels->classes, rows->path, label, error)
                                      : hot_one(row, rows->width, sample, rows->path, label, error);
        }
        if (status)
            return status;
        done += step;
    }
    return LIP_OK;
}
