/*
 * test_liplt.c: the recursion of LipLT on chains to rounding, the norm where
 * there is no activation, above sampled slopes on graphs, for pairs too.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "multiplier/liplt.h"
#include "networks.h"
#include "oracle.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { MOST_CLASSES = 16 };
static uint64_t state = 89;
static networks net;
static lip_system net_sys;
static double pairs[MOST_CLASSES * MOST_CLASSES];

static double bound(int threads)
{
    lip_error error = { 0 };
    double upper = (double)NAN;
    assert_int_equal(lip_system_build(&net.g.model, net.plans, net.gains, net.count, LIP_SYSTEM_MOST, &net.arena,
                                      &net_sys, &error), LIP_OK);
    assert_true(net_sys.classes <= MOST_CLASSES);
    assert_true(lip_liplt(&net_sys, threads, 1, &net.g.model.memory, &upper, pairs));
    return upper;
}

/* W_k .. W_from (counted from 0) into `to`, rows x cols. */
static void chain_product(const int *widths, int k, int from, double *to)
{
    double next[NET_WIDEST * NET_WIDEST];
    memcpy(to, net.weights[from], (size_t)(widths[from + 1] * widths[from]) * sizeof *to);
    for (int at = from + 1; at <= k; at++) {
        int rows = widths[at + 1], inner = widths[at], cols = widths[from];
        for (int i = 0; i < rows * cols; i++) {
            next[i] = 0;
            for (int m = 0; m < inner; m++)
                next[i] += net.weights[at][i / cols * inner + m] * to[m * cols + i % cols];
        }
        memcpy(to, next, (size_t)(rows * cols) * sizeof *to);
    }
}

/* m_k = |c|^(k-1) ||W_k .. W_1|| + sum |c|^(k-1-j) h ||W_k .. W_(j+1)|| m_j; the last one, of logits i - j where
 * i >= 0. The oracle's matrices lie by columns, these by rows. */
static double recursion(const int *widths, int layers, double a, double b, int i, int j)
{
    double m[NET_LAYERS], c = (a + b) / 2, h = (b - a) / 2, p[NET_WIDEST * NET_WIDEST];
    for (int k = 0; k < layers; k++) {
        m[k] = 0;
        for (int from = 0; from <= k; from++) {
            int rows = widths[k + 1], cols = widths[from];
            chain_product(widths, k, from, p);
            if (k + 1 == layers && i >= 0) {
                for (int at = 0; at < cols; at++)
                    p[at] = p[i * cols + at] - p[j * cols + at];
                rows = 1;
            }
            m[k] += pow(fabs(c), k - from) * oracle_svd(p, cols, rows) * (from > 0 ? h * m[from - 1] : 1);
        }
    }
    return m[layers - 1];
}

static void check_chains(void **unused)
{
    (void)unused;
    static const double ranges[][2] = { { 0, 1 }, { 0.1, 1 }, { -0.13, 1.13 }, { -1, 1 }, { 0, 0.25 }, { -0.5, 0.2 } };
    for (int trial = 0; trial < 60; trial++) {
        int widths[6], layers = (int)oracle_int(&state, 1, 5);
        for (int k = 0; k <= layers; k++)
            widths[k] = (int)oracle_int(&state, 2, 14);
        const double *range = ranges[trial % 6];
        net_chain(&net, &state, layers, widths, NET_NORMAL, range[0], range[1], false);
        double upper = bound(1), truth = recursion(widths, layers, range[0], range[1], -1, -1);
        double pair = recursion(widths, layers, range[0], range[1], 0, 1);
        assert_int_equal(oracle_breaks(0, upper, truth, 1e-13), 0);
        assert_int_equal(oracle_breaks(0, upper * 0.999, truth, 1e-13), 1);
        assert_true(upper <= truth * (1 + 1e-8));
        assert_int_equal(oracle_breaks(0, pairs[1], pair, 1e-13), 0);
        assert_int_equal(oracle_breaks(0, pairs[1] * 0.999, pair, 1e-13), 1);
        assert_true(pairs[1] <= pair * (1 + 1e-8) && pairs[0] == 0 && pairs[1] == pairs[net_sys.classes]);
        net_end(&net);
    }
}

/* Residual graphs: nothing that slopes in the range can do is above; without activations the bound is the norm. */
static void check_graphs(void **unused)
{
    (void)unused;
    static const double ranges[][2] = { { 0, 1 }, { 0.1, 1 }, { -0.13, 1.13 }, { 1, 1 } };
    for (int trial = 0; trial < 80; trial++) {
        const int widths[] = { 7, 7, 7, 5, 5, 4 };
        const double *range = ranges[trial % 4];
        net_chain(&net, &state, 5, widths, trial % 3 == 1 ? NET_NONNEGATIVE : NET_NORMAL, range[0], range[1], true);
        double upper = bound(1), truth = net_linear_norm(&net);
        if (trial % 4 == 3) {
            assert_int_equal(oracle_breaks(0, upper, truth, 1e-13), 0);
            assert_int_equal(oracle_breaks(0, upper * 0.999, truth, 1e-13), 1);
            assert_true(upper <= truth * (1 + 1e-8));
        }
        for (int sample = 0; sample < 100; sample++) {
            assert_true(net_sampled_norm(&net, &state, -1, -1) <= upper * (1 + 1e-12));
            assert_true(net_sampled_norm(&net, &state, 1, 2) <= pairs[1 * 4 + 2] * (1 + 1e-12));
        }
        assert_true(upper <= net.product * (1 + 1e-9));
        net_end(&net);
    }
}

/* A node of which only its gain is known is all source: what comes after it sees nothing of what is before. */
static void check_pass(void **unused)
{
    (void)unused;
    for (int trial = 0; trial < 20; trial++) {
        double w[2][64], middle = 0.5 + trial;
        hand_begin_graph(&net.g);
        for (int k = 0; k < 2; k++)
            oracle_fill(&state, w[k], 64);
        lip_shape shape = hand_dims(2, 1, 8, 0, 0);
        lip_value *x = hand_varying(&net.g, shape);
        x = hand_add(&net.g, hand_matrix(&net.g, w[0], 8, 8), shape, x, NULL, NULL);
        x = hand_add(&net.g, hand_lipschitz(middle, 0), shape, x, NULL, NULL);
        hand_logits(&net.g, hand_add(&net.g, hand_matrix(&net.g, w[1], 8, 8), shape, x, NULL, NULL));
        net_plan(&net);
        double truth = oracle_svd(w[0], 8, 8) * middle * oracle_svd(w[1], 8, 8), upper = bound(1);
        assert_int_equal(oracle_breaks(0, upper, truth, 1e-13), 0);
        assert_int_equal(oracle_breaks(0, upper * 0.999, truth, 1e-13), 1);
        assert_true(upper <= truth * (1 + 1e-8));
        net_end(&net);
    }
}

static void check_threads_and_memory(void **unused)
{
    (void)unused;
    const int widths[] = { 20, 24, 24, 20, 10 };
    net_chain(&net, &state, 4, widths, NET_NORMAL, 0, 1, true);
    double one = bound(1), many = bound(5), upper = 7;
    assert_memory_equal(&one, &many, sizeof one);
    uint64_t before = atomic_load(&net.g.model.memory.used);
    int without = 0;
    for (int k = 1; k < 60; k++) {
        atomic_store(&net.g.model.memory.fail_in, k);
        bool found = lip_liplt(&net_sys, 1, 1, &net.g.model.memory, &upper, pairs);
        atomic_store(&net.g.model.memory.fail_in, 0);
        assert_true(found ? upper >= one : upper == 7);
        without += !found;
        upper = 7;
        assert_int_equal(atomic_load(&net.g.model.memory.used), before);
    }
    assert_true(without > 0);
    net_end(&net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(check_chains),
        cmocka_unit_test(check_graphs),
        cmocka_unit_test(check_pass),
        cmocka_unit_test(check_threads_and_memory),
    };
    return cmocka_run_group_tests_name("liplt", tests, NULL, NULL);
}
