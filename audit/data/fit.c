/*
 * fit.c: how stored samples become the model's input.
 *
 * An image with channels last is the matrix [height * width][channels], with
 * channels first its transpose: changing the layout is transposing it.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "fit.h"
#include "layers.h"

#include <inttypes.h>
#include <string.h>

static int64_t count_of(const lip_shape *shape)
{
    int64_t count = 1;
    for (int axis = 0; axis < shape->rank; axis++)
        count *= shape->dim[axis];
    return count;
}

static lip_shape without_first(const lip_shape *shape)
{
    lip_shape rest = {.rank = shape->rank - 1};
    memcpy(rest.dim, shape->dim + 1, (size_t)rest.rank * sizeof *rest.dim);
    return rest;
}

static lip_shape without_ones(const lip_shape *shape)
{
    lip_shape rest = {0};
    for (int axis = 0; axis < shape->rank; axis++)
        if (shape->dim[axis] != 1)
            rest.dim[rest.rank++] = shape->dim[axis];
    return rest;
}

static bool equal(const lip_shape *a, const lip_shape *b)
{
    return a->rank == b->rank && memcmp(a->dim, b->dim, (size_t)a->rank * sizeof *a->dim) == 0;
}

/* Channels first to channels last, or the other way round. */
static lip_shape channels_last(const lip_shape *s)
{
    return (lip_shape){3, {s->dim[1], s->dim[2], s->dim[0]}};
}

static lip_shape channels_first(const lip_shape *s)
{
    return (lip_shape){3, {s->dim[2], s->dim[0], s->dim[1]}};
}

/* The shape of one sample in the model: without a batch of 1. */
static lip_shape sample_of(const lip_shape *shape)
{
    return shape->rank > 1 && shape->dim[0] == 1 ? without_first(shape) : *shape;
}

/* Is the stored shape, without its rows, that of one sample? */
static bool is_one_sample(const lip_shape *stored, const lip_shape *model)
{
    if (stored->rank == 1)
        return true;
    lip_shape s = without_ones(stored), m = without_ones(model);
    if (equal(&s, &m))
        return true;
    if (s.rank != 3 || m.rank != 3)
        return false;
    lip_shape last = channels_last(&m), first = channels_first(&m);
    return equal(&s, &last) || equal(&s, &first);
}

static lip_status does_not_fit(const lip_rows *rows, const lip_data_options *options, int64_t elements,
                               lip_error *error)
{
    char wanted[200], found[200];
    lip_shape model = sample_of(&options->shape), sample = without_first(&rows->shape);
    shape_text(&model, true, wanted, sizeof wanted);
    shape_text(&sample, true, found, sizeof found);
    if (strcmp(rows->format, "CSV") == 0)
        return data_fail(error, rows->path, LIP_EUSAGE,
                         "its rows have %" PRId64 " columns; the model's input '%s' is %s, which takes %" PRId64
                         ", or one more with the label first",
                         rows->width, options->input, wanted, elements);
    return data_fail(error, rows->path, LIP_EUSAGE,
                     "its samples are %s (%" PRId64 " elements), the model's input '%s' is %s (%" PRId64 ")", found,
                     rows->width, options->input, wanted, elements);
}

/* Which rows are samples? */
static lip_status find_samples(lip_rows *rows, const lip_data_options *options, lip_fit *fit, lip_error *error)
{
    const lip_shape model = sample_of(&options->shape);
    int64_t whole = rows->parts > 0 ? rows->count * rows->width / rows->parts : 0;
    lip_shape stored = rows->shape;
    fit->elements = count_of(&options->shape);
    if (rows->width == fit->elements) {
        fit->sample = without_first(&rows->shape);
        return LIP_OK;
    }
    if (strcmp(rows->format, "CSV") == 0 && rows->width == fit->elements + 1) {
        rows->lead = 1;
        rows->width = fit->elements;
        fit->sample = (lip_shape){1, {rows->width}};
        return LIP_OK;
    }
    if (rows->parts > 0)
        stored.dim[0] /= rows->parts;
    if (whole != fit->elements || rows->shape.rank == LIP_MAX_RANK || !is_one_sample(&stored, &model))
        return does_not_fit(rows, options, fit->elements, error);
    rows_take_whole(rows);
    fit->sample = without_first(&rows->shape);
    return LIP_OK;
}

static void transpose(lip_fit *fit, int64_t lines, int64_t steps)
{
    bool moves = lines > 1 && steps > 1;
    fit->lines = moves ? lines : 0;
    fit->steps = moves ? steps : 0;
}

/* The layout of a flat sample goes by the model's input: images have fewer channels than columns. */
static lip_status place_flat(const lip_rows *rows, const lip_data_options *options, const lip_shape *model,
                             lip_fit *fit, lip_error *error)
{
    if (model->rank != 3)
        return data_fail(error, rows->path, LIP_EUSAGE,
                         "--layout: neither its samples nor the model's input '%s' have three dimensions",
                         options->input);
    bool model_last = model->dim[2] < model->dim[0], data_last = options->layout == LIP_LAYOUT_NHWC;
    if (data_last && !model_last)
        transpose(fit, model->dim[1] * model->dim[2], model->dim[0]);
    else if (!data_last && model_last)
        transpose(fit, model->dim[2], model->dim[0] * model->dim[1]);
    return LIP_OK;
}

static void place_image(const lip_data_options *options, const lip_shape *image, const lip_shape *model, lip_fit *fit)
{
    const lip_shape last = channels_last(image);
    if (equal(image, model))
        return;
    if (options->layout == LIP_LAYOUT_NHWC)
        transpose(fit, image->dim[0] * image->dim[1], image->dim[2]);
    else if (equal(&last, model))
        transpose(fit, image->dim[0], image->dim[1] * image->dim[2]);
}

static lip_status ask_for_layout(const lip_rows *rows, const lip_shape *image, const lip_shape *model,
                                 const char *layout, lip_error *error)
{
    char found[200], wanted[200];
    shape_text(image, true, found, sizeof found);
    shape_text(model, true, wanted, sizeof wanted);
    return data_fail(error, rows->path, LIP_EUSAGE,
                     "its samples are %s, the model's input is %s: give --layout %s if their channels come %s", found,
                     wanted, layout, strcmp(layout, "nhwc") == 0 ? "last" : "first");
}

lip_status fit_rows(lip_rows *rows, const lip_data_options *options, lip_fit *out, lip_error *error)
{
    lip_fit fit = {0};
    const lip_shape model = sample_of(&options->shape);
    lip_status status = find_samples(rows, options, &fit, error);
    if (status)
        return status;
    lip_shape image = fit.sample.rank == 3 ? fit.sample : without_ones(&fit.sample);
    if (options->layout != LIP_LAYOUT_AS_IS && image.rank <= 1)
        status = place_flat(rows, options, &model, &fit, error);
    else if (options->layout != LIP_LAYOUT_AS_IS && image.rank == 3)
        place_image(options, &image, &model, &fit);
    else if (options->layout != LIP_LAYOUT_AS_IS && image.rank != 2)
        status = data_fail(error, rows->path, LIP_EUSAGE, "--layout: its samples have %d dimensions, not three",
                           image.rank);
    else if (image.rank == 3 && model.rank == 3 && !equal(&image, &model)) {
        const lip_shape last = channels_last(&image), first = channels_first(&image);
        if (equal(&first, &model) && image.dim[2] > 1)
            status = ask_for_layout(rows, &image, &model, "nhwc", error);
        else if (equal(&last, &model) && image.dim[0] > 1)
            status = ask_for_layout(rows, &image, &model, "nchw", error);
    }
    if (!status)
        *out = fit;
    return status;
}

void fit_apply(const lip_fit *fit, int64_t count, double *samples, double *room)
{
    for (int64_t i = 0; fit->lines > 0 && i < count; i++) {
        double *sample = samples + i * fit->elements;
        memcpy(room, sample, (size_t)fit->elements * sizeof *room);
        for (int64_t line = 0; line < fit->lines; line++)
            for (int64_t step = 0; step < fit->steps; step++)
                sample[step * fit->lines + line] = room[line * fit->steps + step];
    }
}
