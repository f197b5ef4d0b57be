/*
 * test_convolution.c: lip_conv_norm, which chooses among the proofs, against
 * the SVD of the formed operator: random geometries, extreme scales, weights
 * that are known with an error only.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "linear/convolution.h"
#include "oracle.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { GEOMETRIES = 2000 };

static uint64_t state = 19;

static lip_norm norm_of(const lip_conv *conv, const double *w, double relative_error, lip_exact exact)
{
    lip_conv_options options = { exact, 30 };
    lip_random random = lip_random_seed(1, 1);
    lip_norm norm;
    uint64_t in_use = oracle_in_use();
    assert_int_equal(lip_conv_norm(conv, w, relative_error, &options, &random, oracle_memory(), &norm, NULL), LIP_OK);
    assert_int_equal(oracle_in_use(), in_use);
    return norm;
}

static void check_geometries(void **unused)
{
    (void)unused;
    int broken[2] = { 0, 0 }, tight[3] = { 0, 0, 0 }, nonzero = 0;
    for (int trial = 0; trial < GEOMETRIES; trial++) {
        lip_conv conv = oracle_conv(&state, 72);
        int64_t count = lip_conv_weight_count(&conv);
        double *w = oracle_alloc(count, sizeof *w);
        oracle_fill(&state, w, count);
        double truth = oracle_conv_norm(&conv, w);
        for (int exact = 0; exact < 3; exact++) {
            lip_norm norm = norm_of(&conv, w, 0, (lip_exact)exact);
            if (oracle_breaks(norm.lower, norm.upper, truth, 1e-14) != 0) {
                char text[256];
                oracle_conv_text(&conv, text, sizeof text);
                fail_msg("%s: norm %.17g, bounds [%.17g, %.17g]", text, truth, norm.lower, norm.upper);
            }
            assert_true(norm.upper <= lip_conv_schur_upper(&conv, w) * (1 + 1e-12));
            assert_true(norm.power_estimate <= truth * (1 + 1e-12));
            tight[exact] += norm.upper <= norm.lower * (1 + (exact == LIP_EXACT_ALWAYS ? 1e-6 : 1.1e-3));
            if (exact == LIP_EXACT_AUTO) {
                broken[0] += oracle_breaks(norm.lower, norm.upper * 0.998, truth, 1e-14) == 1;
                broken[1] += oracle_breaks(norm.lower * 1.001, norm.upper, truth, 1e-14) == -1;
            }
        }
        nonzero += truth > 0;
        oracle_free(w);
    }
    print_message("# %d geometries (%d not zero): tight in %d (auto), %d (always), %d (never)\n", GEOMETRIES, nonzero,
                  tight[LIP_EXACT_AUTO], tight[LIP_EXACT_ALWAYS], tight[LIP_EXACT_NEVER]);
    assert_true(broken[0] >= nonzero && broken[1] >= nonzero);
    assert_true(tight[LIP_EXACT_AUTO] >= nonzero && tight[LIP_EXACT_ALWAYS] >= nonzero);
}

static void check_scales(void **unused)
{
    (void)unused;
    const double scales[] = { 1e200, 1e-200, 1e300, 1e-300, 0x1p-1060 };
    for (int trial = 0; trial < 100; trial++) {
        lip_conv conv = oracle_conv(&state, 40);
        int64_t count = lip_conv_weight_count(&conv);
        double *w = oracle_alloc(count, sizeof *w), *scaled = oracle_alloc(count, sizeof *scaled);
        oracle_fill(&state, w, count);
        for (size_t s = 0; s < sizeof scales / sizeof *scales; s++) {
            for (int64_t i = 0; i < count; i++) {
                scaled[i] = w[i] * scales[s];
                w[i] = s < 4 ? w[i] : scaled[i] / scales[s];
            }
            double truth = oracle_conv_norm(&conv, w) * scales[s], doubt = s < 4 ? 1e-14 : 1e-12;
            lip_norm norm = norm_of(&conv, scaled, 0, LIP_EXACT_AUTO);
            assert_int_equal(oracle_breaks(norm.lower - 0x1p-1073, norm.upper + 0x1p-1073, truth, doubt), 0);
            if (truth > 0 && s < 4)
                assert_int_equal(oracle_breaks(norm.lower, norm.upper * 0.998, truth, doubt), 1);
        }
        oracle_free(scaled);
        oracle_free(w);
    }
}

/* Positive weights: the operators at both ends of the error have (1 +- r) times the norm. */
static void check_relative_error(void **unused)
{
    (void)unused;
    for (int trial = 0; trial < 100; trial++) {
        lip_conv conv = oracle_conv(&state, 40);
        int64_t count = lip_conv_weight_count(&conv);
        double *w = oracle_alloc(count, sizeof *w), r = pow(10, (double)oracle_int(&state, -12, -3));
        for (int64_t i = 0; i < count; i++)
            w[i] = fabs(oracle_normal(&state)) + 0x1p-1000;
        double truth = oracle_conv_norm(&conv, w);
        lip_norm norm = norm_of(&conv, w, r, LIP_EXACT_AUTO);
        assert_int_equal(oracle_breaks(norm.lower, norm.upper, truth * (1 + r), 1e-14), 0);
        assert_int_equal(oracle_breaks(norm.lower, norm.upper, truth * (1 - r), 1e-14), 0);
        oracle_free(w);
    }
}

static lip_conv pointwise(void)
{
    return (lip_conv) { .dims = 2, .batch = 1, .groups = 2, .c_in = 4, .c_out = 6, .n = { 5, 5 }, .n_out = { 3, 3 },
                        .k = { 1, 1 }, .stride = { 2, 2 }, .dilation = { 1, 1 } };
}

static void check_pointwise(void **unused)
{
    (void)unused;
    lip_conv conv = pointwise();
    double w[12] = { 3, 4, 0, 0, 0, 0, /* group 1: 5 */ 0, 12, 0, 0, 0, 5 /* group 2: 13 */ };
    lip_norm norm = norm_of(&conv, w, 0, LIP_EXACT_NEVER);
    assert_true(norm.lower <= 13 && norm.upper >= 13 && norm.upper <= norm.lower * (1 + 1e-9));
    conv.pad_begin[1] = 20; /* no output sees the image */
    norm = norm_of(&conv, w, 0, LIP_EXACT_AUTO);
    assert_true(norm.lower == 0 && norm.upper == 0);
    conv = pointwise();
    memset(w, 0, 6 * sizeof *w); /* one group without weights */
    norm = norm_of(&conv, w, 0, LIP_EXACT_AUTO);
    assert_true(norm.lower <= 13 && norm.upper >= 13 && norm.upper < 13.001);
}

static void check_not_finite(void **unused)
{
    (void)unused;
    const double bad[] = { (double)NAN, (double)INFINITY, -(double)INFINITY };
    for (int kernel = 1; kernel <= 2; kernel++)
        for (int b = 0; b < 3; b++)
            for (int at = 0; at < 12; at++) {
                lip_conv conv = pointwise();
                double w[24] = { 0 };
                conv.k[0] = kernel;
                w[at * kernel] = bad[b];
                lip_norm norm = norm_of(&conv, w, 0, LIP_EXACT_AUTO);
                assert_true(isinf(norm.upper) && norm.lower == 0);
                w[at * kernel] = 0;
                norm = norm_of(&conv, w, 0, LIP_EXACT_AUTO);
                assert_true(norm.upper == 0 && norm.lower == 0);
            }
}

static void check_memory(void **unused)
{
    (void)unused;
    lip_conv conv = oracle_conv(&state, 40);
    double *w = oracle_alloc(lip_conv_weight_count(&conv), sizeof *w);
    oracle_fill(&state, w, lip_conv_weight_count(&conv));
    double truth = oracle_conv_norm(&conv, w);
    uint64_t in_use = oracle_in_use();
    for (int k = 1; k < 80; k++) {
        lip_conv_options options = { LIP_EXACT_ALWAYS, 3 };
        lip_random random = lip_random_seed(1, 1);
        lip_norm norm;
        atomic_store(&oracle_memory()->fail_in, k);
        lip_status status = lip_conv_norm(&conv, w, 0, &options, &random, oracle_memory(), &norm, NULL);
        assert_true(status == LIP_EMEMORY || (status == LIP_OK && norm.upper >= truth * (1 - 1e-14)));
        assert_int_equal(oracle_in_use(), in_use);
    }
    atomic_store(&oracle_memory()->fail_in, 0);
    oracle_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(check_geometries), cmocka_unit_test(check_scales),     cmocka_unit_test(check_relative_error),
        cmocka_unit_test(check_pointwise),  cmocka_unit_test(check_not_finite), cmocka_unit_test(check_memory),
    };
    return cmocka_run_group_tests_name("convolution", tests, NULL, NULL);
}
