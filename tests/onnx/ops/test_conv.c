/*
 * test_conv.c: Conv and ConvTranspose over random attributes against loops
 * written from the standard's text, their adjoints, and what they refuse.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "geometry.h"
#include "support.h"
#include "window.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { TRIALS = 300 };

static void check_conv(const geometry *g, uint64_t *state)
{
    const int64_t groups = random_between(state, 1, 3), in = random_between(state, 1, 3);
    const int64_t out = random_between(state, 1, 3), batch = 2, taps = product_of(g->k, g->dims);
    const int64_t inputs = product_of(g->n, g->dims), outputs = product_of(g->m, g->dims);
    hand_node h;
    hand_begin(&h, &lip_op_conv, 11, 1);
    add_random_input(&h, geometry_shape(batch, groups * in, g->n, g->dims), true, state);
    add_random_input(&h, geometry_shape(groups * out, in, g->k, g->dims), false, state);
    add_random_input(&h, (lip_shape){ .rank = 1, .dim = { groups * out } }, false, state);
    geometry_set(&h, g);
    hand_int(&h, "group", groups);
    assert_int_equal(hand_shape(&h), LIP_OK);
    assert_int_equal(h.out[0].count, batch * groups * out * outputs);
    assert_int_equal(hand_forward(&h, false), LIP_OK);
    for (int64_t y = 0; y < h.out[0].count; y++) {
        const int64_t o = y % outputs, c = y / outputs % (groups * out), b = y / outputs / (groups * out);
        double sum = h.data[2][c];
        for (int64_t i = 0; i < in; i++)
            for (int64_t t = 0; t < taps; t++) {
                const int64_t q = geometry_read(g, o, t);
                const int64_t x = ((b * groups + c / out) * in + i) * inputs + q;
                if (q >= 0)
                    sum += h.data[1][(c * in + i) * taps + t] * h.data[0][x];
            }
        assert_close(h.out[0].f64[y], sum);
    }
    hand_check_linear(&h, 0, 3);
    lip_gain gain;
    assert_int_equal(hand_describe(&h, &gain), LIP_OK);
    assert_int_equal(gain.kind, LIP_GAIN_CONV);
    assert_int_equal(lip_conv_output_count(&gain.conv) * batch, h.out[0].count);
    hand_end(&h);
}

static void conv_agrees_with_the_definition(void **unused)
{
    (void)unused;
    uint64_t state = 5;
    for (int i = 0; i < TRIALS; i++) {
        const geometry g = geometry_random(&state, true, false);
        check_conv(&g, &state);
    }
}

/* y = sum over x of w: every input is spread over the outputs that a convolution would read it from. */
static void check_conv_transpose(const geometry *g, const int64_t *extra, uint64_t *state)
{
    const int64_t groups = random_between(state, 1, 2), in = random_between(state, 1, 3);
    const int64_t out = random_between(state, 1, 3), taps = product_of(g->k, g->dims);
    int64_t size[GEOMETRY_DIMS];
    for (int i = 0; i < g->dims; i++) {
        size[i] = g->s[i] * (g->n[i] - 1) + extra[i] + (g->k[i] - 1) * g->d[i] + 1 - g->begin[i] - g->end[i];
        if (size[i] < 1)
            return;
    }
    const int64_t inputs = product_of(g->n, g->dims), outputs = product_of(size, g->dims);
    hand_node h;
    hand_begin(&h, &lip_op_conv_transpose, 11, 1);
    add_random_input(&h, geometry_shape(1, groups * in, g->n, g->dims), true, state);
    add_random_input(&h, geometry_shape(groups * in, out, g->k, g->dims), false, state);
    geometry_set(&h, g);
    hand_int(&h, "group", groups);
    hand_ints(&h, "output_padding", g->dims, extra);
    assert_int_equal(hand_shape(&h), LIP_OK);
    assert_int_equal(h.out[0].count, groups * out * outputs);
    assert_int_equal(hand_forward(&h, false), LIP_OK);

    double *want = calloc((size_t)h.out[0].count, sizeof *want);
    assert_non_null(want);
    geometry back = *g; /* the convolution from the node's output to its input */
    memcpy(back.n, size, sizeof size);
    memcpy(back.m, g->n, sizeof back.m);
    for (int64_t c = 0; c < groups * in; c++)
        for (int64_t o = 0; o < out; o++)
            for (int64_t p = 0; p < inputs; p++)
                for (int64_t t = 0; t < taps; t++) {
                    const int64_t q = geometry_read(&back, p, t);
                    const double term = h.data[1][(c * out + o) * taps + t] * h.data[0][c * inputs + p];
                    if (q >= 0)
                        want[(c / in * out + o) * outputs + q] += term;
                }
    for (int64_t i = 0; i < h.out[0].count; i++)
        assert_close(h.out[0].f64[i], want[i]);
    free(want);
    hand_check_linear(&h, 0, 3);
    hand_end(&h);
}

static void conv_transpose_agrees_with_the_definition(void **unused)
{
    (void)unused;
    uint64_t state = 6;
    for (int i = 0; i < TRIALS; i++) {
        const geometry g = geometry_random(&state, true, false);
        int64_t extra[GEOMETRY_DIMS];
        for (int axis = 0; axis < GEOMETRY_DIMS; axis++)
            extra[axis] = random_between(&state, 0, 1);
        check_conv_transpose(&g, extra, &state);
    }
}

typedef struct refusal {
    const char *what;
    int64_t k, s, d, pad, group, channels, weights;
    lip_status status;
    const char *says;
} refusal;

static void what_contradicts_is_refused(void **unused)
{
    (void)unused;
    static const refusal table[] = {
        { "good", 3, 1, 1, 1, 1, 2, 2, LIP_OK, "" },
        { "stride 0", 3, 0, 1, 1, 1, 2, 2, LIP_EFORMAT, "strides has 0" },
        { "stride < 0", 3, -1, 1, 1, 1, 2, 2, LIP_EFORMAT, "strides has -1" },
        { "dilation 0", 3, 1, 0, 1, 1, 2, 2, LIP_EFORMAT, "dilations has 0" },
        { "kernel does not fit", 9, 1, 1, 0, 1, 2, 2, LIP_EFORMAT, "fewer than the kernel's 9" },
        { "dilation too large", 3, 1, INT32_MAX, 1, 1, 2, 2, LIP_EFORMAT, "fewer than the kernel's 3" },
        { "stride out of range", 3, INT64_MAX, 1, 1, 1, 2, 2, LIP_EFORMAT, "too large" },
        { "pad out of range", 3, 1, 1, INT64_MAX, 1, 2, 2, LIP_EFORMAT, "too large" },
        { "output out of range", 3, 1, 1, INT32_MAX, 1, 2, 2, LIP_EFORMAT, "too large" },
        { "group 0", 3, 1, 1, 1, 0, 2, 2, LIP_EFORMAT, "0 groups" },
        { "group does not divide", 3, 1, 1, 1, 3, 2, 2, LIP_EFORMAT, "3 groups" },
        { "channels differ", 3, 1, 1, 1, 1, 2, 5, LIP_EFORMAT, "its weights take 5" },
    };
    uint64_t state = 2;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const refusal *r = &table[i];
        hand_node h;
        hand_begin(&h, &lip_op_conv, 11, 1);
        add_random_input(&h, (lip_shape){ 3, { 1, r->channels, 5 } }, true, &state);
        add_random_input(&h, (lip_shape){ 3, { 6, r->weights, r->k } }, false, &state);
        hand_ints(&h, "strides", 1, &r->s);
        hand_ints(&h, "dilations", 1, &r->d);
        hand_ints(&h, "pads", 2, (int64_t[]){ r->pad, r->pad });
        hand_int(&h, "group", r->group);
        const lip_status status = hand_shape(&h);
        if (status != r->status || (status != LIP_OK && strstr(h.error.reason, r->says) == NULL))
            fail_msg("%s: status %d, '%s'", r->what, (int)status, h.error.reason);
        hand_end(&h);
    }
}

static void auto_pad_gives_the_standard_sizes(void **unused)
{
    (void)unused;
    static const struct {
        const char *mode;
        int64_t out, first_input; /* that output 0's first tap reads */
    } table[] = { { "SAME_UPPER", 4, 0 }, { "SAME_LOWER", 4, -1 }, { "VALID", 3, 0 } };
    for (size_t i = 0; i < 3; i++) {
        hand_node h;
        lip_window window;
        const lip_shape x = { 3, { 1, 1, 7 } };
        const int64_t k = 2, s = 2;
        hand_begin(&h, &lip_op_conv, 11, 1);
        hand_string(&h, "auto_pad", table[i].mode);
        hand_ints(&h, "strides", 1, &s);
        assert_int_equal(lip_window_read(&h.node, &x, &k, false, &window, &h.error), LIP_OK);
        assert_int_equal(window.n_out[0], table[i].out);
        assert_int_equal(-window.pad_begin[0], table[i].first_input);
        hand_end(&h);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conv_agrees_with_the_definition),
        cmocka_unit_test(conv_transpose_agrees_with_the_definition),
        cmocka_unit_test(what_contradicts_is_refused),
        cmocka_unit_test(auto_pad_gives_the_standard_sizes),
    };
    return cmocka_run_group_tests_name("conv", tests, NULL, NULL);
}
