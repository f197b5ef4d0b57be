/*
 * attribute.c: AttributeProto to lip_attr.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "attribute.h"

#include "read/scope.h"
#include "read/tensor_proto.h"

#include "onnx.pb-c.h"

#include <string.h>

/* Files of IR version 1 do not store the kind. */
static lip_attr_kind kind_of(const Onnx__AttributeProto *proto)
{
    if (proto->has_type && proto->type != 0)
        return (int)proto->type > 0 && (int)proto->type <= LIP_ATTR_STRINGS ? (lip_attr_kind)proto->type
               : proto->n_graphs                    ? LIP_ATTR_GRAPH
                                                    : LIP_ATTR_OTHER;
    if (proto->has_f)
        return LIP_ATTR_FLOAT;
    if (proto->has_i)
        return LIP_ATTR_INT;
    if (proto->has_s)
        return LIP_ATTR_STRING;
    if (proto->t)
        return LIP_ATTR_TENSOR;
    if (proto->g || proto->n_graphs)
        return LIP_ATTR_GRAPH;
    if (proto->n_floats)
        return LIP_ATTR_FLOATS;
    if (proto->n_ints)
        return LIP_ATTR_INTS;
    return proto->n_strings ? LIP_ATTR_STRINGS : LIP_ATTR_OTHER;
}

static const void *copy_array(lip_arena *arena, const void *from, size_t count, size_t size)
{
    void *copy = lip_arena_alloc(arena, (int64_t)count, size);
    if (copy && count)
        memcpy(copy, from, count * size);
    return copy;
}

static const char *const *copy_strings(lip_arena *arena, const ProtobufCBinaryData *strings, size_t count)
{
    const char **copy = lip_arena_alloc(arena, (int64_t)count, sizeof *copy);
    for (size_t i = 0; copy && i < count; i++) {
        copy[i] = lip_arena_string(arena, (const char *)strings[i].data, strings[i].len);
        if (!copy[i])
            return NULL;
    }
    return copy;
}

static lip_status read_tensor(lip_draft *draft, const Onnx__AttributeProto *proto, lip_attr *out, lip_error *error)
{
    lip_model *model = draft->model;
    const lip_tensor_reader reader = {&model->arena, model->source};
    lip_tensor *tensor = lip_arena_alloc(&model->arena, 1, sizeof *tensor);
    if (!tensor)
        return lip_fail_memory(error, NULL, "an attribute");
    if (!proto->t)
        return lip_fail(error, LIP_EFORMAT, "attribute '%s' has no tensor", out->name);
    lip_status status = lip_tensor_from_proto(&reader, proto->t, tensor, error);
    if (status == LIP_EUNSUPPORTED) {
        out->kind = LIP_ATTR_OTHER;
        return LIP_OK;
    }
    out->tensor = tensor;
    return status;
}

lip_status lip_read_attribute(lip_draft *draft, const lip_scope *scope, const Onnx__AttributeProto *proto,
                              lip_attr *out, lip_error *error)
{
    lip_arena *arena = &draft->model->arena;
    const char *name = proto->name ? proto->name : "";
    bool copied = true;
    out->name = lip_arena_string(arena, name, strlen(name));
    if (!out->name)
        return lip_fail_memory(error, NULL, "an attribute");
    if (proto->ref_attr_name && proto->ref_attr_name[0]) {
        const lip_attr *referred = lip_scope_attr(scope, proto->ref_attr_name);
        const char *own = out->name;
        *out = referred ? *referred : (lip_attr){.name = NULL};
        out->name = referred ? own : NULL;
        return LIP_OK;
    }
    out->kind = kind_of(proto);
    switch (out->kind) {
    case LIP_ATTR_FLOAT:
        out->f = proto->f;
        break;
    case LIP_ATTR_INT:
        out->i = proto->i;
        break;
    case LIP_ATTR_STRING:
        copied = (out->s = lip_arena_string(arena, (const char *)proto->s.data, proto->s.len)) != NULL;
        break;
    case LIP_ATTR_TENSOR:
        return read_tensor(draft, proto, out, error);
    case LIP_ATTR_FLOATS:
        out->count = (int64_t)proto->n_floats;
        copied = (out->floats = copy_array(arena, proto->floats, proto->n_floats, sizeof(float))) != NULL;
        break;
    case LIP_ATTR_INTS:
        out->count = (int64_t)proto->n_ints;
        copied = (out->ints = copy_array(arena, proto->ints, proto->n_ints, sizeof(int64_t))) != NULL;
        break;
    case LIP_ATTR_STRINGS:
        out->count = (int64_t)proto->n_strings;
        copied = (out->strings = copy_strings(arena, proto->strings, proto->n_strings)) != NULL;
        break;
    case LIP_ATTR_GRAPH:
    case LIP_ATTR_OTHER:
        break;
    }
    return copied ? LIP_OK : lip_fail_memory(error, NULL, "an attribute");
}
