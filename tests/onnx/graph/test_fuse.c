/*
 * test_fuse.c: activations and normalisations that exporters spell out become
 * one function: with the gain of the operator that has the name, the same
 * values, and a gradient that agrees with differences. What only looks like
 * one stays as it is.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "check_model.h"

#include "op.h"
#include "run.h"

#include <math.h>

enum { N = 6 };

static build *begin(void)
{
    build *b = build_new(18);
    build_input(b, "x", "2x3");
    const char *names[] = {"half", "one", "root", "cubic", "pi", "three", "two", "six", "eps", "k"};
    const float numbers[] = {0.5F, 1, 1.41421356F, 0.044715F, 0.79788456F, 3, 2, 6, 1e-5F, 1.7F};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        build_floats(b, names[i], "", &numbers[i]);
    build_floats(b, "zero", "", (float[]){0});
    build_ints(b, "last", "1", (int64_t[]){-1});
    build_floats(b, "gamma", "3", (float[]){0.5F, -2, 1});
    build_floats(b, "beta", "3", (float[]){1, 2, 3});
    return b;
}

/* Slopes of the only node, and that the network's values and gradient are right: checked against the values of the same
 * graph with every tensor kept, which is not fused. */
static lip_gain check_one(build *b, const char *op)
{
    lip_model *model = check_open(b, NULL);
    assert_int_equal(model->node_count, 1);
    const lip_node *node = model->nodes[0];
    assert_string_equal(node->op->name, op);
    lip_gain gain = node->op->gain;
    lip_error error;
    if (node->op->describe)
        assert_int_equal(node->op->describe(node, &model->arena, &gain, &error), LIP_OK);
    static const double point[N] = {-2.5, -0.3, 0, 0.7, 1.9, 4};
    const double step = 1e-6;
    for (int i = 0; i < N; i++) {
        double x[N], y[N], above[N], below[N], gradient[N], seed[N] = {0};
        memcpy(x, point, sizeof x);
        lip_run *run = NULL;
        const double *inputs[] = {x};
        assert_int_equal(lip_run_open(model, &run, &error), LIP_OK);
        assert_int_equal(lip_run_forward(run, inputs, &error), LIP_OK);
        memcpy(y, lip_run_real(run, model->logits), sizeof y);
        seed[i] = 1;
        assert_int_equal(lip_run_gradient(run, seed, 0, gradient, &error), LIP_OK);
        for (int k = 0; k < N; k++) {
            memcpy(x, point, sizeof x);
            x[k] += step;
            assert_int_equal(lip_model_forward(model, inputs, above, &error), LIP_OK);
            x[k] -= 2 * step;
            assert_int_equal(lip_model_forward(model, inputs, below, &error), LIP_OK);
            double slope = (above[i] - below[i]) / (2 * step);
            if (fabs(slope - gradient[k]) > 1e-6 * (1 + fabs(slope)))
                fail_msg("%s: slope %g, gradient %g", op, slope, gradient[k]);
        }
        lip_run_free(&run);
    }
    lip_model_free(&model);
    return gain;
}

static void check_slopes(build *b, double a, double top)
{
    build_output(b, "y");
    lip_gain gain = check_one(b, "Gate");
    assert_int_equal(gain.kind, LIP_GAIN_SLOPES);
    if (fabs(gain.slopes.a - a) > 1e-5 || fabs(gain.slopes.b - top) > 1e-5)
        fail_msg("slopes [%.9g, %.9g], wanted [%.9g, %.9g]", gain.slopes.a, gain.slopes.b, a, top);
    build_free(b);
}

static void test_silu(void **state)
{
    (void)state;
    build *b = begin();
    build_node(b, "Sigmoid", "x", "s");
    build_node(b, "Mul", "x s", "y");
    check_slopes(b, -0.0998393, 1.0998393);
    b = begin(); /* x sigmoid(1.7 x) / 2, the gate first */
    build_node(b, "Mul", "k x", "kx");
    build_node(b, "Sigmoid", "kx", "s");
    build_node(b, "Mul", "half x", "h");
    build_node(b, "Mul", "s h", "y");
    check_slopes(b, -0.0998393 / 2, 1.0998393 / 2);
}

static void test_gelu(void **state)
{
    (void)state;
    build *b = begin();
    build_node(b, "Div", "x root", "d");
    build_node(b, "Erf", "d", "e");
    build_node(b, "Add", "one e", "g");
    build_node(b, "Mul", "x half", "h");
    build_node(b, "Mul", "h g", "y");
    check_slopes(b, -0.128904, 1.128904);
    b = begin();
    build_node(b, "Pow", "x three", "p");
    build_node(b, "Mul", "p cubic", "c");
    build_node(b, "Add", "x c", "s");
    build_node(b, "Mul", "s pi", "t");
    build_node(b, "Tanh", "t", "u");
    build_node(b, "Add", "u one", "g");
    build_node(b, "Mul", "g half", "h");
    build_node(b, "Mul", "x h", "y");
    check_slopes(b, -0.128993, 1.128993);
}

static void test_mish_and_hard_swish(void **state)
{
    (void)state;
    build *b = begin();
    build_node(b, "Softplus", "x", "s");
    build_node(b, "Tanh", "s", "t");
    build_node(b, "Mul", "x t", "y");
    check_slopes(b, -0.1125261, 1.0884982);
    b = begin();
    build_node(b, "Add", "x three", "a");
    build_node(b, "Clip", "a zero six", "c");
    build_node(b, "Div", "c six", "d");
    build_node(b, "Mul", "x d", "y");
    check_slopes(b, -0.5, 1.5);
    b = begin();
    build_node(b, "HardSigmoid", "x", "g");
    build_attr_float(b, "alpha", 0.25F);
    build_attr_float(b, "beta", 0.75F);
    build_node(b, "Mul", "x g", "y");
    check_slopes(b, -0.75, 1.25);
}

/* Different functions, and slopes outside of what is known: a product of activations. */
static void check_not(build *b)
{
    build_output(b, "y");
    lip_model *model = check_open(b, NULL);
    assert_string_equal(model->nodes[model->node_count - 1]->op->name, "Mul");
    lip_model_free(&model);
    build_free(b);
}

static void test_softsign(void **state)
{
    (void)state;
    build *b = begin();
    build_node(b, "Abs", "x", "a");
    build_node(b, "Add", "a one", "d");
    build_node(b, "Div", "x d", "y");
    build_output(b, "y");
    const lip_gain gain = check_one(b, "Softsign");
    assert_int_equal(gain.kind, LIP_GAIN_SLOPES);
    assert_true(gain.slopes.a == 0 && gain.slopes.b == 1);
    build_free(b);
    b = begin(); /* another number */
    build_node(b, "Abs", "x", "a");
    build_node(b, "Add", "a half", "d");
    build_node(b, "Div", "x d", "y");
    build_output(b, "y");
    lip_model *model = check_open(b, NULL);
    assert_string_equal(model->nodes[model->node_count - 1]->op->name, "Div");
    lip_model_free(&model);
    build_free(b);
}

static void test_not_gates(void **state)
{
    (void)state;
    build *b = begin(); /* of another tensor */
    build_node(b, "Relu", "x", "r");
    build_node(b, "Sigmoid", "r", "s");
    build_node(b, "Mul", "x s", "y");
    check_not(b);
    b = begin(); /* shifted */
    build_node(b, "Add", "x one", "a");
    build_node(b, "Sigmoid", "a", "s");
    build_node(b, "Mul", "x s", "y");
    check_not(b);
    b = begin(); /* 2 + erf */
    build_node(b, "Erf", "x", "e");
    build_node(b, "Add", "e two", "g");
    build_node(b, "Mul", "x g", "y");
    check_not(b);
    b = begin(); /* another cubic term */
    build_node(b, "Pow", "x three", "p");
    build_node(b, "Add", "x p", "s");
    build_node(b, "Tanh", "s", "u");
    build_node(b, "Add", "u one", "g");
    build_node(b, "Mul", "x g", "y");
    check_not(b);
}

static build *variance(const char *input)
{
    build *b = begin();
    build_node(b, "ReduceMean", "x last", "m");
    build_node(b, "Sub", "x m", "d");
    build_node(b, "Mul", strcmp(input, "x") == 0 ? "x x" : "d d", "q");
    build_node(b, "ReduceMean", "q last", "v");
    build_node(b, "Add", "v eps", "e");
    build_node(b, "Sqrt", "e", "r");
    return b;
}

static void check_norm(build *b)
{
    build_output(b, "y");
    lip_gain gain = check_one(b, "Standardize");
    const double exact = 1 / sqrt((double)1e-5F);
    assert_int_equal(gain.kind, LIP_GAIN_LIPSCHITZ);
    assert_true(gain.lipschitz.upper >= exact && gain.lipschitz.upper < exact * (1 + 1e-12));
    build_free(b);
}

static void test_norms(void **state)
{
    (void)state;
    build *b = variance("d");
    build_node(b, "Div", "d r", "y");
    check_norm(b);
    b = variance("x");
    build_node(b, "Reciprocal", "r", "i");
    build_node(b, "Mul", "i x", "y");
    check_norm(b);
}

/* Keras: x m + (beta - mean m), m = gamma / r, against LayerNormalization. */
static void test_keras_norm(void **state)
{
    (void)state;
    build *b = variance("d"), *c = begin();
    build_node(b, "Reciprocal", "r", "i");
    build_node(b, "Mul", "i gamma", "f");
    build_node(b, "Mul", "m f", "mf");
    build_node(b, "Sub", "beta mf", "o");
    build_node(b, "Mul", "x f", "xf");
    build_node(b, "Add", "xf o", "y");
    build_output(b, "y");
    build_node(c, "LayerNormalization", "x gamma beta", "y");
    build_output(c, "y");
    lip_model *spelled = check_open(b, NULL), *named = check_open(c, NULL);
    assert_int_equal(spelled->node_count, 3);
    assert_string_equal(spelled->nodes[0]->op->name, "Standardize");
    assert_string_equal(spelled->nodes[1]->op->name, "Mul");
    assert_string_equal(spelled->nodes[2]->op->name, "Add");
    const double x[N] = {-2.5, -0.3, 0, 0.7, 1.9, 4}, *inputs[] = {x};
    double y[N], z[N];
    lip_error error;
    assert_int_equal(lip_model_forward(spelled, inputs, y, &error), LIP_OK);
    assert_int_equal(lip_model_forward(named, inputs, z, &error), LIP_OK);
    for (int i = 0; i < N; i++)
        assert_true(fabs(y[i] - z[i]) < 1e-12);
    lip_model_free(&spelled);
    lip_model_free(&named);
    build_free(b);
    build_free(c);
}

/* Keras through tf2onnx: the mean through a Reshape that does nothing, the factor through an Expand. */
static void test_expanded_norm(void **state)
{
    (void)state;
    build *b = begin();
    build_ints(b, "column", "2", (const int64_t[]){2, 1});
    build_ints(b, "whole", "2", (const int64_t[]){2, 3});
    build_node(b, "ReduceMean", "x last", "m");
    build_node(b, "Neg", "m", "n");
    build_node(b, "Reshape", "m column", "m1");
    build_node(b, "Sub", "x m1", "d");
    build_node(b, "Mul", "d d", "q");
    build_node(b, "ReduceMean", "q last", "v");
    build_node(b, "Add", "v eps", "e");
    build_node(b, "Sqrt", "e", "r");
    build_node(b, "Reciprocal", "r", "i");
    build_node(b, "Expand", "i whole", "f");
    build_node(b, "Mul", "x f", "xf");
    build_node(b, "Mul", "n f", "nf");
    build_node(b, "Add", "xf nf", "y");
    check_norm(b);
}

static void check_quotient(build *b)
{
    build_output(b, "y");
    lip_model *model = check_open(b, NULL);
    assert_string_equal(model->nodes[model->node_count - 1]->op->name, "Div");
    lip_model_free(&model);
    build_free(b);
}

/* The deviation of another tensor, or over axes that the operator does not read where they are. */
static void test_not_norms(void **state)
{
    (void)state;
    build *b = variance("d");
    build_node(b, "Div", "x r", "y");
    check_quotient(b);
    b = begin(); /* from opset 18 on axes are an input */
    build_node(b, "ReduceMean", "x", "m");
    build_attr_ints(b, "axes", 1, (const int64_t[]){-1});
    build_node(b, "Sub", "x m", "d");
    build_node(b, "Mul", "d d", "q");
    build_node(b, "ReduceMean", "q", "v");
    build_attr_ints(b, "axes", 1, (const int64_t[]){-1});
    build_node(b, "Add", "v eps", "e");
    build_node(b, "Sqrt", "e", "r");
    build_node(b, "Div", "d r", "y");
    check_quotient(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_silu),     cmocka_unit_test(test_gelu),  cmocka_unit_test(test_mish_and_hard_swish),
        cmocka_unit_test(test_not_gates), cmocka_unit_test(test_norms), cmocka_unit_test(test_keras_norm),
        cmocka_unit_test(test_expanded_norm), cmocka_unit_test(test_softsign), cmocka_unit_test(test_not_norms),
    };
    return cmocka_run_group_tests_name("fuse", tests, NULL, NULL);
}
