/*
 * function_proto.c: functions that the model defines, put in place of their
 * calls.
 *
 * Calls wait in a list, so that functions which call functions take no stack;
 * the depth of calls and the number of nodes that they make are limited.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "function_proto.h"

#include "op.h"
#include "read/attribute.h"
#include "read/node_proto.h"
#include "read/scope.h"
#include "read/unpack.h"

#include <string.h>

#define MAX_INLINED_NODES 250000

enum { MODEL_FUNCTIONS = 25 };
enum { NAME = 1, INPUT = 4, OUTPUT = 5, NODE = 7, OPSET_IMPORT = 9, DOMAIN = 10, ATTRIBUTE_PROTO = 11, OVERLOAD = 13 };

static const char *copy_field(lip_draft *draft, const lip_wire_field *field)
{
    const char *text = lip_arena_string(&draft->scratch, (const char *)field->data, field->size);
    return text;
}

static lip_status read_function(lip_draft *draft, const lip_wire_field *field, lip_draft_function *out,
                                lip_error *error)
{
    *out = (lip_draft_function){"", "", "", field->data, field->size};
    for (lip_wire wire = lip_wire_over(field->data, field->size); wire.at < wire.end;) {
        lip_wire_field part;
        lip_status status = lip_wire_next(&wire, &part, error);
        if (status)
            return status;
        if (part.type != LIP_WIRE_BYTES || (part.number != NAME && part.number != DOMAIN && part.number != OVERLOAD))
            continue;
        const char *text = copy_field(draft, &part);
        if (!text)
            return lip_fail_memory(error, NULL, "the functions");
        if (part.number == NAME)
            out->name = text;
        else if (part.number == DOMAIN)
            out->domain = lip_domain(text);
        else
            out->overload = text;
    }
    return LIP_OK;
}

lip_status lip_read_functions(lip_draft *draft, lip_wire model, lip_error *error)
{
    for (int pass = 0; pass < 2; pass++) {
        size_t count = 0;
        for (lip_wire wire = model; wire.at < wire.end;) {
            lip_wire_field field;
            lip_status status = lip_wire_next(&wire, &field, error);
            if (!status && field.number == MODEL_FUNCTIONS && field.type == LIP_WIRE_BYTES) {
                if (pass == 1)
                    status = read_function(draft, &field, &draft->functions[count], error);
                count++;
            }
            if (status)
                return status;
        }
        draft->function_count = pass == 1 ? count : 0;
        if (pass == 0)
            draft->functions = lip_arena_alloc(&draft->scratch, (int64_t)count, sizeof *draft->functions);
        if (!draft->functions)
            return lip_fail_memory(error, NULL, "the functions");
    }
    return LIP_OK;
}

const lip_draft_function *lip_find_function(const lip_draft *draft, const lip_node *node, const char *overload)
{
    for (size_t i = 0; i < draft->function_count; i++) {
        const lip_draft_function *f = &draft->functions[i];
        if (strcmp(f->name, node->op_type) == 0 && strcmp(f->domain, node->domain) == 0 &&
            strcmp(f->overload, overload) == 0)
            return f;
    }
    return NULL;
}

lip_status lip_draft_call_function(lip_draft *draft, const lip_draft_function *function, lip_draft_node *node,
                                   lip_error *error)
{
    lip_draft_call *call = lip_arena_alloc(&draft->scratch, 1, sizeof *call);
    if (!call)
        return lip_fail_memory(error, &node->node, "a call");
    if (node->scope && node->scope->depth >= LIP_MAX_CALL_DEPTH)
        return lip_fail_node(error, LIP_EFORMAT, &node->node,
                             "functions call each other more than %d levels deep, or themselves", LIP_MAX_CALL_DEPTH);
    *call = (lip_draft_call){draft->calls, function, node};
    draft->calls = call;
    return LIP_OK;
}

/* What is read of a function before its nodes. */
typedef struct body {
    lip_draft *draft;
    const lip_draft_call *call;
    lip_scope *scope;
    lip_attr *attrs;
    lip_draft_domain *domains;
    size_t inputs, outputs, index;
    lip_wire nodes;
} body;

/* Another name for what the caller passes. An output that is an input too, or is listed twice, is copied instead. */
static lip_status bind_formal(body *b, const lip_wire_field *field, bool output, lip_error *error)
{
    const lip_node *node = &b->call->node->node;
    const char *name = copy_field(b->draft, field);
    lip_draft_value *own = name ? lip_scope_own(b->draft, b->scope, name) : NULL;
    size_t index = output ? b->outputs++ : b->inputs++;
    if (!own)
        return lip_fail_memory(error, node, "a function's inputs and outputs");
    lip_value *passed = output ? lip_node_output(node, index) : lip_node_input(node, index);
    if (output && !passed)
        return LIP_OK; /* computed, and not read */
    if (own->alias || own->left_out)
        return output ? lip_draft_copy(b->draft, node, own->alias ? &own->alias->value : NULL, passed, error)
                      : lip_fail_node(error, LIP_EFORMAT, node, "its function has two inputs '%s'", name);
    own->alias = passed ? lip_draft_of(passed) : NULL;
    own->left_out = !passed;
    return LIP_OK;
}

/* A default of an attribute that the call does not give. */
static lip_status read_default(body *b, const lip_wire_field *field, lip_error *error)
{
    lip_memory *memory = &b->draft->model->memory;
    ProtobufCMessage *message = NULL;
    lip_status status =
        lip_unpack(&onnx__attribute_proto__descriptor, field->data, field->size, memory, &message, error);
    if (status)
        return status;
    lip_attr *attr = &b->attrs[b->scope->attr_count];
    status = lip_read_attribute(b->draft, NULL, (const Onnx__AttributeProto *)message, attr, error);
    if (!status && attr->name && !lip_attr_find(&b->call->node->node, attr->name))
        b->scope->attr_count++;
    lip_unpack_free(memory, message);
    return status;
}

static lip_status read_domain(body *b, const lip_wire_field *field, lip_error *error)
{
    lip_draft_domain *domain = &b->domains[b->scope->domain_count++];
    *domain = (lip_draft_domain){"", 0};
    for (lip_wire wire = lip_wire_over(field->data, field->size); wire.at < wire.end;) {
        lip_wire_field part;
        lip_status status = lip_wire_next(&wire, &part, error);
        if (status)
            return status;
        if (part.number == 1 && part.type == LIP_WIRE_BYTES)
            domain->name = copy_field(b->draft, &part);
        if (part.number == 2 && part.type == LIP_WIRE_VARINT)
            domain->opset = (int64_t)part.value;
        if (!domain->name)
            return lip_fail_memory(error, NULL, "a function");
    }
    domain->name = lip_domain(domain->name);
    return LIP_OK;
}

/* One pass over the function's fields, those of `number` alone; only counts where `use` is NULL. */
static lip_status each_field(body *b, uint32_t number, size_t *count,
                             lip_status (*use)(body *, const lip_wire_field *, lip_error *), lip_error *error)
{
    *count = 0;
    for (lip_wire wire = b->nodes; wire.at < wire.end;) {
        lip_wire_field field;
        lip_status status = lip_wire_next(&wire, &field, error);
        if (status)
            return status;
        if (field.number != number || field.type != LIP_WIRE_BYTES)
            continue;
        (*count)++;
        status = use ? use(b, &field, error) : LIP_OK;
        if (status)
            return status;
    }
    return LIP_OK;
}

static lip_status bind_input(body *b, const lip_wire_field *field, lip_error *error)
{
    return bind_formal(b, field, false, error);
}

static lip_status bind_output(body *b, const lip_wire_field *field, lip_error *error)
{
    return bind_formal(b, field, true, error);
}

static lip_status make_scope(body *b, lip_error *error)
{
    lip_arena *scratch = &b->draft->scratch;
    const lip_node *node = &b->call->node->node;
    size_t defaults = 0, domains = 0, count;
    lip_status status = each_field(b, ATTRIBUTE_PROTO, &defaults, NULL, error);
    if (!status)
        status = each_field(b, OPSET_IMPORT, &domains, NULL, error);
    if (status)
        return status;
    b->scope = lip_arena_alloc(scratch, 1, sizeof *b->scope);
    b->attrs = lip_arena_alloc(scratch, (int64_t)(node->attr_count + defaults), sizeof *b->attrs);
    b->domains = lip_arena_alloc(scratch, (int64_t)domains, sizeof *b->domains);
    const char *prefix = lip_scope_prefix(b->draft, node->name, "");
    if (!b->scope || !b->attrs || !b->domains || !prefix)
        return lip_fail_memory(error, node, "a function");
    if (node->attr_count)
        memcpy(b->attrs, node->attrs, node->attr_count * sizeof *b->attrs);
    *b->scope = (lip_scope){.prefix = prefix, .caller = node, .attrs = b->attrs, .domains = b->domains};
    b->scope->depth = (b->call->node->scope ? b->call->node->scope->depth : 0) + 1;
    b->scope->attr_count = node->attr_count;
    status = each_field(b, ATTRIBUTE_PROTO, &count, read_default, error);
    if (!status)
        status = each_field(b, OPSET_IMPORT, &count, read_domain, error);
    if (!status)
        status = each_field(b, INPUT, &count, bind_input, error);
    return status ? status : each_field(b, OUTPUT, &count, bind_output, error);
}

static lip_status read_body_node(body *b, const lip_wire_field *field, lip_error *error)
{
    if (++b->draft->inlined > MAX_INLINED_NODES)
        return lip_fail_node(error, LIP_EFORMAT, &b->call->node->node, "functions expand to more than %d nodes",
                             MAX_INLINED_NODES);
    return lip_read_node(b->draft, b->scope, field, b->index++, error);
}

static lip_status read_call(lip_draft *draft, const lip_draft_call *call, lip_error *error)
{
    const lip_node *node = &call->node->node;
    body b = {.draft = draft, .call = call, .nodes = lip_wire_over(call->function->bytes, call->function->size)};
    size_t count;
    lip_status status = make_scope(&b, error);
    if (!status && (node->input_count > b.inputs || node->output_count > b.outputs))
        status = lip_fail_node(error, LIP_EFORMAT, node, "has %zu inputs and %zu outputs, its function %zu and %zu",
                               node->input_count, node->output_count, b.inputs, b.outputs);
    return status ? status : each_field(&b, NODE, &count, read_body_node, error);
}

lip_status lip_read_calls(lip_draft *draft, lip_error *error)
{
    while (draft->calls) {
        const lip_draft_call *call = draft->calls;
        draft->calls = call->next;
        lip_status status = read_call(draft, call, error);
        if (status)
            return status;
    }
    return LIP_OK;
}
