/*
 * test_dense.c (gain): the norm of alpha diag(after) A diag(before) for
 * matrices in any storage order, batched and broadcast ones.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "sample.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static uint64_t state = 41;

static lip_gain dense_gain(const lip_tensor *weight, int64_t rows, int64_t cols, bool transposed)
{
    return (lip_gain) { .kind = LIP_GAIN_DENSE,
                        .dense = { .weight = weight, .alpha = 1, .rows = rows, .cols = cols,
                                   .row_stride = transposed ? 1 : cols, .col_stride = transposed ? rows : 1, .batch = 1,
                                   .multiplicity = 1, .in_axis = 1, .out_axis = 1 } };
}

static void check_folding(void **unused)
{
    (void)unused;
    double w[20 * 20], a[20 * 20], room[2][20];
    for (int trial = 0; trial < 600; trial++) {
        int64_t rows = oracle_int(&state, 1, 20), cols = oracle_int(&state, 1, 20);
        oracle_fill(&state, w, rows * cols);
        lip_tensor weight = sample_tensor(w, rows * cols);
        lip_gain gain = dense_gain(&weight, rows, cols, trial & 1);
        lip_scale before = sample_scale(&state, room[0], trial & 16 ? 1 : cols, trial & 16 ? -1 : 1);
        lip_scale after = sample_scale(&state, room[1], rows, 1);
        const lip_scale *columns = trial & 2 ? &before : NULL, *lines = trial & 4 ? &after : NULL;
        gain.dense.alpha = trial & 8 ? 0.3 : 1;
        for (int64_t i = 0; i < rows; i++)
            for (int64_t j = 0; j < cols; j++)
                a[j * rows + i] = gain.dense.alpha * lip_scale_at(lines, i) * lip_scale_at(columns, j) *
                                  w[trial & 1 ? j * rows + i : i * cols + j];
        double truth = (double)oracle_jacobi(a, rows, cols);
        lip_layer_gain out = sample_gain(&gain, sample_node(), columns, lines);
        if (oracle_breaks(out.lower, out.upper, truth, 1e-15) != 0 || out.upper > out.lower * (1 + 1e-8))
            fail_msg("norm %.17g, bounds [%.17g, %.17g]", truth, out.lower, out.upper);
        assert_int_equal(oracle_breaks(out.lower, out.upper * 0.999, truth, 1e-15), 1);
        assert_int_equal(oracle_breaks(out.lower * 1.001, out.upper, truth, 1e-15), -1);
        assert_true(fabs(out.exact_svd - truth) < 1e-13 * truth);
    }
}

static void check_batches(void **unused)
{
    (void)unused;
    const double w[] = { 3, 0, 0, 4, /* 4 */ 0, 5, 12, 0, /* 12 */ 1, 1, 1, 1 /* 2 */ };
    lip_tensor weight = sample_tensor(w, 12);
    lip_gain gain = dense_gain(&weight, 2, 2, false);
    gain.dense.batch = 3;
    gain.dense.batch_stride = 4;
    lip_layer_gain out = sample_gain(&gain, sample_node(), NULL, NULL);
    assert_true(out.lower <= 12 && out.upper >= 12 && out.upper < 12.0000001 && fabs(out.exact_svd - 12) < 1e-13);
    gain.dense.multiplicity = 3; /* x meets all three: sqrt(9 + 144 + ...) at most sqrt(3) 12 */
    out = sample_gain(&gain, sample_node(), NULL, NULL);
    double stacked[] = { 3, 0, 0, 12, 1, 1, 0, 4, 5, 0, 1, 1 };
    long double truth = oracle_jacobi(stacked, 6, 2);
    assert_true((long double)out.upper >= truth && (long double)out.lower <= truth && out.upper < 12 * 1.7321);
    assert_true(isnan(out.exact_svd) && out.exact_svd_reason[0]);
}

static void check_storages(void **unused)
{
    (void)unused;
    const float singles[] = { 3, 0, 0, -7 };
    lip_tensor weight = { .dtype = LIP_DTYPE_FLOAT, .storage = LIP_F32, .count = 4, .f32 = singles };
    lip_gain gain = dense_gain(&weight, 2, 2, false);
    lip_layer_gain out = sample_gain(&gain, sample_node(), NULL, NULL);
    assert_true(out.lower <= 7 && out.upper >= 7 && out.upper < 7.0000001);
}

static void check_extreme_scales(void **unused)
{
    (void)unused;
    const double sizes[] = { 0, 1e-320, 1e-310, 1e-200, 1, -1, 1e200, 1e300, (double)INFINITY, (double)NAN };
    const size_t count = sizeof sizes / sizeof *sizes;
    for (size_t i = 0; i < count * count * count * 2; i++) {
        double a = sizes[i % count], b = sizes[i / count % count], w = sizes[i / count / count % count];
        lip_tensor weight = sample_tensor(&w, 1);
        lip_gain gain = dense_gain(&weight, 1, 1, false);
        gain.dense.alpha = i / count / count / count ? 0x1p-140 : 1;
        lip_scale before = { &a, 1, 1, 0, 1 }, after = { &b, 1, 1, 0, 1 };
        lip_layer_gain out = sample_gain(&gain, sample_node(), &before, &after);
        long double truth = fabsl((long double)a * b * w * gain.dense.alpha);
        assert_true(isnan(truth) ? isinf(out.upper) : (long double)out.upper >= truth);
        assert_true(isnan(truth) || (long double)out.lower <= truth);
        assert_true(!isinf(out.upper) || (out.verdict == LIP_UNKNOWN && isnan(out.exact_svd)));
    }
}

static void check_not_finite(void **unused)
{
    (void)unused;
    double w[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };
    for (int at = 0; at < 8; at++) { /* in either matrix of a batch */
        lip_tensor weight = sample_tensor(w, 8);
        lip_gain gain = dense_gain(&weight, 2, 2, false);
        gain.dense.batch = 2;
        gain.dense.batch_stride = 4;
        w[at] = at & 1 ? (double)NAN : -(double)INFINITY;
        lip_layer_gain out = sample_gain(&gain, sample_node(), NULL, NULL);
        assert_true(out.verdict == LIP_UNKNOWN && isinf(out.upper) && isnan(out.exact_svd) && out.exact_svd_reason[0]);
        w[at] = at + 1;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(check_folding),        cmocka_unit_test(check_batches),    cmocka_unit_test(check_storages),
        cmocka_unit_test(check_extreme_scales), cmocka_unit_test(check_not_finite),
    };
    return cmocka_run_group_tests_name("gain dense", tests, NULL, NULL);
}
