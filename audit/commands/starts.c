/*
 * starts.c: see starts.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "starts.h"
#include "diagnostics.h"

#include <stdlib.h>

#define MOST_STARTS 64
#define MOST_BYTES ((int64_t)64 << 20)

static int64_t count_of(const lip_data_info *data)
{
    int64_t fit = MOST_BYTES / (int64_t)sizeof(double) / data->elements;
    int64_t most = fit < 1 ? 1 : fit < MOST_STARTS ? fit : MOST_STARTS;
    return data->count < most ? data->count : most;
}

static bool read_all(lip_data *data, lip_starts *out, lip_error *error)
{
    lip_data_info info = data_describe(data);
    int64_t count = count_of(&info);
    out->samples = calloc((size_t)count, (size_t)info.elements * sizeof *out->samples);
    if (!out->samples) {
        *error = (lip_error){.status = LIP_EMEMORY, .reason = "out of memory for samples"};
        return false;
    }
    for (int64_t i = 0; i < count; i++)
        if (data_read(data, info.first + i * (info.count / count), 1, out->samples + i * info.elements, NULL, error) !=
            LIP_OK)
            return false;
    out->count = (size_t)count;
    return true;
}

bool starts_read(const lip_options *options, const lip_opened *opened, lip_starts *out)
{
    lip_data *data = NULL;
    lip_error error = {0};
    lip_data_options wanted = options->data;
    *out = (lip_starts){0};
    if (!wanted.path)
        return true;
    if (opened->run.info.input_count != 1 || !opened->inputs[0].shape_known) {
        diagnose_message(stderr, "samples (--data) are of one input: name it with --input");
        return false;
    }
    wanted.input = opened->inputs[0].name;
    wanted.shape = opened->inputs[0].shape;
    wanted.preprocess = options->load.preprocess;
    wanted.max_memory = options->load.max_memory;
    bool done = data_open(&wanted, &data, &error) == LIP_OK && read_all(data, out, &error);
    for (size_t i = 0; done && !options->quiet && i < data_describe(data).note_count; i++)
        diagnose_note(stderr, data_note(data, i));
    if (!done)
        diagnose_error(stderr, &error);
    data_close(&data);
    return done;
}

void starts_free(lip_starts *starts)
{
    free(starts->samples);
    *starts = (lip_starts){0};
}
