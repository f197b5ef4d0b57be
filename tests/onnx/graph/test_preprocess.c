/*
 * test_preprocess.c: scale, mean and standard deviation in front of a network,
 * and models that normalise by themselves.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "check_model.h"

#include "graph.h"

#include <math.h>
#include <stdio.h>

static const double mean[] = {0.5, 0.25, -1}, deviation[] = {0.2, 0.3, 3};

static build *relu(const char *shape)
{
    build *b = build_new(17);
    build_input(b, "x", shape);
    build_node(b, "Relu", "x", "y");
    build_output(b, "y");
    return b;
}

static lip_load_options with(const lip_preprocess *preprocess)
{
    return (lip_load_options){.preprocess = preprocess};
}

/* Relu((x * scale - mean) / std), with the same three roundings. */
static void check_values(const char *shape, int64_t elements, int64_t inner, const lip_preprocess *p)
{
    const lip_load_options options = with(p);
    build *b = relu(shape);
    lip_model *model = check_open(b, &options);
    double x[64], y[64];
    const double *inputs[] = {x};
    for (int64_t i = 0; i < elements; i++)
        x[i] = (double)(i * 37 % 256);
    assert_int_equal(lip_model_forward(model, inputs, y, NULL), LIP_OK);
    for (int64_t i = 0; i < elements; i++) {
        int64_t c = i / inner % 3;
        double wanted = x[i] * p->scale;
        wanted -= p->mean ? p->mean[p->mean_count > 1 ? c : 0] : 0;
        wanted /= p->std ? p->std[p->std_count > 1 ? c : 0] : 1;
        assert_true(y[i] == fmax(wanted, 0));
    }
    assert_string_equal(lip_model_input(model, 0).name, "x");
    assert_int_equal(lip_model_describe(model).parameters, 0);
    assert_string_equal(lip_model_describe(model).normalises, "");
    lip_model_free(&model);
    build_free(b);
}

static void test_values(void **state)
{
    (void)state;
    check_values("1x3x2x4", 24, 8, &(lip_preprocess){1.0 / 255, mean, deviation, 3, 3});
    check_values("Nx3x2x4", 24, 8, &(lip_preprocess){1, mean, deviation, 3, 1});
    check_values("1x2x4x3", 24, 1, &(lip_preprocess){2, mean, deviation, 1, 3}); /* channels last */
    check_values("1x3", 3, 1, &(lip_preprocess){1, NULL, deviation, 0, 3});
    check_values("1x3x2x4", 24, 8, &(lip_preprocess){1.0 / 255, NULL, NULL, 0, 0});
    check_values("1x3x2x4", 24, 8, &(lip_preprocess){1, mean, NULL, 3, 0});
}

static void test_nothing_to_do(void **state)
{
    (void)state;
    const lip_preprocess none = {.scale = 1};
    const lip_load_options options = with(&none);
    build *b = relu("1x3");
    lip_model *model = check_open(b, &options);
    assert_int_equal(model->node_count, 1);
    lip_model_free(&model);
    build_free(b);
}

static void test_nodes(void **state)
{
    (void)state;
    const lip_preprocess p = {0.5, mean, deviation, 3, 3};
    const lip_load_options options = with(&p);
    build *b = relu("1x3");
    lip_model *model = check_open(b, &options);
    assert_int_equal(model->node_count, 4);
    assert_string_equal(model->nodes[0]->name, "preprocess.scale");
    assert_string_equal(model->nodes[1]->name, "preprocess.mean");
    assert_string_equal(model->nodes[2]->name, "preprocess.std");
    assert_ptr_equal(model->nodes[0]->inputs[0], model->inputs[0]);
    for (size_t i = 0; i < model->node_count; i++) {
        assert_int_equal(model->nodes[i]->index, i);
        assert_true(model->nodes[i]->outputs[0]->varies);
        assert_int_equal(model->nodes[i]->outputs[0]->consumers, 1);
    }
    lip_model_free(&model);
    build_free(b);
}

/* A file that already has the names which new tensors would get. */
static void test_names_are_taken(void **state)
{
    (void)state;
    const lip_load_options options = with(&(lip_preprocess){0.5, mean, NULL, 3, 0});
    build *b = relu("1x3");
    build_node(b, "Neg", "x", "x::stored");
    build_node(b, "Neg", "x", "x::mean");
    for (int i = 0; i < 80; i++) {
        char name[32];
        snprintf(name, sizeof name, "x::%s#%d", i % 2 ? "stored" : "mean", 60 + i / 2);
        build_node(b, "Neg", "x", name);
    }
    lip_model *model = check_open(b, &options);
    assert_int_equal(model->node_count, 3);
    lip_model_free(&model);
    build_free(b);
}

static void test_refused(void **state)
{
    (void)state;
    const double zero[] = {0.5, 0, 1}, infinite[] = {(double)INFINITY};
    lip_load_options options = { 0 };
    for (int scaled = 0; scaled < 2; scaled++) {
        options = with(&(lip_preprocess){scaled ? 0.5 : 1, mean, NULL, 3, 0});
        check_refused_with(relu("1x4x2x2"), &options, LIP_EUSAGE,
                           "the mean has 3 numbers, but the input 'x' (1x4x2x2) has 4 channels (axis 1) or "
                           "2 (last axis)");
    }
    options = with(&(lip_preprocess){1, NULL, deviation, 0, 2});
    check_refused_with(relu("1x3"), &options, LIP_EUSAGE, "the standard deviation has 2 numbers");
    options = with(&(lip_preprocess){1, NULL, zero, 0, 3});
    check_refused_with(relu("1x3"), &options, LIP_EUSAGE, "the standard deviation holds 0");
    options = with(&(lip_preprocess){1, infinite, NULL, 1, 0});
    check_refused_with(relu("1x3"), &options, LIP_EUSAGE, "the mean holds inf");
    options = with(&(lip_preprocess){.scale = 0});
    check_refused_with(relu("1x3"), &options, LIP_EUSAGE, "the scale 0 is not");
    options = with(&(lip_preprocess){.scale = 2});
    build *b = relu("1x3");
    build_input(b, "second", "1x3");
    check_refused_with(b, &options, LIP_EUSAGE, "'x' and 'second'");
}

static void check_normalises(build *b, const lip_preprocess *p, const char *name)
{
    const lip_load_options options = with(p);
    lip_model *model = check_open(b, &options);
    assert_string_equal(lip_model_describe(model).normalises, name);
    lip_model_free(&model);
    build_free(b);
}

/* The input, then `op` with the constant first or second, then Relu. */
static build *leading(const char *op, const char *inputs)
{
    static const float numbers[] = {0.5F, 2, 3};
    build *b = build_new(17);
    build_input(b, "x", "1x3");
    build_floats(b, "c", "3", numbers);
    build_node_in(b, "", op, "own", inputs, "h");
    build_node(b, "Relu", "h", "y");
    build_output(b, "y");
    return b;
}

static void test_finds_normalisation(void **state)
{
    (void)state;
    const lip_preprocess p = {0.5, mean, deviation, 3, 3};
    check_normalises(leading("Sub", "x c"), NULL, "own");
    check_normalises(leading("Div", "x c"), NULL, "own");
    check_normalises(leading("Mul", "c x"), NULL, "own");
    check_normalises(leading("Add", "x c"), NULL, "own");
    check_normalises(leading("Add", "x c"), &p, "own");
    check_normalises(leading("BatchNormalization", "x c c c c"), NULL, "own");
    check_normalises(leading("Add", "x x"), NULL, "");
    check_normalises(leading("PRelu", "x c"), NULL, "");
    check_normalises(leading("PRelu", "x c"), &p, "");
}

static void test_finds_it_behind_rearrangement(void **state)
{
    (void)state;
    static const float one = 0.5F;
    build *b = build_new(17);
    build_input(b, "x", "1x2x4x3");
    build_floats(b, "c", "", &one);
    build_node(b, "Transpose", "x", "t");
    build_attr_ints(b, "perm", 4, (const int64_t[]){0, 3, 1, 2});
    build_node(b, "Cast", "t", "r");
    build_attr_int(b, "to", LIP_DTYPE_FLOAT);
    build_node_in(b, "", "Mul", "rescaling", "r c", "h");
    build_node(b, "Relu", "h", "y");
    build_typed_output(b, "y", LIP_DTYPE_FLOAT);
    check_normalises(b, NULL, "rescaling");
}

static void test_a_later_scale_is_none(void **state)
{
    (void)state;
    static const float one = 0.5F;
    build *b = build_new(17);
    build_input(b, "x", "1x3");
    build_floats(b, "c", "", &one);
    build_node(b, "Relu", "x", "t");
    build_node(b, "Mul", "t c", "y");
    build_output(b, "y");
    check_normalises(b, NULL, "");
}

/* A branch that is read while shapes are inferred finds the preprocessed input by its name. */
static void test_a_branch_reads_the_preprocessed_input(void **state)
{
    (void)state;
    const double x[] = {-8, -6, -4};
    const double *inputs[] = {x};
    const uint8_t flag = 1;
    const lip_load_options options = with(&(lip_preprocess){.scale = 0.5});
    build *b = build_new(17), *body = build_new(17);
    double z[3];
    build_input(b, "x", "1x3");
    build_raw(b, "flag", LIP_DTYPE_BOOL, "", &flag, 1);
    build_node(b, "If", "flag", "y");
    build_node(body, "Neg", "x", "out");
    build_output(body, "out");
    for (int branch = 0; branch < 2; branch++) {
        build_attr_graph(b, branch == 0 ? "then_branch" : "else_branch");
        Onnx__NodeProto *node = build_proto(b)->graph->node[0];
        node->attribute[node->n_attribute - 1]->g = build_proto(body)->graph;
    }
    build_node(b, "Relu", "y", "z");
    build_output(b, "z");
    lip_model *model = check_open(b, &options);
    lip_error error;
    if (lip_model_forward(model, inputs, z, &error))
        fail_msg("%s: %s", error.node, error.reason);
    for (int i = 0; i < 3; i++)
        assert_true(z[i] == -x[i] / 2);
    lip_model_free(&model);
    build_free(b);
    build_free(body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_nothing_to_do),
        cmocka_unit_test(test_nodes),
        cmocka_unit_test(test_names_are_taken),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_finds_normalisation),
        cmocka_unit_test(test_finds_it_behind_rearrangement),
        cmocka_unit_test(test_a_later_scale_is_none),
        cmocka_unit_test(test_a_branch_reads_the_preprocessed_input),
    };
    return cmocka_run_group_tests_name("preprocess", tests, NULL, NULL);
}
