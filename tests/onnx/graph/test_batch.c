/*
 * test_batch.c: batched forward passes of whole networks: the fixtures, sizes
 * of batches, refusals, memory.
 *
 * Usage: test_batch FOLDER, that of the fixtures' models.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "batch_check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const char *folder;

/* ----------------------------------------------------------------- fixtures */

static void fixtures(void **unused)
{
    static const struct fixture {
        const char *name;
        int affine;
    } list[] = {
        { "fmnist_small_base_torchscript", 4 }, { "fmnist_small_base_dynamo", 4 },
        { "fmnist_small_lmt_torchscript", 4 },  { "fmnist_small_lmt_dynamo", 4 },
        { "fmnist_wrn_base", 10 },              { "fmnist_wrn_lmt", 10 },
        { "fmnist_keras_cnn", 3 },              { "fmnist_keras_flatten", 2 },
    };
    (void)unused;
    for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
        char path[1024];
        lip_model *model = NULL;
        lip_error error = { 0 };
        snprintf(path, sizeof path, "%s/%s.onnx", folder, list[i].name);
        if (lip_model_open(path, NULL, &model, &error) != LIP_OK)
            fail_msg("%s: %s", path, error.reason);
        assert_int_equal(check_batches(model), list[i].affine);
        lip_model_free(&model);
    }
}

/* A batch that is divided, one that chose its size, and one per sample. */
static void sizes_of_batches(void **unused)
{
    (void)unused;
    enum { COUNT = 100 };
    char path[1024];
    lip_model *model = NULL;
    lip_error error = { 0 };
    snprintf(path, sizeof path, "%s/fmnist_small_base_torchscript.onnx", folder);
    assert_int_equal(lip_model_open(path, NULL, &model, &error), LIP_OK);
    const int64_t n = count_of(model->inputs[0]), m = count_of(model->logits);
    double *x = room(COUNT * n), *whole = room(COUNT * m);
    for (int64_t i = 0; i < COUNT * n; i++)
        x[i] = fabs(random_real());
    for (int64_t capacity = COUNT; capacity >= 0; capacity = capacity > 13 ? 13 : capacity > 1 ? 1 : capacity - 1) {
        lip_batch *batch = NULL;
        assert_int_equal(lip_batch_open(model, capacity, LIP_BATCH_F64, &model->memory, &batch, &error), LIP_OK);
        const int64_t step = lip_batch_capacity(batch);
        assert_true(capacity > 0 ? step == capacity : step > 1 && step < COUNT);
        for (int64_t first = 0; first < COUNT; first += step) {
            const int64_t some = COUNT - first < step ? COUNT - first : step;
            assert_int_equal(lip_batch_forward(batch, x + first * n, some, NULL, NULL, &error), LIP_OK);
            for (int64_t i = 0; i < some * m; i++) {
                if (capacity == COUNT)
                    whole[i] = element(batch, model->logits, i);
                assert_true(fabs(element(batch, model->logits, i) - whole[first * m + i]) <= 1e-13);
            }
        }
        lip_batch_free(&batch);
    }
    free(x);
    free(whole);
    lip_model_free(&model);
}

/* ----------------------------------------------------------------- refusals */

static lip_status open_refused(build *b, int64_t capacity, lip_error *error)
{
    lip_model *model = check_open(b, NULL);
    lip_batch *batch = NULL;
    lip_memory memory;
    lip_memory_init(&memory, 0);
    const lip_status status = lip_batch_open(model, capacity, LIP_BATCH_F32, &memory, &batch, error);
    assert_null(batch);
    assert_int_equal(memory.used, 0);
    lip_model_free(&model);
    build_free(b);
    return status;
}

static void refusals(void **unused)
{
    (void)unused;
    lip_error error;
    build *b = build_new(17);
    build_input(b, "x", "4");
    build_node_in(b, "", "Nonsense", "odd", "x", "y");
    build_output(b, "y");
    assert_int_equal(open_refused(b, 2, &error), LIP_EUNSUPPORTED);
    assert_string_equal(error.node, "odd");
    assert_int_equal(open_refused(build_affine("Gemm", "3x6", "6x4", "3x4"), -1, &error), LIP_EUSAGE);
    assert_int_equal(open_refused(build_affine("Gemm", "3x6", "6x4", "3x4"), INT64_MAX / 16, &error), LIP_EMEMORY);
    b = build_new(17);
    build_input(b, "x", "4");
    build_input(b, "z", "4");
    build_node(b, "Add", "x z", "y");
    build_output(b, "y");
    assert_int_equal(open_refused(b, 2, &error), LIP_EUNSUPPORTED);
    check_holds(error.reason, "this has 2");
}

static void too_many_samples(void **unused)
{
    (void)unused;
    build *b = build_affine("Gemm", "1x6", "6x4", "4");
    lip_model *model = check_open(b, NULL);
    lip_batch *batch = NULL;
    lip_memory memory;
    lip_error error;
    double x[18] = { 0 };
    lip_memory_init(&memory, 0);
    assert_int_equal(lip_batch_open(model, 2, LIP_BATCH_F64, &memory, &batch, &error), LIP_OK);
    assert_int_equal(lip_batch_forward(batch, x, 3, NULL, NULL, &error), LIP_EUSAGE);
    assert_int_equal(lip_batch_forward(batch, x, 0, NULL, NULL, &error), LIP_OK);
    lip_batch_free(&batch);
    lip_model_free(&model);
    build_free(b);
}

enum { LONG = 4096 };

/* One and many times half a unit of it: in one sum they would all be lost, in short sums few are. */
static void sums_are_short(void **unused)
{
    (void)unused;
    static float ones[LONG];
    static double x[LONG];
    for (int i = 0; i < LONG; i++) {
        ones[i] = 1;
        x[i] = i == 0 ? 1 : 0x1p-24;
    }
    for (int kernel = 0; kernel < 2; kernel++) {
        build *b = build_new(17);
        build_input(b, "x", kernel ? "1x64x8x8" : "1x4096");
        build_floats(b, "w", kernel ? "1x64x8x8" : "4096x1", ones);
        build_node(b, kernel ? "Conv" : "MatMul", "x w", "y");
        build_output(b, "y");
        lip_model *model = check_open(b, NULL);
        lip_batch *batch = NULL;
        lip_memory memory;
        lip_error error;
        lip_memory_init(&memory, 0);
        assert_int_equal(lip_batch_open(model, 1, LIP_BATCH_F32, &memory, &batch, &error), LIP_OK);
        assert_int_equal(lip_batch_forward(batch, x, 1, NULL, NULL, &error), LIP_OK);
        const double roundings = lip_batch_roundings(batch, model->logits->producer), exact = 1 + (LONG - 1) * 0x1p-24;
        assert_true(roundings == LIP_BATCH_SUM + (LONG + LIP_BATCH_SUM - 1) / LIP_BATCH_SUM + 2);
        const double off = fabs((double)*lip_batch_f32(batch, model->logits) - exact);
        assert_true(off <= roundings * 0x1p-24 * exact);
        assert_true(off >= (LIP_BATCH_SUM - 2) * 0x1p-24);
        lip_batch_free(&batch);
        lip_model_free(&model);
        build_free(b);
    }
}

static lip_status stop(void *context, lip_batch *batch, const lip_node *node, int64_t count, lip_error *error)
{
    (void)batch, (void)count;
    return --*(int *)context == 0 ? lip_fail_node(error, LIP_EUSAGE, node, "enough") : LIP_OK;
}

static void a_visitor_can_stop(void **unused)
{
    (void)unused;
    build *b = build_affine("Gemm", "1x6", "6x4", "4");
    lip_model *model = check_open(b, NULL);
    lip_batch *batch = NULL;
    lip_error error;
    double x[12] = { 0 };
    int left = 1;
    assert_int_equal(lip_batch_open(model, 2, LIP_BATCH_F64, &model->memory, &batch, &error), LIP_OK);
    assert_int_equal(lip_batch_forward(batch, x, 2, stop, &left, &error), LIP_EUSAGE);
    assert_string_equal(error.reason, "enough");
    assert_null(lip_batch_f64(batch, model->logits));
    assert_null(lip_batch_f64(batch, model->inputs[0]));
    lip_batch_free(&batch);
    lip_model_free(&model);
    build_free(b);
}

/* Conv, dense, generic and batched steps in one network. */
static build *mixed(void)
{
    build *b = build_new(17);
    build_input(b, "x", "1x2x6x6");
    build_random(b, "w", "3x2x3x3");
    build_node(b, "Conv", "x w -", "c");
    build_attr_ints(b, "pads", 4, (int64_t[]){ 1, 1, 1, 1 });
    build_node(b, "Relu", "c", "r");
    build_random(b, "m", "3x6x4");
    build_node(b, "MatMul", "r m", "p");
    build_node(b, "Tanh", "p", "t");
    build_node(b, "Flatten", "t", "f");
    build_random(b, "v", "72x3");
    build_random(b, "b", "3");
    build_node(b, "Gemm", "f v b", "y");
    build_output(b, "y");
    return b;
}

static lip_status run_everything(const lip_model *model, lip_memory *memory, lip_batch_precision precision)
{
    lip_batch *batch = NULL;
    lip_error error = { 0 };
    double x[2 * 72] = { 0 };
    lip_status status = lip_batch_open(model, 2, precision, memory, &batch, &error);
    if (status == LIP_OK)
        status = lip_batch_forward(batch, x, 2, NULL, NULL, &error);
    lip_batch_free(&batch);
    assert_null(batch);
    return status;
}

static void every_failing_allocation_is_survived(void **unused)
{
    (void)unused;
    build *b = mixed();
    lip_model *model = check_open(b, NULL);
    check_batches(model);
    for (int precision = LIP_BATCH_F32; precision <= LIP_BATCH_F64; precision++) {
        lip_memory memory;
        int failures = 0;
        for (int64_t k = 1; k < 1000; k++) {
            lip_memory_init(&memory, 0);
            atomic_store(&memory.fail_in, k);
            const lip_status status = run_everything(model, &memory, (lip_batch_precision)precision);
            assert_int_equal(memory.used, 0);
            if (status == LIP_OK)
                break;
            assert_int_equal(status, LIP_EMEMORY);
            failures++;
        }
        assert_true(failures > 40 && failures < 999);
    }
    lip_model_free(&model);
    build_free(b);
}

/* Only what is still read takes room: twenty layers need no more than two of them. */
static void memory_is_for_live_values(void **unused)
{
    (void)unused;
    uint64_t used[2];
    for (int deep = 0; deep < 2; deep++) {
        char from[16] = "x", to[16];
        build *b = build_new(17);
        build_input(b, "x", "1x4096");
        for (int i = 0; i < (deep ? 20 : 3); i++) {
            snprintf(to, sizeof to, "v%d", i);
            build_node(b, i % 2 ? "Tanh" : "Relu", from, to);
            memcpy(from, to, sizeof to);
        }
        build_output(b, from);
        lip_model *model = check_open(b, NULL);
        lip_batch *batch = NULL;
        lip_memory memory;
        lip_error error;
        lip_memory_init(&memory, 0);
        assert_int_equal(lip_batch_open(model, 50, LIP_BATCH_F32, &memory, &batch, &error), LIP_OK);
        used[deep] = memory.used;
        lip_batch_free(&batch);
        lip_model_free(&model);
        build_free(b);
    }
    assert_true(used[0] >= 2 * 50 * 4096 * sizeof(float));
    assert_true(used[1] < used[0] + 17 * 4 * 4096 * sizeof(double));
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: test_batch FOLDER\n");
        return 2;
    }
    folder = argv[1];
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fixtures),
        cmocka_unit_test(sizes_of_batches),
        cmocka_unit_test(refusals),
        cmocka_unit_test(too_many_samples),
        cmocka_unit_test(sums_are_short),
        cmocka_unit_test(a_visitor_can_stop),
        cmocka_unit_test(every_failing_allocation_is_survived),
        cmocka_unit_test(memory_is_for_live_values),
    };
    return cmocka_run_group_tests_name("batch", tests, NULL, NULL);
}
