/*
 * sparse_proto.c: SparseTensorProto to a dense tensor: zeros, and the values
 * at their indices (linear, or one row of coordinates each). The dense
 * elements count against the memory cap.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "sparse_proto.h"

#include "failure.h"
#include "read/unpack.h"

#include <inttypes.h>
#include <string.h>

static lip_status read_shape(const Onnx__SparseTensorProto *proto, lip_shape *shape, int64_t *count, lip_error *error)
{
    int64_t bytes;
    if (proto->n_dims > LIP_MAX_RANK)
        return lip_fail(error, LIP_EUNSUPPORTED, "has %zu dimensions, more than the %d that are supported",
                        proto->n_dims, LIP_MAX_RANK);
    shape->rank = (int)proto->n_dims;
    for (size_t i = 0; i < proto->n_dims; i++)
        shape->dim[i] = proto->dims[i];
    if (!lip_shape_count(shape, count) || !lip_size_mul(*count, 16, &bytes))
        return lip_fail(error, LIP_EFORMAT, "a sparse tensor's dimensions are negative or too large");
    return LIP_OK;
}

/* Where value i is in the dense tensor; false if outside. */
static bool place_of(const lip_tensor *indices, const lip_shape *shape, int64_t count, int64_t i, int64_t *out)
{
    int64_t at = 0;
    if (indices->shape.rank == 1) {
        *out = indices->i64[i];
        return *out >= 0 && *out < count;
    }
    for (int axis = 0; axis < shape->rank; axis++) {
        int64_t index = indices->i64[i * shape->rank + axis];
        if (index < 0 || index >= shape->dim[axis])
            return false;
        at = at * shape->dim[axis] + index;
    }
    *out = at;
    return true;
}

static bool are_indices(const lip_tensor *indices, const lip_tensor *values, int rank)
{
    const lip_shape *s = &indices->shape;
    if (indices->storage != LIP_I64 || values->shape.rank != 1)
        return false;
    return (s->rank == 1 && s->dim[0] == values->count) ||
           (s->rank == 2 && s->dim[0] == values->count && s->dim[1] == rank);
}

static lip_status spread(const lip_tensor_reader *reader, const lip_tensor *values, const lip_tensor *indices,
                         lip_tensor *dense, lip_error *error)
{
    const size_t size = lip_storage_size(dense->storage);
    uint8_t *room = lip_arena_alloc(reader->arena, dense->count, size);
    if (!room)
        return lip_fail_memory(error, NULL, "a sparse tensor made dense");
    for (int64_t i = 0; i < values->count; i++) {
        int64_t at = 0;
        if (!place_of(indices, &dense->shape, dense->count, i, &at))
            return lip_fail(error, LIP_EFORMAT, "index %" PRId64 " of a sparse tensor is outside of it", i);
        memcpy(room + (size_t)at * size, (const uint8_t *)values->data + (size_t)i * size, size);
    }
    dense->room = room;
    return LIP_OK;
}

lip_status lip_sparse_from_proto(const lip_tensor_reader *reader, const Onnx__SparseTensorProto *proto, lip_tensor *out,
                                 lip_error *error)
{
    lip_tensor values = {.data = NULL}, indices = {.data = NULL}, dense = {.data = NULL};
    if (!proto->values || !proto->indices)
        return lip_fail(error, LIP_EFORMAT, "a sparse tensor has no values or no indices");
    out->dtype = (lip_dtype)proto->values->data_type;
    lip_status status = lip_tensor_from_proto(reader, proto->values, &values, error);
    if (!status)
        status = lip_tensor_from_proto(reader, proto->indices, &indices, error);
    if (!status)
        status = read_shape(proto, &dense.shape, &dense.count, error);
    if (status)
        return status;
    if (!are_indices(&indices, &values, dense.shape.rank))
        return lip_fail(error, LIP_EFORMAT, "the indices of a sparse tensor do not belong to its values");
    dense.dtype = values.dtype;
    dense.storage = values.storage;
    status = spread(reader, &values, &indices, &dense, error);
    if (!status)
        *out = dense;
    return status;
}

lip_status lip_sparse_read(const lip_tensor_reader *reader, const void *bytes, size_t size, lip_tensor *out,
                           const char **name, lip_error *error)
{
    lip_memory *memory = reader->arena->memory;
    ProtobufCMessage *message = NULL;
    lip_status status = lip_unpack(&onnx__sparse_tensor_proto__descriptor, bytes, size, memory, &message, error);
    if (status)
        return status;
    const Onnx__SparseTensorProto *proto = (const Onnx__SparseTensorProto *)message;
    const char *text = proto->values && proto->values->name ? proto->values->name : "";
    *name = lip_arena_string(reader->arena, text, strlen(text));
    status = *name ? lip_sparse_from_proto(reader, proto, out, error) : lip_fail_memory(error, NULL, "a name");
    lip_unpack_free(memory, message);
    return status;
}
