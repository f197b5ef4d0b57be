/*
 * test_lower.c: operators that are split into several.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "check_model.h"

#include "graph.h"

#include <math.h>

#define ML "ai.onnx.ml"
#define MS "com.microsoft"

/* Names of the model's nodes' operators, separated by spaces. */
static void expect_ops(const lip_model *model, const char *wanted)
{
    char found[512] = "";
    for (size_t i = 0; i < model->node_count; i++) {
        if (model->nodes[i]->folded) continue;
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
    if (lip_model_forward(model, inputs, y, &error)) fail_msg("%s", error.reason);
    for (size_t i = 0; i < count; i++)
        if (!(fabs(y[i] - wanted[i]) <= 1e-12)) fail_msg("logit %zu is %.17g, not %.17g", i, y[i], wanted[i]);
}

static void done(build *b, lip_model *model)
{
    lip_model_free(&model);
    build_free(b);
}

static build *classifier(const char *transform, size_t rows, size_t classes, bool strings)
{
    static const float coefficients[] = {1, 2, 3, -4, 0, 1}, intercepts[] = {0.5F, -1, 2};
    static const int64_t labels[] = {10, 20, 30};
    static const char *const names[] = {"a", "b", "c"};
    build *b = build_new(17);
    build_domain(b, ML, 3);
    build_input(b, "x", "Nx2");
    build_node_in(b, ML, "LinearClassifier", "linear", "x", "label scores");
    build_attr_floats(b, "coefficients", 2 * rows, coefficients);
    build_attr_floats(b, "intercepts", rows, intercepts);
    if (strings)
        build_attr_strings(b, "classlabels_strings", classes, names);
    else
        build_attr_ints(b, "classlabels_ints", classes, labels);
    build_attr_string(b, "post_transform", transform);
    build_node_in(b, ML, "Normalizer", "", "scores", "normal");
    build_attr_string(b, "norm", "L1");
    build_node_in(b, ML, "ZipMap", "", "normal", "probabilities");
    build_attr_ints(b, "classlabels_int64s", classes, labels);
    build_typed_output(b, "label", strings ? LIP_DTYPE_STRING : LIP_DTYPE_INT64);
    build_output(b, "probabilities");
    return b;
}

static void test_linear_classifier(void **state)
{
    (void)state;
    static const double x[] = {1, 1}, wanted[] = {3.5, -2, 3}, mirrored[] = {-3.5, 3.5};
    static const char *const transforms[] = {"SOFTMAX", "LOGISTIC"};
    for (int i = 0; i < 2; i++) {
        build *b = classifier(transforms[i], 3, 3, i == 1);
        lip_model *model = check_open(b, NULL);
        expect_ops(model, "LinearClassifier");
        expect_logits(model, x, 3, wanted);
        check_holds(lip_model_note(model, 0), "is not part of the logits");
        done(b, model);
    }
    build *b = classifier("LOGISTIC", 1, 2, false);
    lip_model *model = check_open(b, NULL);
    expect_logits(model, x, 2, mirrored);
    done(b, model);
}

static void test_other_outputs_of_a_classifier(void **state)
{
    (void)state;
    static const double x[] = {1, 1};
    const double odds[] = {1 / (1 + exp(-3.5)), 1 / (1 + exp(2.)), 1 / (1 + exp(-3.))};
    build *b = classifier("LOGISTIC", 3, 3, false);
    lip_load_options scores = {.output = "scores"}, label = {.output = "label"};
    lip_model *model = check_open(b, &scores);
    expect_ops(model, "LinearClassifier Sigmoid");
    expect_logits(model, x, 3, odds);
    lip_model_free(&model);
    model = check_open(b, &label);
    expect_ops(model, "LinearClassifier ArgMax Gather");
    done(b, model);

    b = classifier("PROBIT", 3, 3, false);
    model = check_open(b, NULL);
    check_holds(model->nodes[0]->unknown, "it was not split");
    done(b, model);
}

static void test_fused_conv(void **state)
{
    (void)state;
    static const float w[] = {2}, bias[] = {1};
    static const double x[] = {1, -1, 2, 0}, wanted[] = {4, -0.2, 7, 1};
    build *b = build_new(17);
    build_domain(b, MS, 1);
    build_input(b, "x", "1x1x2x2");
    build_floats(b, "w", "1x1x1x1", w);
    build_floats(b, "b", "1", bias);
    build_node_in(b, MS, "FusedConv", "fused", "x w b x", "y");
    build_attr_string(b, "activation", "LeakyRelu");
    build_attr_floats(b, "activation_params", 1, (const float[]){0.1F});
    build_output(b, "y");
    lip_model *model = check_open(b, NULL);
    expect_ops(model, "Conv Add LeakyRelu");
    const double *inputs[] = {x};
    double y[4];
    lip_error error;
    assert_int_equal(lip_model_forward(model, inputs, y, &error), LIP_OK);
    for (int i = 0; i < 4; i++) assert_true(fabs(y[i] - wanted[i]) < 1e-7);
    done(b, model);

    b = build_new(17);
    build_domain(b, MS, 1);
    build_input(b, "x", "1x1x2x2");
    build_floats(b, "w", "1x1x1x1", w);
    build_node_in(b, MS, "FusedConv", "fused", "x w", "y");
    build_attr_string(b, "activation", "Frobnicate");
    build_output(b, "y");
    model = check_open(b, NULL);
    check_holds(model->nodes[0]->unknown, "this use of it is not supported");
    done(b, model);
}

static void test_other_fused(void **state)
{
    (void)state;
    static const float w[] = {1, 0, 0, 1}, v[] = {1, 2};
    static const double x[] = {3, -1}, gemm[] = {3, 0};
    build *b = build_new(17);
    build_domain(b, MS, 1);
    build_input(b, "x", "1x2");
    build_floats(b, "w", "2x2", w);
    build_node_in(b, MS, "FusedGemm", "fused", "x w", "y");
    build_attr_string(b, "activation", "Relu");
    build_output(b, "y");
    lip_model *model = check_open(b, NULL);
    expect_ops(model, "Gemm Relu");
    expect_logits(model, x, 2, gemm);
    done(b, model);

    b = build_new(17);
    build_domain(b, MS, 1);
    build_input(b, "x", "1x2");
    build_floats(b, "v", "2", v);
    build_node_in(b, MS, "BiasGelu", "gelu", "x v", "h");
    build_node_in(b, MS, "SkipLayerNormalization", "skip", "h x v v v", "y - - s");
    build_node(b, "Sub", "y s", "z");
    build_output(b, "z");
    model = check_open(b, NULL);
    expect_ops(model, "Add Gelu Add Add LayerNormalization Identity Sub");
    done(b, model);

    b = build_new(17);
    build_domain(b, MS, 1);
    build_input(b, "x", "1x2");
    build_floats(b, "v", "2", v);
    build_node_in(b, MS, "SkipLayerNormalization", "skip", "x x v v", "y");
    build_attr_float(b, "epsilon", 0.01F);
    build_node(b, "Abs", "y", "z");
    build_output(b, "z");
    model = check_open(b, NULL);
    expect_ops(model, "Add LayerNormalization Abs");
    done(b, model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_linear_classifier),
        cmocka_unit_test(test_other_outputs_of_a_classifier),
        cmocka_unit_test(test_fused_conv),
        cmocka_unit_test(test_other_fused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
