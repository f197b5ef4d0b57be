/*
 * data.c: samples and labels together, in the order of the model's input.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "data.h"
#include "fit.h"
#include "labels.h"
#include "survey.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PIECE 256 /* samples read at once */
#define SURVEYED 1000
#define MAX_NOTES 4

struct lip_data {
    char *path, *labels_path;
    lip_data_memory memory;
    lip_rows *rows;
    lip_fit fit;
    lip_labels labels;
    double *room; /* one sample */
    int64_t classes, first, count;
    char notes[MAX_NOTES][512];
    size_t note_count;
};

static char *copy_of(lip_data *data, const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = data_alloc(&data->memory, (int64_t)size, 1);
    return copy ? memcpy(copy, text, size) : NULL;
}

static bool labels_lead(const lip_data *data)
{
    return !data->labels.rows && data->rows->lead > 0;
}

static lip_status open_labels(lip_data *data, const lip_data_options *options, lip_error *error)
{
    lip_rows *rows = NULL;
    lip_status status = LIP_OK;
    if (data->labels_path)
        status = rows_open(data->labels_path, NPZ_LABELS_ALONE, options->input, &data->memory, &rows, error);
    else if (strcmp(data->rows->format, "npz") == 0)
        status = npz_open(data->path, NPZ_LABELS, options->input, &data->memory, &rows, error);
    if (status || !rows)
        return status;
    if (data->rows->lead > 0)
        snprintf(data->notes[data->note_count++], sizeof *data->notes,
                 "the labels come from %s: the first column of %s was passed over", data->labels_path, data->path);
    return labels_open(rows, data->rows->count, options->classes, &data->memory, &data->labels, error);
}

static lip_status choose_range(lip_data *data, const lip_data_options *options, lip_error *error)
{
    int64_t stored = data->rows->count, end = options->end > 0 ? options->end : stored;
    if (options->first < 0 || options->first >= end || end > stored)
        return data_fail(error, data->path, LIP_EUSAGE,
                         "the range %" PRId64 ":%" PRId64 " does not lie within its %" PRId64 " samples",
                         options->first, end, stored);
    data->first = options->first;
    data->count = end - options->first;
    if (options->limit > 0 && options->limit < data->count)
        data->count = options->limit;
    return LIP_OK;
}

/* The first samples are looked at, one at a time. */
static lip_status survey(lip_data *data, const lip_data_options *options, lip_error *error)
{
    lip_survey seen = survey_begin();
    double *sample = data_alloc(&data->memory, data->fit.elements, sizeof *sample);
    lip_status status = sample ? LIP_OK : data_no_memory(error, data->path, "a sample");
    for (int64_t i = 0; !status && i < data->count && i < SURVEYED; i++) {
        status = data_read(data, data->first + i, 1, sample, NULL, error);
        if (!status)
            survey_add(&seen, data->fit.elements, sample);
    }
    free(sample);
    if (!status && survey_remark(&seen, options->preprocess, data->notes[data->note_count], sizeof *data->notes))
        data->note_count++;
    return status;
}

static lip_status open_data(lip_data *data, const lip_data_options *options, lip_error *error)
{
    data->memory = data_memory(options->max_memory);
    data->classes = options->classes;
    data->path = copy_of(data, options->path);
    data->labels_path = options->labels ? copy_of(data, options->labels) : NULL;
    if (!data->path || (options->labels && !data->labels_path))
        return data_no_memory(error, options->path, "its name");
    lip_status status = rows_open(data->path, NPZ_SAMPLES, options->input, &data->memory, &data->rows, error);
    if (!status)
        status = fit_rows(data->rows, options, &data->fit, error);
    if (!status)
        status = choose_range(data, options, error);
    if (!status)
        status = open_labels(data, options, error);
    if (!status && data->fit.lines > 0) {
        data->room = data_alloc(&data->memory, data->fit.elements, sizeof *data->room);
        status = data->room ? LIP_OK : data_no_memory(error, data->path, "a sample");
    }
    return status ? status : survey(data, options, error);
}

lip_status data_open(const lip_data_options *options, lip_data **out, lip_error *error)
{
    lip_data *data = calloc(1, sizeof *data);
    if (!data)
        return data_no_memory(error, options->path, "a buffer");
    lip_status status = open_data(data, options, error);
    if (status)
        data_close(&data);
    else
        *out = data;
    return status;
}

void data_close(lip_data **data)
{
    if (!data || !*data)
        return;
    rows_close(&(*data)->rows);
    labels_close(&(*data)->labels);
    free((*data)->room);
    free((*data)->path);
    free((*data)->labels_path);
    free(*data);
    *data = NULL;
}

lip_data_info data_describe(const lip_data *data)
{
    return (lip_data_info){
        .path = data->path,
        .format = data->rows->format,
        .dtype = data->rows->dtype,
        .stored = data->rows->count,
        .first = data->first,
        .count = data->count,
        .elements = data->fit.elements,
        .sample = data->fit.sample,
        .has_labels = data->labels.rows || labels_lead(data),
        .note_count = data->note_count,
    };
}

const char *data_note(const lip_data *data, size_t index)
{
    return index < data->note_count ? data->notes[index] : "";
}

static lip_status check_finite(const lip_data *data, int64_t sample, const double *values, lip_error *error)
{
    for (int64_t i = 0; i < data->fit.elements; i++)
        if (!isfinite(values[i]))
            return data_fail(error, data->path, LIP_EFORMAT,
                             "sample %" PRId64 ": its element %" PRId64 " is not a finite number that float64 holds",
                             sample, i);
    return LIP_OK;
}

/* At most PIECE samples. */
static lip_status read_piece(lip_data *data, int64_t first, int64_t count, double *samples, int64_t *labels,
                             lip_error *error)
{
    double lead[PIECE];
    lip_status status = data->rows->kind->read(data->rows, first, count, samples, lead, error);
    for (int64_t i = 0; !status && i < count; i++)
        status = check_finite(data, first + i, samples + i * data->fit.elements, error);
    if (status)
        return status;
    fit_apply(&data->fit, count, samples, data->room);
    if (!labels)
        return LIP_OK;
    if (data->labels.rows)
        return labels_read(&data->labels, first, count, labels, error);
    for (int64_t i = 0; !status && i < count; i++) {
        labels[i] = -1;
        if (labels_lead(data))
            status = label_of(lead[i], first + i, data->classes, data->path, &labels[i], error);
    }
    return status;
}

lip_status data_read(lip_data *data, int64_t first, int64_t count, double *samples, int64_t *labels, lip_error *error)
{
    lip_status status = LIP_OK;
    if (first < data->first || count < 0 || count > data->count || first - data->first > data->count - count)
        return data_fail(error, data->path, LIP_EUSAGE,
                         "%" PRId64 " samples from %" PRId64 " on are not among the chosen ones", count, first);
    for (int64_t done = 0; !status && done < count; done += PIECE) {
        int64_t step = count - done < PIECE ? count - done : PIECE;
        status = read_piece(data, first + done, step, samples + done * data->fit.elements,
                            labels ? labels + done : NULL, error);
    }
    return status;
}

static lip_status add_file(lip_digest *digest, const char *path, lip_error *error)
{
    unsigned char bytes[65536];
    size_t size;
    FILE *file = fopen(path, "rb");
    if (!file)
        return data_fail(error, path, LIP_EIO, "cannot open the file: %s", strerror(errno));
    while ((size = fread(bytes, 1, sizeof bytes, file)) > 0)
        lip_digest_add(digest, bytes, size);
    lip_status status = ferror(file) ? data_fail(error, path, LIP_EIO, "cannot be read: %s", strerror(errno)) : LIP_OK;
    fclose(file);
    return status;
}

static lip_status file_digest(const char *path, char text[65], lip_error *error)
{
    lip_digest digest;
    lip_digest_begin(&digest);
    lip_status status = add_file(&digest, path, error);
    lip_digest_end(&digest, text);
    return status;
}

static lip_status rows_digest(const lip_rows *rows, char text[65], lip_error *error)
{
    lip_digest all;
    if (!rows->kind->file || (rows->file_count == 1 && strcmp(rows->kind->file(rows, 0), rows->path) == 0))
        return file_digest(rows->path, text, error);
    lip_digest_begin(&all);
    for (size_t i = 0; i < rows->file_count; i++) {
        char one[66];
        lip_status status = file_digest(rows->kind->file(rows, i), one, error);
        if (status)
            return status;
        one[64] = '\n';
        lip_digest_add(&all, one, 65);
    }
    lip_digest_end(&all, text);
    return LIP_OK;
}

lip_status data_digest(const lip_data *data, char samples[65], char labels[65], lip_error *error)
{
    labels[0] = '\0';
    lip_status status = rows_digest(data->rows, samples, error);
    return !status && data->labels_path ? rows_digest(data->labels.rows, labels, error) : status;
}
