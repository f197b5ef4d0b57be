/*
 * wire.h: the protobuf wire format, field by field, without recursion.
 *
 * protobuf-c unpacks recursively and gives no reason when it fails. So a file
 * is first walked here: nesting depth, lengths and varints are checked along
 * every field of onnx.proto that nests, and refused with the place and the
 * reason. What has passed can be unpacked, whole or in parts.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_ONNX_READ_WIRE_H
#define LIP_ONNX_READ_WIRE_H

#include "alloc.h"

/* Messages that the walk knows; LIP_WIRE_FLAT stands for all that hold no messages. */
typedef enum lip_wire_message {
    LIP_WIRE_NONE,
    LIP_WIRE_FLAT,
    LIP_WIRE_MODEL,
    LIP_WIRE_GRAPH,
    LIP_WIRE_NODE,
    LIP_WIRE_ATTRIBUTE,
    LIP_WIRE_TENSOR,
    LIP_WIRE_SPARSE,
    LIP_WIRE_VALUE,
    LIP_WIRE_TYPE,
    LIP_WIRE_TENSOR_TYPE,
    LIP_WIRE_WRAPPED_TYPE,
    LIP_WIRE_MAP_TYPE,
    LIP_WIRE_SHAPE,
    LIP_WIRE_FUNCTION,
    LIP_WIRE_TRAINING,
    LIP_WIRE_ANNOTATION
} lip_wire_message;

/* A stretch of bytes being read; `base` is byte 0 of messages' positions. */
typedef struct lip_wire {
    const uint8_t *base, *at, *end;
} lip_wire;

enum { LIP_WIRE_VARINT = 0, LIP_WIRE_FIXED64 = 1, LIP_WIRE_BYTES = 2, LIP_WIRE_FIXED32 = 5 };

typedef struct lip_wire_field {
    uint32_t number;
    int type;            /* one of the four above */
    const uint8_t *tag;  /* where the field starts */
    const uint8_t *data; /* LIP_WIRE_BYTES: the content */
    size_t size;
    uint64_t value; /* LIP_WIRE_VARINT */
} lip_wire_field;

lip_wire lip_wire_over(const void *bytes, size_t size);

/* Reads the field at wire->at (call while wire->at < wire->end) and moves past it. LIP_EFORMAT where there is none. */
lip_status lip_wire_next(lip_wire *wire, lip_wire_field *field, lip_error *error);

/* Walks all of `message` in `bytes`. LIP_EFORMAT with "truncated at byte N: ..." or "nested more than 64 levels". */
lip_status lip_wire_check(const void *bytes, size_t size, lip_wire_message message, lip_error *error);

/*
 * A copy of a checked message with only the fields whose number is in `keep` (bit n: field n, n < 64), so that large
 * parts need not pass through the unpacker. The caller frees *out with lip_free.
 */
lip_status lip_wire_select(lip_wire wire, uint64_t keep, lip_memory *memory, uint8_t **out, size_t *size,
                           lip_error *error);

#endif
