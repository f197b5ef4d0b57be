/*
 * npy.c: numpy's .npy files. The header is a Python dictionary of three
 * entries; nothing but the literals that numpy writes there is read.
 *
 * Format: numpy.lib.format, versions 1.0 to 3.0.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "array.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define MAX_HEADER 65536

typedef struct lip_reading {
    const char *at;
    const char *path;
    lip_error *error;
} lip_reading;

static lip_status malformed(const lip_reading *r, const char *what)
{
    return data_fail(r->error, r->path, LIP_EFORMAT, "the .npy header %s", what);
}

static void skip_blanks(lip_reading *r)
{
    while (*r->at == ' ' || *r->at == '\n' || *r->at == '\t' || *r->at == '\r')
        r->at++;
}

static bool take(lip_reading *r, const char *text)
{
    skip_blanks(r);
    size_t length = strlen(text);
    if (strncmp(r->at, text, length) != 0)
        return false;
    r->at += length;
    return true;
}

/* 'text' or "text", without escapes. */
static lip_status read_string(lip_reading *r, char *to, size_t size)
{
    skip_blanks(r);
    char quote = *r->at;
    if (quote != '\'' && quote != '"')
        return malformed(r, "is not a dictionary of strings");
    size_t length = strcspn(r->at + 1, quote == '"' ? "\"\\" : "'\\");
    if (r->at[length + 1] != quote || length >= size)
        return malformed(r, "holds a string that does not belong there");
    memcpy(to, r->at + 1, length);
    to[length] = '\0';
    r->at += length + 2;
    return LIP_OK;
}

static lip_status read_dimension(lip_reading *r, int64_t *out)
{
    int64_t value = 0;
    skip_blanks(r);
    if (*r->at < '0' || *r->at > '9')
        return malformed(r, "has a shape that is not a tuple of whole numbers");
    for (; *r->at >= '0' && *r->at <= '9'; r->at++) {
        if (value > (INT64_MAX - 9) / 10)
            return malformed(r, "has a shape with a dimension that is too large");
        value = 10 * value + (*r->at - '0');
    }
    if (*r->at == 'L') /* Python 2 */
        r->at++;
    *out = value;
    return LIP_OK;
}

static lip_status read_shape(lip_reading *r, lip_shape *out)
{
    lip_shape shape = {0};
    if (!take(r, "("))
        return malformed(r, "has a shape that is not a tuple");
    while (!take(r, ")")) {
        if (shape.rank == LIP_MAX_RANK)
            return malformed(r, "has a shape with more than 8 dimensions");
        lip_status status = read_dimension(r, &shape.dim[shape.rank++]);
        if (status)
            return status;
        if (!take(r, ",") && *r->at != ')')
            return malformed(r, "has a shape that is not a tuple of whole numbers");
    }
    *out = shape;
    return LIP_OK;
}

static lip_status read_type(lip_reading *r, lip_element *out)
{
    char descr[64];
    skip_blanks(r);
    if (*r->at == '[')
        return data_fail(r->error, r->path, LIP_EFORMAT, "holds records, not numbers");
    lip_status status = read_string(r, descr, sizeof descr);
    if (status)
        return status;
    if (!element_parse(descr, out))
        return data_fail(r->error, r->path, LIP_EFORMAT,
                         "holds elements of type '%s'%s, not bool, integers, float16, float32 or float64", descr,
                         descr[0] && descr[1] == 'O' ? " (Python objects)" : "");
    return LIP_OK;
}

static lip_status read_entry(lip_reading *r, lip_array_header *out, unsigned *seen)
{
    static const char *const names[] = {"descr", "fortran_order", "shape"};
    char name[64];
    lip_status status = read_string(r, name, sizeof name);
    unsigned key = 0;
    if (status)
        return status;
    while (key < 3 && strcmp(name, names[key]) != 0)
        key++;
    if (key == 3 || *seen & 1U << key || !take(r, ":"))
        return malformed(r, "is not a dictionary of descr, fortran_order and shape");
    *seen |= 1U << key;
    if (key == 0)
        return read_type(r, &out->element);
    if (key == 2)
        return read_shape(r, &out->shape);
    out->fortran = take(r, "True");
    return out->fortran || take(r, "False") ? LIP_OK : malformed(r, "has a fortran_order that is not True or False");
}

static lip_status parse(lip_reading *r, lip_array_header *out)
{
    unsigned seen = 0;
    if (!take(r, "{"))
        return malformed(r, "is not a dictionary");
    while (!take(r, "}")) {
        lip_status status = read_entry(r, out, &seen);
        if (status)
            return status;
        if (!take(r, ",") && *r->at != '}')
            return malformed(r, "is not a dictionary of descr, fortran_order and shape");
    }
    skip_blanks(r);
    return seen == 7 && *r->at == '\0' ? LIP_OK : malformed(r, "lacks one of descr, fortran_order and shape");
}

static lip_status cut(const char *path, lip_error *error)
{
    return data_fail(error, path, LIP_EFORMAT, "the data end in the .npy header");
}

lip_status npy_read_header(lip_stream *stream, const char *format, lip_array_header *out, lip_error *error)
{
    const char *path = stream_path(stream);
    unsigned char start[12];
    size_t got;
    lip_status status = stream_read(stream, 0, start, sizeof start, &got, error);
    if (status)
        return status;
    if (got < 6 || memcmp(start, "\x93NUMPY", 6) != 0)
        return data_fail(error, path, LIP_EFORMAT, "is not a .npy array");
    if (got < sizeof start)
        return cut(path, error);
    if (start[6] < 1 || start[6] > 3)
        return data_fail(error, path, LIP_EFORMAT, ".npy version %d is not known", start[6]);
    size_t before = start[6] == 1 ? 10 : 12, length = start[8] | (size_t)start[9] << 8;
    if (start[6] > 1)
        length |= (size_t)start[10] << 16 | (size_t)start[11] << 24;
    if (length > MAX_HEADER)
        return data_fail(error, path, LIP_EFORMAT, "the .npy header has %zu bytes, more than the %d that are read",
                         length, MAX_HEADER);
    char *text = calloc(length + 1, 1);
    if (!text)
        return data_no_memory(error, path, "the .npy header");
    lip_array_header header = {.format = format, .offset = (int64_t)(before + length)};
    lip_reading reading = {text, path, error};
    status = stream_read(stream, (int64_t)before, text, length, &got, error);
    if (!status && got < length)
        status = cut(path, error);
    if (!status)
        status = strlen(text) == length ? parse(&reading, &header) : malformed(&reading, "holds a zero byte");
    free(text);
    if (!status)
        *out = header;
    return status;
}

lip_status npy_open(const char *path, lip_data_memory *memory, lip_rows **out, lip_error *error)
{
    lip_stream *stream = NULL;
    lip_array_header header;
    lip_status status = stream_open(path, &stream, error);
    if (!status)
        status = npy_read_header(stream, "npy", &header, error);
    if (!status)
        return array_open(stream, &header, memory, out, error);
    stream_close(&stream);
    return status;
}
