/*
 * test_small_networks.c: audits of networks so small that every pattern of
 * slopes can be tried: no bound is below the worst pattern, with or without
 * residual and concatenation; where the worst pattern is the constant itself,
 * 0.999 of the bound of one neuron is. On a box: no bound is below the
 * Jacobian at any of its points, dead and always active neurons are linear.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "model_builder.h"
#include "oracle.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { MOST = 6, CLASSES = 3, NETS = 600, BOXES = 240, POINTS = 120 };

static uint64_t state = 97;

typedef enum shape { CHAIN, RESIDUAL, CONCATENATION } shape;

/* y = W3 act(W2 m(x) + b2), m(x) = h, h + x or [h, x] for h = act(W1 x + b1). Elements are floats. */
typedef struct small {
    shape shape;
    int activation; /* of `activations` */
    int n, h1, m, h2;
    double w1[MOST * MOST], w2[MOST * MOST], w3[MOST * MOST], b1[MOST], b2[MOST];
} small;

static const struct {
    const char *op;
    double alpha, a, b; /* alpha: LeakyRelu's slope; slopes in [a, b] */
} activations[] = {
    { "Relu", 0, 0, 1 }, { "LeakyRelu", 0.25, 0.25, 1 }, { "LeakyRelu", -0.5, -0.5, 1 }, { "LeakyRelu", 1.5, 1, 1.5 },
    { "Sigmoid", 0, 0, 0.25 }, { "Tanh", 0, 0, 1 },
};

static void fill(double *w, int count, double level)
{
    for (int i = 0; i < count; i++)
        w[i] = (float)(level + oracle_normal(&state));
}

static small draw(int trial)
{
    small s = { .shape = (shape)(trial % 3), .activation = trial / 3 % 6, .n = (int)oracle_int(&state, 1, 3) };
    s.h1 = s.shape == RESIDUAL ? s.n : (int)oracle_int(&state, 1, 3);
    s.m = s.shape == CONCATENATION ? s.h1 + s.n : s.h1;
    s.h2 = (int)oracle_int(&state, 1, 3);
    fill(s.w1, s.h1 * s.n, 0);
    fill(s.w2, s.h2 * s.m, 0);
    fill(s.w3, CLASSES * s.h2, 0);
    fill(s.b1, s.h1, 0);
    fill(s.b2, s.h2, 0);
    return s;
}

static void put(build *b, const char *name, const double *values, int rows, int cols)
{
    char text[24];
    snprintf(text, sizeof text, rows > 0 ? "%dx%d" : "%.0d%d", rows, cols);
    build_reals(b, name, text, values);
}

static void gemm(build *b, const char *inputs, const char *output)
{
    build_node(b, "Gemm", inputs, output);
    build_attr_int(b, "transB", 1);
}

static void activation(build *b, const small *s, const char *input, const char *output)
{
    build_node(b, activations[s->activation].op, input, output);
    if (activations[s->activation].alpha != 0)
        build_attr_float(b, "alpha", (float)activations[s->activation].alpha);
}

static lip_report *audit(const small *s, lip_effort effort, const lip_input_range *range, build **b, lip_model **model)
{
    static const char *const merge[] = { "Identity", "Add", "Concat" };
    lip_error error = { 0 };
    lip_report *report = NULL;
    char shape_text[8];
    *b = build_new(17);
    snprintf(shape_text, sizeof shape_text, "1x%d", s->n);
    build_input(*b, "x", shape_text);
    put(*b, "w1", s->w1, s->h1, s->n);
    put(*b, "w2", s->w2, s->h2, s->m);
    put(*b, "w3", s->w3, CLASSES, s->h2);
    put(*b, "b1", s->b1, 0, s->h1);
    put(*b, "b2", s->b2, 0, s->h2);
    gemm(*b, "x w1 b1", "z1");
    activation(*b, s, "z1", "h1");
    build_node(*b, merge[s->shape], s->shape == CHAIN ? "h1" : "h1 x", "m");
    if (s->shape == CONCATENATION)
        build_attr_int(*b, "axis", 1);
    gemm(*b, "m w2 b2", "z2");
    activation(*b, s, "z2", "h2");
    gemm(*b, "h2 w3", "y");
    build_output(*b, "y");
    lip_audit_options options = { .threads = 1, .seed = 5, .iterations = 1, .exact = LIP_EXACT_NEVER,
                                  .effort = effort, .range = range };
    if (build_open(*b, NULL, model, &error) != LIP_OK || lip_audit(*model, &options, &report, &error) != LIP_OK)
        fail_msg("%s", error.reason);
    assert_int_equal(report->verdict, LIP_BOUNDED);
    assert_int_equal(report->classes, CLASSES);
    return report;
}

static void close_audit(lip_report *report, build *b, lip_model *model)
{
    lip_report_free(&report);
    lip_model_free(&model);
    build_free(b);
}

/* The Jacobian, by columns, with the slopes of both layers. */
static void jacobian(const small *s, const double *slope1, const double *slope2, double *j)
{
    for (int x = 0; x < s->n; x++) {
        double m[2 * MOST] = { 0 }, z2[MOST] = { 0 };
        for (int i = 0; i < s->h1; i++)
            m[i] = slope1[i] * s->w1[i * s->n + x];
        m[(s->shape == CONCATENATION ? s->h1 : 0) + x] += s->shape == CHAIN ? 0 : 1;
        for (int i = 0; i < s->h2; i++)
            for (int k = 0; k < s->m; k++)
                z2[i] += slope2[i] * s->w2[i * s->m + k] * m[k];
        for (int c = 0; c < CLASSES; c++) {
            j[x * CLASSES + c] = 0;
            for (int i = 0; i < s->h2; i++)
                j[x * CLASSES + c] += s->w3[c * s->h2 + i] * z2[i];
        }
    }
}

/* The report's bounds hold for this Jacobian. Returns its norm. */
static double check_jacobian(const small *s, const lip_report *report, const double *j)
{
    double norm = oracle_svd(j, CLASSES, s->n);
    if (!(norm <= report->network.upper * (1 + 1e-13)))
        fail_msg("%s, shape %d: %.17g > %.17g by %s", activations[s->activation].op, (int)s->shape, norm,
                 report->network.upper, report->network.method);
    for (int a = 0; a < CLASSES; a++)
        for (int b = 0; b < CLASSES; b++) {
            double square = 0;
            for (int x = 0; x < s->n; x++)
                square += pow(j[x * CLASSES + a] - j[x * CLASSES + b], 2);
            assert_true(sqrt(square) <= report->pairwise_upper[a * CLASSES + b] * (1 + 1e-13));
        }
    return norm;
}

static double worst_pattern(const small *s, const lip_report *report)
{
    double worst = 0, slope[2 * MOST], j[CLASSES * MOST];
    for (int pattern = 0; pattern < 1 << (s->h1 + s->h2); pattern++) {
        for (int i = 0; i < s->h1 + s->h2; i++)
            slope[i] = pattern >> i & 1 ? activations[s->activation].b : activations[s->activation].a;
        jacobian(s, slope, slope + s->h1, j);
        worst = fmax(worst, check_jacobian(s, report, j));
    }
    return worst;
}

static void check_patterns(void **unused)
{
    (void)unused;
    double sum = 0;
    for (int trial = 0; trial < NETS; trial++) {
        small s = draw(trial);
        build *b;
        lip_model *model;
        lip_report *report = audit(&s, trial % 4 == 0 ? LIP_EFFORT_PAIRS : LIP_EFFORT_LAYERWISE, NULL, &b, &model);
        sum += trial % 4 == 0 ? report->network.upper / worst_pattern(&s, report) : 0;
        worst_pattern(&s, report);
        close_audit(report, b, model);
    }
    assert_true(sum / (NETS / 4) < 1.06);
}

/* One neuron in each layer of a chain: the worst pattern is the product, and the constant. */
static void check_one_neuron(void **unused)
{
    (void)unused;
    for (int trial = 0; trial < 60; trial++) {
        small s = draw(3 * trial);
        build *b;
        lip_model *model;
        s.h1 = s.m = s.h2 = 1;
        lip_report *report = audit(&s, LIP_EFFORT_COMMON, NULL, &b, &model);
        double truth = worst_pattern(&s, report);
        assert_int_equal(oracle_breaks(0, report->network.upper, truth, 1e-12), 0);
        assert_int_equal(oracle_breaks(0, report->network.upper * 0.999, truth, 1e-12), 1);
        close_audit(report, b, model);
    }
}

static double slope_at(const small *s, double z)
{
    double e = 1 / (1 + exp(-z)), t = tanh(z);
    switch (s->activation) {
    case 4: return e * (1 - e);
    case 5: return 1 - t * t;
    default: return z > 0 ? 1 : activations[s->activation].alpha;
    }
}

static double value_at(const small *s, double z)
{
    return s->activation == 4 ? 1 / (1 + exp(-z)) : s->activation == 5 ? tanh(z) : z > 0 ? z : slope_at(s, z) * z;
}

static void jacobian_at(const small *s, const double *x, double *j)
{
    double slope[2 * MOST], m[2 * MOST] = { 0 };
    for (int i = 0; i < s->h1; i++) {
        double z = s->b1[i];
        for (int k = 0; k < s->n; k++)
            z += s->w1[i * s->n + k] * x[k];
        slope[i] = slope_at(s, z);
        m[i] = value_at(s, z);
    }
    for (int k = 0; k < s->n && s->shape != CHAIN; k++)
        m[(s->shape == CONCATENATION ? s->h1 : 0) + k] += x[k];
    for (int i = 0; i < s->h2; i++) {
        double z = s->b2[i];
        for (int k = 0; k < s->m; k++)
            z += s->w2[i * s->m + k] * m[k];
        slope[s->h1 + i] = slope_at(s, z);
    }
    jacobian(s, slope, slope + s->h1, j);
}

/* On boxes of many sizes, far from the origin too. */
static void check_boxes(void **unused)
{
    (void)unused;
    int smaller = 0;
    double tightest = (double)INFINITY;
    for (int trial = 0; trial < BOXES; trial++) {
        static const double sizes[] = { 0.05, 0.5, 2, 8 };
        small s = draw(trial);
        build *b, *b_all;
        lip_model *model, *model_all;
        double size = sizes[trial / 18 % 4], lo = 4 * oracle_normal(&state), hi = lo + size, largest = 0;
        lip_input_range range = { &lo, &hi, 1 };
        lip_effort effort = trial % 5 == 0 ? LIP_EFFORT_PAIRS : LIP_EFFORT_LAYERWISE;
        lip_report *report = audit(&s, effort, &range, &b, &model), *all = audit(&s, effort, NULL, &b_all, &model_all);
        if (effort == LIP_EFFORT_PAIRS) /* layerwise multipliers are not the best ones */
            assert_true(report->network.upper <= all->network.upper * (1 + 1e-3));
        smaller += report->network.upper < 0.9 * all->network.upper;
        for (int point = 0; point < POINTS; point++) {
            double x[MOST], j[CLASSES * MOST];
            for (int k = 0; k < s.n; k++)
                x[k] = lo + size * (point < 8 ? point >> k & 1 : (double)oracle_int(&state, 0, 1000) / 1000);
            jacobian_at(&s, x, j);
            largest = fmax(largest, check_jacobian(&s, report, j));
        }
        if (largest > 0)
            tightest = fmin(tightest, report->network.upper / largest);
        close_audit(report, b, model);
        close_audit(all, b_all, model_all);
    }
    assert_true(smaller > BOXES / 2 && tightest < 1 + 1e-6);
}

/* Far biases make every neuron of the first layer dead or active: a linear map, and its norm is the bound. */
static void check_decided(void **unused)
{
    (void)unused;
    for (int trial = 0; trial < 60; trial++) {
        small s = draw(trial % 3);
        build *b;
        lip_model *model;
        double slope[2 * MOST], j[CLASSES * MOST], lo = 0, hi = 1;
        lip_input_range range = { &lo, &hi, 1 };
        s.activation = trial / 3 % 4;
        for (int i = 0; i < s.h1; i++)
            s.b1[i] = oracle_int(&state, 0, 1) ? 100 : -100;
        for (int i = 0; i < s.h2; i++)
            s.b2[i] = i == 0 || oracle_int(&state, 0, 1) ? 10000 : -10000;
        for (int i = 0; i < s.h1; i++)
            slope[i] = slope_at(&s, s.b1[i]);
        for (int i = 0; i < s.h2; i++)
            slope[s.h1 + i] = slope_at(&s, s.b2[i]);
        jacobian(&s, slope, slope + s.h1, j);
        lip_report *report = audit(&s, LIP_EFFORT_LAYERWISE, &range, &b, &model);
        double truth = check_jacobian(&s, report, j);
        assert_int_equal(oracle_breaks(0, report->network.upper * 0.999, truth, 1e-12), truth > 0);
        assert_true(report->network.upper <= truth * (1 + 1e-8) + 1e-12);
        close_audit(report, b, model);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(check_patterns),
        cmocka_unit_test(check_one_neuron),
        cmocka_unit_test(check_boxes),
        cmocka_unit_test(check_decided),
    };
    return cmocka_run_group_tests_name("small networks", tests, NULL, NULL);
}
