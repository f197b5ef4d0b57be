/*
 * unpack.c: protobuf-c with an allocator that counts.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "unpack.h"

#include "failure.h"

typedef struct counted {
    lip_memory *memory;
    bool failed;
} counted;

static void *counted_alloc(void *data, size_t size)
{
    counted *account = data;
    void *block = size <= INT64_MAX ? lip_alloc(account->memory, (int64_t)size, 1) : NULL;
    if (!block)
        account->failed = true;
    return block;
}

static void counted_free(void *data, void *block)
{
    counted *account = data;
    lip_free(account->memory, block);
}

lip_status lip_unpack(const ProtobufCMessageDescriptor *type, const void *bytes, size_t size, lip_memory *memory,
                      ProtobufCMessage **out, lip_error *error)
{
    counted account = {memory, false};
    ProtobufCAllocator allocator = {counted_alloc, counted_free, &account};
    ProtobufCMessage *message = protobuf_c_message_unpack(type, &allocator, size, bytes);
    if (account.failed) {
        lip_unpack_free(memory, message);
        return lip_fail_memory(error, NULL, "the unpacked file");
    }
    if (!message)
        return lip_fail(error, LIP_EFORMAT, "a field of %s has the wrong type: not an ONNX file", type->name);
    *out = message;
    return LIP_OK;
}

void lip_unpack_free(lip_memory *memory, ProtobufCMessage *message)
{
    counted account = {memory, false};
    ProtobufCAllocator allocator = {counted_alloc, counted_free, &account};
    if (message)
        protobuf_c_message_free_unpacked(message, &allocator);
}
