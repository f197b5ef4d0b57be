/*
 * stored_tensor.c: a TensorProto that is a file of its own, read for those who
 * do not see onnx/.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "failure.h"
#include "read/source.h"
#include "read/tensor_proto.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct lip_stored_tensor {
    lip_memory memory;
    lip_arena arena;
    lip_source source;
    lip_tensor tensor;
    const char *name;
};

static lip_status read_message(lip_stored_tensor *stored, lip_error *error)
{
    const lip_tensor_reader reader = {&stored->arena, NULL};
    lip_status status = lip_tensor_read(&reader, stored->source.bytes ? stored->source.bytes : (const void *)"",
                                        stored->source.size, &stored->tensor, &stored->name, error);
    if (status == LIP_EUNSUPPORTED && error) { /* the reason goes on after the tensor's name */
        char reason[sizeof error->reason];
        memcpy(reason, error->reason, sizeof reason);
        return lip_fail(error, status, "tensor '%s' %s", stored->name, reason);
    }
    return status;
}

lip_status lip_stored_tensor_open(const void *bytes, size_t size, const char *path, uint64_t max_memory,
                                  lip_stored_tensor **out, lip_error *error)
{
    lip_error local;
    if (!error)
        error = &local;
    *error = (lip_error){0};
    lip_copy_printable(error->file, sizeof error->file, path);
    lip_stored_tensor *stored = calloc(1, sizeof *stored);
    if (!stored)
        return lip_fail_memory(error, NULL, "the tensor");
    lip_memory_init(&stored->memory, max_memory);
    lip_arena_init(&stored->arena, &stored->memory);
    lip_source_init(&stored->source, path, &stored->arena);
    lip_status status = bytes ? LIP_OK : lip_source_map(&stored->source, error);
    if (bytes) {
        stored->source.bytes = bytes;
        stored->source.size = size;
    }
    if (!status)
        status = read_message(stored, error);
    stored->source.path = NULL; /* the caller's */
    if (status) {
        lip_stored_tensor_free(&stored);
        return status;
    }
    *error = (lip_error){0};
    *out = stored;
    return LIP_OK;
}

void lip_stored_tensor_free(lip_stored_tensor **tensor)
{
    if (!tensor || !*tensor)
        return;
    lip_source_free(&(*tensor)->source);
    lip_arena_free(&(*tensor)->arena);
    free(*tensor);
    *tensor = NULL;
}

lip_tensor_info lip_stored_tensor_describe(const lip_stored_tensor *tensor)
{
    return (lip_tensor_info){tensor->name, lip_dtype_name(tensor->tensor.dtype), tensor->tensor.shape, true};
}

/* Whether the odd part of `value` has at most 53 bits. */
static bool is_double(int64_t value)
{
    uint64_t magnitude = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    return magnitude == 0 || magnitude / (magnitude & (0 - magnitude)) < UINT64_C(1) << 53;
}

void lip_stored_tensor_read(const lip_stored_tensor *tensor, int64_t first, int64_t count, double *to)
{
    const lip_tensor *from = &tensor->tensor;
    for (int64_t i = 0; i < count; i++) {
        bool held = from->storage != LIP_I64 || is_double(from->i64[first + i]);
        to[i] = held ? lip_tensor_real(from, first + i) : (double)NAN;
    }
}
