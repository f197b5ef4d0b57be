/*
 * test_magnitude.c: || |A| ||_2 of matrices and convolutions with scales,
 * against the SVD of the operator written out.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "certify/magnitude.h"
#include "gain/sample.h"
#include "rounding.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static lip_magnitude magnitude(const lip_gain *gain, const lip_scale *before, const lip_scale *after)
{
    lip_magnitude out;
    lip_error error = { 0 };
    uint64_t in_use = oracle_in_use();
    if (lip_magnitude_of(gain, before, after, oracle_memory(), &out, &error) != LIP_OK)
        fail_msg("%s", error.reason);
    assert_int_equal(oracle_in_use(), in_use);
    return out;
}

static lip_gain dense_gain(const lip_tensor *weight, int64_t rows, int64_t cols, bool transposed, double alpha)
{
    return (lip_gain) { .kind = LIP_GAIN_DENSE,
                        .dense = { .weight = weight, .alpha = alpha, .rows = rows, .cols = cols, .batch = 1,
                                   .row_stride = transposed ? 1 : cols, .col_stride = transposed ? rows : 1,
                                   .multiplicity = 1, .in_axis = 1, .out_axis = 1 } };
}

/* Column-major |s| |alpha| |A| |t| of rows x cols, from storage of either order. */
static double *written_out(const lip_gain *gain, const double *w, const lip_scale *before, const lip_scale *after)
{
    const lip_dense *d = &gain->dense;
    double *matrix = oracle_alloc(d->rows * d->cols, sizeof *matrix);
    for (int64_t i = 0; i < d->rows; i++)
        for (int64_t j = 0; j < d->cols; j++)
            matrix[j * d->rows + i] = fabs(w[i * d->row_stride + j * d->col_stride] * d->alpha *
                                           lip_scale_at(after, i) * lip_scale_at(before, j));
    return matrix;
}

static void matrices_within_a_percent(void **unused)
{
    (void)unused;
    uint64_t state = 1;
    for (int trial = 0; trial < 60; trial++) {
        int64_t rows = oracle_int(&state, 1, 30), cols = oracle_int(&state, 1, 30);
        double *w = oracle_alloc(rows * cols, sizeof *w), on_rows[30], on_cols[30];
        oracle_fill(&state, w, rows * cols);
        lip_tensor weight = sample_tensor(w, rows * cols);
        lip_scale after = sample_scale(&state, on_rows, rows, 1), before = sample_scale(&state, on_cols, cols, 1);
        const lip_scale *a = trial % 2 ? &after : NULL, *b = trial % 3 ? &before : NULL;
        lip_gain gain = dense_gain(&weight, rows, cols, trial % 5 < 2, trial % 4 ? 1 : -1.5);
        double *matrix = written_out(&gain, w, b, a), truth = oracle_svd(matrix, rows, cols);
        lip_magnitude found = magnitude(&gain, b, a);
        assert_true(found.upper >= truth * (1 - 1e-13));
        assert_true(found.upper <= truth * 1.05);
        assert_true(found.row_terms >= (double)cols && found.column_terms >= (double)rows);
        oracle_free(matrix);
        oracle_free(w);
    }
}

/* Equal elements: the bound is the norm, and 0.999 of it is below. */
static void equal_elements_are_exact(void **unused)
{
    (void)unused;
    double w[12];
    for (int i = 0; i < 12; i++)
        w[i] = i % 2 ? 0.75 : -0.75;
    lip_tensor weight = sample_tensor(w, 12);
    lip_gain gain = dense_gain(&weight, 3, 4, false, 1);
    double truth = 0.75 * sqrt(12), found = magnitude(&gain, NULL, NULL).upper;
    assert_true(found >= truth && found * 0.999 < truth && found <= truth * (1 + 1e-10));
}

static void convolutions_are_bounded(void **unused)
{
    (void)unused;
    uint64_t state = 3;
    double closest = (double)INFINITY;
    for (int trial = 0; trial < 300; trial++) {
        lip_conv conv = oracle_conv(&state, 150);
        int64_t count = lip_conv_weight_count(&conv);
        double *w = oracle_alloc(count, sizeof *w), *absolute = oracle_alloc(count, sizeof *w), on_out[512], on_in[512];
        oracle_fill(&state, w, count);
        lip_tensor weight = sample_tensor(w, count);
        conv.weight = &weight;
        bool scaled = trial % 2 && conv.c_out <= 512 && conv.c_in <= 512;
        lip_scale out_scale = scaled ? sample_scale(&state, on_out, conv.c_out, 1) : (lip_scale) { 0 };
        lip_scale in_scale = scaled ? sample_scale(&state, on_in, conv.c_in, 1) : (lip_scale) { 0 };
        int64_t per_in = conv.c_in / conv.groups, taps = count / (conv.c_out * per_in);
        for (int64_t i = 0; i < count; i++) {
            int64_t o = i / taps / per_in, c = o / (conv.c_out / conv.groups) * per_in + i / taps % per_in;
            absolute[i] = fabs(w[i] * (scaled ? on_out[o] * on_in[c] : 1));
        }
        double truth = oracle_conv_norm(&conv, absolute);
        lip_gain gain = { .kind = LIP_GAIN_CONV, .conv = conv };
        double found = magnitude(&gain, scaled ? &in_scale : NULL, scaled ? &out_scale : NULL).upper;
        gain.conv.transposed = true;
        double adjoint = magnitude(&gain, scaled ? &out_scale : NULL, scaled ? &in_scale : NULL).upper;
        if (!(found >= truth * (1 - 1e-12))) {
            char text[400];
            oracle_conv_text(&conv, text, sizeof text);
            fail_msg("%s: %.17g is below %.17g", text, found, truth);
        }
        assert_true(adjoint == found);
        closest = truth > 0 ? fmin(closest, found / truth) : closest;
        oracle_free(absolute);
        oracle_free(w);
    }
    assert_true(closest * 0.999 < 1);
}

static void what_is_not_finite_has_no_bound(void **unused)
{
    (void)unused;
    double w[] = { 1, 2, (double)NAN, 3, 1, 1 };
    lip_tensor weight = sample_tensor(w, 6);
    lip_gain gain = dense_gain(&weight, 2, 3, false, 1);
    assert_true(isinf(magnitude(&gain, NULL, NULL).upper));
    w[2] = -(double)INFINITY;
    assert_true(isinf(magnitude(&gain, NULL, NULL).upper));
    for (int i = 0; i < 6; i++)
        w[i] = 0;
    assert_true(magnitude(&gain, NULL, NULL).upper == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matrices_within_a_percent),
        cmocka_unit_test(equal_elements_are_exact),
        cmocka_unit_test(convolutions_are_bounded),
        cmocka_unit_test(what_is_not_finite_has_no_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
