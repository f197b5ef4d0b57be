/*
 * test_dense.c: lip_dense_norm on matrices with exactly known norms, on random
 * ones against long double and LAPACK, at extreme scales and on what is not
 * finite.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "linear/dense.h"
#include "oracle.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static uint64_t state = 5;

static lip_norm norm_of(const double *elements, int64_t rows, int64_t cols, double relative_error)
{
    lip_matrix matrix = { elements, rows, cols };
    lip_panels panels = lip_matrix_panels(&matrix, relative_error);
    lip_random random = lip_random_seed(7, 0);
    lip_norm norm;
    uint64_t in_use = oracle_in_use();
    assert_int_equal(lip_dense_norm(&panels, 20, &random, oracle_memory(), &norm, NULL), LIP_OK);
    assert_int_equal(oracle_in_use(), in_use);
    return norm;
}

/* Proved, tight, and false when moved inwards by a thousandth. */
static void check(const double *elements, int64_t rows, int64_t cols, long double truth, double doubt)
{
    lip_norm norm = norm_of(elements, rows, cols, 0);
    if (!((long double)norm.upper >= truth * (1 - doubt) && (long double)norm.lower <= truth * (1 + doubt)))
        fail_msg("%d x %d: %.17g is not in [%.17g, %.17g]", (int)rows, (int)cols, (double)truth, norm.lower,
                 norm.upper);
    if (!(norm.upper <= norm.lower * (1 + 1e-8)))
        fail_msg("%d x %d: [%.17g, %.17g] is not tight", (int)rows, (int)cols, norm.lower, norm.upper);
    assert_false((long double)(norm.upper * 0.999) >= truth * (1 - doubt));
    assert_false((long double)(norm.lower * 1.001) <= truth * (1 + doubt));
    assert_true(norm.power_estimate <= norm.upper && norm.power_estimate <= (double)truth * (1 + 1e-13));
}

static void check_structured(void **unused)
{
    (void)unused;
    for (int64_t n = 1; n <= 64; n *= 2) {
        double *a = oracle_alloc(n * n, sizeof *a), *b = oracle_alloc(n * n, sizeof *b);
        for (int64_t i = 0; i < n; i++) {
            a[i * n + i] = (double)(i - 2 * n); /* diagonal: 2 n */
            for (int64_t j = 0; j < n; j++) {
                int64_t bits = i & j, odd = 0;
                for (; bits; bits &= bits - 1)
                    odd ^= 1;
                b[i * n + j] = odd ? -1 : 1; /* Hadamard: sqrt(n), every singular value tied */
            }
        }
        check(a, n, n, (long double)(2 * n), 0);
        check(b, n, n, sqrtl((long double)n), 1e-18);
        for (int64_t i = 0; i < n; i++)
            for (int64_t j = 0; j < n; j++)
                a[i * n + j] = (double)((i % 3 - 1) * (j % 5 - 2)); /* rank one */
        long double p = 0, q = 0;
        for (int64_t i = 0; i < n; i++) {
            p += (long double)((i % 3 - 1) * (i % 3 - 1));
            q += (long double)((i % 5 - 2) * (i % 5 - 2));
        }
        check(a, n, n, sqrtl(p) * sqrtl(q), 1e-18);
        oracle_free(a);
        oracle_free(b);
    }
    const double block[] = { 3, 0, 0, 0, 0, 0, 4, 3, 0, 0, 3, 4 }; /* blocks (3) and a symmetric one: 7 */
    check(block, 3, 4, 7, 0);
    const double rotated[] = { 3, -4, 4, 3 };
    check(rotated, 2, 2, 5, 0);
}

static void check_vectors(void **unused)
{
    (void)unused;
    double ones[1000];
    for (int64_t n = 1; n <= 1000; n = n * 2 + 1) {
        for (int64_t i = 0; i < n; i++)
            ones[i] = i & 1 ? -1 : 1;
        check(ones, 1, n, sqrtl((long double)n), 1e-18);
        check(ones, n, 1, sqrtl((long double)n), 1e-18);
    }
    const double legs[] = { 2, 3, 6 };
    check(legs, 3, 1, 7, 0);
}

static void check_random(void **unused)
{
    (void)unused;
    double a[24 * 24];
    for (int trial = 0; trial < 150; trial++) {
        int64_t rows = oracle_int(&state, 1, 24), cols = oracle_int(&state, 1, 24);
        oracle_fill(&state, a, rows * cols);
        for (int64_t i = 0; trial % 3 == 1 && i < rows * cols; i++)
            a[i] = (double)(float)a[i];
        for (int64_t i = 0; trial % 3 == 2 && i < rows * cols; i++)
            a[i] = ldexp(a[i], (int)oracle_int(&state, -400, 400));
        check(a, rows, cols, oracle_jacobi(a, cols, rows), 1e-17);
    }
}

static void check_large(void **unused)
{
    (void)unused;
    const int64_t sizes[][2] = { { 512, 512 }, { 100, 600 }, { 1100, 70 }, { 257, 256 }, { 513, 3 } };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        int64_t rows = sizes[i][0], cols = sizes[i][1];
        double *a = oracle_alloc(rows * cols, sizeof *a);
        oracle_fill(&state, a, rows * cols);
        double truth = oracle_svd(a, cols, rows);
        lip_matrix matrix = { a, rows, cols };
        lip_panels panels = lip_matrix_panels(&matrix, 0);
        lip_random random = lip_random_seed(1, 1);
        lip_norm norm;
        assert_int_equal(lip_dense_norm(&panels, 0, &random, oracle_memory(), &norm, NULL), LIP_OK);
        assert_int_equal(oracle_breaks(norm.lower, norm.upper, truth, 1e-12), 0);
        assert_int_equal(oracle_breaks(norm.lower, norm.upper * 0.999, truth, 1e-12), 1);
        assert_int_equal(oracle_breaks(norm.lower * 1.001, norm.upper, truth, 1e-12), -1);
        assert_true(norm.upper <= norm.lower * (1 + 1e-8) && isnan(norm.power_estimate));
        oracle_free(a);
    }
}

static void check_scales(void **unused)
{
    (void)unused;
    for (int e = -1074; e < 1022; e += 7) {
        double tied[] = { ldexp(1, e), ldexp(1, e), ldexp(1, e), -ldexp(1, e) }; /* sqrt(2) 2^e */
        lip_norm norm = norm_of(tied, 2, 2, 0);
        long double truth = sqrtl(2) * scalbnl(1, e);
        assert_true((long double)norm.upper >= truth && (long double)norm.lower <= truth);
        if (e > -1030)
            assert_true(norm.upper <= norm.lower * (1 + 1e-8) && norm.upper * 0.999 < truth);
        else
            assert_true(norm.upper <= (double)truth + 4 * DBL_TRUE_MIN &&
                        norm.lower >= (double)truth - 4 * DBL_TRUE_MIN);
    }
    double wide[] = { 1e300, 1e-310, 1e-310, 1e-320, -1e300, 0 };
    check(wide, 2, 3, 1e300L, 1e-15);
    double over[] = { DBL_MAX, DBL_MAX, DBL_MAX, DBL_MAX };
    lip_norm norm = norm_of(over, 2, 2, 0);
    assert_true(isinf(norm.upper) && norm.lower <= DBL_MAX);
}

static void check_zero_and_not_finite(void **unused)
{
    (void)unused;
    double a[600] = { 0 };
    lip_norm norm = norm_of(a, 20, 30, 0);
    assert_true(norm.lower == 0 && norm.upper == 0);
    const double bad[] = { (double)NAN, (double)INFINITY, -(double)INFINITY };
    for (int b = 0; b < 3; b++)
        for (int at = 0; at < 600; at += 37) {
            a[at] = bad[b];
            norm = norm_of(a, 20, 30, 0);
            assert_true(isinf(norm.upper) && norm.lower == 0);
            a[at] = 0;
        }
    norm = norm_of(a, 0, 5, 0);
    assert_true(norm.lower == 0 && norm.upper == 0);
}

/* The true matrix may be anywhere within relative_error; its corners with a positive matrix are (1 +- r) A. */
static void check_relative_error(void **unused)
{
    (void)unused;
    double a[30];
    for (double r = 0x1p-53; r < 1e-3; r *= 16) {
        for (int i = 0; i < 30; i++)
            a[i] = fabs(oracle_normal(&state));
        long double truth = oracle_jacobi(a, 6, 5);
        lip_norm norm = norm_of(a, 5, 6, r), plain = norm_of(a, 5, 6, 0);
        assert_true((long double)norm.upper >= truth * (1 + r) && (long double)norm.lower <= truth * (1 - r));
        assert_true(norm.upper <= (double)truth * (1 + 3 * r + 1e-10));
        if (r > 1e-9)
            assert_false((long double)plain.upper >= truth * (1 + r) || (long double)plain.lower <= truth * (1 - r));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(check_structured), cmocka_unit_test(check_vectors),
        cmocka_unit_test(check_random),     cmocka_unit_test(check_large),
        cmocka_unit_test(check_scales),     cmocka_unit_test(check_zero_and_not_finite),
        cmocka_unit_test(check_relative_error),
    };
    return cmocka_run_group_tests_name("dense", tests, NULL, NULL);
}
