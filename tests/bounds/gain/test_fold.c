/*
 * test_fold.c: which scales fit which side of which linear node, and the error
 * of the products.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "rounding.h"
#include "sample.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const double FACTORS[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };

static lip_scale scale(int64_t count, int axis)
{
    return (lip_scale) { FACTORS, count, axis, 0, 1 };
}

static void check_convolutions(void **unused)
{
    (void)unused;
    lip_gain conv = { .kind = LIP_GAIN_CONV, .conv = { .groups = 1, .c_in = 3, .c_out = 5 } };
    lip_scale three = scale(3, 1), five = scale(5, 1), other = scale(3, 0), spread = scale(3, -2), one = scale(1, -1);
    for (int transposed = 0; transposed < 2; transposed++) {
        conv.conv.transposed = transposed;
        assert_true(lip_scale_fits_before(transposed ? &five : &three, &conv));
        assert_true(lip_scale_fits_after(transposed ? &three : &five, &conv));
        assert_false(lip_scale_fits_before(transposed ? &three : &five, &conv));
        assert_false(lip_scale_fits_after(transposed ? &five : &three, &conv));
        assert_true(lip_scale_fits_before(&one, &conv) && lip_scale_fits_after(&one, &conv));
        assert_false(lip_scale_fits_before(&other, &conv) || lip_scale_fits_after(&other, &conv));
        assert_false(lip_scale_fits_before(&spread, &conv) || lip_scale_fits_after(&spread, &conv));
    }
    one.multiplicity = 2;
    assert_false(lip_scale_fits_before(&one, &conv) || lip_scale_fits_after(&one, &conv));
}

static void check_matrices(void **unused)
{
    (void)unused;
    lip_gain dense = { .kind = LIP_GAIN_DENSE,
                       .dense = { .rows = 5, .cols = 3, .batch = 1, .multiplicity = 1, .in_axis = 2, .out_axis = 1 } };
    lip_scale in = scale(3, 2), out = scale(5, 1);
    assert_true(lip_scale_fits_before(&in, &dense) && lip_scale_fits_after(&out, &dense));
    assert_false(lip_scale_fits_before(&out, &dense) || lip_scale_fits_after(&in, &dense));
    dense.dense.batch = 2;
    assert_false(lip_scale_fits_before(&in, &dense) || lip_scale_fits_after(&out, &dense));
    dense.dense.batch = 1;
    dense.dense.multiplicity = 2;
    assert_false(lip_scale_fits_before(&in, &dense) || lip_scale_fits_after(&out, &dense));
    lip_gain relu = { .kind = LIP_GAIN_SLOPES };
    assert_false(lip_scale_fits_before(&in, &relu) || lip_scale_fits_after(&in, &relu));
}

static void check_error(void **unused)
{
    (void)unused;
    lip_scale exact = scale(3, 1), rough = scale(3, 1);
    rough.relative_error = 0x1p-40;
    lip_layer_task task = { 0 };
    assert_true(lip_fold_error(&task, false) == 0);
    assert_true(lip_fold_error(&task, true) >= LIP_UNIT);
    task.before = &exact;
    assert_true(lip_fold_error(&task, true) >= 2 * LIP_UNIT);
    task.after = &rough;
    assert_true(lip_fold_error(&task, true) >= 3 * LIP_UNIT + 0x1p-40 &&
                lip_fold_error(&task, true) < 0x1.001p-40 + 4 * LIP_UNIT);
}

/* A product is within u of the truth, or it is NaN. */
static void check_products(void **unused)
{
    (void)unused;
    uint64_t state = 43;
    int lost = 0;
    for (int trial = 0; trial < 200000; trial++) {
        double a = ldexp(oracle_normal(&state), (int)oracle_int(&state, -1074, 1000));
        double b = ldexp(oracle_normal(&state), (int)oracle_int(&state, -1074, 1000)), product = lip_fold(a, b);
        lost += isnan(product);
        if (isfinite(product))
            assert_true(fabsl(fmal(a, b, -(long double)product)) <=
                        LIP_UNIT * (1 + 1e-18L) * fabsl((long double)a * b));
        else if (isnan(product))
            assert_true(fabs(a * b) < 0x1p-1022);
    }
    assert_true(lost > 1000);
    assert_true(lip_fold(0, 5) == 0 && lip_fold(5, 0) == 0 && lip_fold(LIP_TINY, 1) == LIP_TINY &&
                lip_fold(-1, 1) == -1);
    assert_true(isnan(lip_fold(0, (double)INFINITY)) && isinf(lip_fold(1e300, 1e300)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(check_convolutions),
        cmocka_unit_test(check_matrices),
        cmocka_unit_test(check_error),
        cmocka_unit_test(check_products),
    };
    return cmocka_run_group_tests_name("fold", tests, NULL, NULL);
}
