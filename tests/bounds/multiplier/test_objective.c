/*
 * test_objective.c: gradients by differences, the start is positive definite,
 * descent goes down, and further where the objective is sharpened.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "multiplier/objective.h"
#include "networks.h"
#include "oracle.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { MOST = 80, NETS = 20 };
static uint64_t state = 83;
static networks net;
static lip_system net_sys;
static lip_form form;
static lip_objective objective;

/* A chain, or one with a node in it of which only a gain is known. */
static void open_net(bool with_pass)
{
    const int widths[] = { 7, 9, 9, 6, 5 };
    lip_error error = { 0 };
    if (with_pass) {
        static double w[2][64];
        lip_shape shape = hand_dims(2, 1, 8, 0, 0);
        hand_begin_graph(&net.g);
        oracle_fill(&state, w[0], 64);
        oracle_fill(&state, w[1], 64);
        lip_value *x = hand_varying(&net.g, shape);
        x = hand_add(&net.g, hand_matrix(&net.g, w[0], 8, 8), shape, x, NULL, NULL);
        x = hand_add(&net.g, hand_lipschitz(1.5, 0), shape, x, NULL, NULL);
        x = hand_add(&net.g, hand_slopes(0.2, 1), shape, x, NULL, NULL);
        hand_logits(&net.g, hand_add(&net.g, hand_matrix(&net.g, w[1], 8, 8), shape, x, NULL, NULL));
        net_plan(&net);
    } else {
        net_chain(&net, &state, 4, widths, NET_NORMAL, -0.1, 1, true);
    }
    net_system(&net, &net_sys, &form);
    assert_int_equal(lip_objective_open(&form, &net.g.model.memory, &objective, &error), LIP_OK);
}

static void close_net(void)
{
    lip_objective_close(&objective);
    lip_form_close(&form);
    net_end(&net);
}

static void check_gradient(void **unused)
{
    (void)unused;
    for (int trial = 0; trial < 12; trial++) {
        double theta[MOST], gradient[MOST], reach[HAND_MOST];
        lip_random random = lip_random_seed(1, 2);
        open_net(trial % 2);
        assert_true(net_sys.multipliers <= MOST && lip_start_layerwise(&form, true, &random, theta, reach));
        for (int64_t i = 0; i < net_sys.multipliers; i++)
            theta[i] -= 0.2 * fabs(oracle_normal(&state));
        objective.goal = (lip_goal)(trial / 2 % 3);
        objective.first = 1;
        objective.second = 3;
        assert_true(isfinite(lip_objective_at(&objective, theta, gradient)));
        for (int64_t i = 0; i < net_sys.multipliers; i++) {
            const double h = 1e-5, at = theta[i];
            theta[i] = at + h;
            double above = lip_objective_at(&objective, theta, NULL);
            theta[i] = at - h;
            double below = lip_objective_at(&objective, theta, NULL), slope = (above - below) / (2 * h);
            theta[i] = at;
            assert_true(fabs(slope - gradient[i]) <= 1e-6 + 1e-4 * fabs(slope));
        }
        close_net();
    }
}

static void check_descent(void **unused)
{
    (void)unused;
    for (int trial = 0; trial < 6; trial++) {
        double theta[MOST], reach[HAND_MOST], before, after;
        lip_random random = lip_random_seed(1, 3);
        lip_descent options = { 60, lip_clock() + 60, 1e-7, 0, NULL };
        open_net(trial % 2);
        objective.goal = LIP_GOAL_NETWORK;
        objective.sharpest = 0;
        assert_true(lip_start_layerwise(&form, true, &random, theta, reach));
        before = lip_objective_at(&objective, theta, NULL);
        after = lip_descend(&objective, &options, theta);
        assert_true(after < before - 1e-3 && lip_objective_at(&objective, theta, NULL) == after);
        close_net();
    }
}

/* The log of S's largest eigenvalue where a descent ends. */
static double largest_after(double sharpest, int iterations, double tolerance)
{
    double theta[MOST], reach[HAND_MOST], power = objective.power, largest;
    lip_random random = lip_random_seed(1, 3);
    lip_descent options = { iterations, lip_clock() + 60, tolerance, fmax(tolerance, 6e-3), NULL };
    objective.goal = LIP_GOAL_NETWORK;
    objective.sharpest = sharpest;
    assert_true(lip_start_layerwise(&form, true, &random, theta, reach));
    assert_true(isfinite(lip_descend(&objective, &options, theta)) && objective.power == power);
    objective.power = 1e6;
    largest = lip_objective_at(&objective, theta, NULL);
    objective.power = power;
    return largest;
}

/* What the usual descent leaves of L^2 to one that takes much longer, and what sharpening brings. */
static void check_sharpened(void **unused)
{
    (void)unused;
    double gained = 0, left = 0;
    for (int trial = 0; trial < NETS; trial++) {
        open_net(false);
        double smooth = largest_after(0, 300, 1e-4), sharp = largest_after(384, 300, 1e-4);
        gained += (smooth - sharp) / NETS;
        left += (sharp - largest_after(384 * 16, 600, 1e-8)) / NETS;
        close_net();
    }
    assert_true(gained > 2e-3 && left < 2e-3);
}

/* Too large multipliers: no value, and no NaN. */
static void check_indefinite(void **unused)
{
    (void)unused;
    double theta[MOST], gradient[MOST];
    open_net(false);
    for (int64_t i = 0; i < net_sys.multipliers; i++)
        theta[i] = 20;
    assert_true(lip_objective_at(&objective, theta, gradient) == (double)INFINITY);
    close_net();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(check_gradient),
        cmocka_unit_test(check_descent),
        cmocka_unit_test(check_sharpened),
        cmocka_unit_test(check_indefinite),
    };
    return cmocka_run_group_tests_name("objective", tests, NULL, NULL);
}
