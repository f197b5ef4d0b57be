/*
 * test_propagate.c: composition over small graphs: chains multiply, additions
 * add, concatenations take the root of the sum of squares, all rounded up.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "compose/propagate.h"
#include "hand_graph.h"
#include "oracle.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static uint64_t state = 31;
static hand_graph g;
static lip_propagation result;

static lip_shape vector(void) { return hand_dims(2, 1, 5, 0, 0); }

static void compose(lip_value *logits)
{
    lip_layer_plan *plans;
    lip_layer_gain gains[HAND_MOST];
    size_t count;
    lip_error error = { 0 };
    hand_logits(&g, logits);
    assert_int_equal(lip_plan_layers(&g.model, &g.model.arena, &plans, &count, &error), LIP_OK);
    for (size_t i = 0; i < count; i++) {
        lip_layer_task task = { .node = plans[i].node, .gain = plans[i].gain, .memory = &g.model.memory };
        assert_int_equal(lip_gain_of(&task, &gains[i], &error), LIP_OK);
    }
    assert_int_equal(lip_propagate(&g.model, plans, gains, count, &g.model.arena, &result, &error), LIP_OK);
}

/* At or above the truth, by a few units at most. */
static void check_upper(long double truth)
{
    assert_true((long double)result.network_upper >= truth);
    assert_true((long double)result.network_upper <= truth * (1 + 1e-14L));
    assert_false((long double)(result.network_upper * 0.999) >= truth);
    hand_end_graph(&g);
}

static lip_value *layer(double gain, lip_value *x)
{
    return hand_add(&g, hand_lipschitz(gain, gain), vector(), x, NULL, NULL);
}

static void check_chain(void **unused)
{
    (void)unused;
    for (int trial = 0; trial < 200; trial++) {
        hand_begin_graph(&g);
        lip_value *y = hand_varying(&g, vector());
        long double product = 1;
        for (int i = 0; i < 12; i++) {
            double gain = fabs(oracle_normal(&state)) * pow(10, (double)oracle_int(&state, -9, 9));
            product *= gain;
            y = layer(gain, y);
        }
        compose(y);
        assert_true(isnan(result.network_lower));
        check_upper(product * (1 - 1e-18L));
    }
}

static void check_branches(void **unused)
{
    (void)unused;
    hand_begin_graph(&g);
    lip_value *x = hand_varying(&g, vector());
    compose(hand_add(&g, hand_kind(LIP_GAIN_SUM), vector(), layer(0.3, x), layer(0.7, x), x));
    check_upper(0.3L + 0.7L + 1 - 1e-16L);

    hand_begin_graph(&g); /* x + x */
    x = hand_varying(&g, vector());
    compose(hand_add(&g, hand_kind(LIP_GAIN_SUM), vector(), x, x, NULL));
    check_upper(2);

    for (int join = 0; join < 2; join++) {
        hand_begin_graph(&g);
        x = hand_varying(&g, vector());
        lip_gain gain = hand_kind(join ? LIP_GAIN_JOIN : LIP_GAIN_CONCAT);
        lip_shape shape = join ? vector() : hand_dims(2, 1, 15, 0, 0);
        compose(hand_add(&g, gain, shape, layer(2, x), layer(3, x), layer(6, x)));
        check_upper(7);
    }

    hand_begin_graph(&g); /* a mean of three: coefficient 1/3 */
    x = hand_varying(&g, vector());
    lip_gain mean = hand_kind(LIP_GAIN_SUM);
    mean.coefficient = 1.0 / 3;
    compose(hand_add(&g, mean, vector(), layer(2, x), layer(3, x), layer(7, x)));
    check_upper(12 * (long double)(1.0 / 3));

    hand_begin_graph(&g); /* one branch broadcast over four rows: each element four times */
    x = hand_varying(&g, vector());
    lip_value *wide = hand_add(&g, hand_lipschitz(1, 1), hand_dims(2, 4, 5, 0, 0), x, NULL, NULL);
    compose(hand_add(&g, hand_kind(LIP_GAIN_SUM), hand_dims(2, 4, 5, 0, 0), wide, x, NULL));
    check_upper(3);
}

static void check_infinite(void **unused)
{
    (void)unused;
    lip_gain_kind kinds[] = { LIP_GAIN_UNKNOWN, LIP_GAIN_UNBOUNDED };
    for (int i = 0; i < 2; i++) {
        hand_begin_graph(&g);
        compose(layer(0.5, hand_add(&g, hand_kind(kinds[i]), vector(), hand_varying(&g, vector()), NULL, NULL)));
        assert_true(isinf(result.network_upper) && isnan(result.network_lower));
        hand_end_graph(&g);
        hand_begin_graph(&g); /* beside a bounded branch */
        lip_value *x = hand_varying(&g, vector()), *y = hand_add(&g, hand_kind(kinds[i]), vector(), x, NULL, NULL);
        compose(hand_add(&g, hand_kind(LIP_GAIN_CONCAT), hand_dims(2, 1, 10, 0, 0), x, y, NULL));
        assert_true(isinf(result.network_upper));
        hand_end_graph(&g);
    }
    hand_begin_graph(&g); /* two varying inputs and no rule for them */
    lip_value *x = hand_varying(&g, vector());
    compose(hand_add(&g, hand_lipschitz(1, 1), vector(), layer(2, x), layer(3, x), NULL));
    assert_true(isinf(result.network_upper));
    hand_end_graph(&g);
    hand_begin_graph(&g); /* overflow is infinite, underflow is not zero */
    x = hand_varying(&g, vector());
    compose(layer(1e200, layer(1e200, x)));
    assert_true(isinf(result.network_upper));
    hand_end_graph(&g);
    hand_begin_graph(&g);
    x = hand_varying(&g, vector());
    compose(layer(1e-200, layer(1e-200, x)));
    assert_true(result.network_upper > 0);
    hand_end_graph(&g);
}

static void check_lower(void **unused)
{
    (void)unused;
    hand_begin_graph(&g); /* isometries around one layer: its lower bound is the network's */
    lip_value *y = hand_add(&g, hand_kind(LIP_GAIN_ISOMETRY), vector(), hand_varying(&g, vector()), NULL, NULL);
    y = hand_add(&g, hand_kind(LIP_GAIN_SUM), vector(), y, hand_constant(&g, vector()), NULL);
    y = hand_add(&g, hand_lipschitz(3, 2.5), vector(), y, NULL, NULL);
    compose(hand_add(&g, hand_kind(LIP_GAIN_ISOMETRY), vector(), y, NULL, NULL));
    assert_true(result.network_lower == 2.5 && result.network_upper == 3);
    hand_end_graph(&g);
    hand_begin_graph(&g); /* of two layers, or two inputs, it is not known */
    compose(layer(2, layer(2, hand_varying(&g, vector()))));
    assert_true(isnan(result.network_lower));
    hand_end_graph(&g);
    hand_begin_graph(&g);
    lip_value *a = hand_varying(&g, vector()), *b = hand_varying(&g, vector());
    compose(hand_add(&g, hand_kind(LIP_GAIN_SUM), vector(), layer(3, a), layer(4, b), NULL));
    assert_true(isnan(result.network_lower) && result.network_upper >= 5);
    hand_end_graph(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(check_chain),
        cmocka_unit_test(check_branches),
        cmocka_unit_test(check_infinite),
        cmocka_unit_test(check_lower),
    };
    return cmocka_run_group_tests_name("propagate", tests, NULL, NULL);
}
