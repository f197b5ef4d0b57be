/*
 * tensor_proto.c: TensorProto to lip_tensor.
 *
 * Raw data is not unpacked (that would copy it): its place in the file is
 * found by walking the message's fields, and the rest, which is small, is
 * unpacked. float32, float64 and int64 elements that are aligned in the
 * mapped file are used where they lie.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tensor_proto.h"

#include "failure.h"
#include "graph/small_float.h"
#include "read/decode.h"
#include "read/source.h"
#include "read/unpack.h"
#include "read/wire.h"

#include <inttypes.h>
#include <string.h>

#define RAW_DATA 9

typedef struct stored {
    const uint8_t *bytes; /* NULL: elements are in a typed field */
    size_t size;
    bool stays;
} stored;

static const char *name_of(const Onnx__TensorProto *proto)
{
    return proto->name ? proto->name : "";
}

static lip_status read_shape(const Onnx__TensorProto *proto, lip_tensor *out, lip_error *error)
{
    const char *name = name_of(proto);
    for (size_t i = 0; i < proto->n_dims; i++)
        if (proto->dims[i] < 0)
            return lip_fail(error, LIP_EFORMAT, "tensor '%s' has a negative dimension: %" PRId64, name,
                            proto->dims[i]);
    if (proto->n_dims > LIP_MAX_RANK)
        return lip_fail(error, LIP_EUNSUPPORTED, "has %zu dimensions, more than the %d that are supported",
                        proto->n_dims, LIP_MAX_RANK);
    out->shape.rank = (int)proto->n_dims;
    for (size_t i = 0; i < proto->n_dims; i++)
        out->shape.dim[i] = proto->dims[i];
    int64_t bytes;
    if (!lip_shape_count(&out->shape, &out->count) || !lip_size_mul(out->count, 16, &bytes))
        return lip_fail(error, LIP_EFORMAT, "tensor '%s': the product of its dimensions is too large", name);
    return LIP_OK;
}

static lip_status wrong_size(const Onnx__TensorProto *proto, const lip_tensor *out, uint64_t found, uint64_t needed,
                             const char *unit, lip_error *error)
{
    char shape[200];
    lip_shape_text(&out->shape, shape, sizeof shape);
    return lip_fail(error, LIP_EFORMAT,
                    "tensor '%s' holds %" PRIu64 " %s, its shape %s of %s needs %" PRIu64, name_of(proto), found, unit,
                    shape, lip_dtype_name(out->dtype), needed);
}

/* A decimal number without sign, spaces or junk. */
static bool parse_number(const char *text, uint64_t *out)
{
    uint64_t value = 0;
    if (!*text)
        return false;
    for (; *text; text++) {
        if (*text < '0' || *text > '9' || value > (UINT64_MAX - 9) / 10)
            return false;
        value = 10 * value + (uint64_t)(*text - '0');
    }
    *out = value;
    return true;
}

static const char *external_entry(const Onnx__TensorProto *proto, const char *key)
{
    for (size_t i = 0; i < proto->n_external_data; i++) {
        const Onnx__StringStringEntryProto *entry = proto->external_data[i];
        if (entry->key && strcmp(entry->key, key) == 0)
            return entry->value ? entry->value : "";
    }
    return NULL;
}

static lip_status find_external(const lip_tensor_reader *reader, const Onnx__TensorProto *proto, uint64_t needed,
                                stored *out, lip_error *error)
{
    const char *name = name_of(proto), *location = external_entry(proto, "location");
    const char *offset_text = external_entry(proto, "offset"), *length_text = external_entry(proto, "length");
    uint64_t offset = 0, length = needed;
    if (!location || !reader->source)
        return lip_fail(error, LIP_EFORMAT, "tensor '%s' is stored outside the file, at no known location", name);
    if (offset_text && !parse_number(offset_text, &offset))
        return lip_fail(error, LIP_EFORMAT, "tensor '%s': the offset '%s' of its external data is not a number", name,
                        offset_text);
    if (length_text && !parse_number(length_text, &length))
        return lip_fail(error, LIP_EFORMAT, "tensor '%s': the length '%s' of its external data is not a number", name,
                        length_text);
    const uint8_t *bytes;
    size_t size;
    lip_error inner = {0};
    lip_status status = lip_source_external(reader->source, location, &bytes, &size, &inner);
    if (status)
        return lip_fail(error, status, "tensor '%s': %s", name, inner.reason);
    if (offset > size || length > size - offset)
        return lip_fail(error, LIP_EFORMAT,
                        "tensor '%s': external data '%s' has %zu bytes, offset %" PRIu64 " and length %" PRIu64
                        " go past its end",
                        name, location, size, offset, length);
    *out = (stored){bytes ? bytes + offset : (const uint8_t *)"", (size_t)length, true};
    return LIP_OK;
}

static lip_status from_bytes(const lip_tensor_reader *reader, const Onnx__TensorProto *proto, stored raw,
                             lip_tensor *out, lip_error *error)
{
    size_t stored_size = lip_storage_size(out->storage);
    uint64_t needed = lip_raw_size(out->dtype, out->count);
    if (raw.size != needed)
        return wrong_size(proto, out, raw.size, needed, "bytes", error);
    bool same = out->dtype == LIP_DTYPE_FLOAT || out->dtype == LIP_DTYPE_DOUBLE || out->dtype == LIP_DTYPE_INT64;
    if (same && raw.stays && (uintptr_t)raw.bytes % stored_size == 0) {
        out->data = raw.bytes;
        return LIP_OK;
    }
    void *room = lip_arena_alloc(reader->arena, out->count, stored_size);
    if (!room)
        return lip_fail_memory(error, NULL, "a tensor");
    if (!lip_decode_raw(out->dtype, raw.bytes, out->count, room))
        return lip_fail(error, LIP_EUNSUPPORTED, "holds uint64 values above 2^63 - 1");
    out->room = room;
    return LIP_OK;
}

static int64_t small_integer(lip_dtype dtype, int32_t value)
{
    switch (dtype) {
    case LIP_DTYPE_BOOL:
        return value != 0;
    case LIP_DTYPE_UINT8:
        return (uint8_t)value;
    case LIP_DTYPE_INT8:
        return (int8_t)value;
    case LIP_DTYPE_UINT16:
        return (uint16_t)value;
    case LIP_DTYPE_INT16:
        return (int16_t)value;
    default:
        return value;
    }
}

/* Number of elements in the typed field that the element type uses. */
static size_t typed_count(const Onnx__TensorProto *proto, lip_dtype dtype)
{
    switch (dtype) {
    case LIP_DTYPE_FLOAT:
        return proto->n_float_data;
    case LIP_DTYPE_DOUBLE:
        return proto->n_double_data;
    case LIP_DTYPE_INT64:
        return proto->n_int64_data;
    case LIP_DTYPE_UINT32:
    case LIP_DTYPE_UINT64:
        return proto->n_uint64_data;
    default:
        return proto->n_int32_data;
    }
}

/* Each int32 holds one byte of packed elements. */
static int64_t packed_at(const Onnx__TensorProto *proto, lip_dtype dtype, int64_t index)
{
    int64_t per = 8 / lip_raw_bits(dtype);
    const uint8_t byte = (uint8_t)proto->int32_data[index / per];
    return lip_packed_at(dtype, &byte, index % per);
}

static bool copy_typed(const Onnx__TensorProto *proto, lip_dtype dtype, int64_t count, void *room)
{
    float *reals = room;
    int64_t *whole = room;
    switch (dtype) {
    case LIP_DTYPE_FLOAT:
        return lip_decode_raw(dtype, (const uint8_t *)proto->float_data, count, room);
    case LIP_DTYPE_DOUBLE:
        return lip_decode_raw(dtype, (const uint8_t *)proto->double_data, count, room);
    case LIP_DTYPE_INT64:
        return lip_decode_raw(dtype, (const uint8_t *)proto->int64_data, count, room);
    case LIP_DTYPE_UINT32:
    case LIP_DTYPE_UINT64:
        return lip_decode_raw(LIP_DTYPE_UINT64, (const uint8_t *)proto->uint64_data, count, room);
    case LIP_DTYPE_FLOAT16:
        for (int64_t i = 0; i < count; i++)
            reals[i] = lip_float_from_half((uint16_t)proto->int32_data[i]);
        return true;
    case LIP_DTYPE_BFLOAT16:
        for (int64_t i = 0; i < count; i++)
            reals[i] = lip_float_from_bfloat((uint16_t)proto->int32_data[i]);
        return true;
    case LIP_DTYPE_FLOAT8E4M3FN:
    case LIP_DTYPE_FLOAT8E4M3FNUZ:
    case LIP_DTYPE_FLOAT8E5M2:
    case LIP_DTYPE_FLOAT8E5M2FNUZ:
    case LIP_DTYPE_FLOAT8E8M0:
        for (int64_t i = 0; i < count; i++)
            reals[i] = lip_small_float_value(dtype, (uint8_t)proto->int32_data[i]);
        return true;
    case LIP_DTYPE_FLOAT4E2M1:
        for (int64_t i = 0; i < count; i++)
            reals[i] = lip_small_float_value(dtype, (uint8_t)packed_at(proto, dtype, i));
        return true;
    case LIP_DTYPE_UINT4:
    case LIP_DTYPE_INT4:
    case LIP_DTYPE_UINT2:
    case LIP_DTYPE_INT2:
        for (int64_t i = 0; i < count; i++)
            whole[i] = packed_at(proto, dtype, i);
        return true;
    default:
        for (int64_t i = 0; i < count; i++)
            whole[i] = small_integer(dtype, proto->int32_data[i]);
        return true;
    }
}

static lip_status from_typed(const lip_tensor_reader *reader, const Onnx__TensorProto *proto, lip_tensor *out,
                             lip_error *error)
{
    size_t found = typed_count(proto, out->dtype);
    uint64_t needed =
        lip_raw_bits(out->dtype) < 8 ? lip_raw_size(out->dtype, out->count) : (uint64_t)out->count;
    if (found != needed)
        return wrong_size(proto, out, found, needed, "elements", error);
    void *room = lip_arena_alloc(reader->arena, out->count, lip_storage_size(out->storage));
    if (!room)
        return lip_fail_memory(error, NULL, "a tensor");
    if (!copy_typed(proto, out->dtype, out->count, room))
        return lip_fail(error, LIP_EUNSUPPORTED, "holds uint64 values above 2^63 - 1");
    out->room = room;
    return LIP_OK;
}

static lip_status read_data(const lip_tensor_reader *reader, const Onnx__TensorProto *proto, stored raw,
                            lip_tensor *out, lip_error *error)
{
    lip_tensor tensor = {.dtype = (lip_dtype)proto->data_type};
    out->dtype = tensor.dtype; /* also where the rest is not supported */
    lip_status status = read_shape(proto, &tensor, error);
    if (status)
        return status;
    tensor.storage = lip_dtype_storage(tensor.dtype, false);
    if (tensor.storage == LIP_OPAQUE)
        return lip_fail(error, LIP_EUNSUPPORTED, "holds elements of type %s (%d), which is not supported",
                        lip_dtype_name(tensor.dtype), (int)proto->data_type);
    if (proto->data_location == ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL)
        status = find_external(reader, proto, lip_raw_size(tensor.dtype, tensor.count), &raw, error);
    if (status)
        return status;
    if (raw.bytes && (raw.size > 0 || typed_count(proto, tensor.dtype) == 0))
        status = from_bytes(reader, proto, raw, &tensor, error);
    else
        status = from_typed(reader, proto, &tensor, error);
    if (!status)
        *out = tensor;
    return status;
}

lip_status lip_tensor_from_proto(const lip_tensor_reader *reader, const Onnx__TensorProto *proto, lip_tensor *out,
                                 lip_error *error)
{
    stored raw = {NULL, 0, false};
    if (proto->has_raw_data) {
        raw.bytes = proto->raw_data.data ? proto->raw_data.data : (const uint8_t *)"";
        raw.size = proto->raw_data.len;
    }
    return read_data(reader, proto, raw, out, error);
}

/* The last one counts, as in protobuf. */
static lip_status find_raw(const void *bytes, size_t size, stored *out, lip_error *error)
{
    lip_wire wire = lip_wire_over(bytes, size);
    while (wire.at < wire.end) {
        lip_wire_field field;
        lip_status status = lip_wire_next(&wire, &field, error);
        if (status)
            return status;
        if (field.number == RAW_DATA && field.type == LIP_WIRE_BYTES)
            *out = (stored){field.data, field.size, true};
    }
    return LIP_OK;
}

lip_status lip_tensor_read(const lip_tensor_reader *reader, const void *bytes, size_t size, lip_tensor *out,
                           const char **name, lip_error *error)
{
    lip_memory *memory = reader->arena->memory;
    stored raw = {NULL, 0, true};
    uint8_t *rest = NULL;
    size_t rest_size;
    ProtobufCMessage *message = NULL;
    lip_status status = lip_wire_check(bytes, size, LIP_WIRE_TENSOR, error);
    if (!status)
        status = find_raw(bytes, size, &raw, error);
    if (!status)
        status = lip_wire_select(lip_wire_over(bytes, size), ~(UINT64_C(1) << RAW_DATA), memory, &rest, &rest_size,
                                 error);
    if (!status)
        status = lip_unpack(&onnx__tensor_proto__descriptor, rest, rest_size, memory, &message, error);
    if (!status) {
        const Onnx__TensorProto *proto = (const Onnx__TensorProto *)message;
        const char *text = name_of(proto);
        *name = lip_arena_string(reader->arena, text, strlen(text));
        status = *name ? read_data(reader, proto, raw, out, error) : lip_fail_memory(error, NULL, "a name");
    }
    lip_unpack_free(memory, message);
    lip_free(memory, rest);
    return status;
}
