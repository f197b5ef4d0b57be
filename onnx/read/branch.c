/*
 * branch.c: see branch.h.
 *
 * The names that a subgraph defines, at any depth, are made first, under the
 * prefix that its nodes will have if it is ever read; a name that is used and
 * not among these comes from outside.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "branch.h"

#include "graph/model.h"
#include "read/node_proto.h"
#include "read/scope.h"
#include "read/value_proto.h"

#include <string.h>

enum { MAX_DEPTH = 64 };
enum { NODE_INPUT = 1, NODE_OUTPUT = 2, NODE_ATTRIBUTE = 5 };
enum { ATTRIBUTE_NAME = 1, ATTRIBUTE_GRAPH = 6, ATTRIBUTE_GRAPHS = 11 };
enum { GRAPH_NODE = 1, GRAPH_INITIALIZER = 5, GRAPH_INPUT = 11, GRAPH_OUTPUT = 12, GRAPH_SPARSE = 15 };
enum { TENSOR_NAME = 8, SPARSE_VALUES = 1, VALUE_NAME = 1 };

/* Walks over a subgraph with everything inside it. */
typedef struct walk {
    lip_draft *draft;
    lip_draft_node *node;
    lip_scope scope;
    bool captures; /* second pass: look at what is used; first: at what is defined */
    size_t room;   /* of node->inputs */
} walk;

static lip_status capture(walk *w, lip_value *value, lip_error *error)
{
    lip_node *node = &w->node->node;
    for (size_t i = 0; i < node->input_count; i++)
        if (node->inputs[i] == value)
            return LIP_OK;
    if (node->input_count >= w->room) {
        size_t room = 2 * node->input_count + 8;
        lip_value **inputs = lip_arena_alloc(&w->draft->model->arena, (int64_t)room, sizeof *inputs);
        if (!inputs)
            return lip_fail_memory(error, node, "what its subgraphs read");
        if (node->input_count)
            memcpy(inputs, node->inputs, node->input_count * sizeof *inputs);
        node->inputs = inputs;
        w->room = room;
    }
    node->inputs[node->input_count++] = value;
    return LIP_OK;
}

static lip_status name_used(walk *w, const char *name, lip_error *error)
{
    lip_value *value = NULL;
    if (!lip_scope_value(w->draft, &w->scope, name, &value))
        return lip_fail_memory(error, &w->node->node, "what its subgraphs read");
    size_t prefix = strlen(w->scope.prefix);
    return !value || strncmp(value->name, w->scope.prefix, prefix) == 0 ? LIP_OK : capture(w, value, error);
}

static lip_status name_found(walk *w, const lip_wire_field *field, bool defined, lip_error *error)
{
    const char *name = lip_arena_string(&w->draft->scratch, (const char *)field->data, field->size);
    if (!name || (!w->captures && defined && name[0] && !lip_scope_own(w->draft, &w->scope, name)))
        return lip_fail_memory(error, &w->node->node, "a subgraph's names");
    return w->captures && !defined && name[0] ? name_used(w, name, error) : LIP_OK;
}

/* The field `number` of a message in `outer`, taken for a name. */
static lip_status name_inside(walk *w, const lip_wire_field *outer, uint32_t number, bool defined, lip_error *error)
{
    for (lip_wire wire = lip_wire_over(outer->data, outer->size); wire.at < wire.end;) {
        lip_wire_field field;
        lip_status status = lip_wire_next(&wire, &field, error);
        if (!status && field.number == number && field.type == LIP_WIRE_BYTES)
            status = name_found(w, &field, defined, error);
        if (status)
            return status;
    }
    return LIP_OK;
}

static lip_status sparse_name(walk *w, const lip_wire_field *outer, lip_error *error)
{
    for (lip_wire wire = lip_wire_over(outer->data, outer->size); wire.at < wire.end;) {
        lip_wire_field field;
        lip_status status = lip_wire_next(&wire, &field, error);
        if (!status && field.number == SPARSE_VALUES && field.type == LIP_WIRE_BYTES)
            status = name_inside(w, &field, TENSOR_NAME, true, error);
        if (status)
            return status;
    }
    return LIP_OK;
}

typedef enum level { IN_GRAPH, IN_NODE, IN_ATTRIBUTE } level;

/* What one field holds; *next: the level inside of it, where it is to be entered. */
static lip_status look_at(walk *w, const lip_wire_field *field, level at, bool *enter, level *next, lip_error *error)
{
    *enter = false;
    if (at == IN_ATTRIBUTE) {
        *enter = field->number == ATTRIBUTE_GRAPH || field->number == ATTRIBUTE_GRAPHS;
        *next = IN_GRAPH;
        return LIP_OK;
    }
    if (at == IN_NODE) {
        *enter = field->number == NODE_ATTRIBUTE;
        *next = IN_ATTRIBUTE;
        if (field->number == NODE_INPUT || field->number == NODE_OUTPUT)
            return name_found(w, field, field->number == NODE_OUTPUT, error);
        return LIP_OK;
    }
    *enter = field->number == GRAPH_NODE;
    *next = IN_NODE;
    switch (field->number) {
    case GRAPH_INITIALIZER:
        return name_inside(w, field, TENSOR_NAME, true, error);
    case GRAPH_SPARSE:
        return sparse_name(w, field, error);
    case GRAPH_INPUT:
    case GRAPH_OUTPUT:
        return name_inside(w, field, VALUE_NAME, field->number == GRAPH_INPUT, error);
    default:
        return LIP_OK;
    }
}

static lip_status walk_graph(walk *w, const lip_wire_field *graph, lip_error *error)
{
    struct {
        const uint8_t *end;
        level at;
    } stack[MAX_DEPTH];
    int depth = 0;
    lip_wire wire = lip_wire_over(graph->data, graph->size);
    stack[0].end = wire.end;
    stack[0].at = IN_GRAPH;
    while (depth >= 0) {
        lip_wire_field field;
        bool enter = false;
        level next = IN_GRAPH;
        wire.end = stack[depth].end;
        if (wire.at == wire.end) {
            depth--;
            continue;
        }
        lip_status status = lip_wire_next(&wire, &field, error);
        if (!status && field.type == LIP_WIRE_BYTES)
            status = look_at(w, &field, stack[depth].at, &enter, &next, error);
        if (!status && enter && depth + 1 == MAX_DEPTH)
            status = lip_fail_node(error, LIP_EFORMAT, &w->node->node, "its subgraphs are nested too deep");
        if (status)
            return status;
        if (!enter)
            continue;
        depth++;
        stack[depth].end = wire.at;
        stack[depth].at = next;
        wire.at = field.data;
    }
    return LIP_OK;
}

/* One subgraph: its place, and what it reads. */
static lip_status read_branch(lip_draft *draft, lip_draft_node *made, const char *attr, const lip_wire_field *graph,
                              size_t *room, lip_error *error)
{
    lip_branch *branch = lip_arena_alloc(&draft->scratch, 1, sizeof *branch);
    size_t length = strlen(attr);
    char *part = lip_arena_alloc(&draft->scratch, (int64_t)length + 2, 1);
    if (!branch || !part)
        return lip_fail_memory(error, &made->node, "a subgraph");
    part[0] = '.';
    memcpy(part + 1, attr, length + 1);
    *branch = (lip_branch){made->branches, attr, lip_scope_prefix(draft, made->node.name, part), graph->data,
                           graph->size};
    if (!branch->prefix)
        return lip_fail_memory(error, &made->node, "a subgraph");
    made->branches = branch;
    walk w = {.draft = draft, .node = made, .room = *room};
    w.scope = (lip_scope){.is_branch = true, .outer = made->scope, .prefix = branch->prefix, .caller = &made->node};
    lip_status status = walk_graph(&w, graph, error);
    w.captures = true;
    if (!status)
        status = walk_graph(&w, graph, error);
    *room = w.room;
    return status;
}

static lip_status read_attribute(lip_draft *draft, lip_draft_node *made, const lip_wire_field *attribute, size_t *room,
                                 lip_error *error)
{
    const char *name = "";
    for (int pass = 0; pass < 2; pass++)
        for (lip_wire wire = lip_wire_over(attribute->data, attribute->size); wire.at < wire.end;) {
            lip_wire_field field;
            lip_status status = lip_wire_next(&wire, &field, error);
            if (status)
                return status;
            if (field.type != LIP_WIRE_BYTES)
                continue;
            if (pass == 0 && field.number == ATTRIBUTE_NAME)
                name = lip_arena_string(&draft->scratch, (const char *)field.data, field.size);
            if (!name)
                return lip_fail_memory(error, &made->node, "a subgraph");
            if (pass == 1 && (field.number == ATTRIBUTE_GRAPH || field.number == ATTRIBUTE_GRAPHS))
                status = read_branch(draft, made, name, &field, room, error);
            if (status)
                return status;
        }
    return LIP_OK;
}

lip_status lip_read_captures(lip_draft *draft, lip_draft_node *made, const lip_wire_field *field, lip_error *error)
{
    size_t room = made->node.input_count;
    for (lip_wire wire = lip_wire_over(field->data, field->size); wire.at < wire.end;) {
        lip_wire_field part;
        lip_status status = lip_wire_next(&wire, &part, error);
        if (!status && part.number == NODE_ATTRIBUTE && part.type == LIP_WIRE_BYTES)
            status = read_attribute(draft, made, &part, &room, error);
        if (status)
            return status;
    }
    return LIP_OK;
}

/* The outputs of the branch, in order, copied to those of the If. */
static lip_status copy_outputs(lip_draft *draft, const lip_node *node, const lip_scope *scope, lip_wire graph,
                               lip_error *error)
{
    size_t index = 0;
    while (graph.at < graph.end) {
        lip_wire_field field, part;
        lip_status status = lip_wire_next(&graph, &field, error);
        if (status)
            return status;
        if (field.number != GRAPH_OUTPUT || field.type != LIP_WIRE_BYTES)
            continue;
        const char *name = "";
        for (lip_wire wire = lip_wire_over(field.data, field.size); wire.at < wire.end;) {
            status = lip_wire_next(&wire, &part, error);
            if (status)
                return status;
            if (part.number == VALUE_NAME && part.type == LIP_WIRE_BYTES)
                name = lip_arena_string(&draft->scratch, (const char *)part.data, part.size);
        }
        lip_value *from = NULL, *to = lip_node_output(node, index++);
        if (!name || !lip_scope_value(draft, scope, name, &from))
            return lip_fail_memory(error, node, "a branch's outputs");
        status = to ? lip_draft_copy(draft, node, from, to, error) : LIP_OK;
        if (status)
            return status;
    }
    return index >= node->output_count ? LIP_OK
                                       : lip_fail_node(error, LIP_EFORMAT, node, "has %zu outputs, its branch %zu",
                                                       node->output_count, index);
}

lip_status lip_read_branch(lip_draft *draft, lip_node *node, const char *attr, lip_error *error)
{
    const lip_draft_node *made = lip_draft_of_node(node);
    const lip_branch *branch = made->branches;
    while (branch && strcmp(branch->attr, attr) != 0)
        branch = branch->next;
    lip_scope *scope = lip_arena_alloc(&draft->scratch, 1, sizeof *scope);
    if (!branch)
        return lip_fail_node(error, LIP_EFORMAT, node, "attribute %s is missing", attr);
    if (!scope)
        return lip_fail_memory(error, node, "a branch");
    *scope = (lip_scope){.is_branch = true, .outer = made->scope, .prefix = branch->prefix, .caller = node};
    scope->depth = made->scope ? made->scope->depth : 0;
    for (size_t i = 0; i < node->output_count; i++)
        if (node->outputs[i]) {
            lip_draft_of(node->outputs[i])->defined = false;
            node->outputs[i]->producer = NULL;
        }
    lip_wire graph = lip_wire_over(branch->bytes, branch->size);
    lip_status status = lip_read_graph_body(draft, scope, graph, error);
    return status ? status : copy_outputs(draft, node, scope, graph, error);
}
