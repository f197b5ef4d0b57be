/*
 * test_random_networks.c: attacks on random networks find nothing beyond the
 * bounds around their samples; the same bits whatever the company; memory that
 * fails.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "local/opened.h"

#include <stdio.h>

enum { NETWORKS = 240, POINTS = 24, STEPS = 6 };
static const double BOX = 1.5;

/* -------------------------------------------------------------------- networks */

typedef struct activation {
    const char *op, *attribute;
    float value;
} activation;

static const activation activations[] = {
    { "Relu", NULL, 0 }, { "LeakyRelu", "alpha", 0.25F }, { "LeakyRelu", "alpha", -0.5F },
    { "LeakyRelu", "alpha", 1.5F }, { "Sigmoid", NULL, 0 }, { "Tanh", NULL, 0 }, { "Gelu", NULL, 0 },
    { "HardSwish", NULL, 0 }, { "Softplus", NULL, 0 }, { "Abs", NULL, 0 }, { "Elu", "alpha", 2 }, { "Clip", NULL, 0 },
    { "PRelu", NULL, 0 }, { "Selu", NULL, 0 }, { "Mish", NULL, 0 }, { "Relu", NULL, 0 }, { "Relu", NULL, 0 },
};

typedef struct maker {
    build *b;
    uint64_t *state;
    int names;
} maker;

/* A name of its own. */
static const char *fresh(maker *m)
{
    char text[16];
    snprintf(text, sizeof text, "t%d", m->names++);
    return build_text(m->b, text);
}

static const char *node(maker *m, const char *op, const char *a, const char *b, const char *c)
{
    char inputs[64];
    const char *out = fresh(m);
    snprintf(inputs, sizeof inputs, "%s%s%s%s%s", a, b ? " " : "", b ? b : "", c ? " " : "", c ? c : "");
    build_node(m->b, op, inputs, out);
    return out;
}

/* Normal numbers times scale. */
static const char *weights(maker *m, const char *shape, int count, double scale)
{
    double w[DIM * DIM];
    const char *name = fresh(m);
    assert_true(count <= DIM * DIM);
    draw(m->state, scale, count, w);
    build_reals(m->b, name, shape, w);
    return name;
}

static const char *activate(maker *m, const char *x)
{
    const activation *a = &activations[oracle_bits(m->state) % (sizeof activations / sizeof *activations)];
    const double low = -0.5, high = 1.5, slope = 0.125;
    const char *p = NULL, *q = NULL;
    if (strcmp(a->op, "Clip") == 0) {
        build_reals(m->b, p = fresh(m), "", &low);
        build_reals(m->b, q = fresh(m), "", &high);
    }
    if (strcmp(a->op, "PRelu") == 0)
        build_reals(m->b, p = fresh(m), "1", &slope);
    x = node(m, a->op, x, p, q);
    if (a->attribute)
        build_attr_float(m->b, a->attribute, a->value);
    return x;
}

static const char *dense(maker *m, const char *x, int from, int to)
{
    char w[32], b[32];
    snprintf(w, sizeof w, "%dx%d", from, to);
    snprintf(b, sizeof b, "%d", to);
    const char *matrix = weights(m, w, from * to, 1 / sqrt(from)), *bias = weights(m, b, to, 0.5);
    return node(m, "Gemm", x, matrix, bias);
}

/* [1, from, n, n] -> [1, to, n, n] */
static const char *convolution(maker *m, const char *x, int from, int to)
{
    char w[32], b[32];
    snprintf(w, sizeof w, "%dx%dx3x3", to, from);
    snprintf(b, sizeof b, "%d", to);
    const char *matrix = weights(m, w, to * from * 9, 1 / sqrt(from * 9)), *bias = weights(m, b, to, 0.5);
    const char *y = node(m, "Conv", x, matrix, bias);
    build_attr_ints(m->b, "pads", 4, (int64_t[]){ 1, 1, 1, 1 });
    return y;
}

static const char *pool(maker *m, const char *x, int64_t kernel, int64_t pad, int64_t stride)
{
    const char *y = node(m, "MaxPool", x, NULL, NULL);
    build_attr_ints(m->b, "kernel_shape", 2, (int64_t[]){ kernel, kernel });
    build_attr_ints(m->b, "pads", 4, (int64_t[]){ pad, pad, pad, pad });
    build_attr_ints(m->b, "strides", 2, (int64_t[]){ stride, stride });
    return y;
}

static const char *dense_network(maker *m, int kind)
{
    const char *x = "x", *a, *b;
    int layers = 1 + (int)(oracle_bits(m->state) % 3), n = 8, width = 4 + (int)(oracle_bits(m->state) % 12);
    build_input(m->b, "x", "1x8");
    for (int l = 0; l < layers; l++, n = width)
        x = activate(m, dense(m, x, n, width));
    switch (kind) {
    case 0: break;
    case 1: /* residual; the same value read three times */
        a = activate(m, dense(m, x, width, width));
        x = activate(m, node(m, "Add", node(m, "Sub", dense(m, a, width, width), x, NULL), dense(m, x, width, width),
                             NULL));
        break;
    case 2:
        a = activate(m, dense(m, x, width, width));
        b = dense(m, "x", 8, width);
        x = node(m, "Concat", a, b, NULL);
        build_attr_int(m->b, "axis", 1);
        x = activate(m, x);
        return dense(m, x, 2 * width, CLASSES);
    case 3: /* no gain but a joint one */
        x = node(m, "Max", dense(m, x, width, width), dense(m, "x", 8, width), NULL);
        x = dense(m, activate(m, x), width, width);
        break;
    default: /* two activations of one value */
        x = node(m, "Add", activate(m, x), activate(m, x), NULL);
    }
    return dense(m, x, width, CLASSES);
}

/* The classes, from n values of a tensor of any rank. */
static const char *head(maker *m, const char *x, int n)
{
    return dense(m, node(m, "Flatten", x, NULL, NULL), n, CLASSES);
}

static const char *image_network(maker *m, int kind)
{
    bool wide = oracle_bits(m->state) % 2;
    build_input(m->b, "x", "1x2x4x4");
    const char *x = convolution(m, "x", 2, 3);
    if (kind < 4 || wide)
        x = activate(m, x);
    switch (kind) {
    case 0: return head(m, x, 48);
    case 1:
        x = activate(m, node(m, "Add", convolution(m, activate(m, convolution(m, x, 3, 3)), 3, 3), x, NULL));
        return head(m, x, 48);
    case 2:
        x = wide ? pool(m, x, 3, 1, 2) : pool(m, x, 2, 0, 2);
        x = activate(m, dense(m, node(m, "Flatten", x, NULL, NULL), 12, 10));
        return dense(m, x, 10, CLASSES);
    case 3:
        x = wide ? pool(m, x, 3, 1, 1) : pool(m, x, 2, 0, 1);
        return head(m, activate(m, convolution(m, x, 3, 3)), wide ? 48 : 27);
    default: return head(m, node(m, "GlobalMaxPool", x, NULL, NULL), 3);
    }
}

static void make(maker *m, int which)
{
    const char *y = which % 10 < 5 ? dense_network(m, which % 10) : image_network(m, which % 10 - 5);
    build_output(m->b, y);
}

/* --------------------------------------------------------------------- attacks */

/* Logits of `count` points. */
static const double *logits_of(const opened *o, const double *points, int64_t count)
{
    lip_error error = { 0 };
    if (lip_batch_forward(o->batch, points, count, NULL, NULL, &error))
        fail_msg("%s: %s", error.node, error.reason);
    return lip_batch_f64(o->batch, o->model->logits);
}

/* Finite differences of f_t - f_j. */
static void slope_at(const opened *o, const double *x, int64_t t, int64_t j, double *g)
{
    double points[(DIM + 1) * DIM];
    int64_t n = o->inputs;
    for (int64_t i = 0; i <= n; i++) {
        memcpy(points + i * n, x, (size_t)n * sizeof *x);
        if (i > 0)
            points[i * n + i - 1] += 1e-6;
    }
    const double *y = logits_of(o, points, n + 1);
    for (int64_t i = 0; i < n; i++)
        g[i] = ((y[(i + 1) * CLASSES + t] - y[(i + 1) * CLASSES + j]) - (y[t] - y[j])) / 1e-6;
}

/* Every deployment and precision, and half of the networks on a box. */
static lip_certify_options options_of(int which)
{
    static const lip_deployed deployed[] = { LIP_DEPLOYED_EXACT, LIP_DEPLOYED_FLOAT32, LIP_DEPLOYED_FLOAT16 };
    lip_certify_options options = exact;
    options.deployed = deployed[which / 10 % 3];
    options.precision = which / 30 % 2 ? LIP_PRECISION_FLOAT32 : LIP_PRECISION_FLOAT64;
    return options;
}

static bool has_box(int which) { return which / 60 % 2; }

/* x + d, within the box where there is one: no farther from x then. */
static void put(const opened *o, const double *x, const double *d, double *to)
{
    const double most = o->report->range.count > 0 ? BOX : (double)INFINITY;
    for (int64_t i = 0; i < o->inputs; i++)
        to[i] = fmin(most, fmax(-most, x[i] + d[i]));
}

/* The largest fall of f_t - f_j found in the ball: from several points on its surface, down the gradient. */
static double fall_found(const opened *o, uint64_t *state, const double *x, double r, int64_t t, int64_t j,
                         double from)
{
    double most = 0, g[DIM], d[DIM], at[DIM];
    int64_t n = o->inputs;
    for (int start = 0; start < POINTS; start++) {
        for (int64_t i = 0; i < n; i++)
            d[i] = start == 0 ? 0 : oracle_normal(state);
        double scale = start == 0 ? 0 : r * (start % 4 ? 1 : 0.25) / length(d, n);
        for (int64_t i = 0; i < n; i++)
            d[i] *= scale;
        for (int step = 0; step < (start % 3 == 0 ? STEPS : 1); step++) {
            put(o, x, d, at);
            slope_at(o, at, t, j, g);
            double steep = length(g, n), by = step < STEPS / 2 ? 2 * r : r / 2;
            for (int64_t i = 0; i < n && steep > 0; i++)
                d[i] -= by * g[i] / steep;
            double far = length(d, n);
            for (int64_t i = 0; i < n; i++)
                d[i] *= far > r ? r * (1 - 1e-15) / far : 1;
            put(o, x, d, at);
            const double *y = logits_of(o, at, 1);
            most = fmax(most, from - (y[t] - y[j]));
        }
    }
    return most;
}

static void fail_of(int which, int64_t j, double r, double fall, double found)
{
    fail_msg("network %d, class %lld, r %g: f falls by %.17g, at most %.17g were proved", which, (long long)j, r, found,
             fall);
}

/* No attack on a random network finds a larger fall, nor another class within the radius; and the bounds are near what
 * is found. */
static void attacks_do_not_break_the_bounds(void **unused)
{
    (void)unused;
    const double low = -BOX, high = BOX;
    const lip_input_range box = { .lo = &low, .hi = &high, .count = 1 };
    uint64_t state = 13;
    double nearest = 0, sum = 0;
    int local = 0, certified = 0, compared = 0;
    for (int which = 0; which < NETWORKS; which++) {
        maker m = { .b = build_new(20), .state = &state };
        opened o = { .build = m.b };
        double x[DIM], fall[CLASSES], y[CLASSES];
        make(&m, which);
        open_with(&o, options_of(which), has_box(which) ? &box : NULL);
        draw(&state, 1, (int)o.inputs, x);
        for (int64_t i = 0; has_box(which) && i < o.inputs; i++)
            x[i] = fmin(BOX, fmax(-BOX, x[i]));
        memcpy(y, logits_of(&o, x, 1), sizeof y);
        lip_certificate c = certify(&o, x);
        const double radii[] = { c.radius * (1 - 1e-12), 3 * c.radius, 1 };
        for (int k = 0; k < 3 && c.radius > 0; k++) {
            falls(&o, radii[k], c.label, fall);
            for (int64_t j = 0; j < CLASSES; j++) {
                if (j == c.label)
                    continue;
                double left = y[c.label] - y[j];
                double found = fall_found(&o, &state, x, radii[k], c.label, j, left);
                if (!(found <= fall[j] + 1e-13) || (k == 0 && found >= left))
                    fail_of(which, j, radii[k], fall[j], found);
                nearest = fmax(nearest, found / fall[j]);
                sum += k == 0 ? found / fall[j] : 0;
                compared += k == 0;
            }
        }
        certified += c.radius > 0;
        local += strcmp(c.method, "local") == 0;
        close_opened(&o);
    }
    print_message("# %d networks, %d certified, %d by bounds around the sample; fall found / proved %.3f in the mean, "
                  "at most %.6f\n", NETWORKS, certified, local, sum / compared, nearest);
    assert_true(nearest > 0.999 && local > NETWORKS / 2 && sum / compared > 0.35);
}

/* ------------------------------------------------------------------ properties */

/* The same bits for any number of threads, in any order, and in any company. */
static void bits_do_not_depend_on_threads_or_order(void **unused)
{
    (void)unused;
    enum { SAMPLES = 23 };
    uint64_t state = 14;
    for (int which = 0; which < 10; which++) {
        maker m = { .b = build_new(20), .state = &state };
        opened o = { .build = m.b };
        double x[SAMPLES * DIM], reversed[SAMPLES * DIM];
        lip_certificate one[SAMPLES], many[SAMPLES];
        lip_certifier *threaded = NULL;
        lip_certify_options options = exact;
        lip_error error;
        make(&m, which);
        open_with(&o, exact, NULL);
        size_t n = (size_t)o.inputs;
        draw(&state, 1, SAMPLES * (int)n, x);
        for (size_t s = 0; s < SAMPLES; s++)
            memcpy(reversed + (SAMPLES - 1 - s) * n, x + s * n, n * sizeof *x);
        options.threads = 3;
        assert_int_equal(lip_certifier_open(o.model, o.report, &options, &threaded, &error), LIP_OK);
        assert_int_equal(lip_certify(o.certifier, x, NULL, SAMPLES, one, &error), LIP_OK);
        assert_int_equal(lip_certify(threaded, reversed, NULL, SAMPLES, many, &error), LIP_OK);
        for (size_t s = 0; s < SAMPLES; s++) {
            assert_memory_equal(&one[s].radius, &many[SAMPLES - 1 - s].radius, sizeof(double));
            assert_memory_equal(&one[s].local_radius, &many[SAMPLES - 1 - s].local_radius, sizeof(double));
            assert_true(certify(&o, x + s * n).radius == one[s].radius);
        }
        lip_certifier_free(&threaded);
        close_opened(&o);
    }
}

/* Memory that fails is LIP_EMEMORY, nothing else, and all that was taken is given back. */
static void memory_that_fails(void **unused)
{
    (void)unused;
    uint64_t state = 15;
    maker m = { .b = build_new(20), .state = &state };
    opened o = { .build = m.b };
    double x[DIM];
    lip_error error;
    int64_t failed = 0;
    make(&m, 7);
    open_with(&o, exact, NULL);
    draw(&state, 1, (int)o.inputs, x);
    lip_certifier_free(&o.certifier);
    lip_memory *memory = &o.model->memory;
    const uint64_t used = atomic_load(&memory->used);
    for (int64_t k = 1;; k++) {
        lip_certificate c = { .predicted = 7 };
        atomic_store(&memory->fail_in, k);
        lip_status status = lip_certifier_open(o.model, o.report, &exact, &o.certifier, &error);
        if (status == LIP_OK)
            status = lip_certify(o.certifier, x, NULL, 1, &c, &error);
        bool is_over = atomic_load(&memory->fail_in) > 0;
        atomic_store(&memory->fail_in, 0);
        lip_certifier_free(&o.certifier);
        assert_int_equal(atomic_load(&memory->used), used);
        assert_int_equal(status, is_over ? LIP_OK : LIP_EMEMORY);
        assert_true(is_over || (c.predicted == 7 && error.status == LIP_EMEMORY));
        if (is_over)
            break;
        failed++;
    }
    print_message("# %lld allocations, each failed\n", (long long)failed);
    assert_true(failed > 30);
    close_opened(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attacks_do_not_break_the_bounds),
        cmocka_unit_test(bits_do_not_depend_on_threads_or_order),
        cmocka_unit_test(memory_that_fails),
    };
    return cmocka_run_group_tests_name("bounds around samples of random networks", tests, NULL, NULL);
}
