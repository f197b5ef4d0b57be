/*
 * sampling.c: every sample of a run through the certifier, chunk by chunk. A
 * chunk takes about half a second: long enough for the matrix products, short
 * enough for Ctrl-C and the progress line. The certificates do not depend on
 * how samples are cut into chunks.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "sampling.h"
#include "diagnostics.h"
#include "interrupt.h"
#include "opened.h"
#include "progress.h"
#include "rows_file.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#define FIRST_CHUNK 64
#define LARGEST_CHUNK 1024
#define CHUNK_BYTES (16 << 20)
#define CHUNK_SECONDS 0.5

typedef struct lip_chunk {
    double *samples, *errors;
    int64_t *labels;
    lip_certificate *certificates;
    lip_row *rows;
    int64_t room, least, count; /* samples */
    size_t elements;
} lip_chunk;

/* With at least `least` samples, if they fit. */
static bool chunk_make(lip_chunk *chunk, size_t elements, int64_t least, int64_t first)
{
    size_t room = elements < CHUNK_BYTES / sizeof(double) ? CHUNK_BYTES / sizeof(double) / elements : 1;
    room = room < LARGEST_CHUNK ? room : LARGEST_CHUNK;
    bool fits = elements <= SIZE_MAX / sizeof(double) / room;
    *chunk = (lip_chunk){
        .samples = fits ? malloc(room * elements * sizeof(double)) : NULL,
        .errors = malloc(room * sizeof(double)),
        .labels = malloc(room * sizeof(int64_t)),
        .certificates = calloc(room, sizeof(lip_certificate)),
        .rows = calloc(room, sizeof(lip_row)),
        .room = (int64_t)room,
        .least = (int64_t)room < least ? (int64_t)room : least,
        .count = (int64_t)room < first ? (int64_t)room : first,
        .elements = elements,
    };
    return chunk->samples && chunk->errors && chunk->labels && chunk->certificates && chunk->rows;
}

static void chunk_free(lip_chunk *chunk)
{
    free(chunk->samples);
    free(chunk->errors);
    free(chunk->labels);
    free(chunk->certificates);
    free(chunk->rows);
}

static void chunk_fit(lip_chunk *chunk, double seconds)
{
    if (seconds < CHUNK_SECONDS / 2.0 && chunk->count <= chunk->room / 2)
        chunk->count *= 2;
    else if (seconds > CHUNK_SECONDS * 2.0 && chunk->count / 2 >= chunk->least)
        chunk->count /= 2;
}

static void note_range(lip_sampling *s, const double *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        s->lowest = values[i] < s->lowest ? values[i] : s->lowest;
        s->highest = values[i] > s->highest ? values[i] : s->highest;
    }
}

static lip_row row_of(int64_t index, int64_t label, const lip_certificate *certificate)
{
    lip_row row = {
        .index = index, .label = label, .predicted = certificate->predicted, .margin = certificate->margin_lower,
        .radius = certificate->radius, .sqrt2 = certificate->sqrt2_radius, .pairwise = certificate->pairwise_radius,
        .around = !isnan(certificate->local_radius), .local = certificate->local_radius,
        .attack = (double)NAN, .gradient = (double)NAN,
    };
    snprintf(row.method, sizeof row.method, "%s", certificate->method ? certificate->method : "");
    return row;
}

static bool keep(lip_sampling *s, const lip_chunk *chunk, int64_t count, lip_rows_file *file)
{
    for (int64_t i = 0; i < count; i++) {
        if (!rows_push(&s->rows, &chunk->rows[i])) {
            diagnose_message(stderr, "out of memory for the samples' rows");
            return false;
        }
        if (s->options->per_sample)
            rows_file_add(file, &chunk->rows[i]);
    }
    return true;
}

/* Bounds on a box say nothing about a sample outside it. */
static lip_status check_range(const lip_sampling *s, const lip_chunk *chunk, int64_t first, int64_t count,
                              lip_error *error)
{
    const lip_input_range *range = s->options->audit.range;
    size_t found = range ? channels_outside(&s->range_channels, range, chunk->samples, (size_t)count, chunk->elements)
                         : (size_t)count;
    if (found == (size_t)count)
        return LIP_OK;
    *error = (lip_error){.status = LIP_EUSAGE};
    snprintf(error->file, sizeof error->file, "%s", data_describe(s->data).path);
    snprintf(error->reason, sizeof error->reason,
             "sample %" PRId64 " lies outside of --input-range, on which the bounds hold", first + (int64_t)found);
    return error->status;
}

static lip_status certify_chunk(lip_sampling *s, const lip_chunk *chunk, int64_t first, int64_t count, lip_error *error)
{
    lip_model_space_task task = {chunk->samples, (size_t)count, chunk->elements, chunk->certificates, chunk->errors};
    if (s->space)
        model_space_take(s->space, &task);
    lip_status status = check_range(s, chunk, first, count, error);
    if (status == LIP_OK)
        status = lip_certify(s->certifier, chunk->samples, chunk->labels, (size_t)count, chunk->certificates, error);
    if (status == LIP_OK && s->space)
        model_space_move(s->space, &task);
    return status;
}

/* The chunk's rows; what was attacked around a point at the model's input is no farther from the exact one than that
 * and the way between the two. */
static bool make_rows(const lip_sampling *s, const lip_chunk *chunk, int64_t first, int64_t count, lip_error *error)
{
    for (int64_t i = 0; i < count; i++)
        chunk->rows[i] = row_of(first + i, chunk->labels[i], &chunk->certificates[i]);
    if (!s->attacking)
        return true;
    bool done = attacking_run(s->attacking, chunk->samples, chunk->rows, (size_t)count, error);
    for (int64_t i = 0; s->space && i < count; i++)
        chunk->rows[i].attack += chunk->errors[i];
    return done;
}

static bool run_chunk(lip_sampling *s, const lip_chunk *chunk, int64_t first, int64_t count, lip_rows_file *file)
{
    lip_error error = {0};
    lip_status status = data_read(s->data, first, count, chunk->samples, chunk->labels, &error);
    if (status == LIP_OK) {
        note_range(s, chunk->samples, (size_t)count * chunk->elements);
        status = certify_chunk(s, chunk, first, count, &error);
    }
    if (status != LIP_OK || !make_rows(s, chunk, first, count, &error)) {
        diagnose_error(stderr, &error);
        return false;
    }
    return keep(s, chunk, count, file);
}

static bool run_all(lip_sampling *s, lip_chunk *chunk, lip_rows_file *file)
{
    lip_sample_progress progress;
    progress_samples_start(&progress, s->options, s->count);
    bool good = true;
    for (int64_t done = 0; good && done < s->count;) {
        int64_t count = s->count - done < chunk->count ? s->count - done : chunk->count;
        double start = clock_seconds();
        good = run_chunk(s, chunk, s->first + done, count, file);
        chunk_fit(chunk, clock_seconds() - start);
        done += count;
        progress_samples(&progress, done);
        if (good && done < s->count && interrupt_came()) {
            s->partial = true;
            break;
        }
    }
    progress_samples_stop(&progress);
    return good;
}

static bool commit(const lip_sampling *s, lip_rows_file *file)
{
    lip_output_error error;
    if (!s->options->per_sample || rows_file_commit(file, &s->rows, &error))
        return true;
    diagnose_message(stderr, error.message);
    return false;
}

static bool start(const lip_sampling *s, lip_chunk *chunk, lip_rows_file *file)
{
    lip_output_error error;
    lip_row_columns columns = {.local = s->options->certify.local, .attack = s->attacking != NULL};
    bool slow = columns.local || columns.attack; /* a sample takes a thread a while */
    int64_t least = !slow ? 1 : s->options->audit.threads > 0 ? s->options->audit.threads : processor_count();
    if (!chunk_make(chunk, (size_t)data_describe(s->data).elements, least, slow ? least : FIRST_CHUNK)) {
        diagnose_message(stderr, "out of memory for a chunk of samples");
        return false;
    }
    if (!s->options->per_sample || rows_file_open(s->options->per_sample, columns, file, &error)) {
        interrupt_removes(file->file.temporary);
        return true;
    }
    diagnose_message(stderr, error.message);
    return false;
}

bool sampling_run(lip_sampling *s)
{
    lip_chunk chunk = {0};
    lip_rows_file file = {0};
    lip_interrupt interrupt;
    double began = clock_seconds();
    s->lowest = INFINITY;
    s->highest = -INFINITY;
    interrupt_begin(&interrupt);
    bool done = start(s, &chunk, &file) && run_all(s, &chunk, &file) && commit(s, &file);
    interrupt_end(&interrupt);
    rows_file_discard(&file);
    chunk_free(&chunk);
    s->seconds = clock_seconds() - began;
    return done;
}

void sampling_free(lip_sampling *s)
{
    rows_free(&s->rows);
}
