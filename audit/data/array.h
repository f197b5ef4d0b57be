/*
 * array.h: an array of packed numbers in a stream, as .npy, .npz and IDX files
 * hold it.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_AUDIT_ARRAY_H
#define LIP_AUDIT_ARRAY_H

#include "element.h"
#include "stream.h"
#include "rows.h"

typedef struct lip_array_header {
    const char *format;
    int64_t offset; /* of the first element in the stream */
    lip_element element;
    lip_shape shape;
    bool fortran; /* the first index varies fastest */
} lip_array_header;

/* Takes the stream (also on failure). Refuses a stream whose length is known and does not agree with the header. */
lip_status array_open(lip_stream *stream, const lip_array_header *header, lip_data_memory *memory, lip_rows **out,
                      lip_error *error);

/* The header of .npy data at the stream's beginning. */
lip_status npy_read_header(lip_stream *stream, const char *format, lip_array_header *out, lip_error *error);

#endif
