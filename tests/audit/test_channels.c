/*
 * test_channels.c: values that belong to the channels of the model's input.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "channels.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void where_channels_lie(void **unused)
{
    (void)unused;
    const lip_shape nchw = {.rank = 4, .dim = {1, 3, 4, 5}}, nhwc = {.rank = 4, .dim = {1, 4, 5, 3}};
    const lip_shape both = {.rank = 4, .dim = {1, 3, 4, 3}}, flat = {.rank = 1, .dim = {3}}, scalar = {.rank = 0};
    lip_channels c;
    assert_true(channels_of(3, &nchw, &c) && c.count == 3 && c.inner == 20);
    assert_true(channels_of(3, &nhwc, &c) && c.count == 3 && c.inner == 1);
    assert_true(channels_of(3, &both, &c) && c.inner == 12);
    assert_true(channels_of(3, &flat, &c) && c.inner == 1);
    assert_true(channels_of(1, &nchw, &c) && c.count == 1);
    assert_true(channels_of(0, &scalar, &c) && c.count == 1);
    assert_false(channels_of(2, &nchw, &c));
    assert_false(channels_of(2, &scalar, &c));
}

static void outside(void **unused)
{
    (void)unused;
    const double lo[] = {0.0, -1.0}, hi[] = {1.0, 2.0};
    const lip_input_range range = {lo, hi, 2};
    const lip_channels channels = {2, 2};
    double samples[] = {0.0, 1.0, -1.0, 2.0, 0.5, 0.5, 0.0, 0.0, 0.5, 0.5, 0.0, 2.5};
    assert_int_equal(channels_outside(&channels, &range, samples, 3, 4), 2);
    assert_int_equal(channels_outside(&channels, &range, samples, 2, 4), 2); /* all are inside */
    samples[1] = 1.0000001;
    assert_int_equal(channels_outside(&channels, &range, samples, 3, 4), 0);
    samples[1] = NAN;
    assert_int_equal(channels_outside(&channels, &range, samples, 3, 4), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(where_channels_lie),
        cmocka_unit_test(outside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
