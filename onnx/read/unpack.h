/*
 * unpack.h: protobuf-c with an allocator that counts.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_ONNX_READ_UNPACK_H
#define LIP_ONNX_READ_UNPACK_H

#include "alloc.h"

#include "onnx.pb-c.h"

/* Unpacks a message that lip_wire_check has passed. LIP_EMEMORY, or LIP_EFORMAT where a field has the wrong type.
 * The caller frees *out with lip_unpack_free. */
lip_status lip_unpack(const ProtobufCMessageDescriptor *type, const void *bytes, size_t size, lip_memory *memory,
                      ProtobufCMessage **out, lip_error *error);
void lip_unpack_free(lip_memory *memory, ProtobufCMessage *message); /* NULL is fine */

#endif
