/*
 * test_preprocess.c: scale, mean and standard deviation in front of a network
 * are part of its first linear node: the norm of the product is bounded.
 *
 * Oracle: for two outputs the largest singular value of W diag(scale / std) is
 * the root of the larger eigenvalue of a 2x2 matrix, in long double.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "audit.h"
#include "model_builder.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const float weights[] = {3, 1, 0.5F, -1, 2, 4};
static const double mean[] = {0.4, 0.5, 0.6}, deviation[] = {0.9, 0.5, 0.1};

/* Of the 2x3 matrix whose columns are divided. */
static double exact_norm(double scale, const double *std)
{
    long double gram[3] = {0, 0, 0};
    for (int k = 0; k < 3; k++) {
        long double factor = (long double)scale / std[k], a = weights[k] * factor, b = weights[3 + k] * factor;
        gram[0] += a * a;
        gram[1] += a * b;
        gram[2] += b * b;
    }
    long double half = (gram[0] - gram[2]) / 2;
    return (double)sqrtl((gram[0] + gram[2]) / 2 + sqrtl(half * half + gram[1] * gram[1]));
}

static double bound_of(build *b, const lip_preprocess *preprocess)
{
    const lip_load_options options = {.preprocess = preprocess};
    lip_model *model = NULL;
    lip_report *report = NULL;
    lip_error error;
    if (build_open(b, &options, &model, &error) != LIP_OK || lip_audit(model, NULL, &report, &error) != LIP_OK)
        fail_msg("%s: %s", error.node, error.reason);
    double upper = report->network.upper;
    lip_report_free(&report);
    lip_model_free(&model);
    build_free(b);
    return upper;
}

static build *convolution(void)
{
    build *b = build_new(17);
    build_input(b, "x", "1x3x4x4");
    build_floats(b, "w", "2x3x1x1", weights);
    build_node(b, "Conv", "x w", "h");
    build_node(b, "Relu", "h", "y");
    build_output(b, "y");
    return b;
}

static build *dense(void)
{
    build *b = build_new(17);
    build_input(b, "x", "1x3");
    build_floats(b, "w", "2x3", weights);
    build_node(b, "Gemm", "x w", "y");
    build_attr_int(b, "transB", 1);
    build_output(b, "y");
    return b;
}

static void check(double upper, double exact)
{
    assert_true(upper >= exact);
    assert_true(upper <= exact * (1 + 1e-6));
    assert_true(upper * 0.999 < exact);
}

static void folds_into_the_first_layer(void **state)
{
    (void)state;
    static const double ones[] = {1, 1, 1};
    const lip_preprocess whole = {1.0 / 255, mean, deviation, 3, 3}, scale = {.scale = 1.0 / 255},
                         divided = {1, NULL, deviation, 0, 3};
    double product_of_norms = exact_norm(1, ones) / 0.1;
    assert_true(exact_norm(1, deviation) < 0.99 * product_of_norms); /* or the test could not tell */
    check(bound_of(convolution(), &whole), exact_norm(1.0 / 255, deviation));
    check(bound_of(convolution(), &divided), exact_norm(1, deviation));
    check(bound_of(convolution(), &scale), exact_norm(1.0 / 255, ones));
    check(bound_of(dense(), &whole), exact_norm(1.0 / 255, deviation));
    check(bound_of(dense(), &divided), exact_norm(1, deviation));
}

/* Where a model has a scale of its own for each channel, both are folded or the bound is larger, never smaller. */
static void two_scales_are_sound(void **state)
{
    (void)state;
    static const float own[] = {5, 1, 2};
    double both[3];
    build *b = build_new(17);
    build_input(b, "x", "1x3x4x4");
    build_floats(b, "s", "3x1x1", own);
    build_floats(b, "w", "2x3x1x1", weights);
    build_node(b, "Mul", "x s", "h");
    build_node(b, "Conv", "h w", "y");
    build_output(b, "y");
    const lip_preprocess whole = {1.0 / 255, mean, deviation, 3, 3};
    for (int i = 0; i < 3; i++)
        both[i] = deviation[i] / (double)own[i];
    double upper = bound_of(b, &whole), exact = exact_norm(1.0 / 255, both);
    assert_true(upper >= exact && upper < 10 * exact);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folds_into_the_first_layer),
        cmocka_unit_test(two_scales_are_sound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
