/*
 * test_infer.c: shapes, folding, pruning and verdicts over whole graphs.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "check_model.h"

#include "graph.h"

#include <math.h>

static const float ones[12] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};

/* The way old exporters flatten: the batch size is read from the tensor and put into a Reshape. */
static void test_shape_arithmetic_is_folded(void **state)
{
    (void)state;
    build *b = build_new(13);
    build_input(b, "x", "Nx3x2x2");
    build_ints(b, "zero", "", (const int64_t[]){0});
    build_ints(b, "axes", "1", (const int64_t[]){0});
    build_ints(b, "minus", "1", (const int64_t[]){-1});
    build_node(b, "Relu", "x", "h");
    build_node(b, "Sigmoid", "h", "only_for_its_shape");
    build_node(b, "Shape", "only_for_its_shape", "s");
    build_node(b, "Gather", "s zero", "n");
    build_node(b, "Unsqueeze", "n axes", "n1");
    build_node(b, "Concat", "n1 minus", "target");
    build_attr_int(b, "axis", 0);
    build_node(b, "Reshape", "h target", "y");
    build_output(b, "y");
    lip_model *model = check_open(b, NULL);
    const lip_model_info info = lip_model_describe(model);
    assert_int_equal(info.nodes, 2); /* Relu, Reshape: the Sigmoid is needed no more */
    assert_int_equal(info.nodes_folded, 4);
    assert_int_equal(info.nodes_in_file, 7);
    assert_int_equal(info.parameters, 0);
    const lip_tensor_info logits = lip_model_logits(model);
    assert_int_equal(logits.shape.rank, 2);
    assert_int_equal(logits.shape.dim[0], 1);
    assert_int_equal(logits.shape.dim[1], 12);
    for (size_t i = 0; i < model->value_count; i++)
        assert_int_equal(model->values[i]->index, i);
    for (size_t i = 0; i < model->node_count; i++)
        assert_int_equal(model->nodes[i]->index, i);
    lip_model_free(&model);
    build_free(b);
}

static void test_weights_are_folded(void **state)
{
    (void)state;
    build *b = build_new(17);
    build_input(b, "x", "1x3");
    build_floats(b, "w", "3x4", ones);
    build_floats(b, "s", "", (const float[]){0.25F});
    build_node(b, "Mul", "w s", "scaled");
    build_node(b, "Identity", "scaled", "same");
    build_node(b, "MatMul", "x same", "y");
    build_output(b, "y");
    lip_model *model = check_open(b, NULL);
    assert_int_equal(lip_model_describe(model).nodes, 1);
    assert_int_equal(lip_model_describe(model).nodes_folded, 2);
    assert_int_equal(lip_model_describe(model).parameters, 12);
    const lip_tensor *weight = lip_node_constant(model->nodes[2], 1);
    assert_non_null(weight);
    assert_int_equal(weight->storage, LIP_F64);
    assert_int_equal(weight->dtype, LIP_DTYPE_FLOAT);
    assert_true(weight->f64[11] == 0.25);
    const double x[] = {1, 2, 3}, *inputs[] = {x};
    double y[4];
    lip_error error;
    assert_int_equal(lip_model_forward(model, inputs, y, &error), LIP_OK);
    assert_true(y[3] == 1.5);
    lip_model_free(&model);
    build_free(b);
}

static void test_constant_nodes(void **state)
{
    (void)state;
    build *b = build_new(17);
    build_input(b, "x", "1x2");
    build_node(b, "Constant", "", "a");
    build_attr_float(b, "value_float", 0.5F);
    build_node(b, "Constant", "", "c");
    build_attr_floats(b, "value_floats", 2, (const float[]){1, 2});
    build_node(b, "Constant", "", "i");
    build_attr_int(b, "value_int", 0);
    build_node(b, "Constant", "", "shape");
    build_attr_ints(b, "value_ints", 2, (const int64_t[]){2, 1});
    build_node(b, "Constant", "", "t");
    build_attr_tensor(b, "value", build_tensor(b, "", LIP_DTYPE_FLOAT, "1x2", (const float[]){3, 4}, 8));
    build_node(b, "Mul", "x a", "h1");
    build_node(b, "Add", "h1 c", "h2");
    build_node(b, "Add", "h2 t", "h3");
    build_node(b, "Reshape", "h3 shape", "h4");
    build_node(b, "Gather", "h4 i", "y");
    build_output(b, "y");
    lip_model *model = check_open(b, NULL);
    assert_int_equal(lip_model_describe(model).nodes, 5);
    const double x[] = {10, 20}, *inputs[] = {x};
    double y[1];
    lip_error error;
    assert_int_equal(lip_model_forward(model, inputs, y, &error), LIP_OK);
    assert_true(y[0] == 10 * 0.5 + 1 + 3);
    lip_model_free(&model);
    build_free(b);
}

/* ---- what is not understood stays, with its reason */

static void expect_unknown(build *b, size_t index, const char *reason)
{
    lip_model *model = check_open(b, NULL);
    const lip_node_info node = lip_model_node(model, index);
    assert_false(node.understood);
    check_holds(node.reason, reason);
    assert_true(model->logits->varies);
    const double x[64] = {0}, *inputs[] = {x, x};
    double y[64];
    lip_error error;
    assert_int_equal(lip_model_forward(model, inputs, y, &error), LIP_EUNSUPPORTED);
    lip_model_free(&model);
    build_free(b);
}

static build *one_node(int64_t opset, const char *domain, const char *op)
{
    build *b = build_new(opset);
    build_input(b, "x", "1x3");
    build_node_in(b, domain, op, "odd", "x", "h");
    build_node_in(b, "", "Relu", "after", "h", "y");
    build_output(b, "y");
    return b;
}

static void test_unknown_operators(void **state)
{
    (void)state;
    expect_unknown(one_node(17, "", "Frobnicate"), 0, "operator 'Frobnicate' is not supported");
    expect_unknown(one_node(17, "", "Frobnicate"), 1,
                   "its input 'h' has no known shape, because node 'odd' is not understood");
    expect_unknown(one_node(17, "org.example", "Relu"), 0, "operator 'Relu' of domain 'org.example' is not supported");
    expect_unknown(one_node(99, "", "Relu"), 0, "opset 99 is newer than what was checked");
}

static void test_default_domain_has_two_names(void **state)
{
    (void)state;
    build *b = one_node(17, "ai.onnx", "Relu");
    lip_model *model = check_open(b, NULL);
    assert_true(lip_model_node(model, 0).understood);
    assert_string_equal(lip_model_node(model, 0).op, "Relu");
    lip_model_free(&model);
    build_free(b);
}

static void test_subgraphs(void **state)
{
    (void)state;
    build *b = build_new(17);
    build_input(b, "x", "1x3");
    build_typed_input(b, "flag", LIP_DTYPE_BOOL, "1");
    build_node_in(b, "", "If", "branch", "flag", "y");
    build_attr_graph(b, "then_branch");
    build_output(b, "y");
    expect_unknown(b, 0, "condition is not a constant");

    b = build_new(17);
    build_input(b, "x", "1x3");
    build_node_in(b, "", "Relu", "odd", "x", "y");
    build_attr_graph(b, "body");
    build_output(b, "y");
    expect_unknown(b, 0, "subgraph");
}

static void test_unusable_constants(void **state)
{
    (void)state;
    build *b = build_new(17);
    build_input(b, "x", "1x3");
    build_raw(b, "w", LIP_DTYPE_COMPLEX64, "3", "", 0);
    build_node(b, "Add", "x w", "y");
    build_output(b, "y");
    expect_unknown(b, 0, "its input 'w' holds elements of type complex64");

    b = build_new(17);
    build_input(b, "x", "1x3");
    build_raw(b, "w", LIP_DTYPE_FLOAT, "1x1x1x1x1x1x1x1x3", ones, 12);
    build_node(b, "Add", "x w", "y");
    build_output(b, "y");
    expect_unknown(b, 0, "its input 'w' has 9 dimensions");

    b = build_new(17);
    build_input(b, "x", "1x3");
    build_node(b, "Constant", "", "w");
    build_attr_string(b, "value_string", "text");
    build_node(b, "Add", "x w", "y");
    build_output(b, "y");
    expect_unknown(b, 0, "its input 'w' holds strings");
}

static void test_rank_9_input(void **state)
{
    (void)state;
    build *b = build_new(17);
    build_input(b, "x", "1x1x1x1x1x1x1x1x3");
    build_node(b, "Relu", "x", "y");
    build_output(b, "y");
    lip_model *model = check_open(b, NULL);
    check_holds(lip_model_node(model, 0).reason, "its input 'x' has more than 8 dimensions");
    lip_model_free(&model);
    build_free(b);
}

/* ---- finite constants */

static void test_infinite_limits_are_fine(void **state)
{
    (void)state;
    build *b = build_new(17);
    build_input(b, "x", "1x3");
    build_floats(b, "lo", "", (const float[]){0});
    build_floats(b, "hi", "", (const float[]){INFINITY});
    build_node(b, "Clip", "x lo hi", "y");
    build_output(b, "y");
    lip_model *model = check_open(b, NULL);
    assert_true(lip_model_node(model, 0).understood);
    lip_model_free(&model);
    build_free(b);
}

static void test_folded_constants_are_checked(void **state)
{
    (void)state;
    build *b = build_new(17);
    build_input(b, "x", "1x3");
    build_floats(b, "zero", "3", (const float[]){0, 0, 0});
    build_node(b, "Div", "zero zero", "q");
    build_node_in(b, "", "Add", "uses it", "x q", "y");
    build_output(b, "y");
    check_refused(b, LIP_EFORMAT, "its constant 'q' holds NaN");
}

static void test_dead_nodes_may_be_wrong(void **state)
{
    (void)state;
    build *b = build_new(17);
    build_input(b, "x", "1x3");
    build_floats(b, "w", "4", (const float[]){1, 2, 3, NAN});
    build_node(b, "Relu", "x", "y");
    build_node(b, "Add", "x w", "dead"); /* does not broadcast */
    build_output(b, "y");
    lip_model *model = check_open(b, NULL);
    assert_int_equal(lip_model_describe(model).nodes, 1);
    assert_int_equal(lip_model_describe(model).parameters, 0);
    lip_model_free(&model);
    build_free(b);
}

static void test_shape_errors_are_refused(void **state)
{
    (void)state;
    build *b = build_new(17);
    build_input(b, "x", "1x3");
    build_floats(b, "w", "4", ones);
    build_node_in(b, "", "Add", "sum", "x w", "y");
    build_output(b, "y");
    lip_model *model = NULL;
    lip_error error;
    assert_int_equal(build_open(b, NULL, &model, &error), LIP_EFORMAT);
    assert_string_equal(error.node, "sum");
    assert_string_equal(error.op, "Add");
    build_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shape_arithmetic_is_folded),
        cmocka_unit_test(test_weights_are_folded),
        cmocka_unit_test(test_constant_nodes),
        cmocka_unit_test(test_unknown_operators),
        cmocka_unit_test(test_default_domain_has_two_names),
        cmocka_unit_test(test_subgraphs),
        cmocka_unit_test(test_unusable_constants),
        cmocka_unit_test(test_rank_9_input),
        cmocka_unit_test(test_infinite_limits_are_fine),
        cmocka_unit_test(test_folded_constants_are_checked),
        cmocka_unit_test(test_dead_nodes_may_be_wrong),
        cmocka_unit_test(test_shape_errors_are_refused),
    };
    return cmocka_run_group_tests_name("infer", tests, NULL, NULL);
}
