/*
 * model_proto.c: ModelProto to a draft.
 *
 * The graph is walked field by field: initializers first, because they decide
 * which inputs are constants, then inputs, nodes and outputs. Only small parts
 * are unpacked at a time.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "graph/model.h"
#include "read/function_proto.h"
#include "read/node_proto.h"
#include "read/scope.h"
#include "read/source.h"
#include "read/sparse_proto.h"
#include "read/tensor_proto.h"
#include "read/unpack.h"
#include "read/value_proto.h"
#include "read/wire.h"

#include <stdio.h>
#include <string.h>

enum { MODEL_GRAPH = 7, MODEL_FUNCTIONS = 25 };
enum { GRAPH_NODE = 1, GRAPH_INITIALIZER = 5, GRAPH_INPUT = 11, GRAPH_OUTPUT = 12, GRAPH_SPARSE = 15 };

static const char *copy_text(lip_draft *draft, const char *text)
{
    return lip_arena_string(&draft->model->arena, text ? text : "", text ? strlen(text) : 0);
}

static lip_status read_domains(lip_draft *draft, const Onnx__ModelProto *proto, lip_error *error)
{
    bool has_default = false;
    draft->domains = lip_arena_alloc(&draft->scratch, (int64_t)proto->n_opset_import + 1, sizeof *draft->domains);
    if (!draft->domains)
        return lip_fail_memory(error, NULL, "the opset imports");
    for (size_t i = 0; i < proto->n_opset_import; i++) {
        lip_draft_domain *domain = &draft->domains[draft->domain_count];
        domain->name = copy_text(draft, lip_domain(proto->opset_import[i]->domain));
        domain->opset = proto->opset_import[i]->version;
        if (!domain->name)
            return lip_fail_memory(error, NULL, "the opset imports");
        has_default = has_default || domain->name[0] == '\0';
        draft->domain_count++;
    }
    /* Before IR version 3 there was one opset, and no import. */
    if (!has_default)
        draft->domains[draft->domain_count++] = (lip_draft_domain){"", proto->ir_version < 3 ? 1 : 0};
    draft->model->opset = lip_draft_opset(draft, "");
    return LIP_OK;
}

static lip_status read_head(lip_draft *draft, const Onnx__ModelProto *proto, lip_error *error)
{
    lip_model *model = draft->model;
    char producer[512];
    snprintf(producer, sizeof producer, "%.250s%s%.250s", proto->producer_name ? proto->producer_name : "",
             proto->producer_version && proto->producer_version[0] ? " " : "",
             proto->producer_version ? proto->producer_version : "");
    model->producer = copy_text(draft, producer);
    model->ir_version = proto->ir_version;
    if (!model->producer)
        return lip_fail_memory(error, NULL, "the producer's name");
    return read_domains(draft, proto, error);
}

/* Unpacks the fields `keep` of a message and hands them to `use`. */
static lip_status with_part(lip_draft *draft, lip_wire wire, uint64_t keep, const ProtobufCMessageDescriptor *type,
                            lip_status (*use)(lip_draft *, const ProtobufCMessage *, lip_error *), lip_error *error)
{
    lip_memory *memory = &draft->model->memory;
    uint8_t *bytes = NULL;
    size_t size = 0;
    ProtobufCMessage *message = NULL;
    lip_status status = lip_wire_select(wire, keep, memory, &bytes, &size, error);
    if (!status)
        status = lip_unpack(type, bytes, size, memory, &message, error);
    if (!status)
        status = use(draft, message, error);
    lip_unpack_free(memory, message);
    lip_free(memory, bytes);
    return status;
}

static lip_status use_model(lip_draft *draft, const ProtobufCMessage *message, lip_error *error)
{
    return read_head(draft, (const Onnx__ModelProto *)message, error);
}

static lip_status use_inputs(lip_draft *draft, const ProtobufCMessage *message, lip_error *error)
{
    return lip_read_inputs(draft, (const Onnx__GraphProto *)message, error);
}

static lip_status use_outputs(lip_draft *draft, const ProtobufCMessage *message, lip_error *error)
{
    return lip_read_outputs(draft, (const Onnx__GraphProto *)message, error);
}

/* The value that an initializer of a scope defines. */
static lip_status define_initializer(lip_draft *draft, const lip_scope *scope, const char *name, lip_draft_value **out,
                                     lip_error *error)
{
    if (!name[0])
        return lip_fail(error, LIP_EFORMAT, "an initializer has no name");
    lip_draft_value *value = lip_scope_own(draft, scope, name);
    if (!value)
        return lip_fail_memory(error, NULL, "an initializer");
    lip_error twice;
    if (lip_draft_define(value, NULL, &twice))
        return lip_fail(error, LIP_EFORMAT, "%s", twice.reason);
    *out = value;
    return LIP_OK;
}

static lip_status read_initializer(lip_draft *draft, const lip_scope *scope, const lip_wire_field *field,
                                   lip_error *error)
{
    lip_model *model = draft->model;
    const lip_tensor_reader reader = {&model->arena, model->source};
    const char *name = "";
    lip_draft_value *value = NULL;
    lip_tensor *tensor = lip_arena_alloc(&model->arena, 1, sizeof *tensor);
    if (!tensor)
        return lip_fail_memory(error, NULL, "an initializer");
    lip_error reason;
    lip_status status = field->number == GRAPH_SPARSE
                            ? lip_sparse_read(&reader, field->data, field->size, tensor, &name, &reason)
                            : lip_tensor_read(&reader, field->data, field->size, tensor, &name, &reason);
    if (status && status != LIP_EUNSUPPORTED)
        return lip_fail(error, status, "%s", reason.reason);
    lip_status defined = define_initializer(draft, scope, name, &value, error);
    return defined ? defined : lip_draft_constant(draft, value, status, tensor, status ? &reason : error);
}

/* One pass over the graph's initializers or nodes. */
static lip_status read_each(lip_draft *draft, const lip_scope *scope, lip_wire graph, uint32_t number, lip_error *error)
{
    size_t index = 0;
    while (graph.at < graph.end) {
        lip_wire_field field;
        lip_status status = lip_wire_next(&graph, &field, error);
        if (status)
            return status;
        if (field.number != number || field.type != LIP_WIRE_BYTES)
            continue;
        status = number == GRAPH_NODE ? lip_read_node(draft, scope, &field, index, error)
                                      : read_initializer(draft, scope, &field, error);
        if (!status && number == GRAPH_NODE)
            status = lip_read_calls(draft, error);
        if (status)
            return status;
        index++;
    }
    return LIP_OK;
}

static size_t count_fields(lip_wire wire, uint32_t number, lip_wire_field *last)
{
    size_t count = 0;
    lip_wire_field field;
    while (wire.at < wire.end && lip_wire_next(&wire, &field, NULL) == LIP_OK)
        if (field.number == number && field.type == LIP_WIRE_BYTES) {
            *last = field;
            count++;
        }
    return count;
}

static lip_status read_graph(lip_draft *draft, lip_wire graph, lip_error *error)
{
    const uint64_t inputs = UINT64_C(1) << GRAPH_INPUT;
    lip_wire_field last;
    draft->model->nodes_in_file = count_fields(graph, GRAPH_NODE, &last);
    lip_status status = read_each(draft, NULL, graph, GRAPH_INITIALIZER, error);
    if (!status)
        status = read_each(draft, NULL, graph, GRAPH_SPARSE, error);
    if (!status)
        status = with_part(draft, graph, inputs, &onnx__graph_proto__descriptor, use_inputs, error);
    if (!status)
        status = read_each(draft, NULL, graph, GRAPH_NODE, error);
    if (!status)
        status = with_part(draft, graph, UINT64_C(1) << GRAPH_OUTPUT, &onnx__graph_proto__descriptor, use_outputs,
                           error);
    return status;
}

lip_status lip_read_graph_body(lip_draft *draft, const lip_scope *scope, lip_wire graph, lip_error *error)
{
    lip_status status = read_each(draft, scope, graph, GRAPH_INITIALIZER, error);
    if (!status)
        status = read_each(draft, scope, graph, GRAPH_SPARSE, error);
    return status ? status : read_each(draft, scope, graph, GRAPH_NODE, error);
}

lip_status lip_read_model(lip_draft *draft, lip_error *error)
{
    const lip_source *source = draft->model->source;
    lip_status status = lip_wire_check(source->bytes, source->size, LIP_WIRE_MODEL, error);
    if (status)
        return status;
    lip_wire wire = lip_wire_over(source->bytes, source->size);
    lip_wire_field graph;
    size_t graphs = count_fields(wire, MODEL_GRAPH, &graph);
    if (graphs != 1)
        return lip_fail(error, LIP_EFORMAT, "holds %s graph: not an ONNX model", graphs ? "more than one" : "no");
    const uint64_t head = ~(UINT64_C(1) << MODEL_GRAPH | UINT64_C(1) << MODEL_FUNCTIONS);
    status = with_part(draft, wire, head, &onnx__model_proto__descriptor, use_model, error);
    if (!status)
        status = lip_read_functions(draft, wire, error);
    return status ? status : read_graph(draft, lip_wire_over(graph.data, graph.size), error);
}
