/*
 * test_gain_of.c: the kinds that need no calculation, the gains of branches,
 * and what becomes of errors.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "sample.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static lip_value values[4];
static lip_value *inputs[3] = { &values[0], &values[1], &values[2] }, *outputs[1] = { &values[3] };

/* A node with three inputs of these element counts, the first `varying` of which vary. */
static lip_node node_of(int64_t a, int64_t b, int64_t c, int64_t y, int varying)
{
    const int64_t counts[] = { a, b, c, y };
    for (int i = 0; i < 4; i++)
        values[i] = (lip_value) { .name = "v", .dtype = LIP_DTYPE_DOUBLE, .shape_known = true,
                                  .shape = { .rank = 1, .dim = { counts[i] } },
                                  .varies = i < varying };
    return (lip_node) { .name = "branches", .op_type = "Sample", .domain = "", .module = "", .inputs = inputs,
                        .input_count = 3, .outputs = outputs, .output_count = 1 };
}

static void check_constants(void **unused)
{
    (void)unused;
    lip_gain gain = { .kind = LIP_GAIN_ISOMETRY };
    lip_layer_gain out = sample_gain(&gain, sample_node(), NULL, NULL);
    assert_true(out.lower == 1 && out.upper == 1 && out.verdict == LIP_BOUNDED && isnan(out.power_estimate));
    gain = (lip_gain) { .kind = LIP_GAIN_SLOPES, .slopes = { -0.5, 1.5, 0 } };
    out = sample_gain(&gain, sample_node(), NULL, NULL);
    assert_true(out.lower == 1.5 && out.upper == 1.5);
    gain.slopes.a = -2;
    gain.slopes.slack = 0.25;
    out = sample_gain(&gain, sample_node(), NULL, NULL);
    assert_true(out.upper == 2 && out.lower <= 1.75 && out.lower > 1.7499);
    gain = (lip_gain) { .kind = LIP_GAIN_LIPSCHITZ, .lipschitz = { 3, 2 } };
    out = sample_gain(&gain, sample_node(), NULL, NULL);
    assert_true(out.lower == 2 && out.upper == 3);
    gain.lipschitz.upper = (double)INFINITY;
    assert_int_equal(sample_gain(&gain, sample_node(), NULL, NULL).verdict, LIP_UNKNOWN);
    gain = (lip_gain) { .kind = LIP_GAIN_UNKNOWN, .reason = "because" };
    out = sample_gain(&gain, sample_node(), NULL, NULL);
    assert_true(out.verdict == LIP_UNKNOWN && isinf(out.upper) && out.lower == 0 && strcmp(out.reason, "because") == 0);
    gain = (lip_gain) { .kind = LIP_GAIN_UNBOUNDED };
    out = sample_gain(&gain, sample_node(), NULL, NULL);
    assert_true(out.verdict == LIP_UNBOUNDED && isinf(out.upper) && out.reason[0]);
}

static void check_branches(void **unused)
{
    (void)unused;
    lip_gain sum = { .kind = LIP_GAIN_SUM, .coefficient = 1 }, join = { .kind = LIP_GAIN_JOIN };
    lip_gain concat = { .kind = LIP_GAIN_CONCAT };
    lip_node node = node_of(36, 4, 1, 36, 2);
    assert_true(lip_branch_gain(&node, &sum, 0) == 1 && lip_branch_gain(&node, &sum, 1) == 3 &&
                lip_branch_gain(&node, &sum, 2) == 6);
    assert_true(lip_branch_gain(&node, &join, 1) == 3 && lip_branch_gain(&node, &concat, 1) == 1);
    sum.coefficient = 0.25;
    assert_true(lip_branch_gain(&node, &sum, 0) == 0.25 && lip_branch_gain(&node, &sum, 1) >= 0.75);
    sum.coefficient = 1;
    lip_layer_gain out = sample_gain(&sum, &node, NULL, NULL);
    assert_true(out.upper == 3 && out.lower == 0);
    out = sample_gain(&join, &node, NULL, NULL);
    assert_true(out.upper == 3 && out.lower == 0);
    node = node_of(36, 36, 36, 36, 2);
    out = sample_gain(&join, &node, NULL, NULL);
    assert_true(out.upper == 1 && out.lower == 1);
    out = sample_gain(&concat, &node, NULL, NULL); /* parts that overlap: a Scatter */
    assert_true(out.upper == 1 && out.lower == 0);
    node = node_of(36, 36, 0, 36, 1);
    out = sample_gain(&sum, &node, NULL, NULL);
    assert_true(out.upper == 1 && out.lower == 1 && strcmp(out.method, "translation") == 0);
    node = node_of(7, 36, 1, 35, 1); /* root of 5, rounded up */
    assert_true((long double)lip_branch_gain(&node, &join, 0) >= sqrtl(5));
}

static void check_contradiction(void **unused)
{
    (void)unused;
    lip_gain gain = { .kind = LIP_GAIN_LIPSCHITZ, .lipschitz = { .upper = 1, .lower = 2 } };
    lip_layer_task task = { .node = sample_node(), .gain = gain, .memory = oracle_memory() };
    lip_layer_gain out;
    lip_error error = { 0 };
    assert_int_equal(lip_gain_of(&task, &out, &error), LIP_EINTERNAL);
    assert_string_equal(error.node, "sample");
    task.gain.lipschitz.upper = (double)NAN; /* NaN is no bound either */
    assert_int_equal(lip_gain_of(&task, &out, &error), LIP_EINTERNAL);
}

static void check_out_of_memory(void **unused)
{
    (void)unused;
    const double w[] = { 1, 2, 3, 4 };
    lip_tensor weight = sample_tensor(w, 4);
    lip_gain gain = { .kind = LIP_GAIN_DENSE,
                      .dense = { .weight = &weight, .alpha = 1, .rows = 2, .cols = 2, .row_stride = 2, .col_stride = 1,
                                 .batch = 1, .multiplicity = 1 } };
    uint64_t in_use = oracle_in_use();
    int failures = 0;
    for (int k = 1; k < 20; k++) {
        lip_layer_task task = { .node = sample_node(), .gain = gain, .memory = oracle_memory(),
                                .random = lip_random_seed(1, 1) };
        lip_layer_gain out;
        lip_error error = { 0 };
        atomic_store(&oracle_memory()->fail_in, k);
        lip_status status = lip_gain_of(&task, &out, &error);
        failures += status == LIP_EMEMORY;
        assert_true(status == LIP_OK ? out.upper >= 5.4649 : status == LIP_EMEMORY);
        assert_string_equal(error.node, status == LIP_OK ? "" : "sample");
        assert_int_equal(oracle_in_use(), in_use);
    }
    atomic_store(&oracle_memory()->fail_in, 0);
    assert_true(failures > 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(check_constants),
        cmocka_unit_test(check_branches),
        cmocka_unit_test(check_contradiction),
        cmocka_unit_test(check_out_of_memory),
    };
    return cmocka_run_group_tests_name("gain_of", tests, NULL, NULL);
}
