/*
 * test_audit.c: lip_audit over whole networks made by hand: above the norm of
 * linear networks as one matrix, the same bits for any number of threads,
 * progress, failures.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "hand_graph.h"
#include "oracle.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { SIDE = 6 };

static uint64_t state = 53;
static hand_graph g;
static double weights[12][4096], factors[6][8];

static lip_shape vector(void) { return hand_dims(2, 1, SIDE, 0, 0); }

static lip_report *audit(int threads, uint64_t seed)
{
    lip_audit_options options = { .threads = threads, .seed = seed, .iterations = 25, .effort = LIP_EFFORT_LAYERWISE };
    lip_report *report = NULL;
    lip_error error = { 0 };
    if (lip_audit(&g.model, &options, &report, &error) != LIP_OK)
        fail_msg("%s: %s", error.node, error.reason);
    return report;
}

/* out = a * b, SIDE x SIDE, row-major. */
static void multiply(const double *a, const double *b, double *out)
{
    for (int i = 0; i < SIDE; i++)
        for (int j = 0; j < SIDE; j++) {
            double sum = 0;
            for (int k = 0; k < SIDE; k++)
                sum += a[i * SIDE + k] * b[k * SIDE + j];
            out[i * SIDE + j] = sum;
        }
}

/* y = W2 diag(s) (W1 x + c) + x: a linear network with a residual, a translation and a folded scale. */
static void check_linear_network(void **unused)
{
    (void)unused;
    for (int trial = 0; trial < 100; trial++) {
        double scaled[SIDE * SIDE], product[SIDE * SIDE];
        hand_begin_graph(&g);
        oracle_fill(&state, weights[0], SIDE * SIDE);
        oracle_fill(&state, weights[1], SIDE * SIDE);
        oracle_fill(&state, factors[0], SIDE);
        lip_value *x = hand_varying(&g, vector()), *c = hand_constant(&g, vector());
        lip_value *y = hand_add(&g, hand_matrix(&g, weights[0], SIDE, SIDE), vector(), x, NULL, NULL);
        y = hand_add(&g, hand_kind(LIP_GAIN_SUM), vector(), y, c, NULL);
        y = hand_add(&g, hand_scale(factors[0], SIDE, 1), vector(), y, NULL, NULL);
        y = hand_add(&g, hand_matrix(&g, weights[1], SIDE, SIDE), vector(), y, NULL, NULL);
        hand_logits(&g, hand_add(&g, hand_kind(LIP_GAIN_SUM), vector(), y, x, NULL));
        for (int i = 0; i < SIDE * SIDE; i++)
            scaled[i] = factors[0][i / SIDE] * weights[0][i];
        multiply(weights[1], scaled, product);
        for (int i = 0; i < SIDE; i++)
            product[i * SIDE + i] += 1;
        long double truth = oracle_jacobi(product, SIDE, SIDE);
        double expected = (double)(oracle_jacobi(scaled, SIDE, SIDE) * oracle_jacobi(weights[1], SIDE, SIDE)) + 1;
        lip_report *report = audit(1, 0);
        assert_int_equal(report->layer_count, 4); /* the scale is part of the first matrix */
        assert_true(report->verdict == LIP_BOUNDED && (long double)report->network.upper >= truth);
        assert_true(report->product_upper >= expected * (1 - 1e-15) && report->product_upper <= expected * (1 + 1e-8));
        assert_int_equal(report->layers[0].folded_count, 1);
        lip_report_free(&report);
        hand_end_graph(&g);
    }
}

/* Convolutions of several kinds, matrices and slopes. */
static void build_mixed(void)
{
    hand_begin_graph(&g);
    lip_conv conv = { .dims = 2, .batch = 1, .groups = 1, .c_in = 4, .c_out = 4, .n = { 8, 8 }, .n_out = { 8, 8 },
                      .k = { 3, 3 }, .stride = { 1, 1 }, .dilation = { 1, 1 }, .pad_begin = { 1, 1 } };
    lip_shape image = hand_dims(4, 1, 4, 8, 8);
    lip_value *x = hand_varying(&g, image), *y = x;
    state = 59;
    for (int i = 0; i < 4; i++) {
        oracle_fill(&state, weights[i], 144);
        oracle_fill(&state, factors[i], 4);
        conv.groups = i == 2 ? 2 : 1;
        y = hand_add(&g, hand_conv(&g, &conv, weights[i]), image, y, NULL, NULL);
        y = hand_add(&g, hand_scale(factors[i], 4, 1), image, y, NULL, NULL);
        y = hand_add(&g, hand_slopes(0, 1), image, y, NULL, NULL);
    }
    y = hand_add(&g, hand_kind(LIP_GAIN_SUM), image, y, x, NULL);
    y = hand_add(&g, hand_kind(LIP_GAIN_ISOMETRY), hand_dims(2, 1, 256, 0, 0), y, NULL, NULL);
    oracle_fill(&state, weights[4], 256 * 10);
    hand_logits(&g, hand_add(&g, hand_matrix(&g, weights[4], 10, 256), hand_dims(2, 1, 10, 0, 0), y, NULL, NULL));
}

static bool same_bits(double a, double b) { return memcmp(&a, &b, sizeof a) == 0; }

static void check_threads(void **unused)
{
    (void)unused;
    build_mixed();
    lip_report *one = audit(1, 3);
    for (int threads = 2; threads <= 8; threads++) {
        lip_report *many = audit(threads, 3);
        assert_int_equal(one->layer_count, many->layer_count);
        for (size_t i = 0; i < one->layer_count; i++) {
            const lip_layer *a = &one->layers[i], *b = &many->layers[i];
            assert_true(same_bits(a->gain.lower, b->gain.lower) && same_bits(a->gain.upper, b->gain.upper));
            assert_true(same_bits(a->gain.tightness, b->gain.tightness) && same_bits(a->exact_svd, b->exact_svd));
            assert_true(same_bits(a->power_estimate, b->power_estimate) && same_bits(a->reshaped, b->reshaped));
            assert_true(same_bits(a->cumulative_upper, b->cumulative_upper) && same_bits(a->log_share, b->log_share));
        }
        assert_true(same_bits(one->network.upper, many->network.upper));
        assert_true(same_bits(one->power_product_estimate, many->power_product_estimate));
        lip_report_free(&many);
    }
    lip_report_free(&one);
    hand_end_graph(&g);
}

static void check_layers(void **unused)
{
    (void)unused;
    build_mixed();
    lip_report *report = audit(2, 1);
    assert_int_equal(report->layer_count, 4 + 4 + 3);
    assert_true(report->verdict == LIP_BOUNDED && report->peak_memory_bytes > 0 && report->bounds_seconds >= 0);
    for (size_t i = 0; i < report->layer_count; i++) {
        const lip_layer *layer = &report->layers[i];
        assert_int_equal(layer->index, i);
        assert_true(layer->gain.lower <= layer->gain.upper && layer->gain.tightness >= 1);
        if (!isnan(layer->exact_svd)) {
            assert_int_equal(oracle_breaks(layer->gain.lower, layer->gain.upper, layer->exact_svd, 1e-12), 0);
            assert_int_equal(oracle_breaks(layer->gain.lower, layer->gain.upper * 0.998, layer->exact_svd, 1e-12), 1);
        }
    }
    lip_report_free(&report);
    lip_report_free(&report);
    hand_end_graph(&g);
}

static size_t calls, last;
static bool ended;

static void progress(void *context, size_t done, size_t layers, const char *node)
{
    assert_ptr_equal(context, &calls);
    assert_true(done <= layers && done >= last && !ended);
    last = done;
    ended = node == NULL;
    calls++;
}

static void check_progress(void **unused)
{
    (void)unused;
    build_mixed();
    lip_audit_options options = { .threads = 1, .progress = progress, .progress_context = &calls,
                                  .effort = LIP_EFFORT_PRODUCT };
    lip_report *report;
    assert_int_equal(lip_audit(&g.model, &options, &report, NULL), LIP_OK);
    assert_true(ended && calls == 15 + 1);
    lip_report_free(&report);
    hand_end_graph(&g);
}

/* Each allocation fails once: an error or a report, and nothing is lost. */
static void check_memory(void **unused)
{
    (void)unused;
    int refused = 0;
    for (int k = 1; k < 200; k += k < 20 ? 1 : 17) {
        build_mixed();
        uint64_t in_use = atomic_load(&g.model.memory.used);
        lip_audit_options options = { .threads = 1, .iterations = 2, .effort = LIP_EFFORT_PRODUCT };
        lip_report *report = NULL;
        lip_error error = { 0 };
        atomic_store(&g.model.memory.fail_in, k);
        lip_status status = lip_audit(&g.model, &options, &report, &error);
        atomic_store(&g.model.memory.fail_in, 0);
        refused += status == LIP_EMEMORY;
        assert_true(status == LIP_OK || (status == LIP_EMEMORY && report == NULL && error.reason[0]));
        lip_report_free(&report);
        assert_int_equal(atomic_load(&g.model.memory.used), in_use);
        hand_end_graph(&g);
    }
    assert_true(refused > 0); /* most are made good: a layer that ran out of memory has a second try */
}

static void check_cap(void **unused)
{
    (void)unused;
    for (uint64_t room = 1 << 10; room < UINT64_C(1) << 26; room *= 4) {
        build_mixed();
        uint64_t in_use = atomic_load(&g.model.memory.used);
        g.model.memory.cap = in_use + room;
        lip_audit_options options = { .threads = 3, .iterations = 2, .effort = LIP_EFFORT_PRODUCT };
        lip_report *report = NULL;
        lip_error error = { 0 };
        lip_status status = lip_audit(&g.model, &options, &report, &error);
        assert_true(status == LIP_OK || (status == LIP_EMEMORY && error.reason[0]));
        assert_true(room >= 1 << 20 || status == LIP_EMEMORY);
        assert_true(status != LIP_OK || report->peak_memory_bytes <= in_use + room);
        assert_true(room < 1 << 24 || status == LIP_OK);
        lip_report_free(&report);
        assert_int_equal(atomic_load(&g.model.memory.used), in_use);
        hand_end_graph(&g);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(check_linear_network), cmocka_unit_test(check_threads), cmocka_unit_test(check_layers),
        cmocka_unit_test(check_progress),       cmocka_unit_test(check_memory),  cmocka_unit_test(check_cap),
    };
    return cmocka_run_group_tests_name("audit", tests, NULL, NULL);
}
