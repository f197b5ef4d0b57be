/*
 * idx.c: the IDX files of MNIST and its kin: two zero bytes, the element type,
 * the number of dimensions, the dimensions (big-endian, 32 bits), the elements.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "array.h"

#define MAX_START (4 + 4 * LIP_MAX_RANK)

static bool type_of(unsigned char code, lip_element *out)
{
    static const struct {
        unsigned char code;
        lip_element element;
    } types[] = {
        {0x08, {'u', 1, true}}, {0x09, {'i', 1, true}}, {0x0B, {'i', 2, true}},
        {0x0C, {'i', 4, true}}, {0x0D, {'f', 4, true}}, {0x0E, {'f', 8, true}},
    };
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (types[i].code == code) {
            *out = types[i].element;
            return true;
        }
    return false;
}

static lip_status read_header(lip_stream *stream, lip_array_header *out, lip_error *error)
{
    unsigned char start[MAX_START];
    size_t got;
    lip_array_header header = {.format = "IDX"};
    lip_status status = stream_read(stream, 0, start, sizeof start, &got, error);
    if (status)
        return status;
    if (got < 4 || start[0] != 0 || start[1] != 0 || !type_of(start[2], &header.element))
        return data_fail(error, stream_path(stream), LIP_EFORMAT, "is not an IDX file");
    header.shape.rank = start[3];
    if (header.shape.rank < 1 || header.shape.rank > LIP_MAX_RANK)
        return data_fail(error, stream_path(stream), LIP_EFORMAT, "the IDX header tells %d dimensions, not 1 to %d",
                         header.shape.rank, LIP_MAX_RANK);
    header.offset = 4 + 4 * header.shape.rank;
    if ((int64_t)got < header.offset)
        return data_fail(error, stream_path(stream), LIP_EFORMAT, "the data end in the IDX header");
    for (int i = 0; i < header.shape.rank; i++) {
        const unsigned char *at = start + 4 + 4 * i;
        header.shape.dim[i] = (int64_t)at[0] << 24 | (int64_t)at[1] << 16 | (int64_t)at[2] << 8 | at[3];
    }
    *out = header;
    return LIP_OK;
}

lip_status idx_open(const char *path, lip_data_memory *memory, lip_rows **out, lip_error *error)
{
    lip_stream *stream = NULL;
    lip_array_header header;
    lip_status status = stream_open(path, &stream, error);
    if (!status)
        status = read_header(stream, &header, error);
    if (!status)
        return array_open(stream, &header, memory, out, error);
    stream_close(&stream);
    return status;
}
