/*
 * test_number.c: a printed bound is on the right side of the double, by less
 * than one unit of its last digit, for every digit count and kind of double.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "number.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint64_t state = 1;

static uint64_t next_random(void) /* xorshift64 [Marsaglia 2003] */
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static double random_double(void)
{
    double value;
    do {
        uint64_t bits = next_random();
        memcpy(&value, &bits, sizeof value);
    } while (!isfinite(value));
    return value;
}

/* strtod rounds monotonically: text >= x as real numbers implies strtod(text) >= x. */
static void check(double x, int digits)
{
    double up = strtod(number_upper(x, digits).text, NULL), down = strtod(number_lower(x, digits).text, NULL);
    if (!(up >= x && down <= x))
        fail_msg("%a with %d digits: %s, %s", x, digits, number_lower(x, digits).text, number_upper(x, digits).text);
    double nearest = strtod(number_nearest(x, digits).text, NULL);
    if (!(nearest == up || nearest == down) && digits < 15)
        fail_msg("%a with %d digits: %s is neither %s nor %s", x, digits, number_nearest(x, digits).text,
                 number_lower(x, digits).text, number_upper(x, digits).text);
    double unit = fabs(x) * (pow(10.0, 1 - digits) + 8.0 * DBL_EPSILON) + 8.0 * DBL_TRUE_MIN;
    if (isfinite(up - down) && isfinite(unit) && digits < 15 && !(up - down <= unit))
        fail_msg("%a with %d digits: %s to %s is too wide", x, digits, number_lower(x, digits).text,
                 number_upper(x, digits).text);
}

static void check_around(double x)
{
    for (int digits = 1; digits <= NUMBER_DIGITS; digits++) {
        check(x, digits);
        check(nextafter(x, INFINITY), digits);
        check(nextafter(x, -INFINITY), digits);
    }
}

static void random_doubles_round_outward(void **unused)
{
    (void)unused;
    for (int i = 0; i < 20000; i++) {
        double x = random_double();
        check(x, 1 + i % NUMBER_DIGITS);
    }
    for (int i = 0; i < 20000; i++) /* of the sizes that reports hold */
        check(exp(20.0 * ((double)next_random() / 1.8446744073709552e19 - 0.5)), 1 + i % NUMBER_DIGITS);
}

static void edges_round_outward(void **unused)
{
    (void)unused;
    for (int e = -323; e <= 308; e++) {
        char text[16];
        snprintf(text, sizeof text, "1e%d", e);
        check_around(strtod(text, NULL));
        check_around(-strtod(text, NULL));
        snprintf(text, sizeof text, "9.99999e%d", e);
        check_around(strtod(text, NULL));
    }
    check_around(0.0);
    check_around(DBL_MIN);
    check_around(DBL_TRUE_MIN);
    for (int digits = 1; digits <= NUMBER_DIGITS; digits++) {
        check(DBL_MAX, digits);
        check(-DBL_MAX, digits);
    }
}

static void seventeen_digits_read_back(void **unused)
{
    (void)unused;
    for (int i = 0; i < 20000; i++) {
        double x = random_double();
        assert_true(strtod(number_nearest(x, NUMBER_DIGITS).text, NULL) == x);
    }
}

static void layout(void **unused)
{
    (void)unused;
    static const struct {
        double value;
        int digits;
        const char *lower, *nearest, *upper;
    } row[] = {
        {0.0, 6, "0", "0", "0"},
        {-0.0, 6, "0", "0", "0"},
        {1.0, 6, "1", "1", "1"},
        {0.1, 6, "0.1", "0.1", "0.100001"}, /* the double 0.1 is above 1/10 */
        {0.3, 6, "0.299999", "0.3", "0.3"}, /* and 0.3 below 3/10 */
        {1.0000001, 6, "1", "1", "1.00001"},
        {9.9999999, 6, "9.99999", "10", "10"},
        {123456.7, 6, "123456", "123457", "123457"},
        {1234567.0, 6, "1.23456e+06", "1.23457e+06", "1.23457e+06"},
        {0.00001234567, 3, "1.23e-05", "1.23e-05", "1.24e-05"},
        {0.0001234567, 3, "0.000123", "0.000123", "0.000124"},
        {-2.5, 1, "-3", "-2", "-2"},
        {1e300, 2, "1e+300", "1e+300", "1.1e+300"},
        {INFINITY, 6, "inf", "inf", "inf"},
        {-INFINITY, 6, "-inf", "-inf", "-inf"},
        {NAN, 6, "nan", "nan", "nan"},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        assert_string_equal(number_lower(row[i].value, row[i].digits).text, row[i].lower);
        assert_string_equal(number_nearest(row[i].value, row[i].digits).text, row[i].nearest);
        assert_string_equal(number_upper(row[i].value, row[i].digits).text, row[i].upper);
    }
}

static void fits_a_width(void **unused)
{
    (void)unused;
    assert_string_equal(number_fit(number_upper, 4.97003123, 6, 7).text, "4.97004");
    assert_string_equal(number_fit(number_upper, 1234567.0, 6, 7).text, "1.3e+06");
    assert_string_equal(number_fit(number_upper, 1234567.8, 7, 7).text, "1234568");
    assert_string_equal(number_fit(number_lower, 0.0123456, 6, 7).text, "0.01234");
    assert_string_equal(number_fit(number_upper, INFINITY, 6, 2).text, "inf");
    for (int i = 0; i < 20000; i++) {
        double x = fabs(random_double());
        assert_true(strtod(number_fit(number_upper, x, 6, 7).text, NULL) >= x);
        assert_true(strlen(number_fit(number_upper, x, 6, 7).text) <= 7);
    }
}

static void excess_of_tightness(void **unused)
{
    (void)unused;
    assert_string_equal(number_excess(1.0).text, "exact");
    assert_string_equal(number_excess(1.25).text, "0.25");
    assert_string_equal(number_excess(1.0 + DBL_EPSILON).text, "2.3e-16");
    assert_string_equal(number_excess(INFINITY).text, "inf");
    assert_string_equal(number_excess(101.0).text, "1.1e+02"); /* one step up: 100 is rounded outward */
}

static void counts_and_units(void **unused)
{
    (void)unused;
    assert_string_equal(number_count(0).text, "0");
    assert_string_equal(number_count(999).text, "999");
    assert_string_equal(number_count(1000).text, "1,000");
    assert_string_equal(number_count(UINT64_MAX).text, "18,446,744,073,709,551,615");
    assert_string_equal(number_bytes(512).text, "512 bytes");
    assert_string_equal(number_bytes(1536).text, "1.5 KiB");
    assert_string_equal(number_bytes((uint64_t)300 << 30).text, "300 GiB");
    assert_string_equal(number_seconds(0.0123).text, "0.01");
    assert_string_equal(number_seconds(9.999).text, "10.0");
    assert_string_equal(number_seconds(127.3).text, "127");
    assert_string_equal(number_percent(0.1234).text, "12");
    assert_string_equal(number_percent(0.0123).text, "1.2");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_doubles_round_outward), cmocka_unit_test(edges_round_outward),
        cmocka_unit_test(seventeen_digits_read_back),   cmocka_unit_test(layout),
        cmocka_unit_test(fits_a_width),                 cmocka_unit_test(excess_of_tightness),
        cmocka_unit_test(counts_and_units),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
