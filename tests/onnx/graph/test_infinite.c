/*
 * test_infinite.c: infinity in constants: masks in front of a Softmax are
 * read and evaluated, everything else is refused or unknown by node. And
 * Attention, whose causal mask is one.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "check_model.h"

#include "op.h"

#include <math.h>
#include <stdio.h>

static const float mask[9] = {0, -INFINITY, -INFINITY, 0, 0, -INFINITY, 0, 0, 0};
static const float full[9] = {0, 0, 0, -INFINITY, -INFINITY, -INFINITY, 0, 0, 0};

/* x [3, 3] + m */
static build *sum(const float *m)
{
    build *b = build_new(18);
    build_input(b, "x", "3x3");
    build_floats(b, "m", "3x3", m);
    build_floats(b, "two", "", (float[]){2});
    build_node_in(b, "", "Add", "add", "x m", "s");
    return b;
}

static const char *reason_of(build *b, const char *name)
{
    static char text[1024];
    lip_model *model = check_open(b, NULL);
    text[0] = '\0';
    for (size_t i = 0; i < model->node_count; i++)
        if (strcmp(model->nodes[i]->name, name) == 0 && model->nodes[i]->unknown)
            snprintf(text, sizeof text, "%s", model->nodes[i]->unknown);
    lip_model_free(&model);
    build_free(b);
    return text;
}

static void test_softmax_of_a_masked_sum(void **state)
{
    (void)state;
    build *b = sum(mask);
    build_node_in(b, "", "Div", "scale", "s two", "d");
    build_node_in(b, "", "Softmax", "softmax", "d", "y");
    build_node_in(b, "", "Relu", "relu", "y", "z"); /* so that the Softmax is not the last node */
    build_output(b, "z");
    lip_model *model = check_open(b, NULL);
    for (size_t i = 0; i < model->node_count; i++)
        assert_null(model->nodes[i]->unknown);
    const double x[9] = {5, 1, 2, 1, 1, 9, 0, 2, 4}, *inputs[] = {x};
    double y[9];
    lip_error error;
    assert_int_equal(lip_model_forward(model, inputs, y, &error), LIP_OK);
    assert_true(y[0] == 1 && y[1] == 0 && y[2] == 0 && y[3] == 0.5 && y[4] == 0.5 && y[5] == 0);
    assert_true(fabs(y[6] - 1 / (1 + exp(1) + exp(2))) < 1e-15);
    lip_model_free(&model);
    build_free(b);
}

static void test_all_of_a_row_masked(void **state)
{
    (void)state;
    build *b = sum(full);
    build_node_in(b, "", "Softmax", "softmax", "s", "y");
    build_node_in(b, "", "Relu", "relu", "y", "z");
    build_output(b, "z");
    check_holds(reason_of(b, "softmax"), "makes its output 'y' NaN");
}

static void test_other_readers(void **state)
{
    (void)state;
    build *b = sum(mask);
    build_node_in(b, "", "MatMul", "mat", "s s", "y");
    build_output(b, "y");
    check_holds(reason_of(b, "mat"), "its input 's' holds infinity");
    b = sum(mask); /* infinity minus infinity, wherever the mask is */
    build_floats(b, "n", "3x3", mask);
    build_node_in(b, "", "Sub", "sub", "s n", "y");
    build_output(b, "y");
    check_holds(reason_of(b, "sub"), "makes its output 'y' NaN");
    b = sum(mask);
    build_node_in(b, "", "MatMul", "mat", "s m", "y");
    build_output(b, "y");
    check_refused(b, LIP_EFORMAT, "its constant 'm' holds infinity (element 1)");
    b = sum((const float[9]){0, -INFINITY, NAN, 0, 0, 0, 0, 0, 0});
    build_node_in(b, "", "Softmax", "softmax", "s", "y");
    build_node_in(b, "", "Relu", "relu", "y", "z");
    build_output(b, "z");
    check_refused(b, LIP_EFORMAT, "its constant 'm' holds NaN (element 2)");
}

/* max(x - infinity, 0) is 0: nothing infinite is left. */
static void test_a_maximum_ends_it(void **state)
{
    (void)state;
    build *b = sum(mask);
    build_node_in(b, "", "Max", "max", "s two", "z");
    build_node_in(b, "", "MatMul", "mat", "z two3", "y");
    build_floats(b, "two3", "3x3", (float[9]){2, 0, 0, 0, 2, 0, 0, 0, 2});
    build_output(b, "y");
    assert_string_equal(reason_of(b, "mat"), "");
}

static void build_attention(build *b, const char *op_inputs)
{
    build_node_in(b, "", "Attention", "attention", op_inputs, "a");
    build_attr_int(b, "q_num_heads", 2);
    build_attr_int(b, "kv_num_heads", 1);
    build_attr_int(b, "is_causal", 1);
    build_node_in(b, "", "Relu", "relu", "a", "y");
    build_output(b, "y");
}

/* Two heads of queries share one of keys and values, of three rows and two elements. */
static void test_attention(void **state)
{
    (void)state;
    build *b = build_new(23);
    build_input(b, "q", "1x3x4");
    build_input(b, "k", "1x3x2");
    build_input(b, "v", "1x3x2");
    build_attention(b, "q k v");
    lip_model *model = check_open(b, NULL);
    assert_true(model->node_count > 5);
    const double q[12] = {1, 0, 0, 1, 0.5, 2, -1, 0, 3, 1, 1, 1}, k[6] = {1, 2, 0, -1, 0.5, 0.5},
                 v[6] = {0, 1, 2, 3, 4, 5}, *inputs[] = {q, k, v};
    double y[12];
    lip_error error;
    assert_int_equal(lip_model_forward(model, inputs, y, &error), LIP_OK);
    for (int row = 0; row < 3; row++)
        for (int head = 0; head < 2; head++) {
            double weight[3], total = 0;
            for (int c = 0; c <= row; c++) {
                weight[c] = exp((q[4 * row + 2 * head] * k[2 * c] + q[4 * row + 2 * head + 1] * k[2 * c + 1]) /
                                sqrt(2));
                total += weight[c];
            }
            for (int i = 0; i < 2; i++) {
                double wanted = 0;
                for (int c = 0; c <= row; c++)
                    wanted += weight[c] / total * v[2 * c + i];
                assert_true(fabs(y[4 * row + 2 * head + i] - fmax(0, wanted)) < 1e-12);
            }
        }
    lip_model_free(&model);
    build_free(b);
}

static void test_attention_is_refused(void **state)
{
    (void)state;
    build *b = build_new(23);
    build_input(b, "q", "1x3x4");
    build_input(b, "k", "1x3x3");
    build_input(b, "v", "1x3x2");
    build_attention(b, "q k v");
    check_refused(b, LIP_EFORMAT, "queries, keys and values do not fit");
    b = build_new(24);
    build_input(b, "q", "1x3x4");
    build_input(b, "k", "1x3x2");
    build_input(b, "v", "1x3x2");
    build_node_in(b, "", "Attention", "attention", "q k v", "a");
    build_attr_int(b, "q_num_heads", 2);
    build_attr_int(b, "kv_num_heads", 1);
    build_attr_int(b, "left_window_size", 1);
    build_output(b, "a");
    check_holds(reason_of(b, "attention"), "attribute left_window_size is not supported");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_softmax_of_a_masked_sum), cmocka_unit_test(test_all_of_a_row_masked),
        cmocka_unit_test(test_other_readers),           cmocka_unit_test(test_a_maximum_ends_it),
        cmocka_unit_test(test_attention),               cmocka_unit_test(test_attention_is_refused),
    };
    return cmocka_run_group_tests_name("infinite", tests, NULL, NULL);
}
