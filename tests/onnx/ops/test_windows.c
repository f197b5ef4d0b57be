/*
 * test_windows.c: Conv, ConvTranspose, MaxPool and AveragePool over random
 * attributes against loops written from the standard's text, their adjoints,
 * the overlap count of pooling, and what they refuse.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "hand_node.h"
#include "support.h"
#include "window.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { TRIALS = 300, D = 3 };

/* One node's geometry as the test chose it; axes in the standard's order. */
typedef struct geometry {
    int dims;
    int64_t n[D], m[D], k[D], s[D], d[D], begin[D], end[D];
    bool ceil_mode;
} geometry;

static int64_t random_in(uint64_t *state, int64_t low, int64_t high)
{
    return low + (int64_t)((hand_random(state) + 1) / 2 * (double)(high - low + 1));
}

static int64_t product(const int64_t *v, int dims)
{
    int64_t p = 1;
    for (int i = 0; i < dims; i++)
        p *= v[i];
    return p;
}

static void split(int64_t index, const int64_t *size, int dims, int64_t *at)
{
    for (int i = dims - 1; i >= 0; i--) {
        at[i] = index % size[i];
        index /= size[i];
    }
}

/* Input element that tap t of window o reads, or -1. */
static int64_t read_by(const geometry *g, int64_t o, int64_t t)
{
    int64_t at[D], tap[D], offset = 0;
    split(o, g->m, g->dims, at);
    split(t, g->k, g->dims, tap);
    for (int i = 0; i < g->dims; i++) {
        const int64_t q = at[i] * g->s[i] + tap[i] * g->d[i] - g->begin[i];
        if (q < 0 || q >= g->n[i])
            return -1;
        offset = offset * g->n[i] + q;
    }
    return offset;
}

/* Is the tap inside the input with its padding? */
static bool in_padded(const geometry *g, int64_t o, int64_t t)
{
    int64_t at[D], tap[D];
    split(o, g->m, g->dims, at);
    split(t, g->k, g->dims, tap);
    for (int i = 0; i < g->dims; i++)
        if (at[i] * g->s[i] + tap[i] * g->d[i] >= g->n[i] + g->begin[i] + g->end[i])
            return false;
    return true;
}

/* False if there is no output. [ONNX Operators.md, MaxPool: output_spatial_shape] */
static bool count_outputs(geometry *g)
{
    for (int i = 0; i < g->dims; i++) {
        const double room = (double)(g->n[i] + g->begin[i] + g->end[i] - g->d[i] * (g->k[i] - 1) - 1) / (double)g->s[i];
        g->m[i] = (int64_t)(g->ceil_mode ? ceil(room) : floor(room)) + 1;
        if (room < 0)
            return false;
        if (g->ceil_mode && (g->m[i] - 1) * g->s[i] >= g->n[i] + g->begin[i])
            g->m[i]--;
    }
    return true;
}

static geometry random_geometry(uint64_t *state, bool crop, bool ceil_mode)
{
    geometry g;
    do {
        g = (geometry){ .dims = (int)random_in(state, 1, 3), .ceil_mode = ceil_mode && random_in(state, 0, 1) };
        for (int i = 0; i < g.dims; i++) {
            g.n[i] = random_in(state, 1, 9);
            g.k[i] = random_in(state, 1, 4);
            g.s[i] = random_in(state, 1, 3);
            g.d[i] = random_in(state, 1, 2);
            g.begin[i] = random_in(state, crop ? -1 : 0, 2);
            g.end[i] = random_in(state, crop ? -1 : 0, 2);
        }
    } while (!count_outputs(&g));
    return g;
}

static void set_attributes(hand_node *h, const geometry *g)
{
    int64_t pads[2 * D];
    memcpy(pads, g->begin, (size_t)g->dims * sizeof *pads);
    memcpy(pads + g->dims, g->end, (size_t)g->dims * sizeof *pads);
    hand_ints(h, "kernel_shape", g->dims, g->k);
    hand_ints(h, "strides", g->dims, g->s);
    hand_ints(h, "dilations", g->dims, g->d);
    hand_ints(h, "pads", 2 * g->dims, pads);
    hand_int(h, "ceil_mode", g->ceil_mode);
}

static lip_shape shape_of(int64_t first, int64_t second, const int64_t *rest, int dims)
{
    lip_shape s = { .rank = dims + 2, .dim = { first, second } };
    for (int i = 0; i < dims; i++)
        s.dim[i + 2] = rest[i];
    return s;
}

static double *random_tensor(const lip_shape *shape, uint64_t *state)
{
    int64_t count = 0;
    assert_true(lip_shape_count(shape, &count));
    double *v = malloc((size_t)count * sizeof *v + 1);
    assert_non_null(v);
    for (int64_t i = 0; i < count; i++)
        v[i] = hand_random(state);
    return v;
}

static void add_random_input(hand_node *h, lip_shape shape, bool varies, uint64_t *state)
{
    double *v = random_tensor(&shape, state);
    hand_input(h, shape, v, varies);
    free(v);
}

static void assert_close(double found, double wanted)
{
    if (!(fabs(found - wanted) <= 1e-12 * (1 + fabs(wanted))))
        fail_msg("found %.17g, wanted %.17g", found, wanted);
}

/* ------------------------------------------------------------- convolution */

static void check_conv(const geometry *g, uint64_t *state)
{
    const int64_t groups = random_in(state, 1, 3), in = random_in(state, 1, 3), out = random_in(state, 1, 3), batch = 2;
    const int64_t inputs = product(g->n, g->dims), outputs = product(g->m, g->dims), taps = product(g->k, g->dims);
    hand_node h;
    hand_begin(&h, &lip_op_conv, 11, 1);
    add_random_input(&h, shape_of(batch, groups * in, g->n, g->dims), true, state);
    add_random_input(&h, shape_of(groups * out, in, g->k, g->dims), false, state);
    add_random_input(&h, (lip_shape){ .rank = 1, .dim = { groups * out } }, false, state);
    set_attributes(&h, g);
    hand_int(&h, "group", groups);
    assert_int_equal(hand_shape(&h), LIP_OK);
    assert_int_equal(h.out[0].count, batch * groups * out * outputs);
    assert_int_equal(hand_forward(&h, false), LIP_OK);
    for (int64_t y = 0; y < h.out[0].count; y++) {
        const int64_t o = y % outputs, c = y / outputs % (groups * out), b = y / outputs / (groups * out);
        double sum = h.data[2][c];
        for (int64_t i = 0; i < in; i++)
            for (int64_t t = 0; t < taps; t++) {
                const int64_t q = read_by(g, o, t);
                if (q >= 0)
                    sum += h.data[1][(c * in + i) * taps + t] * h.data[0][((b * groups + c / out) * in + i) * inputs + q];
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
        const geometry g = random_geometry(&state, true, false);
        check_conv(&g, &state);
    }
}

/* y = sum over x of w: every input is spread over the outputs that a convolution would read it from. */
static void check_conv_transpose(const geometry *g, const int64_t *extra, uint64_t *state)
{
    const int64_t groups = random_in(state, 1, 2), in = random_in(state, 1, 3), out = random_in(state, 1, 3);
    int64_t size[D];
    for (int i = 0; i < g->dims; i++) {
        size[i] = g->s[i] * (g->n[i] - 1) + extra[i] + (g->k[i] - 1) * g->d[i] + 1 - g->begin[i] - g->end[i];
        if (size[i] < 1)
            return;
    }
    const int64_t inputs = product(g->n, g->dims), outputs = product(size, g->dims), taps = product(g->k, g->dims);
    hand_node h;
    hand_begin(&h, &lip_op_conv_transpose, 11, 1);
    add_random_input(&h, shape_of(1, groups * in, g->n, g->dims), true, state);
    add_random_input(&h, shape_of(groups * in, out, g->k, g->dims), false, state);
    set_attributes(&h, g);
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
                    const int64_t q = read_by(&back, p, t);
                    if (q >= 0)
                        want[(c / in * out + o) * outputs + q] += h.data[1][(c * out + o) * taps + t] * h.data[0][c * inputs + p];
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
        const geometry g = random_geometry(&state, true, false);
        const int64_t extra[D] = { random_in(&state, 0, 1), random_in(&state, 0, 1), random_in(&state, 0, 1) };
        check_conv_transpose(&g, extra, &state);
    }
}

/* ----------------------------------------------------------------- pooling */

static bool some_window_is_empty(const geometry *g)
{
    for (int64_t o = 0; o < product(g->m, g->dims); o++) {
        bool any = false;
        for (int64_t t = 0; t < product(g->k, g->dims); t++)
            any = any || read_by(g, o, t) >= 0;
        if (!any)
            return true;
    }
    return false;
}

static int64_t most_windows_over_an_input(const geometry *g)
{
    int64_t most = 0;
    int64_t *count = calloc((size_t)product(g->n, g->dims), sizeof *count);
    assert_non_null(count);
    for (int64_t o = 0; o < product(g->m, g->dims); o++)
        for (int64_t t = 0; t < product(g->k, g->dims); t++) {
            const int64_t q = read_by(g, o, t);
            if (q >= 0 && ++count[q] > most)
                most = count[q];
        }
    free(count);
    return most;
}

static double max_of_window(const geometry *g, const double *x, int64_t o)
{
    double most = -INFINITY;
    for (int64_t t = 0; t < product(g->k, g->dims); t++) {
        const int64_t q = read_by(g, o, t);
        if (q >= 0)
            most = fmax(most, x[q]);
    }
    return most;
}

static double average_of_window(const geometry *g, bool include_pad, const double *x, int64_t o)
{
    double sum = 0;
    int64_t count = 0;
    for (int64_t t = 0; t < product(g->k, g->dims); t++) {
        const int64_t q = read_by(g, o, t);
        sum += q >= 0 ? x[q] : 0;
        count += q >= 0 || (include_pad && in_padded(g, o, t));
    }
    return sum / (double)count;
}

static void check_max_pool(const geometry *g, uint64_t *state)
{
    const int64_t inputs = product(g->n, g->dims), outputs = product(g->m, g->dims);
    hand_node h;
    hand_begin(&h, &lip_op_max_pool, 12, 2);
    add_random_input(&h, shape_of(2, 2, g->n, g->dims), true, state);
    set_attributes(&h, g);
    if (some_window_is_empty(g)) {
        assert_int_equal(hand_shape(&h), LIP_EFORMAT);
        assert_non_null(strstr(h.error.reason, "padding alone"));
        hand_end(&h);
        return;
    }
    if (hand_shape(&h) != LIP_OK)
        fail_msg("%s", h.error.reason);
    assert_int_equal(h.out[0].count, 4 * outputs);
    assert_int_equal(hand_forward(&h, false), LIP_OK);
    for (int64_t y = 0; y < h.out[0].count; y++) {
        assert_close(h.out[0].f64[y], max_of_window(g, h.data[0] + y / outputs * inputs, y % outputs));
        assert_close(h.data[0][h.out[1].i64[y]], h.out[0].f64[y]);
    }
    hand_check_derivative(&h, 0, 9, 1e-6);
    lip_gain gain;
    assert_int_equal(hand_describe(&h, &gain), LIP_OK);
    assert_int_equal(gain.kind, LIP_GAIN_SELECT);
    assert_int_equal(gain.select, most_windows_over_an_input(g));
    assert_true(hand_largest_slope(&h, 0, 4) <= sqrt((double)gain.select) * (1 + 1e-9));
    h.outputs[1]->consumers = 1;
    assert_int_equal(hand_describe(&h, &gain), LIP_OK);
    assert_int_equal(gain.kind, LIP_GAIN_UNBOUNDED);
    hand_end(&h);
}

static void check_average_pool(const geometry *g, bool include_pad, uint64_t *state)
{
    const int64_t inputs = product(g->n, g->dims), outputs = product(g->m, g->dims);
    hand_node h;
    hand_begin(&h, &lip_op_average_pool, 19, 1);
    add_random_input(&h, shape_of(1, 2, g->n, g->dims), true, state);
    set_attributes(&h, g);
    hand_int(&h, "count_include_pad", include_pad);
    if (!include_pad && some_window_is_empty(g)) {
        assert_int_equal(hand_shape(&h), LIP_EFORMAT);
        hand_end(&h);
        return;
    }
    assert_int_equal(hand_shape(&h), LIP_OK);
    assert_int_equal(hand_forward(&h, false), LIP_OK);
    for (int64_t y = 0; y < h.out[0].count; y++)
        assert_close(h.out[0].f64[y], average_of_window(g, include_pad, h.data[0] + y / outputs * inputs, y % outputs));
    hand_check_linear(&h, 0, 8);
    hand_end(&h);
}

static void pooling_agrees_with_the_definition(void **unused)
{
    (void)unused;
    uint64_t state = 8;
    for (int i = 0; i < TRIALS; i++) {
        const geometry g = random_geometry(&state, false, true);
        check_max_pool(&g, &state);
        check_average_pool(&g, i % 2 == 0, &state);
    }
}

/* An input that `select` windows share attains the root: raise it far above the rest. */
static void the_overlap_of_max_pool_is_attained(void **unused)
{
    (void)unused;
    const geometry g = { .dims = 2, .n = { 7, 7 }, .m = { 3, 3 }, .k = { 3, 3 }, .s = { 2, 2 }, .d = { 1, 1 } };
    uint64_t state = 1;
    hand_node h;
    hand_begin(&h, &lip_op_max_pool, 12, 1);
    add_random_input(&h, shape_of(1, 1, g.n, 2), true, &state);
    set_attributes(&h, &g);
    assert_int_equal(hand_shape(&h), LIP_OK);
    double changed = 0, before[9];
    h.data[0][2 * 7 + 2] = 10;
    assert_int_equal(hand_forward(&h, false), LIP_OK);
    memcpy(before, h.out[0].f64, sizeof before);
    h.data[0][2 * 7 + 2] = 11;
    assert_int_equal(hand_forward(&h, false), LIP_OK);
    for (int i = 0; i < 9; i++)
        changed += (h.out[0].f64[i] - before[i]) * (h.out[0].f64[i] - before[i]);
    lip_gain gain;
    assert_int_equal(hand_describe(&h, &gain), LIP_OK);
    assert_int_equal(gain.select, 4);
    assert_close(changed, (double)gain.select);
    hand_end(&h);
}

/* ----------------------------------------------------------------- refusals */

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
        cmocka_unit_test(pooling_agrees_with_the_definition),
        cmocka_unit_test(the_overlap_of_max_pool_is_attained),
        cmocka_unit_test(what_contradicts_is_refused),
        cmocka_unit_test(auto_pad_gives_the_standard_sizes),
    };
    return cmocka_run_group_tests_name("windows", tests, NULL, NULL);
}
