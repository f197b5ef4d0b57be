/*
 * test_version.c: the versions that a report names.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "audit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void check_texts(void **unused)
{
    (void)unused;
    int major = -1, minor = -1, patch = -1;
    assert_int_equal(sscanf(lip_version(), "%d.%d.%d", &major, &minor, &patch), 3);
    assert_non_null(strstr(lip_blas_version(), "BLAS"));
    assert_int_equal(sscanf(lip_lapack_version(), "LAPACK %d.%d.%d", &major, &minor, &patch), 3);
    assert_true(major >= 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(check_texts) };
    return cmocka_run_group_tests_name("version", tests, NULL, NULL);
}
