/*
 * test_parse.c: numbers from the command line, accepted and refused.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "parse.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void whole_numbers(void **unused)
{
    (void)unused;
    uint64_t value = 7;
    assert_true(parse_u64("18446744073709551615", &value));
    assert_true(value == UINT64_MAX);
    static const char *const bad[] = {"", " 1", "1 ", "+1", "-1", "1.0", "1e3", "0x10", "18446744073709551616", "9x"};
    value = 7;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(parse_u64(bad[i], &value));
    assert_true(value == 7);
    int small;
    assert_true(parse_int("12", 1, 12, &small) && small == 12);
    assert_false(parse_int("13", 1, 12, &small));
    assert_false(parse_int("0", 1, 12, &small));
    assert_false(parse_int("4294967297", 1, 12, &small));
}

static void sizes(void **unused)
{
    (void)unused;
    uint64_t value;
    assert_true(parse_size("2000000", &value) && value == 2000000);
    assert_true(parse_size("512K", &value) && value == 512 * 1024);
    assert_true(parse_size("512KiB", &value) && value == 512 * 1024);
    assert_true(parse_size("500MB", &value) && value == (uint64_t)500 << 20);
    assert_true(parse_size("4g", &value) && value == (uint64_t)4 << 30);
    assert_true(parse_size("16777215T", &value) && value == (uint64_t)16777215 << 40);
    static const char *const bad[] = {"", "0", "K", "4X", "4Gi", "4GBs", "-4G", "4 G", "16777216T", "1.5G"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(parse_size(bad[i], &value));
}

static void shapes(void **unused)
{
    (void)unused;
    lip_shape shape;
    assert_true(parse_shape("1x3x224x224", &shape));
    assert_int_equal(shape.rank, 4);
    assert_int_equal(shape.dim[3], 224);
    assert_true(parse_shape("7", &shape) && shape.rank == 1);
    assert_true(parse_shape("1x1x1x1x1x1x1x1", &shape) && shape.rank == LIP_MAX_RANK);
    static const char *const bad[] = {"", "x", "1x", "x1", "1x0", "1X3", "1,3", "1x-3",
                                      "1x1x1x1x1x1x1x1x1", "9223372036854775808"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(parse_shape(bad[i], &shape));
}

static void numbers(void **unused)
{
    (void)unused;
    double value = 0.0, list[3];
    size_t count = 0;
    static const struct { const char *text; double value; } good[] = {
        {"0", 0.0}, {"0.5", 0.5}, {"-1e-3", -1e-3}, {"+2", 2.0}, {".25", 0.25}, {"8/255", 8.0 / 255.0}, {"1/-4", -0.25},
        {"0.5/2", 0.25}, {"1e300", 1e300},
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_true(parse_number(good[i].text, &value));
        assert_true(value == good[i].value);
    }
    static const char *const bad[] = {"", " 1", "1 ", "x", "inf", "nan", "1e999", "0x10", "1/0", "1/", "/2", "1/2/3",
                                      "1,2", "1e", "--1", "+", ".", "1e300/1e-300"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(parse_number(bad[i], &value));
    assert_true(parse_numbers("1/2,-3,4e1", list, 3, &count));
    assert_true(count == 3 && list[0] == 0.5 && list[1] == -3.0 && list[2] == 40.0);
    assert_true(parse_numbers("7", list, 3, &count) && count == 1);
    static const char *const bad_list[] = {"", ",", "1,", ",1", "1,,2", "1,2,3,4", "1;2", "1, 2"};
    for (size_t i = 0; i < sizeof bad_list / sizeof *bad_list; i++)
        assert_false(parse_numbers(bad_list[i], list, 3, &count));
    assert_int_equal(count, 1);
}

static void intervals(void **unused)
{
    (void)unused;
    double lo[2], hi[2];
    size_t count = 0;
    assert_true(parse_intervals("0:8/255", lo, hi, 2, &count));
    assert_true(count == 1 && lo[0] == 0.0 && hi[0] == 8.0 / 255.0);
    assert_true(parse_intervals("-1:1,2:2", lo, hi, 2, &count));
    assert_true(count == 2 && lo[0] == -1.0 && hi[0] == 1.0 && lo[1] == 2.0 && hi[1] == 2.0);
    static const char *const bad[] = {"", "0", "0:", ":1", "1:0", "0:1,", "0:1,2", "0:1,0:1,0:1", "0:inf", "0:nan",
                                      "0-1"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(parse_intervals(bad[i], lo, hi, 2, &count));
    assert_int_equal(count, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_numbers),
        cmocka_unit_test(sizes),
        cmocka_unit_test(shapes),
        cmocka_unit_test(numbers),
        cmocka_unit_test(intervals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
