/*
 * test_rounding.c: every directed operation against the exact result. The sign
 * of x * y - z is exact in one fused multiply-add, in long double also where
 * doubles underflow. Each bound is also shown to break when moved inwards.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "oracle.h"
#include "rounding.h"

#include <float.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { TRIALS = 300000 };

static uint64_t state = 1;

/* Any finite double > 0, all exponents alike, often a short significand. */
static double positive(void)
{
    double x = ldexp(1 + (double)(oracle_bits(&state) >> 12) * 0x1p-52, (int)oracle_int(&state, -1080, 1023));
    if (oracle_int(&state, 0, 3) == 0)
        x = ldexp((double)oracle_int(&state, 1, 64), (int)oracle_int(&state, -1074, 1000));
    return x > 0 ? x : LIP_TINY;
}

static double inward_up(double bound) { return nextafter(nextafter(bound, 0), 0); }
static double inward_down(double bound) { return nextafter(nextafter(bound, (double)INFINITY), (double)INFINITY); }

static bool product_at_most(double a, double b, double bound)
{
    return isinf(bound) || fmal(a, b, -(long double)bound) <= 0;
}

static bool product_at_least(double a, double b, double bound)
{
    return fmal(a, b, -(long double)bound) >= 0;
}

static void check_products(void **unused)
{
    (void)unused;
    for (int i = 0; i < TRIALS; i++) {
        double a = positive(), b = positive(), up = lip_mul_up(a, b), down = lip_mul_down(a, b);
        assert_true(product_at_most(a, b, up) && product_at_least(a, b, down));
        assert_true(isinf(up) || !product_at_most(a, b, inward_up(up)));
        assert_true(isinf(up) || !product_at_least(a, b, inward_down(down)));
    }
}

static void check_quotients(void **unused)
{
    (void)unused;
    for (int i = 0; i < TRIALS; i++) {
        double a = positive(), b = positive(), up = lip_div_up(a, b), down = lip_div_down(a, b);
        assert_true(isinf(up) || product_at_least(up, b, a));
        assert_true(product_at_most(down, b, a));
        assert_true(isinf(up) || !product_at_least(inward_up(up), b, a));
        assert_true(isinf(up) || !product_at_most(inward_down(down), b, a));
    }
}

static void check_roots(void **unused)
{
    (void)unused;
    for (int i = 0; i < TRIALS; i++) {
        double a = positive(), up = lip_sqrt_up(a), down = lip_sqrt_down(a);
        assert_true(product_at_least(up, up, a) && product_at_most(down, down, a));
        assert_false(product_at_least(inward_up(up), inward_up(up), a));
        assert_false(product_at_most(inward_down(down), inward_down(down), a));
    }
    for (int i = 0; i < 2000; i++) {
        double square = (double)i * i;
        assert_true(lip_sqrt_up(square) == i && lip_sqrt_down(square) == i);
    }
}

/* The exact a + b is sum + rest [Knuth 1997, 4.2.2, theorem B]. */
static double rest_of_sum(double a, double b, double sum)
{
    double part = sum - a;
    return (a - (sum - part)) + (b - part);
}

static void check_sums(void **unused)
{
    (void)unused;
    for (int i = 0; i < TRIALS; i++) {
        double a = positive(), b = positive();
        if (oracle_int(&state, 0, 1))
            b = a * ldexp(1 + oracle_normal(&state) * 0.1, (int)oracle_int(&state, -60, 60));
        b = oracle_int(&state, 0, 1) ? -b : b;
        double sum = a + b;
        if (!isfinite(sum) || fabs(a) > 0x1p1020 || fabs(b) > 0x1p1020)
            continue;
        double rest = rest_of_sum(a, b, sum);
        assert_true(lip_add_up(a, b) - sum >= rest && lip_add_down(a, b) - sum <= rest);
        assert_true(lip_sub_up(a, -b) - sum >= rest && lip_sub_down(a, -b) - sum <= rest);
        assert_false(lip_down(lip_down(lip_add_up(a, b))) - sum >= rest);
        assert_false(lip_up(lip_up(lip_add_down(a, b))) - sum <= rest);
    }
    assert_true(lip_add_up(0, 0.1) == 0.1 && lip_add_down(0.1, 0) == 0.1 && lip_mul_up(1, 0.1) == 0.1);
}

/* The neighbours, for any double that is no NaN. */
static void check_neighbours(void **unused)
{
    (void)unused;
    const double inf = (double)INFINITY, edges[] = { 0, 1, LIP_TINY, DBL_MIN, DBL_MAX, inf, 0x1p52, 0x1p-1023 };
    for (size_t i = 0; i < 100000; i++) {
        double v = i < sizeof edges / sizeof *edges ? edges[i] : 0;
        if (i >= sizeof edges / sizeof *edges) {
            state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
            const uint64_t bits = state ^ state << 31;
            memcpy(&v, &bits, sizeof v);
        }
        if (isnan(v))
            continue;
        assert_true(lip_up(v) == nextafter(v, inf) && lip_down(v) == nextafter(v, -inf));
        assert_true(lip_up(-v) == nextafter(-v, inf) && lip_down(-v) == nextafter(-v, -inf));
    }
}

static void check_special(void **unused)
{
    (void)unused;
    const double nan = (double)NAN, inf = (double)INFINITY, values[] = { 0, 1, 0.3, DBL_MAX, LIP_TINY, inf, nan };
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        double v = values[i];
        assert_true(lip_add_up(v, nan) == inf && lip_add_up(nan, v) == inf);
        assert_true(lip_add_down(v, nan) == -inf && lip_add_down(nan, v) == -inf);
        assert_true(lip_sub_up(v, nan) == inf && lip_sub_down(nan, v) == -inf);
        assert_true(lip_mul_up(v, nan) == inf && lip_mul_up(nan, v) == inf);
        assert_true(lip_mul_down(v, nan) == 0 && lip_mul_down(nan, v) == 0);
        assert_true(lip_div_up(v, nan) == inf && lip_div_up(nan, v) == inf);
        assert_true(lip_div_down(v, nan) == 0 && lip_div_down(nan, v) == 0);
    }
    assert_true(lip_up(nan) == inf && lip_down(nan) == -inf && lip_sqrt_up(nan) == inf && lip_sqrt_down(nan) == 0);
    assert_true(lip_mul_up(0, inf) == 0 && lip_mul_up(inf, 0) == 0 && lip_mul_down(0, inf) == 0);
    assert_true(lip_mul_up(DBL_MAX, 2) == inf && lip_mul_down(DBL_MAX, 2) == DBL_MAX);
    assert_true(lip_mul_up(LIP_TINY, LIP_TINY) == LIP_TINY && lip_mul_down(LIP_TINY, LIP_TINY) == 0);
    assert_true(lip_sqrt_up(0) == 0 && lip_sqrt_down(0) == 0 && lip_sqrt_up(inf) == inf);
    assert_true(lip_tightness(0, 0) == 1 && lip_tightness(3, 3) == 1 && isinf(lip_tightness(0, 3)));
    assert_true(lip_tightness(2, 3) >= 1.5 && isinf(lip_tightness(nan, 3)));
}

static void check_gamma(void **unused)
{
    (void)unused;
    for (double k = 1; k < 1e15; k *= 3) {
        double gamma = lip_gamma(k);
        /* gamma (1 - k u) >= k u */
        assert_true(gamma - gamma * k * LIP_UNIT >= k * LIP_UNIT * (1 - 0x1p-52) && gamma > k * LIP_UNIT);
        assert_true(gamma < k * LIP_UNIT * (1 + 2.1 * k * LIP_UNIT + 1e-15));
    }
    assert_true(isinf(lip_gamma(0x1p52)) && isinf(lip_gamma((double)NAN)) && isinf(lip_gamma((double)INFINITY)));
}

/* sum x_i^2 in long double; its relative error is at most n 2^-63, its range covers squares of all doubles. */
static long double square_sum(const double *x, int64_t n)
{
    long double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += (long double)x[i] * x[i];
    return sum;
}

static void check_norm(const double *x, int64_t n)
{
    long double s = square_sum(x, n), doubt = (long double)n * 0x1p-63L;
    double upper = lip_norm_upper(x, n), lower = lip_norm_lower(x, n);
    assert_true(isinf(upper) || (long double)upper * upper >= s * (1 - doubt));
    assert_true((long double)lower * lower <= s * (1 + doubt));
    if (s == 0) {
        assert_true(upper == 0 && lower == 0);
        return;
    }
    long double tight = 1e-13L + 4 * LIP_TINY / sqrtl(s);
    assert_true(isinf(upper) || (long double)upper <= sqrtl(s) * (1 + tight));
    assert_true(upper == (double)INFINITY || (long double)lower >= sqrtl(s) * (1 - tight));
    if (lower > 0x1p-1000 && isfinite(upper * 1.001)) {
        assert_false((long double)(upper * 0.999) * (upper * 0.999) >= s);
        assert_false((long double)(lower * 1.001) * (lower * 1.001) <= s);
    }
}

static void check_norms(void **unused)
{
    (void)unused;
    double x[257];
    for (int trial = 0; trial < 20000; trial++) {
        int64_t n = oracle_int(&state, 1, 257);
        int scale = (int)oracle_int(&state, -1076, 1016), spread = (int)oracle_int(&state, 0, 3) * 300;
        for (int64_t i = 0; i < n; i++)
            x[i] = ldexp(oracle_normal(&state), scale - (spread ? (int)oracle_int(&state, 0, spread) : 0));
        check_norm(x, n);
    }
    for (int e = -1074; e < 1020; e++) {
        double leg[] = { ldexp(3, e), ldexp(4, e) }, five = ldexp(5, e);
        assert_true(lip_norm_lower(leg, 2) <= five && lip_norm_upper(leg, 2) >= five);
        check_norm(leg, 2);
    }
}

static void check_norm_edges(void **unused)
{
    (void)unused;
    double x[] = { 1, 0, DBL_MAX, 1 }, zero[] = { 0, -0.0 };
    for (int i = 0; i < 2; i++) {
        x[1] = i ? (double)INFINITY : (double)NAN;
        assert_true(isinf(lip_norm_upper(x, 4)) && lip_norm_lower(x, 4) == 0);
    }
    x[1] = DBL_MAX;
    assert_true(isinf(lip_norm_upper(x, 4)) && lip_norm_lower(x, 4) == DBL_MAX);
    assert_true(lip_norm_upper(zero, 2) == 0 && lip_norm_lower(zero, 2) == 0 && lip_norm_upper(x, 0) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(check_products), cmocka_unit_test(check_quotients), cmocka_unit_test(check_roots),
        cmocka_unit_test(check_sums),     cmocka_unit_test(check_special),   cmocka_unit_test(check_gamma),
        cmocka_unit_test(check_norms),    cmocka_unit_test(check_norm_edges), cmocka_unit_test(check_neighbours),
    };
    return cmocka_run_group_tests_name("rounding", tests, NULL, NULL);
}
