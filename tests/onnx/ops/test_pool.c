/*
 * test_pool.c: MaxPool and AveragePool over random attributes against loops
 * written from the standard's text, their adjoints, and MaxPool's overlap.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "geometry.h"
#include "support.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { TRIALS = 300 };

static bool some_window_is_empty(const geometry *g)
{
    for (int64_t o = 0; o < product_of(g->m, g->dims); o++) {
        bool any = false;
        for (int64_t t = 0; t < product_of(g->k, g->dims); t++)
            any = any || geometry_read(g, o, t) >= 0;
        if (!any)
            return true;
    }
    return false;
}

static int64_t most_windows_over_an_input(const geometry *g)
{
    int64_t most = 0;
    int64_t *count = calloc((size_t)product_of(g->n, g->dims), sizeof *count);
    assert_non_null(count);
    for (int64_t o = 0; o < product_of(g->m, g->dims); o++)
        for (int64_t t = 0; t < product_of(g->k, g->dims); t++) {
            const int64_t q = geometry_read(g, o, t);
            if (q >= 0 && ++count[q] > most)
                most = count[q];
        }
    free(count);
    return most;
}

static double max_of_window(const geometry *g, const double *x, int64_t o)
{
    double most = -INFINITY;
    for (int64_t t = 0; t < product_of(g->k, g->dims); t++) {
        const int64_t q = geometry_read(g, o, t);
        if (q >= 0)
            most = fmax(most, x[q]);
    }
    return most;
}

static double average_of_window(const geometry *g, bool include_pad, const double *x, int64_t o)
{
    double sum = 0;
    int64_t count = 0;
    for (int64_t t = 0; t < product_of(g->k, g->dims); t++) {
        const int64_t q = geometry_read(g, o, t);
        sum += q >= 0 ? x[q] : 0;
        count += q >= 0 || (include_pad && geometry_in_padded(g, o, t));
    }
    return sum / (double)count;
}

static void check_max_pool(const geometry *g, uint64_t *state)
{
    const int64_t inputs = product_of(g->n, g->dims), outputs = product_of(g->m, g->dims);
    hand_node h;
    hand_begin(&h, &lip_op_max_pool, 12, 2);
    add_random_input(&h, geometry_shape(2, 2, g->n, g->dims), true, state);
    geometry_set(&h, g);
    if (some_window_is_empty(g)) {
        assert_int_equal(hand_shape(&h), LIP_EFORMAT);
        assert_non_null(strstr(h.error.reason, "padding alone"));
        hand_end(&h);
        return;
    }
    if (hand_shape(&h) != LIP_OK)
        fail_msg("%s", h.error.reason);
    assert_int_equal(h.out[0].count, 4 * outputs);
    assert_int_equal(hand_forward(&h, false), LIP_OK);
    for (int64_t y = 0; y < h.out[0].count; y++) {
        assert_close(h.out[0].f64[y], max_of_window(g, h.data[0] + y / outputs * inputs, y % outputs));
        assert_close(h.data[0][h.out[1].i64[y]], h.out[0].f64[y]);
    }
    hand_check_derivative(&h, 0, 9, 1e-6);
    lip_gain gain;
    assert_int_equal(hand_describe(&h, &gain), LIP_OK);
    assert_int_equal(gain.kind, LIP_GAIN_SELECT);
    assert_int_equal(gain.select, most_windows_over_an_input(g));
    assert_true(hand_largest_slope(&h, 0, 4) <= sqrt((double)gain.select) * (1 + 1e-9));
    h.outputs[1]->consumers = 1;
    assert_int_equal(hand_describe(&h, &gain), LIP_OK);
    assert_int_equal(gain.kind, LIP_GAIN_UNBOUNDED);
    hand_end(&h);
}

static void check_average_pool(const geometry *g, bool include_pad, uint64_t *state)
{
    const int64_t inputs = product_of(g->n, g->dims), outputs = product_of(g->m, g->dims);
    hand_node h;
    hand_begin(&h, &lip_op_average_pool, 19, 1);
    add_random_input(&h, geometry_shape(1, 2, g->n, g->dims), true, state);
    geometry_set(&h, g);
    hand_int(&h, "count_include_pad", include_pad);
    if (!include_pad && some_window_is_empty(g)) {
        assert_int_equal(hand_shape(&h), LIP_EFORMAT);
        hand_end(&h);
        return;
    }
    assert_int_equal(hand_shape(&h), LIP_OK);
    assert_int_equal(hand_forward(&h, false), LIP_OK);
    for (int64_t y = 0; y < h.out[0].count; y++)
        assert_close(h.out[0].f64[y], average_of_window(g, include_pad, h.data[0] + y / outputs * inputs, y % outputs));
    hand_check_linear(&h, 0, 8);
    hand_end(&h);
}

static void pooling_agrees_with_the_definition(void **unused)
{
    (void)unused;
    uint64_t state = 8;
    for (int i = 0; i < TRIALS; i++) {
        const geometry g = geometry_random(&state, false, true);
        check_max_pool(&g, &state);
        check_average_pool(&g, i % 2 == 0, &state);
    }
}

/* An input that `select` windows share attains the root: raise it far above the rest. */
static void the_overlap_of_max_pool_is_attained(void **unused)
{
    (void)unused;
    const geometry g = { .dims = 2, .n = { 7, 7 }, .m = { 3, 3 }, .k = { 3, 3 }, .s = { 2, 2 }, .d = { 1, 1 } };
    uint64_t state = 1;
    hand_node h;
    hand_begin(&h, &lip_op_max_pool, 12, 1);
    add_random_input(&h, geometry_shape(1, 1, g.n, 2), true, &state);
    geometry_set(&h, &g);
    assert_int_equal(hand_shape(&h), LIP_OK);
    double changed = 0, before[9];
    h.data[0][2 * 7 + 2] = 10;
    assert_int_equal(hand_forward(&h, false), LIP_OK);
    memcpy(before, h.out[0].f64, sizeof before);
    h.data[0][2 * 7 + 2] = 11;
    assert_int_equal(hand_forward(&h, false), LIP_OK);
    for (int i = 0; i < 9; i++)
        changed += (h.out[0].f64[i] - before[i]) * (h.out[0].f64[i] - before[i]);
    lip_gain gain;
    assert_int_equal(hand_describe(&h, &gain), LIP_OK);
    assert_int_equal(gain.select, 4);
    assert_close(changed, (double)gain.select);
    hand_end(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pooling_agrees_with_the_definition),
        cmocka_unit_test(the_overlap_of_max_pool_is_attained),
    };
    return cmocka_run_group_tests_name("pool", tests, NULL, NULL);
}
