/*
 * test_scale.c: the norm of a diagonal, with uncertain factors and broadcast
 * inputs.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "rounding.h"
#include "sample.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static lip_layer_gain gain_of(const double *factor, int64_t count, int axis, double relative_error,
                              int64_t multiplicity)
{
    lip_gain gain = { .kind = LIP_GAIN_SCALE, .scale = { factor, count, axis, relative_error, multiplicity } };
    return sample_gain(&gain, sample_node(), NULL, NULL);
}

static void check_exact(void **unused)
{
    (void)unused;
    const double factors[] = { 0.5, -3, 2 };
    lip_layer_gain out = gain_of(factors, 3, 1, 0, 1);
    assert_true(out.lower == 3 && out.upper == 3 && out.exact_svd == 3);
    out = gain_of(factors, 1, -1, 0, 1);
    assert_true(out.lower == 0.5 && out.upper == 0.5);
    const double zero[] = { 0, -0.0 };
    out = gain_of(zero, 2, 1, 0, 1);
    assert_true(out.lower == 0 && out.upper == 0);
}

static void check_uncertain(void **unused)
{
    (void)unused;
    uint64_t state = 47;
    for (int trial = 0; trial < 1000; trial++) {
        double factor = oracle_normal(&state) * pow(10, (double)oracle_int(&state, -300, 300));
        double error = ldexp(1, (int)oracle_int(&state, -53, -10));
        lip_layer_gain out = gain_of(&factor, 1, 1, error, 1);
        long double most = fabsl((long double)factor) * (1 + (long double)error);
        long double least = fabsl((long double)factor) * (1 - (long double)error);
        assert_true((long double)out.upper >= most && (long double)out.lower <= least);
        assert_true((long double)out.upper <= most * (1 + 2 * error + 1e-15L));
        assert_false((long double)(out.upper * 0.99) >= most);
    }
}

static void check_broadcast(void **unused)
{
    (void)unused;
    const double factors[] = { 1, 2, 2 };
    lip_layer_gain out = gain_of(factors, 3, 1, 0, 3); /* one x meets all three: 3, at most sqrt(3) 2 */
    assert_true(out.upper >= 3 && (long double)out.upper >= 2 * sqrtl(3) && out.lower <= 3 && out.lower >= 2);
    out = gain_of(factors + 1, 1, -1, 0, 9);
    assert_true(out.lower <= 6 && out.upper >= 6 && out.upper - out.lower < 1e-14 && isnan(out.exact_svd));
}

static void check_not_finite(void **unused)
{
    (void)unused;
    for (int at = 0; at < 3; at++)
        for (int kind = 0; kind < 2; kind++)
            for (int axis = -2; axis < 2; axis++) {
                double factors[] = { 1, 2, 3 };
                factors[at] = kind ? (double)NAN : -(double)INFINITY;
                lip_layer_gain out = gain_of(factors, 3, axis, kind ? 0x1p-51 : 0, 1 + at);
                assert_true(isinf(out.upper) && out.lower == 0 && out.verdict == LIP_UNKNOWN);
            }
    const double huge = DBL_MAX;
    assert_true(isinf(gain_of(&huge, 1, 1, 0x1p-51, 1).upper));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(check_exact),
        cmocka_unit_test(check_uncertain),
        cmocka_unit_test(check_broadcast),
        cmocka_unit_test(check_not_finite),
    };
    return cmocka_run_group_tests_name("gain scale", tests, NULL, NULL);
}
