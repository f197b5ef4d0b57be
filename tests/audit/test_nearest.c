/*
 * test_nearest.c: which typing errors find their word, and which do not.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "nearest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void finds_the_nearest(void **unused)
{
    (void)unused;
    static const char *const words[] = {"audit", "inspect", "ops"};
    assert_string_equal(nearest_word("adit", words, 3), "audit");
    assert_string_equal(nearest_word("uadit", words, 3), "audit");
    assert_string_equal(nearest_word("inspekt", words, 3), "inspect");
    assert_string_equal(nearest_word("op", words, 3), "ops");
    assert_null(nearest_word("certify", words, 3));
    assert_null(nearest_word("xy", words, 3));
    assert_null(nearest_word("a-word-that-is-longer-than-any-command-can-be", words, 3));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_the_nearest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
