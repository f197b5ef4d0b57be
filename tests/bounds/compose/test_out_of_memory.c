/*
 * test_out_of_memory.c FOLDER [every]: the k-th allocation of reading and
 * auditing a fixture fails: never a crash, no memory left behind (run it with
 * the sanitizers), and LIP_EMEMORY, or a report that did without a method: its
 * bound is then a weaker one, never a wrong one. Every k on a small residual
 * network; on the fixtures (a CNN, a residual network, one from Keras) every k
 * while reading, and AUDITS of them, evenly spread, in the audit; with `every`
 * all of them, which takes a quarter of an hour. The levels of effort take
 * many small blocks: MULTIPLIERS of them on the small network.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "check_model.h"

#include "graph/model.h"

#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

enum { AUDITS = 40, MULTIPLIERS = 40 };
static const int_fast64_t NEVER = INT64_C(1) << 40;
static const uint64_t CAP = UINT64_C(1) << 30;

static const char *folder;
static bool every;
static lip_effort effort = LIP_EFFORT_PRODUCT;

/* Reads and audits with the k-th allocation failing. *rest: how many more there would have been to go. */
static lip_status run(const char *path, const void *bytes, size_t size, int_fast64_t k, bool audit, int_fast64_t *rest,
                      double *upper)
{
    const lip_audit_options options = {.threads = 1, .iterations = 1, .exact = LIP_EXACT_NEVER, .effort = effort};
    lip_memory preset = {.cap = CAP};
    lip_model *model = NULL;
    lip_report *report = NULL;
    lip_error error = {0};
    atomic_store(&preset.fail_in, k);
    lip_status status = lip_model_read(bytes, size, path, NULL, &preset, &model, &error);
    if (!status && audit)
        status = lip_audit(model, &options, &report, &error);
    *rest = model ? atomic_load(&model->memory.fail_in) : 0;
    if (status) {
        assert_int_equal(status, LIP_EMEMORY);
        assert_int_equal(error.status, LIP_EMEMORY);
        assert_true(error.reason[0] != '\0');
        assert_null(report);
    }
    *upper = report ? report->network.upper : (double)INFINITY;
    lip_report_free(&report);
    lip_model_free(&model);
    return status;
}

static int_fast64_t count(const char *path, const void *bytes, size_t size, bool audit, double *upper)
{
    int_fast64_t rest;
    assert_int_equal(run(path, bytes, size, NEVER, audit, &rest, upper), LIP_OK);
    return NEVER - rest;
}

/* The k-th allocation for k = from, from + step, ... up to `to`. */
static void fail_each(const char *path, const void *bytes, size_t size, int_fast64_t from, int_fast64_t to,
                      int_fast64_t step, double bound)
{
    int_fast64_t rest;
    double upper;
    for (int_fast64_t k = from; k <= to; k += step) {
        lip_status status = run(path, bytes, size, k, bound > 0, &rest, &upper);
        if (status == LIP_OK && (bound == 0 || upper < bound * (1 - 1e-9)))
            fail_msg("%s: allocation %lld of %lld failed, and L_F became %g", path, (long long)k, (long long)to, upper);
    }
}

static void check_fixture(const char *name)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    double upper;
    int_fast64_t reading = count(path, NULL, 0, false, &upper), all = count(path, NULL, 0, true, &upper);
    int_fast64_t step = every ? 1 : (all - reading) / AUDITS + 1;
    print_message("# %s: %lld allocations while reading, each fails; %lld in the audit, one of %lld fails\n", name,
                  (long long)reading, (long long)(all - reading), (long long)step);
    fail_each(path, NULL, 0, 1, reading, 1, 0);
    fail_each(path, NULL, 0, reading + 1, all, step, upper);
}

static void test_cnn(void **state)
{
    (void)state;
    check_fixture("fmnist_small_base_torchscript.onnx");
}

static void test_residual(void **state)
{
    (void)state;
    check_fixture("fmnist_wrn_base.onnx");
}

static void test_keras(void **state)
{
    (void)state;
    check_fixture("fmnist_keras_cnn.onnx");
}

static void test_small(void **state)
{
    (void)state;
    static const float w[2 * 2 * 3 * 3] = {1, 2, 3, 4, 5, 6, 7, 8, 9, -1, -2}, s[2] = {1, 0.5F}, f[32 * 3] = {1, -1, 2};
    size_t size;
    build *b = build_new(17);
    build_input(b, "x", "1x2x4x4");
    build_floats(b, "w", "2x2x3x3", w);
    build_floats(b, "s", "2", s);
    build_floats(b, "f", "32x3", f);
    build_node(b, "Conv", "x w", "c");
    build_attr_ints(b, "pads", 4, (int64_t[]){1, 1, 1, 1});
    build_node(b, "BatchNormalization", "c s s s s", "n");
    build_node(b, "Sigmoid", "n", "g");
    build_node(b, "Mul", "n g", "r");
    build_node(b, "Add", "r x", "a");
    build_node(b, "Flatten", "a", "v");
    build_node(b, "MatMul", "v f", "y");
    build_output(b, "y");
    const void *bytes = build_bytes(b, &size);
    double upper;
    int_fast64_t all = count("small.onnx", bytes, size, true, &upper);
    print_message("# small residual network: %lld allocations, each fails\n", (long long)all);
    fail_each("small.onnx", bytes, size, 1, all, 1, upper);
    effort = LIP_EFFORT_COMMON;
    int_fast64_t more = count("small.onnx", bytes, size, true, &upper), step = (more - all) / MULTIPLIERS + 1;
    print_message("# and %lld for its multipliers, one of %lld fails\n", (long long)(more - all), (long long)step);
    fail_each("small.onnx", bytes, size, all + 1, more, step, upper);
    effort = LIP_EFFORT_PRODUCT;
    build_free(b);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_small),
        cmocka_unit_test(test_cnn),
        cmocka_unit_test(test_residual),
        cmocka_unit_test(test_keras),
    };
    folder = argc > 1 ? argv[1] : "fixtures/models";
    every = argc > 2 && strcmp(argv[2], "every") == 0;
    return cmocka_run_group_tests_name("out of memory", tests, NULL, NULL);
}
