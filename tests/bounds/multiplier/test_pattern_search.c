/*
 * test_pattern_search.c FOLDER: how large the slopes are that the search finds
 * in trained networks, and that they are slopes of the network.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "check_model.h"
#include "multiplier/pattern_search.h"

#include <stdio.h>

static const char *folder;

static double found(const char *name, const lip_input_range *range, uint64_t seed)
{
    char path[1024];
    lip_model *model = NULL;
    lip_error error = { 0 };
    lip_arena arena;
    lip_layer_plan *plans;
    lip_system system;
    size_t count;
    snprintf(path, sizeof path, "%s/%s.onnx", folder, name);
    if (lip_model_open(path, NULL, &model, &error))
        fail_msg("%s: %s", path, error.reason);
    lip_arena_init(&arena, &model->memory);
    assert_int_equal(lip_plan_layers(model, &arena, &plans, &count, &error), LIP_OK);
    lip_layer_gain *gains = lip_arena_alloc(&arena, (int64_t)count, sizeof *gains);
    assert_non_null(gains);
    for (size_t i = 0; i < count; i++) {
        lip_layer_task task = { .node = plans[i].node, .gain = plans[i].gain, .exact = LIP_EXACT_NEVER,
                                .svd = LIP_EXACT_NEVER, .iterations = 1, .memory = &model->memory };
        assert_int_equal(lip_gain_of(&task, &gains[i], &error), LIP_OK);
    }
    assert_int_equal(lip_system_build(model, plans, gains, count, LIP_SYSTEM_MOST, &arena, &system, &error),
                     LIP_OK);
    double slope = lip_pattern_search(model, &system, plans, range, 4.5e10, seed);
    lip_arena_free(&arena);
    lip_model_free(&model);
    return slope;
}

/* Between what other seeds find, less 1 %, and the bound that multipliers prove. */
static void check(const char *name, double least, double proved)
{
    double slope = found(name, NULL, 0);
    print_message("# %s: %.6g\n", name, slope);
    assert_true(slope >= least && slope <= proved);
}

static void a_cnn(void **unused)
{
    (void)unused;
    check("fmnist_cnn_base", 0.99 * 70.2, 97.3);
}

/* Plainer searches stop at 11.45. */
static void a_lipschitz_trained_cnn(void **unused)
{
    (void)unused;
    check("fmnist_cnn_lmt", 11.47, 11.57);
}

static void perceptrons(void **unused)
{
    (void)unused;
    check("fmnist_mlp2_base", 0.99 * 123, 127.7);
    check("fmnist_mlp4_base", 0.99 * 500, 1351);
}

/* Inside of a box nothing is found that is not there; twice the same. */
static void boxes(void **unused)
{
    (void)unused;
    const double lo = 0, hi = 1;
    const lip_input_range range = { &lo, &hi, 1 };
    double slope = found("fmnist_mlp2_base", &range, 1);
    print_message("# fmnist_mlp2_base in its box: %.6g\n", slope);
    assert_true(slope > 60 && slope <= 127.7);
    assert_true(slope == found("fmnist_mlp2_base", &range, 1));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cnn),
        cmocka_unit_test(a_lipschitz_trained_cnn),
        cmocka_unit_test(perceptrons),
        cmocka_unit_test(boxes),
    };
    if (argc != 2)
        return 2;
    folder = argv[1];
    return cmocka_run_group_tests_name("pattern search", tests, NULL, NULL);
}
