/*
 * test_banded.c: the block-banded factorisation against the SVD of the formed
 * operator: above it, within 1e-6 of it, and refusing what is below it.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "linear/banded.h"
#include "oracle.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { GEOMETRIES = 2500 };

static uint64_t state = 17;

static double banded(const lip_conv *conv, const double *w, double candidate, double limit)
{
    double upper;
    uint64_t in_use = oracle_in_use();
    assert_int_equal(lip_banded_upper(conv, w, candidate, limit, oracle_memory(), &upper, NULL), LIP_OK);
    assert_int_equal(oracle_in_use(), in_use);
    return upper;
}

static void check_one(const lip_conv *conv, const double *w)
{
    char text[256];
    double inf = (double)INFINITY, truth = oracle_conv_norm(conv, w), upper = banded(conv, w, truth, inf);
    oracle_conv_text(conv, text, sizeof text);
    if (truth == 0) {
        assert_true(isinf(upper));
        return;
    }
    if (oracle_breaks(0, upper, truth, 1e-14) != 0)
        fail_msg("%s: norm %.17g, banded %.17g", text, truth, upper);
    if (truth < 0.01) /* the largest weights, of size 1, meet padding only; the proof's slack is relative to them */
        return;
    if (!(upper <= truth * (1 + 1e-6)))
        fail_msg("%s: norm %.17g, banded %.17g is not tight", text, truth, upper);
    assert_int_equal(oracle_breaks(0, upper * 0.999, truth, 1e-14), 1);
    /* From below, the first mu that it accepts is no less than the norm, whatever the step. */
    for (double share = 0.5; share < 1; share += 0.0999) {
        double found = banded(conv, w, truth * share, inf);
        if (oracle_breaks(0, found, truth, 1e-14) != 0)
            fail_msg("%s: norm %.17g, banded %.17g from %g of it", text, truth, found, share);
    }
    if (!isinf(banded(conv, w, truth * (1 - 1e-7), truth * (1 - 1e-10))))
        fail_msg("%s: a mu below the norm was proved", text);
}

static void check_geometries(void **unused)
{
    (void)unused;
    for (int trial = 0; trial < GEOMETRIES; trial++) {
        lip_conv conv = oracle_conv(&state, 72);
        int64_t count = lip_conv_weight_count(&conv);
        double *w = oracle_alloc(count, sizeof *w);
        oracle_fill(&state, w, count);
        if (trial % 4 == 0)
            for (int64_t i = 0; i < count; i++)
                w[i] = oracle_int(&state, 0, 2) ? 0 : w[i] * pow(10, (double)oracle_int(&state, -200, 0));
        bool zero = true;
        for (int64_t i = 0; i < count; i++)
            zero = zero && w[i] == 0;
        if (zero)
            w[0] = 1;
        oracle_scale(w, count);
        check_one(&conv, w);
        oracle_free(w);
    }
}

/* Image sizes where blocks are many, and channels where either side is the cheaper one. */
static void check_larger(void **unused)
{
    (void)unused;
    for (int trial = 0; trial < 6; trial++) {
        lip_conv conv = { .dims = 2, .batch = 1, .groups = 1, .c_in = trial % 2 ? 4 : 1, .c_out = trial % 2 ? 1 : 4 };
        for (int d = 0; d < 2; d++) {
            conv.n[d] = 9 + d + trial;
            conv.k[d] = 3;
            conv.stride[d] = 1 + trial / 3;
            conv.dilation[d] = 1;
            conv.pad_begin[d] = 1;
            conv.n_out[d] = (conv.n[d] - 1) / conv.stride[d] + 1;
        }
        double w[36];
        oracle_fill(&state, w, 36);
        oracle_scale(w, 36);
        check_one(&conv, w);
    }
}

static void check_not_finite(void **unused)
{
    (void)unused;
    lip_conv conv = { .dims = 1, .batch = 1, .groups = 1, .c_in = 1, .c_out = 1, .n = { 9 }, .n_out = { 9 }, .k = { 3 },
                      .stride = { 1 }, .dilation = { 1 }, .pad_begin = { 1 } };
    double w[] = { 1, (double)NAN, 1 }, one[] = { 1, 1, 1 }, nan = (double)NAN, inf = (double)INFINITY;
    assert_true(isinf(banded(&conv, w, 3, inf)));
    w[1] = inf;
    assert_true(isinf(banded(&conv, w, 3, inf)));
    assert_true(isinf(banded(&conv, one, nan, inf)));
    assert_true(isinf(banded(&conv, one, 0, inf)));
    assert_true(isinf(banded(&conv, one, 3, 2)));
}

static void check_price(void **unused)
{
    (void)unused;
    lip_conv conv = { .dims = 2, .batch = 1, .groups = 1, .c_in = 8, .c_out = 8, .n = { 28, 28 }, .n_out = { 28, 28 },
                      .k = { 3, 3 }, .stride = { 1, 1 }, .dilation = { 1, 1 }, .pad_begin = { 1, 1 } };
    lip_banded_cost small = lip_banded_price(&conv);
    assert_true(small.flops > 28 * pow(28 * 8, 3) && small.bytes > 8 * 6 * pow(28 * 8, 2));
    conv.n[0] = conv.n_out[0] = 56;
    assert_true(lip_banded_price(&conv).flops > small.flops * 1.9);
    conv.k[0] = 63; /* the window would not fit the tables: refused, not overrun */
    conv.n[0] = conv.n_out[0] = conv.n[1] = conv.n_out[1] = 400;
    conv.k[1] = 64;
    conv.dilation[0] = 2;
    conv.dilation[1] = 2;
    conv.c_in = conv.c_out = 1;
    double *w = oracle_alloc(lip_conv_weight_count(&conv), sizeof *w);
    w[0] = 1;
    assert_true(isinf(banded(&conv, w, 1, (double)INFINITY)));
    oracle_free(w);
}

static void check_memory(void **unused)
{
    (void)unused;
    lip_conv conv = { .dims = 1, .batch = 1, .groups = 1, .c_in = 1, .c_out = 1, .n = { 9 }, .n_out = { 9 }, .k = { 3 },
                      .stride = { 1 }, .dilation = { 1 }, .pad_begin = { 1 } };
    const double ones[] = { 1, 1, 1 };
    uint64_t in_use = oracle_in_use();
    for (int k = 1; k < 16; k++) {
        double upper;
        atomic_store(&oracle_memory()->fail_in, k);
        lip_status status = lip_banded_upper(&conv, ones, 2.91, (double)INFINITY, oracle_memory(), &upper, NULL);
        assert_true(status == LIP_OK || (status == LIP_EMEMORY && isinf(upper)));
        assert_int_equal(oracle_in_use(), in_use);
    }
    atomic_store(&oracle_memory()->fail_in, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(check_geometries), cmocka_unit_test(check_larger), cmocka_unit_test(check_not_finite),
        cmocka_unit_test(check_price),      cmocka_unit_test(check_memory),
    };
    return cmocka_run_group_tests_name("banded", tests, NULL, NULL);
}
