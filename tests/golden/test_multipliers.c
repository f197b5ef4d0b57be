/*
 * test_multipliers.c FOLDER: what multipliers make of the fixtures: less than
 * the product where they are known to bring much, never below what the network
 * does between two points, for all logits and for each pair.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "lipaudit.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { PIXELS = 784, CLASSES = 10, SECANTS = 60 };

static const char *folder;
static uint64_t state = 101;

static double uniform(void)
{
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (double)(state >> 11) * 0x1p-53;
}

/* Secants of random points and directions, long and short. */
static void check_secants(const lip_model *model, const lip_report *report)
{
    for (int trial = 0; trial < SECANTS; trial++) {
        double x[2][PIXELS], y[2][CLASSES], distance = 0, change = 0, step = trial % 2 ? 0.02 : 2;
        lip_error error = { 0 };
        for (int i = 0; i < PIXELS; i++) {
            x[0][i] = 3 * uniform() - 1;
            x[1][i] = x[0][i] + step * (uniform() - 0.5);
            distance += (x[1][i] - x[0][i]) * (x[1][i] - x[0][i]);
        }
        for (int i = 0; i < 2; i++) {
            const double *inputs[] = { x[i] };
            assert_int_equal(lip_model_forward(model, inputs, y[i], &error), LIP_OK);
        }
        distance = sqrt(distance);
        for (int i = 0; i < CLASSES; i++)
            change += (y[1][i] - y[0][i]) * (y[1][i] - y[0][i]);
        assert_true(sqrt(change) <= report->network.upper * distance);
        for (int i = 0; i < CLASSES; i++)
            for (int j = 0; j < CLASSES; j++)
                assert_true(fabs(y[1][i] - y[1][j] - y[0][i] + y[0][j]) <=
                            report->pairwise_upper[i * CLASSES + j] * distance);
    }
}

/* The bound is below `share` of the product, and at most `loose` times a slope that was found. */
static void check(const char *name, lip_effort effort, double share, double loose)
{
    char path[1024];
    lip_model *model = NULL;
    lip_report *report = NULL;
    lip_error error = { 0 };
    lip_audit_options options = { .exact = LIP_EXACT_NEVER, .iterations = 1, .effort = effort };
    snprintf(path, sizeof path, "%s/models/%s.onnx", folder, name);
    if (lip_model_open(path, NULL, &model, &error) || lip_audit(model, &options, &report, &error))
        fail_msg("%s: %s: %s", path, error.node, error.reason);
    assert_string_equal(report->levels_reason, "");
    assert_true(report->level_count >= 1);
    assert_true(report->network.upper < share * report->product_upper);
    assert_true(report->levels[report->level_count - 1].network_upper == report->network.upper);
    assert_true(!(report->lower_estimate > report->network.upper));
    assert_true(effort < LIP_EFFORT_COMMON || report->network.upper <= loose * report->lower_estimate);
    assert_true(report->classes == CLASSES);
    assert_true(report->pairwise_max_upper <= sqrt(2) * report->network.upper * (1 + 1e-14));
    check_secants(model, report);
    lip_report_free(&report);
    lip_model_free(&model);
}

static void a_cnn(void **unused)
{
    (void)unused;
    check("fmnist_small_base_torchscript", LIP_EFFORT_LAYERWISE, 0.48, INFINITY);
}

static void a_lipschitz_trained_cnn(void **unused)
{
    (void)unused;
    check("fmnist_small_lmt_torchscript", LIP_EFFORT_LAYERWISE, 0.94, INFINITY);
}

/* 0.8059 is where a descent stops that does not take its time. */
static void a_lipschitz_trained_cnn_to_the_end(void **unused)
{
    (void)unused;
    check("fmnist_cnn_lmt", LIP_EFFORT_COMMON, 0.8053, 1.01);
}

static void a_perceptron(void **unused)
{
    (void)unused;
    check("fmnist_mlp2_base", LIP_EFFORT_COMMON, 0.41, 1.1);
}

static void keras_with_overlapping_pooling(void **unused)
{
    (void)unused;
    check("fmnist_keras_flatten", LIP_EFFORT_COMMON, 0.98, INFINITY);
}

static void keras_on_a_torus(void **unused)
{
    (void)unused;
    check("fmnist_keras_cnn", LIP_EFFORT_COMMON, 0.8, INFINITY);
}

static void a_residual_network_on_a_torus(void **unused)
{
    (void)unused;
    check("fmnist_wrn_base", LIP_EFFORT_LAYERWISE, 0.1, INFINITY);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cnn),
        cmocka_unit_test(a_lipschitz_trained_cnn),
        cmocka_unit_test(a_lipschitz_trained_cnn_to_the_end),
        cmocka_unit_test(a_perceptron),
        cmocka_unit_test(keras_with_overlapping_pooling),
        cmocka_unit_test(keras_on_a_torus),
        cmocka_unit_test(a_residual_network_on_a_torus),
    };
    if (argc != 2)
        return 2;
    folder = argv[1];
    return cmocka_run_group_tests_name("multipliers", tests, NULL, NULL);
}
