/*
 * constant_node.c: the operator Constant: value, value_float(s),
 * value_int(s) and sparse_value; value_string(s) are not supported. In a
 * function, the value may be an attribute of the call.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "constant_node.h"

#include "read/node_proto.h"
#include "read/scope.h"
#include "read/sparse_proto.h"
#include "read/tensor_proto.h"

#include "onnx.pb-c.h"

#include <string.h>

static lip_status copy_elements(lip_draft *draft, lip_tensor *out, lip_dtype dtype, const void *from, size_t count,
                                bool scalar, lip_error *error)
{
    lip_storage storage = lip_dtype_storage(dtype, false);
    void *room = lip_arena_alloc(&draft->model->arena, (int64_t)count, lip_storage_size(storage));
    if (!room)
        return lip_fail_memory(error, NULL, "a constant");
    if (count)
        memcpy(room, from, count * lip_storage_size(storage));
    *out = (lip_tensor){.dtype = dtype, .storage = storage, .count = (int64_t)count};
    out->shape.rank = scalar ? 0 : 1;
    out->shape.dim[0] = scalar ? 0 : (int64_t)count;
    out->room = room;
    return LIP_OK;
}

static lip_status read_sparse(const lip_tensor_reader *reader, const Onnx__AttributeProto *a, lip_tensor *out,
                              lip_error *error)
{
    if (!a->sparse_tensor)
        return lip_fail(error, LIP_EFORMAT, "Constant has no sparse tensor");
    return lip_sparse_from_proto(reader, a->sparse_tensor, out, error);
}

/* An attribute of the call that the function around is put in place of. */
static lip_status read_referred(lip_draft *draft, const lip_scope *scope, const char *name, lip_tensor *out,
                                lip_error *error)
{
    const lip_attr *a = lip_scope_attr(scope, name);
    switch (a ? a->kind : LIP_ATTR_OTHER) {
    case LIP_ATTR_FLOAT:
        return copy_elements(draft, out, LIP_DTYPE_FLOAT, &a->f, 1, true, error);
    case LIP_ATTR_INT:
        return copy_elements(draft, out, LIP_DTYPE_INT64, &a->i, 1, true, error);
    case LIP_ATTR_FLOATS:
        return copy_elements(draft, out, LIP_DTYPE_FLOAT, a->floats, (size_t)a->count, false, error);
    case LIP_ATTR_INTS:
        return copy_elements(draft, out, LIP_DTYPE_INT64, a->ints, (size_t)a->count, false, error);
    case LIP_ATTR_TENSOR:
        *out = *a->tensor;
        return LIP_OK;
    default:
        return lip_fail(error, a ? LIP_EUNSUPPORTED : LIP_EFORMAT,
                        a ? "holds strings or a graph, which are not supported"
                          : "Constant refers to the attribute '%s', which the call does not have", name);
    }
}

static lip_status read_value(lip_draft *draft, const Onnx__AttributeProto *a, lip_tensor *out, lip_error *error)
{
    const lip_tensor_reader reader = {&draft->model->arena, draft->model->source};
    const char *form = a->name ? a->name : "";
    if (strcmp(form, "value") == 0 && a->t)
        return lip_tensor_from_proto(&reader, a->t, out, error);
    if (strcmp(form, "value_float") == 0)
        return copy_elements(draft, out, LIP_DTYPE_FLOAT, &a->f, 1, true, error);
    if (strcmp(form, "value_floats") == 0)
        return copy_elements(draft, out, LIP_DTYPE_FLOAT, a->floats, a->n_floats, false, error);
    if (strcmp(form, "value_int") == 0)
        return copy_elements(draft, out, LIP_DTYPE_INT64, &a->i, 1, true, error);
    if (strcmp(form, "value_ints") == 0)
        return copy_elements(draft, out, LIP_DTYPE_INT64, a->ints, a->n_ints, false, error);
    if (strcmp(form, "value_string") == 0 || strcmp(form, "value_strings") == 0)
        return lip_fail(error, LIP_EUNSUPPORTED, "holds strings, which are not supported");
    if (strcmp(form, "sparse_value") == 0)
        return read_sparse(&reader, a, out, error);
    return lip_fail(error, LIP_EFORMAT, "Constant has the attribute '%s' instead of a value", form);
}

lip_status lip_read_constant_node(lip_draft *draft, const lip_draft_node *made, const Onnx__NodeProto *proto,
                                  lip_error *error)
{
    const lip_node *node = &made->node;
    if (node->output_count != 1 || !node->outputs[0] || proto->n_attribute != 1)
        return lip_fail_node(error, LIP_EFORMAT, node,
                             "Constant needs one output and one attribute, it has %zu and %zu", node->output_count,
                             proto->n_attribute);
    lip_draft_value *value = lip_draft_of(node->outputs[0]);
    lip_status status = lip_draft_define(value, NULL, error);
    if (status)
        return status;
    lip_tensor *tensor = lip_arena_alloc(&draft->model->arena, 1, sizeof *tensor);
    if (!tensor)
        return lip_fail_memory(error, node, "a constant");
    const char *referred = proto->attribute[0]->ref_attr_name;
    status = referred && referred[0] ? read_referred(draft, made->scope, referred, tensor, error)
                                     : read_value(draft, proto->attribute[0], tensor, error);
    status = lip_draft_constant(draft, value, status, tensor, error);
    return status ? lip_fail_node(error, status, node, "%s", error->reason) : LIP_OK;
}
