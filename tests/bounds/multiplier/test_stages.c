/*
 * test_stages.c: networks that are split: where they may be, and that what the
 * stages prove together is no less than the Jacobian, at points where all
 * activations are active among them.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "compose/propagate.h"
#include "multiplier/stages.h"
#include "random_weights.h"
#include "run.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { CLASSES = 4, SIDE = 36, CHANNELS = 4, INPUTS = 3 * SIDE * SIDE };

static uint64_t state = 83;

typedef struct net {
    build *b;
    lip_model *model;
    lip_arena arena;
    lip_layer_plan *plans;
    lip_layer_gain *gains;
    lip_propagation network;
    size_t count;
} net;

static void convolution(build *b, const char *name, const char *in, const char *out, int64_t ci, bool nonnegative,
                        double level)
{
    char shape[32], inputs[64], w[16], c[16];
    double bias[CHANNELS];
    snprintf(w, sizeof w, "w%s", name);
    snprintf(c, sizeof c, "b%s", name);
    snprintf(shape, sizeof shape, "%dx%dx3x3", CHANNELS, (int)ci);
    snprintf(inputs, sizeof inputs, "%s %s %s", in, w, c);
    for (int i = 0; i < CHANNELS; i++)
        bias[i] = level + 0.1 * oracle_normal(&state);
    random_weights(b, &state, w, shape, CHANNELS * ci * 9, nonnegative);
    snprintf(shape, sizeof shape, "%d", CHANNELS);
    build_reals(b, c, shape, bias);
    build_node(b, "Conv", inputs, out);
    build_attr_ints(b, "pads", 4, (int64_t[]) { 1, 1, 1, 1 });
}

/* Two convolutions with a shortcut, then `between` (or nothing), another two, Flatten, Gemm: too large for one
 * matrix. */
static net make(const char *between, bool nonnegative, double level)
{
    net n = { .b = build_new(13) };
    char shape[32];
    const char *middle = between ? "m" : "h2";
    build_input(n.b, "x", "1x3x36x36");
    convolution(n.b, "1", "x", "z1", 3, nonnegative, level);
    build_node(n.b, "Relu", "z1", "h1");
    convolution(n.b, "2", "h1", "z2", CHANNELS, nonnegative, level);
    build_node(n.b, "Add", "z2 h1", "sum");
    build_node(n.b, "Relu", "sum", "h2");
    if (between) {
        build_node(n.b, between, "h2", "m");
        build_attr_int(n.b, "axis", 1);
    }
    convolution(n.b, "3", middle, "z3", CHANNELS, nonnegative, level);
    build_node(n.b, "Relu", "z3", "h3");
    convolution(n.b, "4", "h3", "z4", CHANNELS, nonnegative, level);
    build_node(n.b, "Relu", "z4", "h4");
    build_node(n.b, "Flatten", "h4", "flat");
    snprintf(shape, sizeof shape, "%dx%d", CHANNELS * SIDE * SIDE, CLASSES);
    random_weights(n.b, &state, "wl", shape, CHANNELS * SIDE * SIDE * CLASSES, nonnegative);
    build_node(n.b, "MatMul", "flat wl", "y");
    build_output(n.b, "y");
    return n;
}

static void open_net(net *n)
{
    lip_error error = { 0 };
    if (build_open(n->b, NULL, &n->model, &error) != LIP_OK)
        fail_msg("%s: %s", error.node, error.reason);
    lip_arena_init(&n->arena, &n->model->memory);
    assert_int_equal(lip_plan_layers(n->model, &n->arena, &n->plans, &n->count, &error), LIP_OK);
    n->gains = lip_arena_alloc(&n->arena, (int64_t)n->count, sizeof *n->gains);
    for (size_t i = 0; i < n->count; i++) {
        lip_layer_task task = { .node = n->plans[i].node, .gain = n->plans[i].gain, .exact = LIP_EXACT_NEVER,
                                .before = n->plans[i].before ? &n->plans[i].before->gain.scale : NULL,
                                .after = n->plans[i].after ? &n->plans[i].after->gain.scale : NULL,
                                .memory = &n->model->memory, .random = lip_random_seed(1, i) };
        if (!n->plans[i].folded_away)
            assert_int_equal(lip_gain_of(&task, &n->gains[i], &error), LIP_OK);
    }
    assert_int_equal(lip_propagate(n->model, n->plans, n->gains, n->count, &n->arena, &n->network, &error), LIP_OK);
}

static void close_net(net *n)
{
    lip_arena_free(&n->arena);
    lip_model_free(&n->model);
    build_free(n->b);
}

/* The largest norm of the Jacobian at random points. */
static double jacobian_norm(const net *n, int points)
{
    static double x[INPUTS], gradient[INPUTS], jacobian[CLASSES * INPUTS];
    lip_run *run = NULL;
    lip_error error = { 0 };
    double most = 0;
    assert_int_equal(lip_run_open(n->model, &run, &error), LIP_OK);
    for (int point = 0; point < points; point++) {
        const double *inputs[] = { x };
        oracle_fill(&state, x, INPUTS);
        assert_int_equal(lip_run_forward(run, inputs, &error), LIP_OK);
        for (int k = 0; k < CLASSES; k++) {
            double seed[CLASSES] = { 0 };
            seed[k] = 1;
            assert_int_equal(lip_run_gradient(run, seed, 0, gradient, &error), LIP_OK);
            for (int64_t i = 0; i < INPUTS; i++)
                jacobian[i * CLASSES + k] = gradient[i];
        }
        most = fmax(most, oracle_svd(jacobian, CLASSES, INPUTS));
    }
    lip_run_free(&run);
    return most;
}

static lip_multiplier_bounds run_stages(net *n)
{
    lip_multiplier_options options = { .effort = 1, .threads = 1 };
    lip_multiplier_bounds bounds;
    lip_stages_run(n->model, n->plans, n->gains, n->network.cumulative, n->count, &options, &n->arena, &bounds);
    double product = 1, pairs = 0;
    assert_true(bounds.stage_count > 0);
    for (size_t i = 0; i < bounds.stage_count; i++) {
        assert_true(bounds.stages[i].upper <= bounds.stages[i].product_upper);
        product *= bounds.stages[i].upper;
    }
    assert_true(bounds.network_upper >= product * (1 - 1e-14) && bounds.network_upper <= product * (1 + 1e-14));
    assert_int_equal(bounds.classes, CLASSES);
    for (int i = 0; i < CLASSES * CLASSES; i++)
        pairs = fmax(pairs, bounds.pairs[i]);
    assert_true(pairs <= sqrt(2) * bounds.network_upper * (1 + 1e-12));
    return bounds;
}

static void check_flatten(void **unused)
{
    (void)unused;
    for (int trial = 0; trial < 2; trial++) {
        net n = make(NULL, trial == 0, trial == 0 ? 1e6 : 0);
        open_net(&n);
        lip_multiplier_bounds bounds = run_stages(&n);
        double truth = jacobian_norm(&n, trial == 0 ? 1 : 3);
        assert_int_equal(bounds.stage_count, 2);
        assert_string_equal(bounds.stages[1].method, "product");
        assert_true(bounds.network_upper >= truth * (1 - 1e-12));
        if (trial == 0) { /* one linear map with weights >= 0 */
            assert_true(bounds.network_upper < 1.3 * truth);
        } else {
            assert_string_equal(bounds.stages[0].method, "layerwise multipliers on a torus");
            assert_true(bounds.network_upper < n.network.network_upper);
        }
        close_net(&n);
    }
}

/* A Softmax over channels is left to the product, and what is before and after it to the torus. */
static void check_between(void **unused)
{
    (void)unused;
    net n = make("Softmax", false, 0);
    open_net(&n);
    lip_multiplier_bounds bounds = run_stages(&n);
    assert_int_equal(bounds.stage_count, 4);
    static const char *const methods[] = { "layerwise multipliers on a torus", "product",
                                           "layerwise multipliers on a torus", "product" };
    for (int i = 0; i < 4; i++)
        assert_string_equal(bounds.stages[i].method, methods[i]);
    assert_true(bounds.network_upper < n.network.network_upper && bounds.network_upper >= jacobian_norm(&n, 3));
    close_net(&n);
}

/* What fits into one system is one stage. */
static void check_whole(void **unused)
{
    (void)unused;
    net n = { .b = build_new(13) };
    build_input(n.b, "x", "1x6");
    random_weights(n.b, &state, "w1", "6x5", 30, false);
    random_weights(n.b, &state, "w2", "5x4", 20, false);
    build_node(n.b, "MatMul", "x w1", "z");
    build_node(n.b, "Relu", "z", "h");
    build_node(n.b, "MatMul", "h w2", "y");
    build_output(n.b, "y");
    open_net(&n);
    lip_multiplier_bounds bounds = run_stages(&n);
    assert_int_equal(bounds.stage_count, 1);
    assert_true(bounds.stages[0].upper == bounds.network_upper && bounds.reason[0] == '\0');
    close_net(&n);
}

/* Cuts: never inside of a block, nor between a batch-norm and the convolution that took it. */
static void check_cuts(void **unused)
{
    (void)unused;
    static const double ones[] = { 1, 2, 1, 1 };
    net n = { .b = build_new(13) };
    lip_cut *cuts;
    size_t count;
    build_input(n.b, "x", "1x4x6x6");
    random_weights(n.b, &state, "w", "4x4x1x1", 16, false);
    build_reals(n.b, "s", "4", ones);
    build_node(n.b, "Relu", "x", "a");
    build_node(n.b, "Conv", "a w", "c");
    build_node(n.b, "BatchNormalization", "c s s s s", "d");
    build_node(n.b, "Add", "d a", "e");
    build_node(n.b, "Conv", "e w", "f");
    build_node(n.b, "BatchNormalization", "f s s s s", "g");
    build_node(n.b, "Relu", "g", "y");
    build_output(n.b, "y");
    open_net(&n);
    assert_true(lip_find_cuts(n.model, n.plans, n.count, &n.arena, &cuts, &count));
    static const char *const values[] = { "a", "e", "g", "y" };
    assert_int_equal(count, 5);
    assert_null(cuts[0].value);
    for (size_t i = 1; i < count; i++)
        assert_string_equal(cuts[i].value->name, values[i - 1]);
    assert_int_equal(cuts[4].end, n.count);
    close_net(&n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(check_cuts),
        cmocka_unit_test(check_whole),
        cmocka_unit_test(check_flatten),
        cmocka_unit_test(check_between),
    };
    return cmocka_run_group_tests_name("stages", tests, NULL, NULL);
}
