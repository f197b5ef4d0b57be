/*
 * node_proto.c: NodeProto to a node of the draft.
 *
 * Nodes are unpacked one at a time, so that only one is in memory twice.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "node_proto.h"

#include "graph/model.h"
#include "op.h"
#include "read/attribute.h"
#include "read/branch.h"
#include "read/constant_node.h"
#include "read/function_proto.h"
#include "read/module_path.h"
#include "read/scope.h"
#include "read/unpack.h"

#include <stdio.h>
#include <string.h>

#define OVERLOAD 8       /* these two are newer than some distributions' onnx.proto: read from the wire */
#define METADATA_PROPS 9
#define MAX_MODULE 512

static const char *copy_text(lip_draft *draft, const char *text)
{
    return lip_arena_string(&draft->model->arena, text ? text : "", text ? strlen(text) : 0);
}

/* The value of `key` in a StringStringEntryProto, if that is what `entry` holds. */
static bool entry_value(const lip_wire_field *entry, const char *key, lip_wire_field *value)
{
    lip_wire wire = lip_wire_over(entry->data, entry->size);
    lip_wire_field field;
    bool is_key = false, has_value = false;
    while (wire.at < wire.end && lip_wire_next(&wire, &field, NULL) == LIP_OK) {
        if (field.type != LIP_WIRE_BYTES)
            continue;
        if (field.number == 1)
            is_key = field.size == strlen(key) && memcmp(field.data, key, field.size) == 0;
        if (field.number == 2) {
            *value = field;
            has_value = true;
        }
    }
    return is_key && has_value;
}

static bool module_from_metadata(const lip_wire_field *node, char *path, size_t size)
{
    lip_wire wire = lip_wire_over(node->data, node->size);
    lip_wire_field field, value = {0};
    while (wire.at < wire.end && lip_wire_next(&wire, &field, NULL) == LIP_OK)
        if (field.number == METADATA_PROPS && field.type == LIP_WIRE_BYTES &&
            entry_value(&field, "pkg.torch.onnx.name_scopes", &value))
            return lip_module_from_scopes((const char *)value.data, value.size, path, size);
    return false;
}

/* "call::name": the scope's prefix ends in "::". */
static const char *inner_name(lip_draft *draft, const lip_scope *scope, const char *name)
{
    size_t prefix = strlen(scope->prefix), own = strlen(name);
    char *text = lip_arena_alloc(&draft->model->arena, (int64_t)(prefix + own + 1), 1);
    if (text) {
        memcpy(text, scope->prefix, prefix);
        memcpy(text + prefix, name, own + 1);
    }
    return text;
}

static bool name_node(lip_draft *draft, lip_draft_node *made, const Onnx__NodeProto *proto,
                      const lip_wire_field *field, size_t index)
{
    lip_node *node = &made->node;
    char module[MAX_MODULE] = "", number[32], op[512];
    snprintf(number, sizeof number, "#%zu", index);
    const char *name = proto->name && proto->name[0] ? proto->name : number;
    const lip_node *caller = made->scope ? made->scope->caller : NULL;
    if (!module_from_metadata(field, module, sizeof module) && !lip_module_from_name(name, module, sizeof module))
        snprintf(module, sizeof module, "%.500s", caller ? caller->module : "");
    node->name = caller ? inner_name(draft, made->scope, name) : copy_text(draft, name);
    node->op_type = copy_text(draft, proto->op_type);
    node->domain = copy_text(draft, lip_domain(proto->domain));
    node->module = copy_text(draft, module);
    if (!node->name || !node->op_type || !node->domain || !node->module)
        return false;
    snprintf(op, sizeof op, "%.200s%s%.200s", node->domain, node->domain[0] ? "::" : "", node->op_type);
    made->op_text = copy_text(draft, op);
    node->opset = lip_scope_opset(draft, made->scope, node->domain);
    node->op = lip_op_find(node->domain, node->op_type);
    return made->op_text != NULL;
}

/* An empty name stands for an optional input or output that is left out. */
static lip_value **name_values(lip_draft *draft, const lip_scope *scope, char *const *names, size_t count)
{
    lip_value **values = lip_arena_alloc(&draft->model->arena, (int64_t)count, sizeof *values);
    for (size_t i = 0; values && i < count; i++) {
        if (!names[i] || !names[i][0])
            continue;
        if (!lip_scope_value(draft, scope, names[i], &values[i]))
            return NULL;
    }
    return values;
}

static lip_status read_attributes(lip_draft *draft, lip_draft_node *made, const Onnx__NodeProto *proto,
                                  lip_error *error)
{
    lip_node *node = &made->node;
    lip_attr *attrs = lip_arena_alloc(&draft->model->arena, (int64_t)proto->n_attribute, sizeof *attrs);
    if (!attrs)
        return lip_fail_memory(error, node, "its attributes");
    size_t count = 0;
    for (size_t i = 0; i < proto->n_attribute; i++) {
        lip_status status = lip_read_attribute(draft, made->scope, proto->attribute[i], &attrs[count], error);
        if (status)
            return lip_fail_node(error, status, node, "%s", error->reason);
        made->has_subgraph = made->has_subgraph || attrs[count].kind == LIP_ATTR_GRAPH;
        count += attrs[count].name != NULL;
    }
    node->attrs = attrs;
    node->attr_count = count;
    return LIP_OK;
}

/* A text field of the node, "" if absent. */
static const char *text_field(lip_draft *draft, const lip_wire_field *node, uint32_t number)
{
    const char *text = "";
    lip_wire wire = lip_wire_over(node->data, node->size);
    lip_wire_field field;
    while (text && wire.at < wire.end && lip_wire_next(&wire, &field, NULL) == LIP_OK)
        if (field.number == number && field.type == LIP_WIRE_BYTES)
            text = lip_arena_string(&draft->scratch, (const char *)field.data, field.size);
    return text;
}

/* Operators whose rows know what to do with a subgraph. */
static bool is_control_flow(const lip_node *node)
{
    return node->domain[0] == '\0' && (strcmp(node->op_type, "If") == 0 || strcmp(node->op_type, "Loop") == 0 ||
                                       strcmp(node->op_type, "Scan") == 0);
}

static lip_status define_outputs(lip_node *node, lip_error *error)
{
    for (size_t i = 0; i < node->output_count; i++) {
        lip_status status = node->outputs[i] ? lip_draft_define(lip_draft_of(node->outputs[i]), node, error) : LIP_OK;
        if (status)
            return status;
    }
    return LIP_OK;
}

/* The node is complete: a call of a function, or a part of the graph. */
static lip_status place_node(lip_draft *draft, lip_draft_node *made, const lip_wire_field *field, lip_error *error)
{
    lip_node *node = &made->node;
    const char *overload = draft->function_count ? text_field(draft, field, OVERLOAD) : "";
    if (!overload)
        return lip_fail_memory(error, node, "a call");
    const lip_draft_function *function = lip_find_function(draft, node, overload);
    if (function)
        return lip_draft_call_function(draft, function, made, error);
    if (made->has_subgraph && !is_control_flow(node))
        node->unknown = "it contains a subgraph (control flow), which is not supported";
    lip_status status = made->has_subgraph ? lip_read_captures(draft, made, field, error) : LIP_OK;
    if (!status)
        status = lip_draft_append(draft, node, error);
    if (!status)
        status = define_outputs(node, error);
    return status ? status : lip_model_lower(draft, made, error);
}

static lip_status fill_node(lip_draft *draft, lip_draft_node *made, const Onnx__NodeProto *proto,
                            const lip_wire_field *field, lip_error *error)
{
    lip_node *node = &made->node;
    if (node->opset < 1)
        return lip_fail_node(error, LIP_EFORMAT, node,
                             "the model does not say which version of its domain it uses (opset_import)");
    node->inputs = name_values(draft, made->scope, proto->input, proto->n_input);
    node->outputs = name_values(draft, made->scope, proto->output, proto->n_output);
    if (!node->inputs || !node->outputs)
        return lip_fail_memory(error, node, "its inputs and outputs");
    node->input_count = proto->n_input;
    node->output_count = proto->n_output;
    if (node->domain[0] == '\0' && strcmp(node->op_type, "Constant") == 0)
        return lip_read_constant_node(draft, made, proto, error);

    lip_status status = read_attributes(draft, made, proto, error);
    return status ? status : place_node(draft, made, field, error);
}

lip_status lip_read_node(lip_draft *draft, const lip_scope *scope, const lip_wire_field *field, size_t index,
                         lip_error *error)
{
    lip_memory *memory = &draft->model->memory;
    ProtobufCMessage *message = NULL;
    lip_status status =
        lip_unpack(&onnx__node_proto__descriptor, field->data, field->size, memory, &message, error);
    if (status)
        return status;
    const Onnx__NodeProto *proto = (const Onnx__NodeProto *)message;
    lip_draft_node *made = lip_arena_alloc(&draft->model->arena, 1, sizeof *made);
    if (made)
        made->scope = scope;
    if (made && name_node(draft, made, proto, field, index))
        status = fill_node(draft, made, proto, field, error);
    else
        status = lip_fail_memory(error, NULL, "a node");
    lip_unpack_free(memory, message);
    return status;
}

lip_status lip_draft_constant(lip_draft *draft, lip_draft_value *value, lip_status status, const lip_tensor *tensor,
                              lip_error *error)
{
    if (status && status != LIP_EUNSUPPORTED)
        return status;
    value->value.dtype = tensor->dtype;
    if (status == LIP_OK) {
        value->value.constant = tensor;
        value->value.shape = tensor->shape;
        value->value.shape_known = true;
        return LIP_OK;
    }
    value->why = copy_text(draft, error->reason);
    return value->why ? LIP_OK : lip_fail_memory(error, NULL, "a message");
}
