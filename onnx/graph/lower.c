/*
 * lower.c: operators that stand for a sequence of others are split into these,
 * so that each part has its own gain and its own name in the report.
 *
 *   LinearClassifier  linear scores, Softmax or Sigmoid; ArgMax for the labels
 *   SVMClassifier     its scores alone
 *   FusedConv         Conv, Add, activation
 *   FusedGemm         Gemm, activation
 *   BiasGelu          Add, Gelu
 *   SkipLayerNormalization  Add, Add, LayerNormalization
 * The node itself becomes the first or main part. What cannot be split stays
 * as it is, and its row in the operator table says so.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "graph/model.h"
#include "op.h"

#include <stdio.h>
#include <string.h>

/* A node of the default domain beside `like`, not in the list yet. Inputs and outputs are filled by the caller. */
static lip_node *make(lip_draft *draft, const lip_node *like, const char *op, int64_t opset, size_t inputs)
{
    lip_arena *arena = &draft->model->arena;
    lip_draft_node *made = lip_arena_alloc(arena, 1, sizeof *made);
    lip_value **in = lip_arena_alloc(arena, (int64_t)inputs, sizeof *in);
    lip_value **out = lip_arena_alloc(arena, 1, sizeof *out);
    if (!made || !in || !out)
        return NULL;
    made->op_text = op;
    made->scope = lip_draft_of_node(like)->scope;
    made->node = (lip_node){.name = like->name,
                            .op_type = op,
                            .domain = "",
                            .module = like->module,
                            .opset = opset,
                            .op = lip_op_find("", op),
                            .inputs = in,
                            .input_count = inputs,
                            .outputs = out,
                            .output_count = 1};
    return &made->node;
}

lip_status lip_draft_copy(lip_draft *draft, const lip_node *like, lip_value *from, lip_value *to, lip_error *error)
{
    if (!from)
        return lip_fail_node(error, LIP_EFORMAT, like, "its output '%s' is left out inside of it", to->name);
    lip_node *copy = make(draft, like, "Identity", 13, 1);
    if (!copy)
        return lip_fail_memory(error, like, "a copy");
    copy->inputs[0] = from;
    copy->outputs[0] = to;
    lip_status status = lip_draft_define(lip_draft_of(to), copy, error);
    return status ? status : lip_draft_append(draft, copy, error);
}

/* A new value between two parts of `node`, for output `like`. */
static lip_value *between(lip_draft *draft, const lip_value *like, const char *part)
{
    size_t room = strlen(like->name) + strlen(part) + 32;
    char *name = lip_arena_alloc(&draft->scratch, (int64_t)room, 1);
    if (!name)
        return NULL;
    snprintf(name, room, "%s::%s", like->name, part);
    while (lip_draft_find(draft, name))
        snprintf(name, room, "%s::%s#%zu", like->name, part, draft->value_count);
    lip_draft_value *value = lip_draft_value_named(draft, name);
    return value ? &value->value : NULL;
}

/* Makes `next` write output 0 of `node` instead, and `node` a value in between, which is returned. */
static lip_value *continue_with(lip_draft *draft, lip_node *node, lip_node *next, const char *part)
{
    lip_value *last = node->outputs[0], *hidden = next ? between(draft, last, part) : NULL;
    if (!hidden)
        return NULL;
    next->outputs[0] = last;
    lip_draft_of(last)->value.producer = next;
    node->outputs[0] = hidden;
    lip_draft_of(hidden)->defined = true;
    hidden->producer = node;
    return hidden;
}

static void become(lip_node *node, const char *domain, const char *op, int64_t opset)
{
    node->domain = domain;
    node->op_type = op;
    node->opset = opset;
    node->op = lip_op_find(domain, op);
}

static lip_attr *make_attrs(lip_draft *draft, lip_node *node, size_t count)
{
    lip_attr *attrs = lip_arena_alloc(&draft->model->arena, (int64_t)count, sizeof *attrs);
    node->attrs = attrs;
    node->attr_count = attrs ? count : 0;
    return attrs;
}

/* -------------------------------------------------------------- activations */

/* The parameters of FusedConv are in one list, those of FusedGemm in attributes of their own. */
static float parameter(const lip_node *node, int index, float otherwise)
{
    static const char *const names[] = {"activation_alpha", "activation_beta"};
    const lip_attr *list = lip_attr_find(node, "activation_params");
    if (list && list->kind == LIP_ATTR_FLOATS)
        return index < list->count ? list->floats[index] : otherwise;
    return (float)lip_attr_float(node, names[index], otherwise);
}

static const struct activation {
    const char *name;
    int64_t opset;
    const char *attr[2];
    float otherwise[2];
} activations[] = {
    {"Relu", 14, {NULL, NULL}, {0, 0}},
    {"Sigmoid", 13, {NULL, NULL}, {0, 0}},
    {"Tanh", 13, {NULL, NULL}, {0, 0}},
    {"LeakyRelu", 16, {"alpha", NULL}, {0.01F, 0}},
    {"Clip", 6, {"min", "max"}, {-3.402823466e+38F, 3.402823466e+38F}},
    {"HardSigmoid", 6, {"alpha", "beta"}, {0.2F, 0.5F}},
};

static const struct activation *find_activation(const lip_node *node)
{
    const char *name = lip_attr_string(node, "activation", "");
    for (size_t i = 0; i < sizeof activations / sizeof *activations; i++)
        if (strcmp(activations[i].name, name) == 0)
            return &activations[i];
    return NULL;
}

static lip_status add_activation(lip_draft *draft, lip_node *node, const struct activation *a, lip_error *error)
{
    lip_node *next = make(draft, node, a->name, a->opset, 1);
    lip_attr *attrs = next ? make_attrs(draft, next, 2) : NULL;
    lip_value *hidden = continue_with(draft, node, next, "sum");
    if (!attrs || !hidden)
        return lip_fail_memory(error, node, "its activation");
    next->attr_count = 0;
    for (int i = 0; i < 2 && a->attr[i]; i++)
        attrs[next->attr_count++] =
            (lip_attr){.name = a->attr[i], .kind = LIP_ATTR_FLOAT, .f = parameter(node, i, a->otherwise[i])};
    next->inputs[0] = hidden;
    return lip_draft_append(draft, next, error);
}

/* node = node(...) + addend. */
static lip_status add_addend(lip_draft *draft, lip_node *node, lip_value *addend, const char *part, lip_error *error)
{
    lip_node *add = make(draft, node, "Add", 14, 2);
    lip_value *hidden = continue_with(draft, node, add, part);
    if (!hidden)
        return lip_fail_memory(error, node, "its addend");
    add->inputs[0] = hidden;
    add->inputs[1] = addend;
    return lip_draft_append(draft, add, error);
}

static lip_status lower_fused(lip_draft *draft, lip_node *node, const char *op, lip_error *error)
{
    const struct activation *activation = find_activation(node);
    bool conv = strcmp(op, "Conv") == 0;
    lip_value *addend = conv ? lip_node_input(node, 3) : NULL;
    if ((!activation && lip_attr_string(node, "activation", "")[0]) || node->input_count > (conv ? 4U : 3U))
        return LIP_OK;
    lip_status status = activation ? add_activation(draft, node, activation, error) : LIP_OK;
    if (!status && addend)
        status = add_addend(draft, node, addend, "product", error);
    node->input_count = node->input_count > 3 ? 3 : node->input_count;
    become(node, "", op, conv ? 11 : 13);
    return status;
}

static lip_status lower_bias_gelu(lip_draft *draft, lip_node *node, lip_error *error)
{
    lip_node *gelu = make(draft, node, "Gelu", 20, 1);
    lip_value *hidden = node->input_count == 2 ? continue_with(draft, node, gelu, "sum") : NULL;
    if (!hidden)
        return node->input_count == 2 ? lip_fail_memory(error, node, "its parts") : LIP_OK;
    gelu->inputs[0] = hidden;
    become(node, "", "Add", 14);
    return lip_draft_append(draft, gelu, error);
}

/* input + skip (+ bias), normalised with gamma and beta. The sum may be output 3. */
static lip_status lower_skip(lip_draft *draft, lip_node *node, lip_error *error)
{
    lip_value *gamma = lip_node_input(node, 2), *beta = lip_node_input(node, 3), *bias = lip_node_input(node, 4);
    lip_value *sum = lip_node_output(node, 3);
    if (node->input_count < 3 || lip_node_output(node, 1) || lip_node_output(node, 2))
        return LIP_OK;
    lip_node *norm = make(draft, node, "LayerNormalization", 17, beta ? 3 : 2);
    lip_attr *attr = norm ? make_attrs(draft, norm, 1) : NULL;
    lip_value *hidden = continue_with(draft, node, norm, "sum");
    if (!attr || !hidden)
        return lip_fail_memory(error, node, "its parts");
    *attr = (lip_attr){.name = "epsilon", .kind = LIP_ATTR_FLOAT, .f = (float)lip_attr_float(node, "epsilon", 1e-12F)};
    norm->inputs[0] = hidden;
    norm->inputs[1] = gamma;
    if (beta)
        norm->inputs[2] = beta;
    node->input_count = 2;
    node->output_count = 1;
    node->attr_count = 0;
    become(node, "", "Add", 14);
    lip_status status = lip_draft_append(draft, norm, error);
    if (!status && bias)
        status = add_addend(draft, node, bias, "skip", error);
    if (status || !sum)
        return status;
    lip_draft_of(sum)->defined = false;
    sum->producer = NULL;
    return lip_draft_copy(draft, node, hidden, sum, error);
}

/* -------------------------------------------------------- linear classifier */

static const lip_attr *floats_of(const lip_node *node, const char *name)
{
    const lip_attr *attr = lip_attr_find(node, name);
    return attr && attr->kind == LIP_ATTR_FLOATS ? attr : NULL;
}

/* One row for two classes: the first class has the opposite score, or 1 - s without a transform, as onnxruntime has
 * it. */
static float *mirrored(lip_draft *draft, const lip_attr *row, bool first_minus)
{
    float *rows = lip_arena_alloc(&draft->model->arena, 2 * row->count, sizeof *rows);
    for (int64_t i = 0; rows && i < row->count; i++) {
        rows[i] = first_minus ? -row->floats[i] : row->floats[i];
        rows[row->count + i] = row->floats[i];
    }
    return rows;
}

static bool set_coefficients(lip_draft *draft, lip_node *node, int64_t classes, bool logistic)
{
    const lip_attr *coefficients = floats_of(node, "coefficients"), *intercepts = floats_of(node, "intercepts");
    lip_attr *attrs = make_attrs(draft, node, 2);
    if (!attrs)
        return false;
    attrs[0] = *coefficients;
    attrs[1] = *intercepts;
    if (intercepts->count != 1 || classes != 2)
        return true;
    float *two = lip_arena_alloc(&draft->model->arena, 2, sizeof *two);
    attrs[0].floats = mirrored(draft, coefficients, true);
    if (!two || !attrs[0].floats)
        return false;
    two[0] = (logistic ? 0.0F : 1.0F) - intercepts->floats[0];
    two[1] = intercepts->floats[0];
    attrs[0].count *= 2;
    attrs[1].count = 2;
    attrs[1].floats = two;
    return true;
}

/* The labels: ArgMax of the scores, then the list of the classes. Strings have no value here. */
static lip_status add_labels(lip_draft *draft, lip_node *node, lip_value *scores, lip_value *labels,
                             const lip_attr *classes, lip_error *error)
{
    if (!classes) {
        lip_draft_of(labels)->value.producer = NULL;
        lip_draft_of(labels)->why = "holds strings, which are not supported";
        return LIP_OK;
    }
    lip_node *arg_max = make(draft, node, "ArgMax", 13, 1), *gather = make(draft, node, "Gather", 13, 2);
    lip_attr *attrs = arg_max ? make_attrs(draft, arg_max, 2) : NULL;
    lip_value *index = between(draft, labels, "index"), *list = between(draft, labels, "classes");
    lip_tensor *tensor = lip_arena_alloc(&draft->model->arena, 1, sizeof *tensor);
    if (!gather || !attrs || !index || !list || !tensor)
        return lip_fail_memory(error, node, "its labels");
    attrs[0] = (lip_attr){.name = "axis", .kind = LIP_ATTR_INT, .i = 1};
    attrs[1] = (lip_attr){.name = "keepdims", .kind = LIP_ATTR_INT, .i = 0};
    *tensor = (lip_tensor){.dtype = LIP_DTYPE_INT64, .storage = LIP_I64, .count = classes->count};
    tensor->shape = (lip_shape){.rank = 1, .dim = {classes->count}};
    tensor->i64 = classes->ints;
    *list = (lip_value){.name = list->name, .dtype = LIP_DTYPE_INT64, .shape_known = true, .shape = tensor->shape};
    list->constant = tensor;
    lip_draft_of(list)->defined = lip_draft_of(index)->defined = true;
    arg_max->inputs[0] = scores;
    arg_max->outputs[0] = index;
    index->producer = arg_max;
    gather->inputs[0] = list;
    gather->inputs[1] = index;
    gather->outputs[0] = labels;
    labels->producer = gather;
    lip_status status = lip_draft_append(draft, arg_max, error);
    return status ? status : lip_draft_append(draft, gather, error);
}

static lip_status lower_classifier(lip_draft *draft, lip_node *node, lip_error *error)
{
    const char *transform = lip_attr_string(node, "post_transform", "NONE");
    const lip_attr *ints = lip_attr_find(node, "classlabels_ints"), *text = lip_attr_find(node, "classlabels_strings");
    const lip_attr *intercepts = floats_of(node, "intercepts");
    bool none = strcmp(transform, "NONE") == 0, logistic = strcmp(transform, "LOGISTIC") == 0;
    bool whole = ints && ints->kind == LIP_ATTR_INTS && ints->count > 0;
    int64_t classes = whole ? ints->count : text ? text->count : 0;
    bool known = none || logistic || strcmp(transform, "SOFTMAX") == 0;
    if (!known || !floats_of(node, "coefficients") || !intercepts || node->output_count > 2 ||
        (intercepts->count != classes && !(intercepts->count == 1 && classes == 2 && (none || logistic))))
        return LIP_OK;
    lip_value *labels = lip_node_output(node, 0), *scores = lip_node_output(node, 1);
    lip_value *linear = scores;
    lip_node *after = none || !scores ? NULL : make(draft, node, logistic ? "Sigmoid" : "Softmax", 13, 1);
    if (!scores)
        scores = linear = between(draft, labels, "scores");
    if (!scores || !set_coefficients(draft, node, classes, logistic))
        return lip_fail_memory(error, node, "its scores");
    lip_draft_of(scores)->defined = true;
    node->outputs[0] = scores;
    node->output_count = 1;
    scores->producer = node;
    lip_status status = LIP_OK;
    if (after) {
        linear = continue_with(draft, node, after, "scores");
        if (!linear)
            return lip_fail_memory(error, node, "its scores");
        after->inputs[0] = linear;
        status = lip_draft_append(draft, after, error);
    }
    return status || !labels ? status : add_labels(draft, node, linear, labels, whole ? ints : NULL, error);
}

/* Its labels come from votes, which are not computed: the scores become its only output. */
static void lower_svm(lip_node *node)
{
    lip_value *labels = lip_node_output(node, 0);
    if (node->output_count != 2 || !node->outputs[1])
        return;
    if (labels) {
        lip_draft_of(labels)->value.producer = NULL;
        lip_draft_of(labels)->why = "holds labels that are made from votes, which is not supported";
    }
    node->outputs[0] = node->outputs[1];
    node->output_count = 1;
}

lip_status lip_model_lower(lip_draft *draft, lip_draft_node *made, lip_error *error)
{
    lip_node *node = &made->node;
    bool microsoft = strcmp(node->domain, "com.microsoft") == 0, ml = strcmp(node->domain, "ai.onnx.ml") == 0;
    if (node->output_count == 0 || (!microsoft && !ml))
        return LIP_OK;
    if (ml && strcmp(node->op_type, "SVMClassifier") == 0)
        lower_svm(node);
    if (ml)
        return strcmp(node->op_type, "LinearClassifier") == 0 ? lower_classifier(draft, node, error) : LIP_OK;
    if (!node->outputs[0])
        return LIP_OK;
    if (strcmp(node->op_type, "FusedConv") == 0)
        return lower_fused(draft, node, "Conv", error);
    if (strcmp(node->op_type, "FusedGemm") == 0)
        return lower_fused(draft, node, "Gemm", error);
    if (strcmp(node->op_type, "BiasGelu") == 0)
        return lower_bias_gelu(draft, node, error);
    return strcmp(node->op_type, "SkipLayerNormalization") == 0 ? lower_skip(draft, node, error) : LIP_OK;
}
