/*
 * array.c: rows of packed numbers.
 *
 * In C order a row is one piece of the stream. In Fortran order element k of
 * all rows lies together: so many rows as memory allows are gathered in one
 * pass over the stream and kept.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "array.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define MAX_GATHERED (INT64_C(64) << 20)

typedef struct lip_array {
    lip_rows base;
    lip_data_memory *memory;
    lip_stream *stream;
    int64_t offset;
    lip_element element;
    bool fortran;
    unsigned char *gathered; /* Fortran order: rows [first, first + held), elements in C order */
    int64_t first, held, room;
    unsigned char piece[STREAM_PIECE];
} lip_array;

static lip_status ends_in(const lip_array *array, int64_t row, lip_error *error)
{
    return data_fail(error, array->base.path, LIP_EFORMAT, "the data end in sample %" PRId64 " of %" PRId64, row,
                     array->base.count);
}

/* Nothing may follow the last element; only reading on verifies the check sum of compressed data. */
static lip_status check_end(lip_array *array, int64_t offset, lip_error *error)
{
    char more;
    size_t got;
    lip_status status = stream_read(array->stream, offset, &more, 1, &got, error);
    if (!status && stream_cut(array->stream))
        return data_fail(error, array->base.path, LIP_EFORMAT, "the gzip data end early");
    if (!status && got > 0)
        return data_fail(error, array->base.path, LIP_EFORMAT, "holds more data than its header tells");
    return status;
}

/* Elements [at, at + count) of the stream into the piece; *got may be less only where it ends. */
static lip_status read_piece(lip_array *array, int64_t at, int64_t count, int64_t *got, lip_error *error)
{
    const int64_t size = array->element.size;
    size_t bytes = 0;
    lip_status status = stream_read(array->stream, array->offset + at * size, array->piece, (size_t)(count * size),
                                    &bytes, error);
    *got = (int64_t)bytes / size;
    if (!status && *got == count && at + count == array->base.count * array->base.width)
        status = check_end(array, array->offset + (at + count) * size, error);
    return status;
}

static lip_status read_rows(lip_array *array, int64_t first, int64_t count, double *to, lip_error *error)
{
    const int64_t per_piece = STREAM_PIECE / array->element.size, width = array->base.width;
    int64_t total = count * width, start = first * width;
    for (int64_t done = 0; done < total;) {
        int64_t step = total - done < per_piece ? total - done : per_piece, got;
        lip_status status = read_piece(array, start + done, step, &got, error);
        if (status)
            return status;
        if (got < step)
            return ends_in(array, (start + done + got) / width, error);
        element_decode(array->element, array->piece, step, to + done);
        done += step;
    }
    return LIP_OK;
}

/* Element k of rows [first, first + held) to its place `k_c` in each gathered row. */
static lip_status gather(lip_array *array, int64_t k, int64_t k_c, lip_error *error)
{
    const int64_t size = array->element.size, per_piece = STREAM_PIECE / size;
    for (int64_t done = 0; done < array->held;) {
        int64_t step = array->held - done < per_piece ? array->held - done : per_piece, got;
        lip_status status = read_piece(array, k * array->base.count + array->first + done, step, &got, error);
        if (status)
            return status;
        if (got < step)
            return ends_in(array, array->first + done + got, error);
        for (int64_t i = 0; i < step; i++)
            memcpy(array->gathered + ((done + i) * array->base.width + k_c) * size, array->piece + i * size,
                   (size_t)size);
        done += step;
    }
    return LIP_OK;
}

static lip_status make_room(lip_array *array, lip_error *error)
{
    int64_t row = array->base.width * array->element.size, quarter = (int64_t)(array->memory->left / 4 & INT64_MAX);
    array->room = (quarter < MAX_GATHERED ? quarter : MAX_GATHERED) / row;
    array->room = array->room < array->base.count ? array->room : array->base.count;
    array->gathered = array->room > 0 ? data_alloc(array->memory, array->room * row, 1) : NULL;
    return array->gathered ? LIP_OK : data_no_memory(error, array->base.path, "a sample in Fortran order");
}

static lip_status gather_rows(lip_array *array, int64_t first, lip_error *error)
{
    const lip_shape *shape = &array->base.shape;
    int64_t index[LIP_MAX_RANK] = {0}, stride[LIP_MAX_RANK] = {0}, k_c = 0;
    int rank = shape->rank;
    for (int axis = rank - 1; axis > 0; axis--)
        stride[axis] = axis == rank - 1 ? 1 : stride[axis + 1] * shape->dim[axis + 1];
    array->first = first;
    array->held = array->base.count - first < array->room ? array->base.count - first : array->room;
    for (int64_t k = 0; k < array->base.width; k++) {
        lip_status status = gather(array, k, k_c, error);
        if (status) {
            array->held = 0;
            return status;
        }
        for (int axis = 1; axis < rank; axis++) { /* the next index in Fortran order */
            k_c += stride[axis];
            if (++index[axis] < shape->dim[axis])
                break;
            k_c -= shape->dim[axis] * stride[axis];
            index[axis] = 0;
        }
    }
    return LIP_OK;
}

static lip_status read_gathered(lip_array *array, int64_t first, int64_t count, double *to, lip_error *error)
{
    const int64_t width = array->base.width;
    lip_status status = array->gathered ? LIP_OK : make_room(array, error);
    for (int64_t done = 0; !status && done < count;) {
        int64_t row = first + done;
        if (row < array->first || row >= array->first + array->held) {
            status = gather_rows(array, row, error);
            if (status)
                break;
        }
        int64_t ready = array->first + array->held - row, step = count - done < ready ? count - done : ready;
        element_decode(array->element, array->gathered + (row - array->first) * width * array->element.size,
                       step * width, to + done * width);
        done += step;
    }
    return status;
}

static lip_status array_read(lip_rows *rows, int64_t first, int64_t count, double *to, double *lead,
                             lip_error *error)
{
    lip_array *array = (lip_array *)rows;
    (void)lead;
    return array->fortran ? read_gathered(array, first, count, to, error) : read_rows(array, first, count, to, error);
}

static void array_close(lip_rows *rows)
{
    lip_array *array = (lip_array *)rows;
    stream_close(&array->stream);
    free(array->gathered);
}

static lip_status check_length(const lip_array *array, lip_error *error)
{
    int64_t row = array->base.width * array->element.size, needed = array->offset + array->base.count * row;
    int64_t length = stream_length(array->stream);
    if (length < 0 || length == needed)
        return LIP_OK;
    if (length > needed)
        return data_fail(error, array->base.path, LIP_EFORMAT,
                         "holds %" PRId64 " bytes more than the %" PRId64 " that its header tells", length - needed,
                         needed);
    int64_t sample = length < array->offset || row == 0 ? 0 : (length - array->offset) / row;
    return data_fail(error, array->base.path, LIP_EFORMAT,
                     "the data end in sample %" PRId64 " of %" PRId64 ": %" PRId64
                     " bytes, where its header tells %" PRId64,
                     sample, array->base.count, length, needed);
}

lip_status array_open(lip_stream *stream, const lip_array_header *header, lip_data_memory *memory, lip_rows **out,
                      lip_error *error)
{
    static const lip_rows_kind kind = {array_read, NULL, array_close};
    lip_array *array = data_alloc(memory, 1, sizeof *array);
    if (!array) {
        lip_status status = data_no_memory(error, stream_path(stream), "a buffer");
        stream_close(&stream);
        return status;
    }
    array->base = (lip_rows){.kind = &kind, .path = stream_path(stream), .format = header->format};
    array->base.dtype = element_name(header->element);
    array->memory = memory;
    array->stream = stream;
    array->offset = header->offset;
    array->element = header->element;
    lip_rows *rows = &array->base;
    lip_status status = rows_set_shape(rows, &header->shape, error);
    if (!status)
        status = check_length(array, error);
    /* Of a vector both orders are the same. */
    array->fortran = header->fortran && rows->width > 1;
    if (status)
        rows_close(&rows);
    else
        *out = rows;
    return status;
}
