/*
 * wire.c: the walk over the protobuf wire format.
 *
 * Format: https://protobuf.dev/programming-guides/encoding/. Field numbers:
 * onnx.proto. The stack of the walk is an array of end positions, so that the
 * depth of a file cannot become the depth of this program's stack.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "wire.h"

#include "failure.h"

#include <inttypes.h>
#include <string.h>

#define MAX_DEPTH 64

/* Fields of onnx.proto that hold a message. A field that is missing here is opaque to the walk and must be opaque to
 * the unpacker too. */
static const struct nesting {
    lip_wire_message message;
    uint32_t field;
    lip_wire_message child;
    const char *name;
} nestings[] = {
    {LIP_WIRE_MODEL, 7, LIP_WIRE_GRAPH, "graph"},
    {LIP_WIRE_MODEL, 8, LIP_WIRE_FLAT, "opset_import"},
    {LIP_WIRE_MODEL, 14, LIP_WIRE_FLAT, "metadata_props"},
    {LIP_WIRE_MODEL, 20, LIP_WIRE_TRAINING, "training_info"},
    {LIP_WIRE_MODEL, 25, LIP_WIRE_FUNCTION, "functions"},
    {LIP_WIRE_GRAPH, 1, LIP_WIRE_NODE, "node"},
    {LIP_WIRE_GRAPH, 5, LIP_WIRE_TENSOR, "initializer"},
    {LIP_WIRE_GRAPH, 11, LIP_WIRE_VALUE, "input"},
    {LIP_WIRE_GRAPH, 12, LIP_WIRE_VALUE, "output"},
    {LIP_WIRE_GRAPH, 13, LIP_WIRE_VALUE, "value_info"},
    {LIP_WIRE_GRAPH, 14, LIP_WIRE_ANNOTATION, "quantization_annotation"},
    {LIP_WIRE_GRAPH, 15, LIP_WIRE_SPARSE, "sparse_initializer"},
    {LIP_WIRE_NODE, 5, LIP_WIRE_ATTRIBUTE, "attribute"},
    {LIP_WIRE_NODE, 9, LIP_WIRE_FLAT, "metadata_props"},
    {LIP_WIRE_ATTRIBUTE, 5, LIP_WIRE_TENSOR, "t"},
    {LIP_WIRE_ATTRIBUTE, 6, LIP_WIRE_GRAPH, "g"},
    {LIP_WIRE_ATTRIBUTE, 10, LIP_WIRE_TENSOR, "tensors"},
    {LIP_WIRE_ATTRIBUTE, 11, LIP_WIRE_GRAPH, "graphs"},
    {LIP_WIRE_ATTRIBUTE, 14, LIP_WIRE_TYPE, "tp"},
    {LIP_WIRE_ATTRIBUTE, 15, LIP_WIRE_TYPE, "type_protos"},
    {LIP_WIRE_ATTRIBUTE, 22, LIP_WIRE_SPARSE, "sparse_tensor"},
    {LIP_WIRE_ATTRIBUTE, 23, LIP_WIRE_SPARSE, "sparse_tensors"},
    {LIP_WIRE_TENSOR, 3, LIP_WIRE_FLAT, "segment"},
    {LIP_WIRE_TENSOR, 13, LIP_WIRE_FLAT, "external_data"},
    {LIP_WIRE_SPARSE, 1, LIP_WIRE_TENSOR, "values"},
    {LIP_WIRE_SPARSE, 2, LIP_WIRE_TENSOR, "indices"},
    {LIP_WIRE_VALUE, 2, LIP_WIRE_TYPE, "type"},
    {LIP_WIRE_TYPE, 1, LIP_WIRE_TENSOR_TYPE, "tensor_type"},
    {LIP_WIRE_TYPE, 4, LIP_WIRE_WRAPPED_TYPE, "sequence_type"},
    {LIP_WIRE_TYPE, 5, LIP_WIRE_MAP_TYPE, "map_type"},
    {LIP_WIRE_TYPE, 8, LIP_WIRE_TENSOR_TYPE, "sparse_tensor_type"},
    {LIP_WIRE_TYPE, 9, LIP_WIRE_WRAPPED_TYPE, "optional_type"},
    {LIP_WIRE_WRAPPED_TYPE, 1, LIP_WIRE_TYPE, "elem_type"},
    {LIP_WIRE_MAP_TYPE, 2, LIP_WIRE_TYPE, "value_type"},
    {LIP_WIRE_TENSOR_TYPE, 2, LIP_WIRE_SHAPE, "shape"},
    {LIP_WIRE_SHAPE, 1, LIP_WIRE_FLAT, "dim"},
    {LIP_WIRE_FUNCTION, 7, LIP_WIRE_NODE, "node"},
    {LIP_WIRE_FUNCTION, 9, LIP_WIRE_FLAT, "opset_import"},
    {LIP_WIRE_FUNCTION, 11, LIP_WIRE_ATTRIBUTE, "attribute_proto"},
    {LIP_WIRE_TRAINING, 1, LIP_WIRE_GRAPH, "initialization"},
    {LIP_WIRE_TRAINING, 2, LIP_WIRE_GRAPH, "algorithm"},
    {LIP_WIRE_TRAINING, 3, LIP_WIRE_FLAT, "initialization_binding"},
    {LIP_WIRE_TRAINING, 4, LIP_WIRE_FLAT, "update_binding"},
    {LIP_WIRE_ANNOTATION, 2, LIP_WIRE_FLAT, "quant_parameter_tensor_names"},
};

static const struct nesting *find_nesting(lip_wire_message message, uint32_t field)
{
    for (size_t i = 0; i < sizeof nestings / sizeof *nestings; i++)
        if (nestings[i].message == message && nestings[i].field == field)
            return &nestings[i];
    return NULL;
}

lip_wire lip_wire_over(const void *bytes, size_t size)
{
    return (lip_wire){bytes, bytes, (const uint8_t *)bytes + size};
}

static lip_status bad(const lip_wire *wire, const uint8_t *place, lip_error *error, const char *what)
{
    return lip_fail(error, LIP_EFORMAT, "not a valid protobuf message: %s at byte %td", what, place - wire->base);
}

static lip_status read_varint(lip_wire *wire, uint64_t *value, lip_error *error)
{
    const uint8_t *start = wire->at;
    uint64_t result = 0;
    for (unsigned shift = 0; shift < 70; shift += 7) {
        if (wire->at == wire->end)
            return lip_fail(error, LIP_EFORMAT, "truncated at byte %td: a number is cut off", wire->at - wire->base);
        uint8_t byte = *wire->at++;
        if (shift == 63 && byte > 1)
            break;
        result |= (uint64_t)(byte & 0x7F) << shift;
        if (byte < 0x80) {
            *value = result;
            return LIP_OK;
        }
    }
    return bad(wire, start, error, "a number of more than 64 bits");
}

/* Moves past `size` bytes of content. */
static lip_status take(lip_wire *wire, uint64_t size, lip_wire_field *field, lip_wire_message message,
                       lip_error *error)
{
    uint64_t left = (uint64_t)(wire->end - wire->at);
    if (size > left) {
        const struct nesting *nesting = find_nesting(message, field->number);
        return lip_fail(error, LIP_EFORMAT,
                        "truncated at byte %td: field %" PRIu32 "%s%s%s claims %" PRIu64 " bytes, %" PRIu64 " are left",
                        wire->at - wire->base, field->number, nesting ? " (" : "", nesting ? nesting->name : "",
                        nesting ? ")" : "", size, left);
    }
    field->data = wire->at;
    field->size = (size_t)size;
    wire->at += size;
    return LIP_OK;
}

static lip_status next_in(lip_wire *wire, lip_wire_message message, lip_wire_field *field, lip_error *error)
{
    uint64_t tag = 0, size = 0;
    field->tag = wire->at;
    field->value = 0;
    lip_status status = read_varint(wire, &tag, error);
    if (status)
        return status;
    if (tag >> 3 == 0 || tag >> 3 > 536870911)
        return bad(wire, field->tag, error, "an impossible field number");
    field->number = (uint32_t)(tag >> 3);
    field->type = (int)(tag & 7);
    switch (field->type) {
    case LIP_WIRE_VARINT:
        field->data = wire->at;
        status = read_varint(wire, &field->value, error);
        field->size = (size_t)(wire->at - field->data);
        return status;
    case LIP_WIRE_FIXED64:
        return take(wire, 8, field, message, error);
    case LIP_WIRE_FIXED32:
        return take(wire, 4, field, message, error);
    case LIP_WIRE_BYTES:
        status = read_varint(wire, &size, error);
        return status ? status : take(wire, size, field, message, error);
    default:
        return bad(wire, field->tag, error, "a group or an unknown wire type");
    }
}

lip_status lip_wire_next(lip_wire *wire, lip_wire_field *field, lip_error *error)
{
    return next_in(wire, LIP_WIRE_NONE, field, error);
}

lip_status lip_wire_check(const void *bytes, size_t size, lip_wire_message message, lip_error *error)
{
    struct {
        const uint8_t *end;
        lip_wire_message message;
    } stack[MAX_DEPTH];
    int depth = 0;
    lip_wire wire = lip_wire_over(bytes, size);
    stack[0].end = wire.end;
    stack[0].message = message;

    while (depth >= 0) {
        wire.end = stack[depth].end;
        if (wire.at == wire.end) {
            depth--;
            continue;
        }
        lip_wire_field field = {0};
        lip_status status = next_in(&wire, stack[depth].message, &field, error);
        if (status)
            return status;
        const struct nesting *nesting =
            field.type == LIP_WIRE_BYTES ? find_nesting(stack[depth].message, field.number) : NULL;
        if (!nesting)
            continue;
        if (depth + 1 == MAX_DEPTH)
            return lip_fail(error, LIP_EFORMAT, "messages are nested more than %d levels deep at byte %td", MAX_DEPTH,
                            field.tag - wire.base);
        depth++;
        stack[depth].end = wire.at;
        stack[depth].message = nesting->child;
        wire.at = field.data;
    }
    return LIP_OK;
}

lip_status lip_wire_select(lip_wire wire, uint64_t keep, lip_memory *memory, uint8_t **out, size_t *size,
                           lip_error *error)
{
    uint8_t *copy = NULL;
    size_t used = 0;
    for (int pass = 0; pass < 2; pass++) {
        lip_wire at = wire;
        if (pass == 1 && !(copy = lip_alloc(memory, (int64_t)used, 1)))
            return lip_fail_memory(error, NULL, "a part of the file");
        used = 0;
        while (at.at < at.end) {
            lip_wire_field field = {0};
            lip_status status = lip_wire_next(&at, &field, error);
            if (status) {
                lip_free(memory, copy);
                return status;
            }
            if (field.number >= 64 || !(keep >> field.number & 1))
                continue;
            size_t whole = (size_t)(at.at - field.tag);
            if (copy)
                memcpy(copy + used, field.tag, whole);
            used += whole;
        }
    }
    *out = copy;
    *size = used;
    return LIP_OK;
}
