/*
 * test_torus.c: the twisted torus against the SVD of the formed operator, over
 * random geometries; the known norm of the kernel [1, 1, 1]; and that the size
 * of the torus matters, by a copy of the formula with a size to choose.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "linear/torus.h"
#include "oracle.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define GEOMETRIES 4000

static const double PI = 3.14159265358979323846;
static uint64_t state = 13;

static double torus(const lip_conv *conv, const double *w, double lower)
{
    double upper;
    uint64_t in_use = oracle_in_use();
    assert_int_equal(lip_torus_upper(conv, w, lower, oracle_memory(), &upper, NULL), LIP_OK);
    assert_int_equal(oracle_in_use(), in_use);
    return upper;
}

/* Weights of several kinds: Gaussian, positive (a peak at frequency 0), alternating (a peak at pi), sparse. */
static void fill(double *w, int64_t count)
{
    int64_t kind = oracle_int(&state, 0, 4);
    oracle_fill(&state, w, count);
    for (int64_t i = 0; i < count; i++) {
        if (kind == 1)
            w[i] = fabs(w[i]);
        if (kind == 2)
            w[i] = i & 1 ? fabs(w[i]) : -fabs(w[i]);
        if (kind == 3 && oracle_int(&state, 0, 2))
            w[i] = 0;
        if (kind == 4)
            w[i] = 1;
    }
    if (kind == 3)
        w[0] = 1;
    oracle_scale(w, count);
}

static void check_geometries(void **unused)
{
    (void)unused;
    int broken_inwards = 0, informed_looser = 0;
    double excess = 0;
    for (int trial = 0; trial < GEOMETRIES; trial++) {
        lip_conv conv = oracle_conv(&state, 72);
        int64_t count = lip_conv_weight_count(&conv);
        double *w = oracle_alloc(count, sizeof *w);
        fill(w, count);
        double truth = oracle_conv_norm(&conv, w), upper = torus(&conv, w, 0);
        double informed = torus(&conv, w, truth * (1 - 1e-12));
        if (oracle_breaks(0, upper, truth, 1e-14) || oracle_breaks(0, informed, truth, 1e-14) ||
            isinf(upper + informed)) {
            char text[256];
            oracle_conv_text(&conv, text, sizeof text);
            fail_msg("%s: norm %.17g, torus %.17g and %.17g", text, truth, upper, informed);
        }
        broken_inwards += oracle_breaks(0, upper * 0.999, truth, 0) == 1;
        informed_looser += informed > upper * (1 + 1e-6);
        excess += truth > 0 ? log(upper / truth) : 0;
        oracle_free(w);
    }
    print_message("# %d geometries: mean excess %.3f, the bound times 0.999 breaks %d times\n", GEOMETRIES,
                  excess / GEOMETRIES, broken_inwards);
    assert_true(broken_inwards > GEOMETRIES / 20);
    assert_true(excess / GEOMETRIES < 0.5);
    assert_int_equal(informed_looser, 0);
}

static lip_conv line(int64_t n, int64_t k, int64_t pad)
{
    return (lip_conv) { .dims = 1, .batch = 1, .groups = 1, .c_in = 1, .c_out = 1, .n = { n },
                        .n_out = { n + 2 * pad - k + 1 }, .k = { k }, .stride = { 1 }, .dilation = { 1 },
                        .pad_begin = { pad } };
}

/* [1, 1, 1], zero-padded: the tridiagonal matrix of ones, whose norm is 1 + 2 cos(pi / (n + 1)). */
static void check_ones(void **unused)
{
    (void)unused;
    const double ones[] = { 1, 1, 1 };
    for (int64_t n = 1; n < 200; n++) {
        lip_conv conv = line(n, 3, 1);
        double truth = 1 + 2 * cos(PI / (double)(n + 1)), upper = torus(&conv, ones, truth * (1 - 1e-13));
        assert_int_equal(oracle_breaks(0, upper, truth, 1e-15), 0);
        assert_true(upper <= truth * (1 + 1e-8)); /* the twist by 1/2 is exact here */
        assert_int_equal(oracle_breaks(0, upper * 0.999, truth, 1e-15), 1);
    }
}

/* max over j of |sum_t w_t e^{2 pi i (j + theta) t / N}|: the formula for one dimension, one channel, stride 1. */
static double circulant(const double *w, int64_t k, int64_t size, double theta)
{
    double largest = 0;
    for (int64_t j = 0; j < size; j++) {
        double re = 0, im = 0;
        for (int64_t t = 0; t < k; t++) {
            double angle = 2 * PI * ((double)j + theta) * (double)t / (double)size;
            re += w[t] * cos(angle);
            im += w[t] * sin(angle);
        }
        largest = fmax(largest, hypot(re, im));
    }
    return largest;
}

static void check_size_matters(void **unused)
{
    (void)unused;
    int fine = 0, broken = 0;
    for (int trial = 0; trial < 600; trial++) {
        int64_t k = 2 * oracle_int(&state, 1, 2) + 1, pad = k / 2;
        lip_conv conv = line(oracle_int(&state, 2, 8), k, pad);
        double w[5];
        oracle_fill(&state, w, k);
        double truth = oracle_conv_norm(&conv, w);
        int64_t size = conv.n[0] + pad;
        for (double theta = 0; theta < 1; theta += 0.5) {
            fine += circulant(w, k, size, theta) >= truth * (1 - 1e-13);
            broken += circulant(w, k, size - 1, theta) < truth * (1 - 1e-9);
        }
        oracle_scale(w, k);
        double upper = torus(&conv, w, 0), formula = fmin(circulant(w, k, size, 0), circulant(w, k, size, 0.5));
        assert_true(fabs(upper - formula) <= 1e-5 * formula);
    }
    print_message("# one position less than n + pad breaks the bound in %d of %d cases\n", broken, fine);
    assert_int_equal(fine, 1200);
    assert_true(broken > 20);
}

/* Angles far around the circle: large dilations keep their phases. */
static void check_dilation(void **unused)
{
    (void)unused;
    for (int trial = 0; trial < 40; trial++) {
        lip_conv conv = line(40, 3, 0);
        conv.dilation[0] = oracle_int(&state, 5, 60);
        conv.pad_begin[0] = oracle_int(&state, 0, 60);
        conv.n_out[0] = oracle_int(&state, 1, 60);
        double w[3];
        fill(w, 3);
        double truth = oracle_conv_norm(&conv, w);
        assert_int_equal(oracle_breaks(0, torus(&conv, w, 0), truth, 1e-14), 0);
    }
}

/* Strides and kernels as a file may state them where a single output makes them meaningless, or too large to hold. */
static void check_extremes(void **unused)
{
    (void)unused;
    lip_conv conv = { .dims = 3, .batch = 1, .groups = 1, .c_in = 2, .c_out = 2, .n = { 3, 3, 3 }, .n_out = { 1, 1, 1 },
                      .k = { 3, 3, 3 }, .stride = { INT32_MAX, INT32_MAX, INT32_MAX }, .dilation = { 1, 1, 1 } };
    double w[108], upper;
    fill(w, 108);
    double truth = oracle_conv_norm(&conv, w);
    assert_int_equal(oracle_breaks(0, torus(&conv, w, 0), truth, 1e-14), 0);
    conv.n_out[0] = conv.n_out[1] = conv.n_out[2] = 2; /* reaches nothing of the image with the second output */
    lip_status status = lip_torus_upper(&conv, w, 0, oracle_memory(), &upper, NULL);
    assert_true(status == LIP_EMEMORY || (status == LIP_OK && upper >= truth));
}

static void check_not_finite(void **unused)
{
    (void)unused;
    lip_conv conv = line(9, 3, 1);
    for (int at = 0; at < 3; at++) {
        double w[] = { 1, 1, 1 };
        w[at] = (double)NAN;
        assert_true(isinf(torus(&conv, w, 0)));
        w[at] = (double)INFINITY;
        assert_true(isinf(torus(&conv, w, 0)));
    }
}

static void check_memory(void **unused)
{
    (void)unused;
    lip_conv conv = line(9, 3, 1);
    const double ones[] = { 1, 1, 1 };
    uint64_t in_use = oracle_in_use();
    for (int k = 1; k < 12; k++) {
        double upper;
        atomic_store(&oracle_memory()->fail_in, k);
        lip_status status = lip_torus_upper(&conv, ones, 0, oracle_memory(), &upper, NULL);
        assert_true(status == LIP_OK ? upper >= 2.9 : status == LIP_EMEMORY);
        assert_int_equal(oracle_in_use(), in_use);
    }
    atomic_store(&oracle_memory()->fail_in, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(check_geometries), cmocka_unit_test(check_ones),     cmocka_unit_test(check_size_matters),
        cmocka_unit_test(check_dilation),   cmocka_unit_test(check_extremes), cmocka_unit_test(check_not_finite),
        cmocka_unit_test(check_memory),
    };
    return cmocka_run_group_tests_name("torus", tests, NULL, NULL);
}
