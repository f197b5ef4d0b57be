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
#include "read/node_proto.h"
#include "read/source.h"
#include "read/tensor_proto.h"
#include "read/unpack.h"
#include "read/value_proto.h"
#include "read/wire.h"

#include <stdio.h>
#include <string.h>

enum { MODEL_GRAPH = 7 };
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

static lip_status read_functions(lip_draft *draft, const Onnx__ModelProto *proto, lip_error *error)
{
    draft->functions = lip_arena_alloc(&draft->scratch, (int64_t)proto->n_functions, sizeof *draft->functions);
    if (!draft->functions)
        return lip_fail_memory(error, NULL, "the functions");
    for (size_t i = 0; i < proto->n_functions; i++) {
        draft->functions[i].domain = copy_text(draft, lip_domain(proto->functions[i]->domain));
        draft->functions[i].name = copy_text(draft, proto->functions[i]->name);
        if (!draft->functions[i].domain || !draft->functions[i].name)
            return lip_fail_memory(error, NULL, "the functions");
    }
    draft->function_count = proto->n_functions;
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
    lip_status status = read_domains(draft, proto, error);
    return status ? status : read_functions(draft, proto, error);
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
    const Onnx__GraphProto *graph = (const Onnx__GraphProto *)message;
    lip_status status = lip_read_sparse(draft, graph, error);
    return status ? status : lip_read_inputs(draft, graph, error);
}

static lip_status use_outputs(lip_draft *draft, const ProtobufCMessage *message, lip_error *error)
{
    return lip_read_outputs(draft, (const Onnx__GraphProto *)message, error);
}

static lip_status read_initializer(lip_draft *draft, const lip_wire_field *field, lip_error *error)
{
    lip_model *model = draft->model;
    const lip_tensor_reader reader = {&model->arena, model->source};
    const char *name = "";
    lip_tensor *tensor = lip_arena_alloc(&model->arena, 1, sizeof *tensor);
    if (!tensor)
        return lip_fail_memory(error, NULL, "an initializer");
    lip_status status = lip_tensor_read(&reader, field->data, field->size, tensor, &name, error);
    if (status && status != LIP_EUNSUPPORTED)
        return status;
    if (!name[0])
        return lip_fail(error, LIP_EFORMAT, "an initializer has no name");
    lip_draft_value *value = lip_draft_value_named(draft, name);
    if (!value)
        return lip_fail_memory(error, NULL, "an initializer");
    lip_error twice;
    if (lip_draft_define(value, NULL, &twice))
        return lip_fail(error, LIP_EFORMAT, "%s", twice.reason);
    return lip_draft_constant(draft, value, status, tensor, error);
}

/* One pass over the graph's initializers or nodes. */
static lip_status read_each(lip_draft *draft, lip_wire graph, uint32_t number, lip_error *error)
{
    size_t index = 0;
    while (graph.at < graph.end) {
        lip_wire_field field;
        lip_status status = lip_wire_next(&graph, &field, error);
        if (status)
            return status;
        if (field.number != number || field.type != LIP_WIRE_BYTES)
            continue;
        status = number == GRAPH_NODE ? lip_read_node(draft, &field, index, error)
                                      : read_initializer(draft, &field, error);
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
    const uint64_t inputs = UINT64_C(1) << GRAPH_INPUT | UINT64_C(1) << GRAPH_SPARSE;
    lip_model *model = draft->model;
    lip_wire_field last;
    model->nodes_in_file = count_fields(graph, GRAPH_NODE, &last);
    model->nodes = lip_arena_alloc(&draft->scratch, (int64_t)model->nodes_in_file, sizeof *model->nodes);
    if (!model->nodes)
        return lip_fail_memory(error, NULL, "the nodes");
    lip_status status = read_each(draft, graph, GRAPH_INITIALIZER, error);
    if (!status)
        status = with_part(draft, graph, inputs, &onnx__graph_proto__descriptor, use_inputs, error);
    if (!status)
        status = read_each(draft, graph, GRAPH_NODE, error);
    if (!status)
        status = with_part(draft, graph, UINT64_C(1) << GRAPH_OUTPUT, &onnx__graph_proto__descriptor, use_outputs,
                           error);
    return status;
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
    status = with_part(draft, wire, ~(UINT64_C(1) << MODEL_GRAPH), &onnx__model_proto__descriptor, use_model, error);
    return status ? status : read_graph(draft, lip_wire_over(graph.data, graph.size), error);
}
