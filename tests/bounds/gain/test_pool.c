/*
 * test_pool.c: the root of a count, from both sides.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "sample.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void check_roots(void **unused)
{
    (void)unused;
    for (int64_t count = 1; count < 200; count++) {
        lip_gain gain = { .kind = LIP_GAIN_SELECT, .select = count };
        lip_layer_gain out = sample_gain(&gain, sample_node(), NULL, NULL);
        long double truth = sqrtl((long double)count);
        assert_true((long double)out.upper >= truth && (long double)out.lower <= truth);
        assert_true(out.upper <= out.lower * (1 + 1e-15));
        assert_false((long double)(out.upper * 0.999) >= truth);
        assert_true(isnan(out.lmt_bound)); /* the node says nothing of windows */
    }
    lip_gain four = { .kind = LIP_GAIN_SELECT, .select = 4 };
    assert_true(sample_gain(&four, sample_node(), NULL, NULL).upper == 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(check_roots) };
    return cmocka_run_group_tests_name("gain pool", tests, NULL, NULL);
}
