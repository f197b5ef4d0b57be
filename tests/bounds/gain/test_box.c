/*
 * test_box.c: which axis the channels of a box lie on, and its edges.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "gain/box.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void one_interval_for_all(void **unused)
{
    (void)unused;
    const double lo = -1, hi = 2, in[] = { -1, 2, 0 }, below[] = { 0, nextafter(-1, -2), 0 }, nan[] = { 0, 0, NAN };
    const lip_input_range box = { &lo, &hi, 1 }, none = { 0 };
    const lip_shape shape = { .rank = 2, .dim = { 1, 3 } };
    assert_true(lip_box_holds(&box, &shape, in));
    assert_false(lip_box_holds(&box, &shape, below));
    assert_false(lip_box_holds(&box, &shape, nan));
    assert_true(lip_box_holds(&none, &shape, below));
}

static void channels_on_axis_1_or_the_last(void **unused)
{
    (void)unused;
    const double lo[] = { 0, 10 }, hi[] = { 1, 11 };
    const lip_input_range box = { lo, hi, 2 };
    const double planes[] = { 0, 0, 1, 10, 10, 11 }, pixels[] = { 0, 10, 1, 11, 0, 10 };
    const lip_shape nchw = { .rank = 3, .dim = { 1, 2, 3 } }, nhwc = { .rank = 3, .dim = { 1, 3, 2 } };
    assert_true(lip_box_holds(&box, &nchw, planes));
    assert_false(lip_box_holds(&box, &nchw, pixels));
    assert_true(lip_box_holds(&box, &nhwc, pixels));
    assert_false(lip_box_holds(&box, &nhwc, planes));
}

static void into_the_box(void **unused)
{
    (void)unused;
    const double lo[] = { 0, 10 }, hi[] = { 1, 11 };
    const lip_input_range box = { lo, hi, 2 }, none = { 0 };
    const lip_shape shape = { .rank = 2, .dim = { 3, 2 } };
    const double clipped[] = { 0, 11, 0.5, 10, 1, 10 }, held[] = { -1, 1, 1, 0, 1, 0 };
    double x[] = { -3, 12, 0.5, 10, 2, 0 }, gradient[] = { -1, 1, 1, 1, 1, 3 };
    lip_box_clip(&none, &shape, x);
    assert_true(x[0] == -3 && x[5] == 0);
    lip_box_clip(&box, &shape, x);
    assert_memory_equal(x, clipped, sizeof x);
    lip_box_hold(&none, &shape, x, gradient);
    assert_true(gradient[3] == 1);
    lip_box_hold(&box, &shape, x, gradient);
    assert_memory_equal(gradient, held, sizeof held);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_interval_for_all),
        cmocka_unit_test(channels_on_axis_1_or_the_last),
        cmocka_unit_test(into_the_box),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
