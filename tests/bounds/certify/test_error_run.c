/*
 * test_error_run.c: bounds of rounding errors over a ball, against executions
 * in float32 in random orders, fused or not, batch-norm folded or not.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "certify/opened_plan.h"
#include "oracle.h"

#include <math.h>
#include <stdio.h>

enum { WIDTH = 24, CLASSES = 5 };

static size_t value_named(const opened *o, const char *name)
{
    for (size_t v = 0; v < o->model->value_count; v++)
        if (strcmp(o->model->values[v]->name, name) == 0)
            return v;
    fail_msg("no value %s", name);
    return 0;
}

/* Bounds for float32 executions around a sample whose values have these norms, taken as exact. */
static void run(opened *o, double *most)
{
    const lip_error_step *refused = NULL;
    const lip_error_case which = { .precision = &lip_ieee_float32, .norms = o->norms, .own = o->own, .converts = true };
    assert_true(lip_error_run(&o->plan, &which, o->errors, most, &refused));
    assert_null(refused);
}

static double at(lip_affine a, double r) { return a.at0 + a.slope * r; }

/* --------------------------------------------------------------------- growth */

static void growth_is_above_and_close(void **unused)
{
    (void)unused;
    const double units[] = { 1, 2, 24, 1000, 5000, 123456 }, unit[] = { 0x1p-8, 0x1p-11, 0x1p-24, 0x1p-53 };
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        for (size_t k = 0; k < sizeof unit / sizeof *unit; k++) {
            long double truth = expm1l((long double)units[i] * log1pl((long double)unit[k]));
            double found = lip_error_growth(unit[k], units[i]);
            assert_true((long double)found >= truth);
            if (units[i] * unit[k] < 1e-3 || units[i] * unit[k] > 0x1p-4)
                assert_true((long double)found * 0.999L < truth || isinf(found));
        }
    assert_true(isinf(lip_error_growth(0x1p-8, 1e9)));
}

/* --------------------------------------------------------------- scalar chain */

/*
 * Eight scalar layers. Around x = 0 the values at the sample are 0: widening the input by r and leaving the layers'
 * values as they are bounds the first layer's error alone. The executions' real error is larger.
 */
static void the_ball_reaches_every_layer(void **unused)
{
    (void)unused;
    enum { LAYERS = 8 };
    uint64_t state = 11;
    double most, worst = 0, gain = 1;
    float w[LAYERS], edge = 0.75F;
    opened o = { .build = build_new(17) };
    build_input(o.build, "v0", "1x1");
    for (int i = 0; i < LAYERS; i++) {
        char name[8], nodes[32], out[8];
        w[i] = 1 + (float)(oracle_bits(&state) % (1 << 23)) * 0x1p-23F;
        snprintf(name, sizeof name, "w%d", i);
        snprintf(nodes, sizeof nodes, "v%d w%d", i, i);
        snprintf(out, sizeof out, "v%d", i + 1);
        build_floats(o.build, name, "1x1", &w[i]);
        build_node(o.build, "MatMul", nodes, out);
        gain *= (double)w[i];
    }
    build_output(o.build, "v8");
    open_plan(&o, 0, "a plan");
    run(&o, &most); /* all norms 0: the sample is 0 */
    double claimed = at(o.errors[value_named(&o, "v8")], (double)edge);
    double input_only = 0x1p-24 * (double)edge * gain; /* one rounding of the first product, carried on */
    for (int k = 0; k < 200000; k++) {
        float x = edge * (float)(oracle_bits(&state) % (1 << 24)) * 0x1p-24F, y = x;
        long double wide = x; /* eight roundings of 2^-64 */
        for (int i = 0; i < LAYERS; i++) {
            y *= w[i];
            wide *= (long double)w[i];
        }
        worst = fmax(worst, (double)fabsl((long double)y - wide));
    }
    assert_true(worst > input_only);
    assert_true(worst <= claimed);
    assert_true(claimed < 200 * worst);
    close_plan(&o);
}

/* ------------------------------------------------------------------- networks */

/* relu(bn(W1 x + b1)) =: h, then W3 (W2 h + h) + b3. */
typedef struct network {
    double w1[WIDTH * WIDTH], b1[WIDTH], gamma[WIDTH], beta[WIDTH], mean[WIDTH], variance[WIDTH];
    double w2[WIDTH * WIDTH], w3[CLASSES * WIDTH], b3[CLASSES];
} network;

static void fill(uint64_t *state, double scale, size_t count, double *to)
{
    for (size_t i = 0; i < count; i++)
        to[i] = (double)(float)(scale * ((double)oracle_bits(state) / 0x1p63 - 1));
}

static void make(uint64_t *state, network *n)
{
    fill(state, 0.4, WIDTH * WIDTH, n->w1);
    fill(state, 1, WIDTH, n->b1);
    fill(state, 2, WIDTH, n->gamma);
    fill(state, 1, WIDTH, n->beta);
    fill(state, 1, WIDTH, n->mean);
    fill(state, 0.4, WIDTH * WIDTH, n->w2);
    fill(state, 1, CLASSES * WIDTH, n->w3);
    fill(state, 1, CLASSES, n->b3);
    for (int i = 0; i < WIDTH; i++)
        n->variance[i] = (double)(0.1F + (float)fabs(n->beta[i]));
}

static void open_network(opened *o, const network *n)
{
    build *b = o->build = build_new(17);
    build_input(b, "x", "1x24");
    build_reals(b, "w1", "24x24", n->w1);
    build_reals(b, "b1", "24", n->b1);
    build_reals(b, "gamma", "24", n->gamma);
    build_reals(b, "beta", "24", n->beta);
    build_reals(b, "mean", "24", n->mean);
    build_reals(b, "variance", "24", n->variance);
    build_reals(b, "w2", "24x24", n->w2);
    build_reals(b, "w3", "5x24", n->w3);
    build_reals(b, "b3", "5", n->b3);
    build_node(b, "Gemm", "x w1 b1", "a");
    build_attr_int(b, "transB", 1);
    build_node(b, "BatchNormalization", "a gamma beta mean variance", "n");
    build_node(b, "Relu", "n", "h");
    build_node(b, "Gemm", "h w2", "m");
    build_attr_int(b, "transB", 1);
    build_node(b, "Add", "m h", "s");
    build_node(b, "Gemm", "s w3 b3", "y");
    build_attr_int(b, "transB", 1);
    build_output(b, "y");
    open_plan(o, CLASSES, "network");
}

static long double wide_dot(const double *w, const long double *x, double b)
{
    long double sum = b;
    for (int i = 0; i < WIDTH; i++)
        sum += (long double)w[i] * x[i];
    return sum;
}

/* n, s and y in long double. */
static void exact(const network *n, const double *x, long double *bn, long double *s, long double *y)
{
    long double wide[WIDTH], h[WIDTH];
    for (int i = 0; i < WIDTH; i++)
        wide[i] = x[i];
    for (int i = 0; i < WIDTH; i++) {
        long double factor = n->gamma[i] / sqrtl((long double)n->variance[i] + (long double)1e-5F);
        bn[i] = (wide_dot(n->w1 + i * WIDTH, wide, n->b1[i]) - n->mean[i]) * factor + n->beta[i];
        h[i] = bn[i] > 0 ? bn[i] : 0;
    }
    for (int i = 0; i < WIDTH; i++)
        s[i] = wide_dot(n->w2 + i * WIDTH, h, 0) + h[i];
    for (int i = 0; i < CLASSES; i++)
        y[i] = wide_dot(n->w3 + i * WIDTH, s, n->b3[i]);
}

/* start + sum w x + b in a random order; `start` may come first, in the middle or last, as b may. */
static float any_order(uint64_t *state, const float *w, const float *x, float b, float start)
{
    int order[WIDTH + 2];
    float sum = 0;
    bool fused = oracle_bits(state) % 2;
    for (int i = 0; i < WIDTH + 2; i++)
        order[i] = i;
    for (int i = WIDTH + 1; i > 0; i--) {
        int j = (int)(oracle_bits(state) % (uint64_t)(i + 1)), swap = order[i];
        order[i] = order[j];
        order[j] = swap;
    }
    for (int i = 0; i < WIDTH + 2; i++) {
        int k = order[i];
        if (k < WIDTH)
            sum = fused ? fmaf(w[k], x[k], sum) : sum + w[k] * x[k];
        else
            sum += k == WIDTH ? b : start;
    }
    return sum;
}

static void execute(uint64_t *state, const network *n, const double *x, float *bn, float *s, float *y)
{
    float in[WIDTH], h[WIDTH], w[WIDTH];
    bool folded = oracle_bits(state) % 2, residual = oracle_bits(state) % 2;
    for (int i = 0; i < WIDTH; i++)
        in[i] = (float)x[i];
    for (int i = 0; i < WIDTH; i++) {
        float factor = (float)n->gamma[i] / sqrtf((float)n->variance[i] + 1e-5F);
        for (int k = 0; k < WIDTH; k++)
            w[k] = (float)n->w1[i * WIDTH + k] * (folded ? factor : 1);
        float shift = ((float)n->b1[i] - (float)n->mean[i]) * factor + (float)n->beta[i];
        bn[i] = any_order(state, w, in, folded ? shift : (float)n->b1[i], 0);
        if (!folded)
            bn[i] = (bn[i] - (float)n->mean[i]) * factor + (float)n->beta[i];
        h[i] = bn[i] > 0 ? bn[i] : 0;
    }
    for (int i = 0; i < WIDTH; i++) {
        for (int k = 0; k < WIDTH; k++)
            w[k] = (float)n->w2[i * WIDTH + k];
        s[i] = any_order(state, w, h, 0, residual ? h[i] : 0);
        s[i] = residual ? s[i] : s[i] + h[i];
    }
    for (int i = 0; i < CLASSES; i++) {
        for (int k = 0; k < WIDTH; k++)
            w[k] = (float)n->w3[i * WIDTH + k];
        y[i] = any_order(state, w, s, (float)n->b3[i], 0);
    }
}

static double norm(const long double *x, int n)
{
    long double sum = 0;
    for (int i = 0; i < n; i++)
        sum += x[i] * x[i];
    return (double)(sqrtl(sum) * (1 + 1e-14L));
}

static double distance(const float *x, const long double *y, int n)
{
    long double apart[WIDTH];
    for (int i = 0; i < n; i++)
        apart[i] = (long double)x[i] - y[i];
    return norm(apart, n);
}

static void set_norms(opened *o, const network *n, const double *x)
{
    long double in[WIDTH], bn[WIDTH], h[WIDTH], s[WIDTH], y[CLASSES], m[WIDTH];
    exact(n, x, bn, s, y);
    for (int i = 0; i < WIDTH; i++) {
        in[i] = x[i];
        h[i] = bn[i] > 0 ? bn[i] : 0;
        m[i] = s[i] - h[i];
    }
    o->norms[value_named(o, "x")] = norm(in, WIDTH);
    o->norms[value_named(o, "h")] = norm(h, WIDTH);
    o->norms[value_named(o, "m")] = norm(m, WIDTH);
    o->norms[value_named(o, "s")] = norm(s, WIDTH);
}

/* Largest observed error over its bound, at n, s and for the pairs of logits. */
static void compare(uint64_t *state, const opened *o, const network *n, const double *x, double r, double worst[3])
{
    const lip_error_case which = { .precision = &lip_ieee_float32, .norms = o->norms, .own = o->own, .converts = true };
    lip_affine rows[CLASSES];
    for (int t = 0; t < CLASSES; t++)
        rows[t] = lip_error_of_row(&o->plan, &which, o->errors, t);
    double at_n = at(o->errors[value_named(o, "n")], r), at_s = at(o->errors[value_named(o, "s")], r);
    for (int trial = 0; trial < 200; trial++) {
        double there[WIDTH], length = 0;
        long double bn[WIDTH], s[WIDTH], y[CLASSES];
        float bn32[WIDTH], s32[WIDTH], y32[CLASSES];
        for (int i = 0; i < WIDTH; i++) {
            there[i] = oracle_normal(state);
            length = hypot(length, there[i]);
        }
        for (int i = 0; i < WIDTH; i++)
            there[i] = x[i] + there[i] / length * r * (1 - 1e-12);
        exact(n, there, bn, s, y);
        execute(state, n, there, bn32, s32, y32);
        worst[0] = fmax(worst[0], distance(bn32, bn, WIDTH) / at_n);
        worst[1] = fmax(worst[1], distance(s32, s, WIDTH) / at_s);
        for (int t = 0; t < CLASSES; t++)
            for (int j = 0; j < t; j++) {
                double claimed = o->plan.pair[t * CLASSES + j] * at_s + at(rows[t], r) + at(rows[j], r);
                long double apart = ((long double)y32[t] - y32[j]) - (y[t] - y[j]);
                worst[2] = fmax(worst[2], (double)fabsl(apart) / claimed);
            }
    }
}

static void executions_stay_within_the_bounds(void **unused)
{
    (void)unused;
    uint64_t state = 21;
    double worst[3] = { 0 };
    for (int trial = 0; trial < 10; trial++) {
        network n;
        opened o = { 0 };
        double x[WIDTH], most;
        make(&state, &n);
        open_network(&o, &n);
        assert_int_equal(o.plan.last, o.plan.count - 1);
        assert_int_equal(o.plan.count, 5); /* Gemm with its batch-norm, Relu, Gemm, Add, Gemm */
        fill(&state, trial % 2 ? 1 : 0, WIDTH, x);
        set_norms(&o, &n, x);
        run(&o, &most);
        assert_true(most > 1e30);
        for (double r = 0.01; r < 1000; r *= 30)
            compare(&state, &o, &n, x, r, worst);
        close_plan(&o);
    }
    for (int i = 0; i < 3; i++) {
        assert_true(worst[i] <= 1);
        assert_true(worst[i] > 1e-3); /* the bounds say something */
    }
}

/* The error grows with the radius, from its value at the sample; coefficients are not negative. */
static void bounds_are_monotone(void **unused)
{
    (void)unused;
    uint64_t state = 31;
    network n;
    opened o = { 0 };
    double x[WIDTH], most;
    make(&state, &n);
    open_network(&o, &n);
    fill(&state, 1, WIDTH, x);
    set_norms(&o, &n, x);
    run(&o, &most);
    for (size_t i = 0; i < o.plan.count; i++) {
        lip_affine e = o.errors[o.plan.steps[i].node->outputs[0]->index];
        assert_true(e.at0 > 0 && e.slope > 0);
    }
    lip_affine before = o.errors[value_named(&o, "y")];
    for (size_t v = 0; v < o.plan.value_count; v++)
        o.norms[v] *= 2;
    run(&o, &most);
    lip_affine after = o.errors[value_named(&o, "y")];
    assert_true(after.at0 > before.at0 && after.slope == before.slope);
    close_plan(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(growth_is_above_and_close),
        cmocka_unit_test(the_ball_reaches_every_layer),
        cmocka_unit_test(executions_stay_within_the_bounds),
        cmocka_unit_test(bounds_are_monotone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
