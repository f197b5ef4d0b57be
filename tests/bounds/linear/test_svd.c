/*
 * test_svd.c: the cross-check itself, against long double and known norms; and
 * when it is refused.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "linear/svd.h"
#include "oracle.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static uint64_t state = 29;

static void check_values(void **unused)
{
    (void)unused;
    double a[30 * 30];
    for (int trial = 0; trial < 200; trial++) {
        int64_t rows = oracle_int(&state, 1, 30), cols = oracle_int(&state, 1, 30);
        oracle_fill(&state, a, rows * cols);
        double truth = (double)oracle_jacobi(a, rows, cols), sigma = oracle_svd(a, rows, cols);
        assert_true(fabs(sigma - truth) <= 1e-14 * truth);
        assert_false(fabs(sigma * 0.999 - truth) <= 1e-14 * truth);
    }
    double legs[] = { 2, 3, 6 }, sigma = -1;
    assert_true(fabs(oracle_svd(legs, 3, 1) - 7) < 1e-14 && fabs(oracle_svd(legs, 1, 3) - 7) < 1e-14);
    assert_int_equal(lip_svd_largest(legs, 0, 3, oracle_memory(), &sigma, NULL), LIP_OK);
    assert_true(sigma == 0);
}

static void check_refusals(void **unused)
{
    (void)unused;
    assert_null(lip_svd_refusal(100, 100, LIP_EXACT_AUTO, oracle_memory()));
    assert_non_null(lip_svd_refusal(100, 100, LIP_EXACT_NEVER, oracle_memory()));
    assert_non_null(lip_svd_refusal(3000, 3000, LIP_EXACT_AUTO, oracle_memory()));
    assert_null(lip_svd_refusal(3000, 3000, LIP_EXACT_ALWAYS, oracle_memory()));
    assert_non_null(lip_svd_refusal(300000, 300000, LIP_EXACT_ALWAYS, oracle_memory()));
    assert_non_null(lip_svd_refusal(INT64_C(1) << 40, 1, LIP_EXACT_ALWAYS, oracle_memory()));
}

static bool forward(void *context, const double *x, double *y) /* diag(3, 4) under a zero row */
{
    (void)context;
    y[0] = 0;
    y[1] = 3 * x[0];
    y[2] = 4 * x[1];
    return true;
}

static void check_operator(void **unused)
{
    (void)unused;
    lip_operator operator = { .rows = 3, .cols = 2, .forward = forward };
    const char *reason;
    double sigma;
    assert_int_equal(lip_svd_of_operator(&operator, LIP_EXACT_AUTO, oracle_memory(), &sigma, &reason, NULL), LIP_OK);
    assert_true(reason == NULL && fabs(sigma - 4) < 1e-14);
    assert_int_equal(lip_svd_of_operator(&operator, LIP_EXACT_NEVER, oracle_memory(), &sigma, &reason, NULL), LIP_OK);
    assert_true(reason != NULL && isnan(sigma));
    uint64_t in_use = oracle_in_use();
    for (int k = 1; k <= 6; k++) {
        atomic_store(&oracle_memory()->fail_in, k);
        lip_status status = lip_svd_of_operator(&operator, LIP_EXACT_AUTO, oracle_memory(), &sigma, &reason, NULL);
        assert_true(status == LIP_EMEMORY || reason != NULL || fabs(sigma - 4) < 1e-14);
        assert_int_equal(oracle_in_use(), in_use);
    }
    atomic_store(&oracle_memory()->fail_in, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(check_values),
        cmocka_unit_test(check_refusals),
        cmocka_unit_test(check_operator),
    };
    return cmocka_run_group_tests_name("svd", tests, NULL, NULL);
}
