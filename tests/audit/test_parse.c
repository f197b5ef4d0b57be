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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_numbers),
        cmocka_unit_test(sizes),
        cmocka_unit_test(shapes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
