/*
 * pb.c: TensorProto files as ONNX's test data hold them: one .pb file, a
 * folder with input_0.pb, or a folder of folders test_data_set_N. Each holds
 * one sample or a batch; one is open at a time.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "gunzip.h"
#include "layers.h"
#include "parse.h"
#include "rows.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define SET_PREFIX "test_data_set_"
#define SET_FILE "input_0.pb"

typedef struct lip_pb_set {
    uint64_t number;      /* of test_data_set_N */
    char *path;
    int64_t first, count; /* elements */
} lip_pb_set;

typedef struct lip_pb {
    lip_rows base;
    lip_data_memory *memory;
    lip_pb_set *sets;
    int64_t set_count, set_room;
    int64_t width; /* elements of a row */
    int64_t open; /* -1: none */
    lip_stored_tensor *tensor;
    void *bytes; /* unpacked */
} lip_pb;

static void close_set(lip_pb *pb)
{
    lip_stored_tensor_free(&pb->tensor);
    free(pb->bytes);
    pb->bytes = NULL;
    pb->open = -1;
}

static int64_t count_of(const lip_shape *shape)
{
    int64_t count = 1; /* the shape was checked by whoever read the tensor */
    for (int axis = 0; axis < shape->rank; axis++)
        count *= shape->dim[axis];
    return count;
}

static lip_status open_set(lip_pb *pb, int64_t index, lip_error *error)
{
    const char *path = pb->sets[index].path;
    uint64_t cap = pb->memory->left ? pb->memory->left : 1;
    size_t size = 0;
    if (index == pb->open)
        return LIP_OK;
    close_set(pb);
    lip_status status = gunzip_recognises(path) ? gunzip_file(path, cap, &pb->bytes, &size, error) : LIP_OK;
    if (!status)
        status = lip_stored_tensor_open(pb->bytes, size, path, cap > size ? cap - size : 1, &pb->tensor, error);
    if (!status)
        pb->open = index;
    return status;
}

/* Goes on with `inside` behind the rows's path. */
static lip_status add_set(lip_pb *pb, uint64_t number, const char *inside, lip_error *error)
{
    const char *folder = pb->base.path;
    size_t size = strlen(folder) + strlen(inside) + 2;
    char *path = data_alloc(pb->memory, (int64_t)size, 1);
    if (!path)
        return data_no_memory(error, folder, "the list of its files");
    if (pb->set_count == pb->set_room) {
        int64_t room = pb->set_room ? 2 * pb->set_room : 16;
        lip_pb_set *sets = data_alloc(pb->memory, room, sizeof *sets);
        if (!sets) {
            free(path);
            return data_no_memory(error, folder, "the list of its files");
        }
        if (pb->set_count)
            memcpy(sets, pb->sets, (size_t)pb->set_count * sizeof *sets);
        free(pb->sets);
        pb->sets = sets;
        pb->set_room = room;
    }
    snprintf(path, size, "%s%s%s", folder, *inside ? "/" : "", inside);
    pb->sets[pb->set_count++] = (lip_pb_set){.number = number, .path = path};
    return LIP_OK;
}

static int by_number(const void *a, const void *b)
{
    uint64_t left = ((const lip_pb_set *)a)->number, right = ((const lip_pb_set *)b)->number;
    return (left > right) - (left < right);
}

static lip_status list_folders(lip_pb *pb, DIR *folder, lip_error *error)
{
    const char *path = pb->base.path;
    for (struct dirent *entry; (entry = readdir(folder));) {
        char inside[sizeof entry->d_name + sizeof "/" SET_FILE];
        uint64_t number;
        if (strncmp(entry->d_name, SET_PREFIX, strlen(SET_PREFIX)) != 0 ||
            !parse_u64(entry->d_name + strlen(SET_PREFIX), &number))
            continue;
        snprintf(inside, sizeof inside, "%s/" SET_FILE, entry->d_name);
        lip_status status = add_set(pb, number, inside, error);
        if (status)
            return status;
    }
    if (pb->set_count == 0)
        return data_fail(error, path, LIP_EFORMAT,
                         "the folder holds neither " SET_FILE " nor folders " SET_PREFIX "0, " SET_PREFIX "1 ...");
    qsort(pb->sets, (size_t)pb->set_count, sizeof *pb->sets, by_number);
    for (int64_t i = 1; i < pb->set_count; i++)
        if (pb->sets[i].number == pb->sets[i - 1].number)
            return data_fail(error, path, LIP_EFORMAT, "holds two folders of the number %" PRIu64, pb->sets[i].number);
    return LIP_OK;
}

static lip_status list_files(lip_pb *pb, lip_error *error)
{
    const char *path = pb->base.path;
    DIR *folder = opendir(path);
    if (!folder)
        return errno == ENOTDIR ? add_set(pb, 0, "", error)
                                : data_fail(error, path, LIP_EIO, "cannot be opened: %s", strerror(errno));
    struct stat about;
    lip_status status = fstatat(dirfd(folder), SET_FILE, &about, 0) == 0 ? add_set(pb, 0, SET_FILE, error)
                                                                       : list_folders(pb, folder, error);
    closedir(folder);
    return status;
}

/* Puts the open set behind those before: its rows must have as many elements as theirs. */
static lip_status append(lip_pb *pb, int64_t index, lip_shape *shape, lip_error *error)
{
    lip_pb_set *set = &pb->sets[index];
    const lip_tensor_info info = lip_stored_tensor_describe(pb->tensor);
    const lip_shape *found = &info.shape;
    int64_t rows = found->rank > 0 ? found->dim[0] : 1;
    set->count = count_of(found);
    if (set->count == 0)
        return data_fail(error, set->path, LIP_EFORMAT, "the tensor holds no elements");
    if (index == 0) {
        *shape = found->rank > 0 ? *found : (lip_shape){1, {1}};
        pb->width = set->count / rows;
        pb->base.dtype = info.dtype;
        return LIP_OK;
    }
    set->first = set[-1].first + set[-1].count;
    if (set->count / rows != pb->width || set->first > INT64_MAX / 16 - set->count) {
        char here[200], first[200];
        shape_text(found, true, here, sizeof here);
        shape_text(shape, true, first, sizeof first);
        return data_fail(error, set->path, LIP_EFORMAT, "the tensor is %s, the ones before are %s", here, first);
    }
    shape->dim[0] += rows;
    return LIP_OK;
}

static lip_status measure(lip_pb *pb, lip_error *error)
{
    lip_shape shape = {0};
    bool equal = true;
    for (int64_t i = 0; i < pb->set_count; i++) {
        lip_status status = open_set(pb, i, error);
        if (!status)
            status = append(pb, i, &shape, error);
        if (status)
            return status;
        equal = equal && pb->sets[i].count == pb->sets[0].count;
    }
    lip_status status = rows_set_shape(&pb->base, &shape, error);
    pb->base.parts = equal ? pb->set_count : 0;
    return status;
}

/* The last set that begins at or before an element. */
static int64_t set_of(const lip_pb *pb, int64_t element)
{
    int64_t low = 0, high = pb->set_count;
    while (high - low > 1) {
        int64_t middle = low + (high - low) / 2;
        if (pb->sets[middle].first <= element)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static lip_status pb_read(lip_rows *rows, int64_t first, int64_t count, double *to, double *lead, lip_error *error)
{
    lip_pb *pb = (lip_pb *)rows;
    (void)lead;
    int64_t at = first * rows->width, end = at + count * rows->width;
    while (at < end) {
        int64_t index = set_of(pb, at);
        const lip_pb_set *set = &pb->sets[index];
        lip_status status = open_set(pb, index, error);
        if (status)
            return status;
        const lip_tensor_info info = lip_stored_tensor_describe(pb->tensor);
        if (count_of(&info.shape) != set->count) {
            close_set(pb);
            return data_fail(error, set->path, LIP_EFORMAT, "the file has changed");
        }
        int64_t here = set->first + set->count < end ? set->first + set->count : end;
        lip_stored_tensor_read(pb->tensor, at - set->first, here - at, to + (at - first * rows->width));
        at = here;
    }
    return LIP_OK;
}

static const char *pb_file(const lip_rows *rows, size_t index)
{
    return ((const lip_pb *)rows)->sets[index].path;
}

static void pb_close(lip_rows *rows)
{
    lip_pb *pb = (lip_pb *)rows;
    close_set(pb);
    for (int64_t i = 0; i < pb->set_count; i++)
        free(pb->sets[i].path);
    free(pb->sets);
}

lip_status pb_open(const char *path, lip_data_memory *memory, lip_rows **out, lip_error *error)
{
    static const lip_rows_kind kind = {pb_read, pb_file, pb_close};
    lip_pb *pb = data_alloc(memory, 1, sizeof *pb);
    if (!pb)
        return data_no_memory(error, path, "a buffer");
    pb->base = (lip_rows){.kind = &kind, .path = path, .format = "TensorProto"};
    pb->memory = memory;
    pb->open = -1;
    lip_rows *rows = &pb->base;
    lip_status status = list_files(pb, error);
    if (!status)
        status = measure(pb, error);
    rows->file_count = (size_t)pb->set_count;
    if (status)
        rows_close(&rows);
    else
        *out = rows;
    return status;
}
