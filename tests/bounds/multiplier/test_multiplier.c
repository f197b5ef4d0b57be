/*
 * test_multiplier.c: bounds of whole networks by multipliers: above what any
 * slopes make of the network, exact where the constant is known, below the
 * product, the same for any number of threads.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "multiplier/multiplier.h"
#include "networks.h"
#include "oracle.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static uint64_t state = 73;
static networks net;

static lip_multiplier_bounds bounds_of(int effort, int threads)
{
    lip_multiplier_options options = { .effort = effort, .threads = threads, .seed = 1 };
    lip_multiplier_bounds bounds;
    lip_multiplier_run(&net.g.model, net.plans, net.gains, net.cumulative, net.count, &options, &net.arena, &bounds);
    return bounds;
}

static void check_random(void **unused)
{
    (void)unused;
    static const double ranges[][2] = { { 0, 1 }, { 0.1, 1 }, { -0.13, 1.13 } };
    for (int trial = 0; trial < 24; trial++) {
        int widths[] = { 12, 16, 16, 12, 6 };
        const double *range = ranges[trial % 3];
        net_chain(&net, &state, 4, widths, NET_NORMAL, range[0], range[1], trial % 2);
        lip_multiplier_bounds one = bounds_of(1, 1), two = bounds_of(2, 1), three = bounds_of(3, 1);
        double truth = 0, pair = 0;
        for (int sample = 0; sample < 400; sample++) {
            truth = fmax(truth, net_sampled_norm(&net, &state, -1, -1));
            pair = fmax(pair, net_sampled_norm(&net, &state, 2, 3));
        }
        assert_true(two.network_upper >= truth && two.pairs[2 * 6 + 3] >= pair && three.pairs[2 * 6 + 3] >= pair);
        assert_true(two.network_upper <= one.network_upper && two.network_upper < net.product);
        assert_true(two.network_upper <= 2.2 * truth);
        for (int i = 0; i < 36; i++)
            assert_true(three.pairs[i] <= two.pairs[i] && two.pairs[i] <= one.pairs[i]);
        assert_int_equal(one.level_count, 2);
        assert_int_equal(three.level_count, 4);
        net_end(&net);
    }
}

/* All weights >= 0: the Jacobian with all slopes 1 is the largest; nothing below its norm may be claimed. */
static void check_nonnegative(void **unused)
{
    (void)unused;
    for (int trial = 0; trial < 20; trial++) {
        const int widths[] = { 10, 8, 8, 5 };
        net_chain(&net, &state, 3, widths, NET_NONNEGATIVE, 0, 1, trial % 2);
        for (size_t i = 0; i < net.g.model.node_count; i++)
            if (strcmp(net.g.nodes[i].op_type, "Sub") == 0)
                net.g.nodes[i].op_type = "Add";
        double truth = net_linear_norm(&net);
        lip_multiplier_bounds bounds = bounds_of(2, 1);
        assert_int_equal(oracle_breaks(0, bounds.network_upper, truth, 1e-13), 0);
        assert_int_equal(oracle_breaks(0, bounds.network_upper * 0.999, truth, 1e-13),
                         bounds.network_upper * 0.999 < truth);
        assert_true(bounds.network_upper <= truth * 1.02);
        net_end(&net);
    }
}

static void check_diagonal(void **unused)
{
    (void)unused;
    for (int trial = 0; trial < 20; trial++) {
        const int widths[] = { 7, 7, 7, 7 };
        net_chain(&net, &state, 3, widths, NET_DIAGONAL, 0, 1, false);
        double truth = net_linear_norm(&net);
        lip_multiplier_bounds bounds = bounds_of(2, 1);
        assert_int_equal(oracle_breaks(0, bounds.network_upper, truth, 1e-13), 0);
        assert_true(bounds.network_upper <= truth * 1.002);
        net_end(&net);
    }
}

/* A node of which only a gain is known, in the middle: the product of both sides at most. */
static void check_pass(void **unused)
{
    (void)unused;
    for (int trial = 0; trial < 20; trial++) {
        double w[3][64], middle = 0.5 + trial;
        hand_begin_graph(&net.g);
        for (int k = 0; k < 3; k++)
            oracle_fill(&state, w[k], 64);
        lip_shape shape = hand_dims(2, 1, 8, 0, 0);
        lip_value *x = hand_varying(&net.g, shape);
        x = hand_add(&net.g, hand_matrix(&net.g, w[0], 8, 8), shape, x, NULL, NULL);
        x = hand_add(&net.g, hand_slopes(0, 1), shape, x, NULL, NULL);
        x = hand_add(&net.g, hand_matrix(&net.g, w[1], 8, 8), shape, x, NULL, NULL);
        x = hand_add(&net.g, hand_lipschitz(middle, 0), shape, x, NULL, NULL);
        hand_logits(&net.g, hand_add(&net.g, hand_matrix(&net.g, w[2], 8, 8), shape, x, NULL, NULL));
        net_plan(&net);
        lip_multiplier_bounds bounds = bounds_of(2, 1);
        /* any map of gain `middle`, among them one that turns the first part's worst output into the last one's
         * input */
        double after = oracle_svd(w[2], 8, 8), product[64] = { 0 };
        for (int i = 0; i < 64; i++)
            for (int k = 0; k < 8; k++)
                product[i] += w[1][i / 8 * 8 + k] * w[0][k * 8 + i % 8];
        double truth = after * middle * oracle_svd(product, 8, 8);
        assert_true(bounds.network_upper >= truth * (1 - 1e-12) && bounds.network_upper < net.product);
        net_end(&net);
    }
}

static void check_threads(void **unused)
{
    (void)unused;
    const int widths[] = { 20, 24, 24, 20, 10 };
    net_chain(&net, &state, 4, widths, NET_NORMAL, 0, 1, false);
    lip_multiplier_bounds one = bounds_of(2, 1), many = bounds_of(2, 5);
    assert_memory_equal(&one.network_upper, &many.network_upper, sizeof one.network_upper);
    assert_memory_equal(one.pairs, many.pairs, 100 * sizeof *one.pairs);
    net_end(&net);
}

static void check_memory(void **unused)
{
    (void)unused;
    const int widths[] = { 6, 8, 6, 4 };
    int without = 0;
    net_chain(&net, &state, 3, widths, NET_NORMAL, 0, 1, true);
    double whole = bounds_of(2, 1).network_upper;
    for (int k = 1; k < 120; k++) {
        uint64_t before = atomic_load(&net.g.model.memory.used);
        lip_arena results;
        lip_multiplier_bounds bounds;
        lip_multiplier_options options = { .effort = 2, .threads = 1, .seed = 1 };
        lip_arena_init(&results, &net.g.model.memory);
        atomic_store(&net.g.model.memory.fail_in, k);
        lip_multiplier_run(&net.g.model, net.plans, net.gains, net.cumulative, net.count, &options, &results, &bounds);
        atomic_store(&net.g.model.memory.fail_in, 0);
        assert_true(bounds.network_upper >= whole * (1 - 1e-3));
        without += isinf(bounds.network_upper) && bounds.reason[0];
        lip_arena_free(&results);
        assert_int_equal(atomic_load(&net.g.model.memory.used), before);
    }
    assert_true(without > 0);
    net_end(&net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(check_random), cmocka_unit_test(check_nonnegative), cmocka_unit_test(check_diagonal),
        cmocka_unit_test(check_pass),   cmocka_unit_test(check_threads),     cmocka_unit_test(check_memory),
    };
    return cmocka_run_group_tests_name("multiplier", tests, NULL, NULL);
}
