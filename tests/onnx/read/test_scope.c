/*
 * test_scope.c: functions put in place of their calls, branches of decided
 * conditions, what undecided ones read, sparse tensors.
 *
 * Bodies and branches are built as models of their own, whose graph is then
 * moved into the function or attribute.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "check_model.h"

#include "graph.h"

#include <math.h>
#include <stdio.h>

static const float ones[] = {1, 1, 1};

static void expect_ops(const lip_model *model, const char *wanted)
{
    char found[512] = "";
    for (size_t i = 0; i < model->node_count; i++) {
        if (model->nodes[i]->folded)
            continue;
        strncat(found, found[0] ? " " : "", sizeof found - strlen(found) - 1);
        strncat(found, model->nodes[i]->op_type, sizeof found - strlen(found) - 1);
    }
    assert_string_equal(found, wanted);
}

static void expect_logits(const lip_model *model, const double *x, size_t count, const double *wanted)
{
    const double *inputs[] = {x};
    double y[16];
    lip_error error = {0};
    if (lip_model_forward(model, inputs, y, &error))
        fail_msg("%s", error.reason);
    for (size_t i = 0; i < count; i++)
        if (!(fabs(y[i] - wanted[i]) <= 1e-7))
            fail_msg("logit %zu is %.17g, not %.17g", i, y[i], wanted[i]);
}

/* The graph of `body` as the function local::name of `b`. Inputs and outputs are as listed. */
static void add_function(build *b, build *body, const char *name, size_t inputs, const char *const *input,
                         const char *output)
{
    Onnx__ModelProto *model = build_proto(b);
    Onnx__FunctionProto *function = build_memory(b, sizeof *function);
    Onnx__FunctionProto **list = build_memory(b, (model->n_functions + 1) * sizeof *list);
    onnx__function_proto__init(function);
    function->domain = build_text(b, "local");
    function->name = build_text(b, name);
    function->n_input = inputs;
    function->input = build_memory(b, inputs * sizeof *function->input);
    for (size_t i = 0; i < inputs; i++)
        function->input[i] = build_text(b, input[i]);
    function->n_output = 1;
    function->output = build_memory(b, sizeof *function->output);
    function->output[0] = build_text(b, output);
    function->n_node = build_proto(body)->graph->n_node;
    function->node = build_proto(body)->graph->node;
    for (size_t i = 0; i < model->n_functions; i++)
        list[i] = model->functions[i];
    list[model->n_functions++] = function;
    model->functions = list;
}

/* Makes the attribute added last to `body` refer to the call's attribute `name`. */
static void refer(build *body, const char *name)
{
    Onnx__GraphProto *graph = build_proto(body)->graph;
    Onnx__NodeProto *node = graph->node[graph->n_node - 1];
    node->attribute[node->n_attribute - 1]->ref_attr_name = build_text(body, name);
}

/* local::Scaled(a, s?) = LeakyRelu(a; alpha = @slope) * @factor + a; local::Twice(a) = Scaled(Scaled(a)). */
static void add_scaled(build *b, build *scaled, build *twice)
{
    build_node(scaled, "LeakyRelu", "a", "h");
    build_attr_float(scaled, "alpha", 0);
    refer(scaled, "slope");
    build_node(scaled, "Constant", "", "f");
    build_attr_float(scaled, "value_float", 0);
    refer(scaled, "factor");
    build_node(scaled, "Mul", "h f", "m");
    build_node(scaled, "Add", "m a", "y");
    add_function(b, scaled, "Scaled", 1, (const char *const[]){"a"}, "y");
    build_node_in(twice, "local", "Scaled", "first", "a", "h");
    build_attr_float(twice, "factor", 2);
    build_node_in(twice, "local", "Scaled", "second", "h", "y");
    build_attr_float(twice, "factor", 1);
    build_attr_float(twice, "slope", 0.5F);
    add_function(b, twice, "Twice", 1, (const char *const[]){"a"}, "y");
}

static void test_functions(void **state)
{
    (void)state;
    static const double x[] = {1, -1, 2}, wanted[] = {6, -1.53, 12};
    build *b = build_new(17), *scaled = build_new(17), *twice = build_new(17);
    build_domain(b, "local", 1);
    build_input(b, "x", "1x3");
    build_node_in(b, "local", "Twice", "call", "x", "y");
    build_output(b, "y");
    add_scaled(b, scaled, twice);
    lip_model *model = check_open(b, NULL);
    expect_ops(model, "LeakyRelu Mul Add LeakyRelu Mul Add");
    assert_string_equal(model->nodes[0]->name, "call::first::#0");
    assert_string_equal(model->logits->name, "y");
    /* slope left out: LeakyRelu's own 0.01 */
    expect_logits(model, x, 3, wanted);
    lip_model_free(&model);
    build_free(b);
    build_free(scaled);
    build_free(twice);
}

static void test_function_that_passes_through(void **state)
{
    (void)state;
    build *b = build_new(17), *body = build_new(17);
    build_domain(b, "local", 1);
    build_input(b, "x", "1x3");
    build_node_in(b, "local", "Same", "call", "x", "h");
    build_node(b, "Relu", "h", "y");
    build_output(b, "y");
    add_function(b, body, "Same", 2, (const char *const[]){"a", "b"}, "a");
    lip_model *model = check_open(b, NULL);
    expect_ops(model, "Identity Relu");
    lip_model_free(&model);
    build_free(b);
    build_free(body);
}

static void test_recursive_functions(void **state)
{
    (void)state;
    build *b = build_new(17), *body = build_new(17);
    build_domain(b, "local", 1);
    build_input(b, "x", "1x3");
    build_node_in(b, "local", "Loop", "call", "x", "y");
    build_output(b, "y");
    build_node_in(body, "local", "Loop", "again", "a", "y");
    add_function(b, body, "Loop", 1, (const char *const[]){"a"}, "y");
    check_refused(b, LIP_EFORMAT, "functions call each other more than 64 levels deep");
    build_free(body);

    /* Each function calls the next one twice: 2^30 nodes. */
    build *list[31];
    b = build_new(17);
    build_domain(b, "local", 1);
    build_input(b, "x", "1x3");
    build_node_in(b, "local", "F0", "call", "x", "y");
    build_output(b, "y");
    for (int i = 0; i < 31; i++) {
        char name[8], next[8];
        snprintf(name, sizeof name, "F%d", i);
        snprintf(next, sizeof next, "F%d", i + 1);
        list[i] = build_new(17);
        build_node_in(list[i], i < 30 ? "local" : "", i < 30 ? next : "Relu", "one", "a", "h");
        build_node_in(list[i], i < 30 ? "local" : "", i < 30 ? next : "Relu", "two", "h", "y");
        add_function(b, list[i], name, 1, (const char *const[]){"a"}, "y");
    }
    check_refused(b, LIP_EFORMAT, "functions expand to more than 250000 nodes");
    for (int i = 0; i < 31; i++)
        build_free(list[i]);
}

/* Puts the graph of `body` into the graph attribute `name` of the node made last. */
static void add_branch(build *b, const char *name, build *body, const char *output)
{
    build_output(body, output);
    build_attr_graph(b, name);
    Onnx__GraphProto *graph = build_proto(b)->graph;
    Onnx__NodeProto *node = graph->node[graph->n_node - 1];
    node->attribute[node->n_attribute - 1]->g = build_proto(body)->graph;
}

/* y = If(flag){ Relu(h) + w }{ h }, where both branches use the same names and read h from outside. */
static build *branching(build *then_body, build *else_body)
{
    build *b = build_new(17);
    build_input(b, "x", "1x3");
    build_node(b, "Neg", "x", "h");
    build_node_in(b, "", "If", "choice", "flag", "y");
    build_floats(then_body, "w", "3", ones);
    build_node(then_body, "Relu", "h", "r");
    build_node(then_body, "Add", "r w", "out");
    add_branch(b, "then_branch", then_body, "out");
    build_node(else_body, "Identity", "h", "out");
    add_branch(b, "else_branch", else_body, "out");
    build_node(b, "Abs", "y", "z");
    build_output(b, "z");
    return b;
}

static void test_decided_branch(void **state)
{
    (void)state;
    static const double x[] = {1, -1, 2}, wanted[2][3] = {{1, 1, 2}, {1, 2, 1}};
    for (int taken = 0; taken < 2; taken++) {
        build *then_body = build_new(17), *else_body = build_new(17), *b = branching(then_body, else_body);
        const uint8_t flag = (uint8_t)taken;
        build_raw(b, "flag", LIP_DTYPE_BOOL, "1", &flag, 1);
        lip_model *model = check_open(b, NULL);
        expect_ops(model, taken ? "Neg Relu Add Identity Abs" : "Neg Identity Identity Abs");
        expect_logits(model, x, 3, wanted[taken]);
        for (size_t i = 0; i < model->node_count; i++)
            assert_int_equal(model->nodes[i]->index, i);
        lip_model_free(&model);
        build_free(b);
        build_free(then_body);
        build_free(else_body);
    }
}

/* The flag comes out of folding; h is read by the branch alone. */
static void test_branch_decided_by_a_shape(void **state)
{
    (void)state;
    build *then_body = build_new(17), *else_body = build_new(17), *b = branching(then_body, else_body);
    build_ints(b, "three", "", (const int64_t[]){3});
    build_node(b, "Size", "x", "n");
    build_node(b, "Equal", "n three", "flag");
    lip_model *model = check_open(b, NULL);
    expect_ops(model, "Neg Relu Add Identity Abs");
    lip_model_free(&model);
    build_free(b);
    build_free(then_body);
    build_free(else_body);
}

static void test_undecided_branch(void **state)
{
    (void)state;
    build *then_body = build_new(17), *else_body = build_new(17), *b = branching(then_body, else_body);
    build_typed_input(b, "flag", LIP_DTYPE_BOOL, "1");
    lip_model *model = check_open(b, NULL);
    expect_ops(model, "Neg If Abs");
    assert_string_equal(model->nodes[1]->unknown, "control flow: its condition is not a constant");
    assert_int_equal(model->nodes[1]->input_count, 2);
    assert_string_equal(model->nodes[1]->inputs[1]->name, "h");
    assert_true(model->nodes[1]->outputs[0]->varies);
    lip_model_free(&model);
    build_free(b);
    build_free(then_body);
    build_free(else_body);
}

static void test_branch_reads_what_nobody_writes(void **state)
{
    (void)state;
    build *then_body = build_new(17), *else_body = build_new(17), *b = branching(then_body, else_body);
    build_typed_input(b, "flag", LIP_DTYPE_BOOL, "1");
    build_node(else_body, "Relu", "nothing", "more");
    check_refused(b, LIP_EFORMAT, "'nothing'");
    build_free(then_body);
    build_free(else_body);
}

static Onnx__SparseTensorProto *sparse(build *b, const int64_t *index, const char *index_shape)
{
    static const float values[] = {3, 4};
    Onnx__SparseTensorProto *made = build_memory(b, sizeof *made);
    onnx__sparse_tensor_proto__init(made);
    made->values = build_tensor(b, "w", LIP_DTYPE_FLOAT, "2", values, sizeof values);
    made->indices = build_tensor(b, "", LIP_DTYPE_INT64, index_shape, index, strcmp(index_shape, "2") ? 32 : 16);
    made->n_dims = 2;
    made->dims = build_memory(b, 2 * sizeof *made->dims);
    made->dims[0] = 3;
    made->dims[1] = 2;
    return made;
}

static build *with_sparse(const int64_t *index, const char *index_shape)
{
    build *b = build_new(17);
    Onnx__GraphProto *graph = build_proto(b)->graph;
    build_input(b, "x", "1x3");
    build_node(b, "MatMul", "x w", "y");
    build_output(b, "y");
    graph->sparse_initializer = build_memory(b, sizeof *graph->sparse_initializer);
    graph->sparse_initializer[0] = sparse(b, index, index_shape);
    graph->n_sparse_initializer = 1;
    return b;
}

static void test_sparse_initializers(void **state)
{
    (void)state;
    static const double x[] = {1, -1, 2}, wanted[] = {-3, 8};
    static const int64_t linear[] = {2, 5}, pairs[] = {1, 0, 2, 1}, outside[] = {2, 6}, above[] = {1, 0, 2, 2};
    for (int i = 0; i < 2; i++) {
        build *b = with_sparse(i ? pairs : linear, i ? "2x2" : "2");
        lip_model *model = check_open(b, NULL);
        expect_logits(model, x, 2, wanted);
        lip_model_free(&model);
        build_free(b);
    }
    check_refused(with_sparse(outside, "2"), LIP_EFORMAT, "outside");
    check_refused(with_sparse(above, "2x2"), LIP_EFORMAT, "outside");
    check_refused(with_sparse(above, "4x1"), LIP_EFORMAT, "do not belong to its values");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_functions),
        cmocka_unit_test(test_function_that_passes_through),
        cmocka_unit_test(test_recursive_functions),
        cmocka_unit_test(test_decided_branch),
        cmocka_unit_test(test_branch_decided_by_a_shape),
        cmocka_unit_test(test_undecided_branch),
        cmocka_unit_test(test_branch_reads_what_nobody_writes),
        cmocka_unit_test(test_sparse_initializers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
