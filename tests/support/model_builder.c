/*
 * model_builder.c: makes ONNX models, on the generated protobuf types.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#define _XOPEN_SOURCE 700
#include "model_builder.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct block {
    struct block *next;
    double bytes[]; /* double: aligned for everything that is put here */
} block;

struct build {
    block *blocks;
    Onnx__ModelProto model;
    Onnx__GraphProto graph;
};

static void fail(const char *what)
{
    fprintf(stderr, "model_builder: %s\n", what);
    abort();
}

void *build_memory(build *b, size_t size)
{
    block *made = calloc(1, sizeof *made + size);
    if (!made)
        fail("out of memory");
    made->next = b->blocks;
    b->blocks = made;
    return made->bytes;
}

char *build_text(build *b, const char *text)
{
    char *copy = build_memory(b, strlen(text) + 1);
    memcpy(copy, text, strlen(text) + 1);
    return copy;
}

/* A list with one more element at its end; the old one stays behind. */
static void *append(build *b, void *list, size_t *count, void *element)
{
    void **longer = build_memory(b, (*count + 1) * sizeof *longer);
    if (*count)
        memcpy(longer, list, *count * sizeof *longer);
    longer[(*count)++] = element;
    return longer;
}

build *build_new(int64_t opset)
{
    build *b = calloc(1, sizeof *b);
    if (!b)
        fail("out of memory");
    onnx__model_proto__init(&b->model);
    onnx__graph_proto__init(&b->graph);
    b->model.has_ir_version = 1;
    b->model.ir_version = 8;
    b->model.producer_name = build_text(b, "test");
    b->model.graph = &b->graph;
    b->graph.name = build_text(b, "graph");
    if (opset)
        build_domain(b, "", opset);
    return b;
}

void build_free(build *b)
{
    if (!b)
        return;
    for (block *next; b->blocks; b->blocks = next) {
        next = b->blocks->next;
        free(b->blocks);
    }
    free(b);
}

void build_domain(build *b, const char *domain, int64_t opset)
{
    Onnx__OperatorSetIdProto *made = build_memory(b, sizeof *made);
    onnx__operator_set_id_proto__init(made);
    made->domain = build_text(b, domain);
    made->has_version = 1;
    made->version = opset;
    b->model.opset_import = append(b, b->model.opset_import, &b->model.n_opset_import, made);
}

/* Calls `take` with each part of "1x3xN". */
static void each_dimension(build *b, const char *shape, void (*take)(build *, void *, const char *), void *context)
{
    char *text = build_text(b, shape);
    for (char *part = text; part && *part;) {
        char *end = strchr(part, 'x');
        if (end)
            *end = '\0';
        take(b, context, part);
        part = end ? end + 1 : NULL;
    }
}

static void take_symbolic(build *b, void *context, const char *part)
{
    Onnx__TensorShapeProto *shape = context;
    Onnx__TensorShapeProto__Dimension *dim = build_memory(b, sizeof *dim);
    onnx__tensor_shape_proto__dimension__init(dim);
    char *end;
    dim->dim_value = strtoll(part, &end, 10);
    dim->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
    if (*end) {
        dim->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM;
        dim->dim_param = build_text(b, part);
    }
    shape->dim = append(b, shape->dim, &shape->n_dim, dim);
}

static Onnx__ValueInfoProto *value_info(build *b, const char *name, lip_dtype dtype, const char *shape)
{
    Onnx__ValueInfoProto *info = build_memory(b, sizeof *info);
    Onnx__TypeProto *type = build_memory(b, sizeof *type);
    Onnx__TypeProto__Tensor *tensor = build_memory(b, sizeof *tensor);
    onnx__value_info_proto__init(info);
    onnx__type_proto__init(type);
    onnx__type_proto__tensor__init(tensor);
    info->name = build_text(b, name);
    info->type = type;
    type->value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
    type->tensor_type = tensor;
    tensor->has_elem_type = 1;
    tensor->elem_type = (int32_t)dtype;
    if (shape) {
        tensor->shape = build_memory(b, sizeof *tensor->shape);
        onnx__tensor_shape_proto__init(tensor->shape);
        each_dimension(b, shape, take_symbolic, tensor->shape);
    }
    return info;
}

void build_typed_input(build *b, const char *name, lip_dtype dtype, const char *shape)
{
    b->graph.input = append(b, b->graph.input, &b->graph.n_input, value_info(b, name, dtype, shape));
}

void build_input(build *b, const char *name, const char *shape)
{
    build_typed_input(b, name, LIP_DTYPE_FLOAT, shape);
}

void build_typed_output(build *b, const char *name, lip_dtype dtype)
{
    b->graph.output = append(b, b->graph.output, &b->graph.n_output, value_info(b, name, dtype, NULL));
}

void build_output(build *b, const char *name)
{
    build_typed_output(b, name, LIP_DTYPE_FLOAT);
}

static void take_fixed(build *b, void *context, const char *part)
{
    Onnx__TensorProto *tensor = context;
    int64_t *longer = build_memory(b, (tensor->n_dims + 1) * sizeof *longer);
    if (tensor->n_dims)
        memcpy(longer, tensor->dims, tensor->n_dims * sizeof *longer);
    longer[tensor->n_dims++] = strtoll(part, NULL, 10);
    tensor->dims = longer;
}

Onnx__TensorProto *build_tensor(build *b, const char *name, lip_dtype dtype, const char *shape, const void *raw,
                                size_t size)
{
    Onnx__TensorProto *tensor = build_memory(b, sizeof *tensor);
    onnx__tensor_proto__init(tensor);
    tensor->name = build_text(b, name);
    tensor->has_data_type = 1;
    tensor->data_type = (int32_t)dtype;
    each_dimension(b, shape, take_fixed, tensor);
    if (raw) {
        tensor->has_raw_data = 1;
        tensor->raw_data.len = size;
        tensor->raw_data.data = build_memory(b, size);
        memcpy(tensor->raw_data.data, raw, size);
    }
    return tensor;
}

Onnx__TensorProto *build_raw(build *b, const char *name, lip_dtype dtype, const char *shape, const void *raw,
                             size_t size)
{
    Onnx__TensorProto *tensor = build_tensor(b, name, dtype, shape, raw, size);
    b->graph.initializer = append(b, b->graph.initializer, &b->graph.n_initializer, tensor);
    return tensor;
}

static size_t count_of(build *b, const char *shape)
{
    Onnx__TensorProto *tensor = build_tensor(b, "", LIP_DTYPE_FLOAT, shape, NULL, 0);
    size_t count = 1;
    for (size_t i = 0; i < tensor->n_dims; i++)
        count *= (size_t)tensor->dims[i];
    return count;
}

void build_floats(build *b, const char *name, const char *shape, const float *values)
{
    build_raw(b, name, LIP_DTYPE_FLOAT, shape, values, count_of(b, shape) * sizeof *values);
}

void build_doubles(build *b, const char *name, const char *shape, const double *values)
{
    build_raw(b, name, LIP_DTYPE_DOUBLE, shape, values, count_of(b, shape) * sizeof *values);
}

void build_ints(build *b, const char *name, const char *shape, const int64_t *values)
{
    build_raw(b, name, LIP_DTYPE_INT64, shape, values, count_of(b, shape) * sizeof *values);
}

void build_reals(build *b, const char *name, const char *shape, const double *values)
{
    size_t count = count_of(b, shape);
    float *floats = build_memory(b, count * sizeof *floats);
    for (size_t i = 0; i < count; i++)
        floats[i] = (float)values[i];
    build_floats(b, name, shape, floats);
}

static char **split_names(build *b, const char *names, size_t *count)
{
    char **list = NULL;
    char *text = build_text(b, names);
    for (char *name = strtok(text, " "); name; name = strtok(NULL, " "))
        list = append(b, list, count, strcmp(name, "-") == 0 ? build_text(b, "") : name);
    return list;
}

Onnx__NodeProto *build_node_in(build *b, const char *domain, const char *op, const char *name, const char *inputs,
                               const char *outputs)
{
    Onnx__NodeProto *node = build_memory(b, sizeof *node);
    onnx__node_proto__init(node);
    node->op_type = build_text(b, op);
    node->domain = domain[0] ? build_text(b, domain) : node->domain;
    node->name = name[0] ? build_text(b, name) : node->name;
    node->input = split_names(b, inputs, &node->n_input);
    node->output = split_names(b, outputs, &node->n_output);
    b->graph.node = append(b, b->graph.node, &b->graph.n_node, node);
    return node;
}

Onnx__NodeProto *build_node(build *b, const char *op, const char *inputs, const char *outputs)
{
    return build_node_in(b, "", op, "", inputs, outputs);
}

static Onnx__AttributeProto *add_attr(build *b, const char *name, Onnx__AttributeProto__AttributeType type)
{
    if (b->graph.n_node == 0)
        fail("an attribute before the first node");
    Onnx__NodeProto *node = b->graph.node[b->graph.n_node - 1];
    Onnx__AttributeProto *attr = build_memory(b, sizeof *attr);
    onnx__attribute_proto__init(attr);
    attr->name = build_text(b, name);
    attr->has_type = 1;
    attr->type = type;
    node->attribute = append(b, node->attribute, &node->n_attribute, attr);
    return attr;
}

static void *copy_array(build *b, const void *from, size_t bytes)
{
    void *copy = build_memory(b, bytes);
    if (bytes)
        memcpy(copy, from, bytes);
    return copy;
}

static ProtobufCBinaryData binary(build *b, const char *text)
{
    return (ProtobufCBinaryData){strlen(text), (uint8_t *)build_text(b, text)};
}

void build_attr_int(build *b, const char *name, int64_t value)
{
    Onnx__AttributeProto *attr = add_attr(b, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT);
    attr->has_i = 1;
    attr->i = value;
}

void build_attr_float(build *b, const char *name, float value)
{
    Onnx__AttributeProto *attr = add_attr(b, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT);
    attr->has_f = 1;
    attr->f = value;
}

void build_attr_string(build *b, const char *name, const char *value)
{
    Onnx__AttributeProto *attr = add_attr(b, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING);
    attr->has_s = 1;
    attr->s = binary(b, value);
}

void build_attr_ints(build *b, const char *name, size_t count, const int64_t *values)
{
    Onnx__AttributeProto *attr = add_attr(b, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS);
    attr->ints = copy_array(b, values, count * sizeof *values);
    attr->n_ints = count;
}

void build_attr_floats(build *b, const char *name, size_t count, const float *values)
{
    Onnx__AttributeProto *attr = add_attr(b, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOATS);
    attr->floats = copy_array(b, values, count * sizeof *values);
    attr->n_floats = count;
}

void build_attr_strings(build *b, const char *name, size_t count, const char *const *values)
{
    Onnx__AttributeProto *attr = add_attr(b, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRINGS);
    attr->strings = build_memory(b, count * sizeof *attr->strings);
    attr->n_strings = count;
    for (size_t i = 0; i < count; i++)
        attr->strings[i] = binary(b, values[i]);
}

void build_attr_tensor(build *b, const char *name, Onnx__TensorProto *tensor)
{
    add_attr(b, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TENSOR)->t = tensor;
}

void build_attr_graph(build *b, const char *name)
{
    Onnx__GraphProto *graph = build_memory(b, sizeof *graph);
    onnx__graph_proto__init(graph);
    add_attr(b, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__GRAPH)->g = graph;
}

Onnx__ModelProto *build_proto(build *b)
{
    return &b->model;
}

const void *build_bytes(build *b, size_t *size)
{
    *size = onnx__model_proto__get_packed_size(&b->model);
    uint8_t *bytes = build_memory(b, *size);
    onnx__model_proto__pack(&b->model, bytes);
    return bytes;
}

void build_write(build *b, const char *path)
{
    size_t size;
    const void *bytes = build_bytes(b, &size);
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(bytes, 1, size, file) != size || fclose(file) != 0)
        fail("cannot write a model");
}

lip_status build_open(build *b, const lip_load_options *options, lip_model **out, lip_error *error)
{
    size_t size;
    const void *bytes = build_bytes(b, &size);
    return lip_model_open_bytes(bytes, size, "test.onnx", options, out, error);
}

void build_folder(char path[64])
{
    strcpy(path, "/tmp/lipaudit-test-XXXXXX");
    if (!mkdtemp(path))
        fail("cannot make a folder");
}

static int remove_one(const char *path, const struct stat *about, int kind, struct FTW *walk)
{
    (void)about;
    (void)kind;
    (void)walk;
    return remove(path);
}

void build_remove_folder(const char *path)
{
    nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void build_file(const char *folder, const char *name, const void *bytes, size_t size)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    if (!file || (size && fwrite(bytes, 1, size, file) != size) || fclose(file) != 0)
        fail("cannot write a file");
}
