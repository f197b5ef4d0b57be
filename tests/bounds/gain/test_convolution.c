/*
 * test_convolution.c (gain): the norm of diag(after) A diag(before) with the
 * scales folded into the weights, against the matrix with its rows and columns
 * scaled; transposed and grouped convolutions too.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "sample.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static uint64_t state = 37;

/* Norm of diag(rows) A diag(cols), one factor a channel on either side. */
static double scaled_norm(const lip_conv *conv, const double *w, const lip_scale *on_out, const lip_scale *on_in)
{
    int64_t rows = lip_conv_output_count(conv), cols = lip_conv_input_count(conv);
    double *a = oracle_conv_matrix(conv, w);
    for (int64_t j = 0; j < cols; j++)
        for (int64_t i = 0; i < rows; i++)
            a[j * rows + i] *= lip_scale_at(on_out, i / (rows / conv->c_out)) *
                               lip_scale_at(on_in, j / (cols / conv->c_in));
    double norm = oracle_svd(a, rows, cols);
    oracle_free(a);
    return norm;
}

static void check_folding(void **unused)
{
    (void)unused;
    int inwards = 0, nonzero = 0;
    for (int trial = 0; trial < 800; trial++) {
        lip_gain gain = { .kind = LIP_GAIN_CONV, .conv = oracle_conv(&state, 60) };
        lip_conv *conv = &gain.conv;
        int64_t count = lip_conv_weight_count(conv);
        double *w = oracle_alloc(count, sizeof *w), room[2][8];
        oracle_fill(&state, w, count);
        lip_tensor weight = sample_tensor(w, count);
        conv->weight = &weight;
        conv->transposed = trial & 1;
        lip_scale on_out = sample_scale(&state, room[0], trial % 8 < 4 ? conv->c_out : 1, trial % 8 < 4 ? 1 : -1);
        lip_scale on_in = sample_scale(&state, room[1], conv->c_in, 1);
        const lip_scale *rows = trial & 2 ? &on_out : NULL, *columns = trial & 4 ? &on_in : NULL;
        double truth = scaled_norm(conv, w, rows, columns);
        lip_layer_gain out = conv->transposed ? sample_gain(&gain, sample_node(), rows, columns)
                                              : sample_gain(&gain, sample_node(), columns, rows);
        if (oracle_breaks(out.lower, out.upper, truth, 1e-13) != 0)
            fail_msg("norm %.17g, bounds [%.17g, %.17g]", truth, out.lower, out.upper);
        assert_true(fabs(out.exact_svd - truth) <= 1e-12 * truth);
        assert_true(out.power_estimate <= truth * (1 + 1e-12));
        inwards += truth > 0 && oracle_breaks(out.lower, out.upper * 0.998, truth, 1e-13) == 1;
        nonzero += truth > 0;
        oracle_free(w);
    }
    assert_int_equal(inwards, nonzero);
    assert_true(nonzero > 300);
}

/* Scales that only a wrong axis, or a wrong side, would treat alike: what must differ does. */
static void check_sides_differ(void **unused)
{
    (void)unused;
    lip_gain gain = { .kind = LIP_GAIN_CONV,
                      .conv = { .dims = 1, .batch = 1, .groups = 2, .c_in = 4, .c_out = 4, .n = { 3 }, .n_out = { 3 },
                                .k = { 1 }, .stride = { 1 }, .dilation = { 1 } } };
    const double w[] = { 1, 0, 0, 1, 1, 0, 0, 10 }, factors[] = { 1, 1, 1, 100 }, first[] = { 100, 1, 1, 1 };
    lip_tensor weight = sample_tensor(w, 8);
    gain.conv.weight = &weight;
    lip_scale last = { factors, 4, 1, 0, 1 }, other = { first, 4, 1, 0, 1 };
    assert_true(fabs(sample_gain(&gain, sample_node(), &last, NULL).upper - 1000) < 1e-6);
    assert_true(fabs(sample_gain(&gain, sample_node(), NULL, &last).upper - 1000) < 1e-6);
    assert_true(fabs(sample_gain(&gain, sample_node(), &other, NULL).upper - 100) < 1e-6);
}

/* What a product of scales loses to underflow or makes infinite never becomes a small bound. */
static void check_extreme_scales(void **unused)
{
    (void)unused;
    lip_gain gain = { .kind = LIP_GAIN_CONV,
                      .conv = { .dims = 1, .batch = 1, .groups = 1, .c_in = 1, .c_out = 1, .n = { 9 }, .n_out = { 9 },
                                .k = { 3 }, .stride = { 1 }, .dilation = { 1 }, .pad_begin = { 1 } } };
    const double sizes[] = { 0, 1e-320, 1e-310, 1e-200, 1, -1, 1e200, 1e300, (double)INFINITY, (double)NAN };
    const size_t count = sizeof sizes / sizeof *sizes;
    for (size_t i = 0; i < count * count * count; i++) {
        double a = sizes[i % count], b = sizes[i / count % count], weights = sizes[i / count / count];
        const double w[] = { 0, weights, 0 };
        lip_tensor weight = sample_tensor(w, 3);
        gain.conv.weight = &weight;
        lip_scale before = { &a, 1, 1, 0, 1 }, after = { &b, 1, 1, 0, 1 };
        lip_layer_gain out = sample_gain(&gain, sample_node(), &before, &after);
        long double truth = fabsl((long double)a * b * weights);
        assert_true(isnan(truth) ? isinf(out.upper) : (long double)out.upper >= truth);
        assert_true(isnan(truth) || (long double)out.lower <= truth);
        assert_true(!isinf(out.upper) || out.verdict == LIP_UNKNOWN);
    }
}

static void check_not_finite(void **unused)
{
    (void)unused;
    lip_gain gain = { .kind = LIP_GAIN_CONV,
                      .conv = { .dims = 1, .batch = 1, .groups = 1, .c_in = 2, .c_out = 2, .n = { 9 }, .n_out = { 9 },
                                .k = { 3 }, .stride = { 1 }, .dilation = { 1 }, .pad_begin = { 1 } } };
    for (int at = 0; at < 24; at++) {
        double w[12] = { 1, 2, 3 };
        w[at % 12] = at < 12 ? (double)NAN : (double)INFINITY;
        lip_tensor weight = sample_tensor(w, 12);
        gain.conv.weight = &weight;
        lip_layer_gain out = sample_gain(&gain, sample_node(), NULL, NULL);
        assert_true(out.verdict == LIP_UNKNOWN && isinf(out.upper) && isnan(out.exact_svd) && out.exact_svd_reason[0]);
    }
}

/* The closed form of the paper is an upper bound where it applies: the norm of the reshaped kernel times the root
 * of the overlap. */
static void check_paper(void **unused)
{
    (void)unused;
    for (int trial = 0; trial < 200; trial++) {
        lip_gain gain = { .kind = LIP_GAIN_CONV, .conv = oracle_conv(&state, 60) };
        lip_conv *conv = &gain.conv;
        for (int d = 0; d < conv->dims; d++) {
            conv->dilation[d] = trial & 1 ? 2 : 1;
            conv->pad_begin[d] = conv->k[d] / 2;
            int64_t room = conv->n[d] + 2 * conv->pad_begin[d] - (conv->k[d] - 1) * conv->dilation[d] - 1;
            conv->n_out[d] = room < 0 ? 1 : room / conv->stride[d] + 1;
        }
        int64_t count = lip_conv_weight_count(conv);
        double *w = oracle_alloc(count, sizeof *w);
        oracle_fill(&state, w, count);
        lip_tensor weight = sample_tensor(w, count);
        conv->weight = &weight;
        lip_layer_gain out = sample_gain(&gain, sample_node(), NULL, NULL);
        assert_true(out.reshaped > 0);
        assert_true(trial & 1 ? isnan(out.lmt_bound) : out.lmt_bound >= out.lower * (1 - 1e-13));
        oracle_free(w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(check_folding),        cmocka_unit_test(check_sides_differ),
        cmocka_unit_test(check_extreme_scales),
        cmocka_unit_test(check_not_finite), cmocka_unit_test(check_paper),
    };
    return cmocka_run_group_tests_name("gain convolution", tests, NULL, NULL);
}
