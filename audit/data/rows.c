/*
 * rows.c: telling formats apart, and what they all share.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "stream.h"
#include "rows.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#define LOOK 512

lip_status rows_set_shape(lip_rows *rows, const lip_shape *shape, lip_error *error)
{
    int64_t total = 1;
    rows->shape = *shape;
    if (shape->rank == 0)
        rows->shape = (lip_shape){1, {1}};
    for (int axis = 0; axis < shape->rank; axis++)
        if (shape->dim[axis] == 0)
            return data_fail(error, rows->path, LIP_EFORMAT, "holds no samples: its dimension %d is 0", axis);
    for (int axis = 0; axis < shape->rank; axis++) {
        if (shape->dim[axis] < 0 || shape->dim[axis] > INT64_MAX / 16 / total)
            return data_fail(error, rows->path, LIP_EFORMAT, "the product of its dimensions is too large");
        total *= shape->dim[axis];
    }
    rows->count = rows->shape.dim[0];
    rows->width = total / rows->count;
    rows->parts = 1;
    return LIP_OK;
}

void rows_take_whole(lip_rows *rows)
{
    lip_shape *shape = &rows->shape;
    memmove(shape->dim + 1, shape->dim, (size_t)shape->rank * sizeof *shape->dim);
    shape->rank++;
    shape->dim[0] = rows->parts;
    shape->dim[1] /= rows->parts;
    rows->width = rows->count * rows->width / rows->parts;
    rows->count = rows->parts;
}

void rows_close(lip_rows **rows)
{
    if (!rows || !*rows)
        return;
    (*rows)->kind->close(*rows);
    free(*rows);
    *rows = NULL;
}

typedef enum lip_content { IS_TEXT, IS_NPY, IS_NPZ, IS_IDX, IS_PB, IS_OTHER, IS_EMPTY, CONTENTS } lip_content;

static const struct other {
    const char *magic;
    size_t length;
    const char *name;
} others[] = {
    {"version https://git-lfs.", 24, "a git-lfs pointer, not the data: run 'git lfs pull'"},
    {"\x89HDF\r\n\x1a\n", 8, "an HDF5 file: save the samples with numpy.save"},
    {"\x89PNG", 4, "a PNG image: save the samples with numpy.save"},
    {"\xff\xd8\xff", 3, "a JPEG image: save the samples with numpy.save"},
    {"PAR1", 4, "a Parquet file: save the samples with numpy.save"},
    {"\x80\x02", 2, "a Python pickle: save the samples with numpy.save"},
    {"\x80\x03", 2, "a Python pickle: save the samples with numpy.save"},
    {"\x80\x04", 2, "a Python pickle: save the samples with numpy.save"},
    {"\x80\x05", 2, "a Python pickle: save the samples with numpy.save"},
    {"PK\x05\x06", 4, "an empty zip archive"},
};

static bool starts_html(const char *text)
{
    static const char *const starts[] = {"<!doctype", "<html", "<?xml"};
    text += strspn(text, " \t\r\n");
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
        if (strncasecmp(text, starts[i], strlen(starts[i])) == 0)
            return true;
    return false;
}

static const char *other_name(const char *bytes, size_t size)
{
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (size >= others[i].length && memcmp(bytes, others[i].magic, others[i].length) == 0)
            return others[i].name;
    return starts_html(bytes) ? "an HTML page: did the download fail?" : NULL;
}

static bool is_text(const char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)bytes[i] < ' ' && !strchr("\t\n\r", bytes[i]))
            return false;
    return memchr(bytes, '\0', size) == NULL;
}

/* `bytes` ends in a zero byte of its own. */
static lip_content content_of(const char *bytes, size_t size, const char **name)
{
    *name = other_name(bytes, size);
    if (size == 0)
        return IS_EMPTY;
    if (*name)
        return IS_OTHER;
    if (size >= 6 && memcmp(bytes, "\x93NUMPY", 6) == 0)
        return IS_NPY;
    if (size >= 4 && memcmp(bytes, "PK\x03\x04", 4) == 0)
        return IS_NPZ;
    if (size >= 4 && bytes[0] == 0 && bytes[1] == 0 && bytes[2] >= 0x08 && bytes[2] <= 0x0E)
        return IS_IDX;
    *name = "neither .npy, .npz, IDX, CSV nor a TensorProto (.pb)";
    return is_text(bytes, size) ? IS_TEXT : IS_OTHER;
}

static bool ends_with(const char *path, size_t length, const char *end)
{
    size_t wanted = strlen(end);
    return length > wanted && strncasecmp(path + length - wanted, end, wanted) == 0;
}

/* What the name promises, without ".gz"; IS_OTHER: nothing. */
static lip_content promise_of(const char *path)
{
    static const struct {
        const char *end;
        lip_content content;
    } ends[] = {{".npy", IS_NPY}, {".npz", IS_NPZ}, {".csv", IS_TEXT}, {".pb", IS_PB}};
    size_t length = strlen(path);
    if (ends_with(path, length, ".gz"))
        length -= 3;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (ends_with(path, length, ends[i].end))
            return ends[i].content;
    return IS_OTHER;
}

static const char *const content_names[CONTENTS] = {
    [IS_TEXT] = "text", [IS_NPY] = "a .npy array", [IS_NPZ] = "a zip archive (.npz)", [IS_IDX] = "an IDX file",
};

/* Are the bytes what the name promises, and what can be read? */
static lip_status check_content(const char *path, lip_content promise, lip_content content, const char *name,
                                lip_error *error)
{
    if (content == IS_EMPTY)
        return data_fail(error, path, LIP_EFORMAT, "the file is empty");
    if (content == IS_OTHER)
        return data_fail(error, path, LIP_EFORMAT, "is %s", name);
    if (promise != IS_OTHER && promise != content)
        return data_fail(error, path, LIP_EFORMAT, "is %s, which its name does not say: rename it",
                         content_names[content]);
    return LIP_OK;
}

static lip_status look(const char *path, lip_content promise, lip_content *out, bool *packed, lip_error *error)
{
    char bytes[LOOK + 1] = {0};
    size_t size;
    const char *name;
    lip_stream *stream = NULL;
    lip_status status = stream_open(path, &stream, error);
    if (status)
        return status;
    *packed = stream_length(stream) < 0;
    status = stream_read(stream, 0, bytes, LOOK, &size, error);
    stream_close(&stream);
    if (status)
        return status;
    lip_content content = content_of(bytes, size, &name);
    if (promise == IS_PB && content != IS_EMPTY && (content != IS_OTHER || !other_name(bytes, size)))
        content = IS_PB; /* it has no mark of its own */
    status = check_content(path, promise, content, name, error);
    if (!status)
        *out = content;
    return status;
}

lip_status rows_open(const char *path, lip_npz_role role, const char *input, lip_data_memory *memory, lip_rows **out,
                      lip_error *error)
{
    struct stat about;
    lip_content content;
    bool packed;
    if (stat(path, &about) == 0 && S_ISDIR(about.st_mode))
        return pb_open(path, memory, out, error);
    lip_status status = look(path, promise_of(path), &content, &packed, error);
    if (status)
        return status;
    switch (content) {
    case IS_NPY:
        return npy_open(path, memory, out, error);
    case IS_NPZ:
        if (packed)
            return data_fail(error, path, LIP_EFORMAT, "is a zip archive inside of a gzip file: gunzip it first");
        return npz_open(path, role, input, memory, out, error);
    case IS_IDX:
        return idx_open(path, memory, out, error);
    case IS_PB:
        return pb_open(path, memory, out, error);
    default:
        return csv_open(path, memory, out, error);
    }
}
