/*
 * test_certifier.c: certificates of small networks made here, against exact
 * distances, and against executions in float32 that do their worst: random
 * orders of the sums, with and without fused multiply-add, batch-norm folded or
 * not.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "check_model.h"
#include "graph.h"
#include "oracle.h"

#include <math.h>
#include <stdio.h>

enum { MOST = 64, CLASSES = 5 };

static double uniform(uint64_t *state) { return (double)oracle_bits(state) / 0x1p63 - 1; } /* in [-1, 1) */

static void fill(uint64_t *state, double scale, size_t count, double *to)
{
    for (size_t i = 0; i < count; i++)
        to[i] = (double)(float)(scale * uniform(state));
}

/* ---------------------------------------------------------------- executions */

/* b + sum w x in float32, in a random order, each step fused or not. */
static float dot_any_order(uint64_t *state, const double *w, const double *x, size_t n, double b)
{
    size_t order[MOST + 1];
    float sum = 0;
    for (size_t i = 0; i <= n; i++)
        order[i] = i;
    for (size_t i = n; i > 0; i--) {
        size_t j = oracle_bits(state) % (i + 1), swap = order[i];
        order[i] = order[j];
        order[j] = swap;
    }
    bool fused = oracle_bits(state) % 2;
    for (size_t i = 0; i <= n; i++) {
        size_t at = order[i];
        float product = at == n ? (float)b : (float)w[at] * (float)x[at];
        sum = at < n && fused ? fmaf((float)w[at], (float)x[at], sum) : sum + product;
    }
    return sum;
}

static void dense_any_order(uint64_t *state, const double *w, const double *b, size_t rows, size_t cols,
                            const double *x, double *y)
{
    for (size_t i = 0; i < rows; i++)
        y[i] = (double)dot_any_order(state, w + i * cols, x, cols, b ? b[i] : 0);
}

static long double dot(const double *w, const double *x, size_t n, double b)
{
    long double sum = b;
    for (size_t i = 0; i < n; i++)
        sum += (long double)w[i] * x[i];
    return sum;
}

/* ----------------------------------------------------------------- networks */

/* x -> W x + b, W [classes, features]. */
typedef struct linear {
    size_t features;
    double w[CLASSES * MOST], b[CLASSES];
} linear;

static lip_model *open_linear(build **b, const linear *net)
{
    char shape[32], input[32];
    snprintf(shape, sizeof shape, "%dx%zu", CLASSES, net->features);
    snprintf(input, sizeof input, "1x%zu", net->features);
    *b = build_new(17);
    build_input(*b, "x", input);
    build_reals(*b, "w", shape, net->w);
    build_reals(*b, "b", "5", net->b);
    build_node(*b, "Gemm", "x w b", "y");
    build_attr_int(*b, "transB", 1);
    build_output(*b, "y");
    return check_open(*b, NULL);
}

static void certify_with(const lip_model *model, lip_certify_options options, const double *x, const int64_t *label,
                         lip_certificate *out, char *remark, size_t room)
{
    lip_report *report = NULL;
    lip_certifier *certifier = NULL;
    lip_error error = { 0 };
    if (lip_audit(model, NULL, &report, &error) ||
        lip_certifier_open(model, report, &options, &certifier, &error) ||
        lip_certify(certifier, x, label, 1, out, &error))
        fail_msg("%s: %s", error.node, error.reason);
    if (remark)
        snprintf(remark, room, "%s", lip_certifier_remark(certifier));
    lip_certifier_free(&certifier);
    lip_report_free(&report);
}

static lip_certificate certify(const lip_model *model, lip_deployed deployed, const double *x)
{
    lip_certificate out;
    certify_with(model, (lip_certify_options) { .deployed = deployed }, x, NULL, &out, NULL, 0);
    return out;
}

static size_t predict(const linear *net, const double *x)
{
    size_t best = 0;
    for (size_t j = 1; j < CLASSES; j++)
        if (dot(net->w + j * net->features, x, net->features, net->b[j]) >
            dot(net->w + best * net->features, x, net->features, net->b[best]))
            best = j;
    return best;
}

/* Distance of x from the nearest point where class j equals t, and the unit direction to it. */
static double distance_to(const linear *net, const double *x, size_t t, size_t j, double *direction)
{
    long double norm = 0;
    const double *wt = net->w + t * net->features, *wj = net->w + j * net->features;
    for (size_t i = 0; i < net->features; i++)
        norm += ((long double)wj[i] - wt[i]) * ((long double)wj[i] - wt[i]);
    norm = sqrtl(norm);
    for (size_t i = 0; direction && i < net->features; i++)
        direction[i] = (double)(((long double)wj[i] - wt[i]) / norm);
    long double margin = dot(wt, x, net->features, net->b[t]) - dot(wj, x, net->features, net->b[j]);
    return (double)(margin / norm);
}

static double nearest(const linear *net, const double *x, size_t t, double *direction)
{
    double best = (double)INFINITY;
    size_t at = 0;
    for (size_t j = 0; j < CLASSES; j++)
        if (j != t && distance_to(net, x, t, j, NULL) < best) {
            best = distance_to(net, x, t, j, NULL);
            at = j;
        }
    distance_to(net, x, t, at, direction);
    return best;
}

static void move(const double *x, const double *direction, double by, size_t n, double *to)
{
    for (size_t i = 0; i < n; i++)
        to[i] = x[i] + by * direction[i];
}

/* --------------------------------------------------------------------- tests */

/* A linear network's radius is attained: it is the distance to the nearest boundary, and a thousandth more is not. */
static void linear_radius_is_the_distance(void **unused)
{
    (void)unused;
    uint64_t state = 1;
    for (int trial = 0; trial < 20; trial++) {
        linear net = { .features = 3 + oracle_bits(&state) % 50 };
        double x[MOST], direction[MOST], there[MOST];
        build *b;
        fill(&state, 1, CLASSES * net.features, net.w);
        fill(&state, 1, CLASSES, net.b);
        fill(&state, 2, net.features, x);
        lip_model *model = open_linear(&b, &net);
        lip_certificate c = certify(model, LIP_DEPLOYED_EXACT, x);
        size_t t = predict(&net, x);
        double distance = nearest(&net, x, t, direction);
        assert_int_equal(c.predicted, (int64_t)t);
        assert_string_equal(c.method, "pairwise");
        assert_true(c.radius <= distance && c.radius >= distance * (1 - 1e-10));
        move(x, direction, c.radius * 0.999, net.features, there);
        assert_int_equal(predict(&net, there), t);
        move(x, direction, c.radius * 1.001, net.features, there);
        assert_int_not_equal(predict(&net, there), t);
        lip_model_free(&model);
        build_free(b);
    }
}

/* Whether some float32 execution at this point gives t no more alone the largest logit. */
static bool can_flip(uint64_t *state, const linear *net, const double *point, size_t t, int tries)
{
    double x[MOST], y[CLASSES];
    for (size_t i = 0; i < net->features; i++)
        x[i] = (double)(float)point[i];
    for (int k = 0; k < tries; k++) {
        dense_any_order(state, net->w, net->b, CLASSES, net->features, x, y);
        for (size_t j = 0; j < CLASSES; j++)
            if (j != t && !(y[t] > y[j]))
                return true;
    }
    return false;
}

/*
 * Pairs as of [Jin 2022] and [Murray 2026]: a point within margin / L of the sample where execution in float32 gives
 * another class, or a tie. They break the certificate that ignores rounding, and not the one that does not.
 */
static void executions_do_not_break_the_deployed_radius(void **unused)
{
    (void)unused;
    uint64_t state = 2;
    size_t broken = 0, ties = 0;
    for (int trial = 0; trial < 60; trial++) {
        linear net = { .features = 20 + oracle_bits(&state) % 40 };
        double x[MOST], direction[MOST], there[MOST];
        build *b;
        fill(&state, 1, CLASSES * net.features, net.w);
        fill(&state, 1, CLASSES, net.b);
        fill(&state, 100, net.features, x);
        size_t t = predict(&net, x);
        double distance = nearest(&net, x, t, direction); /* x goes near the boundary; every other one onto it */
        move(x, direction, distance * (trial % 2 ? 1 - 1e-9 : 1 - 1e-4), net.features, x);
        for (size_t i = 0; i < net.features; i++)
            x[i] = (double)(float)x[i];
        t = predict(&net, x);
        lip_model *model = open_linear(&b, &net);
        lip_certificate exact = certify(model, LIP_DEPLOYED_EXACT, x);
        lip_certificate deployed = certify(model, LIP_DEPLOYED_FLOAT32, x);
        assert_true(exact.radius > 0 && deployed.radius < exact.radius);
        assert_int_equal(exact.predicted, (int64_t)t);
        nearest(&net, x, t, direction);
        move(x, direction, exact.radius * (1 - 1e-9), net.features, there);
        broken += can_flip(&state, &net, there, t, 200);
        ties += can_flip(&state, &net, x, t, 200);
        if (deployed.radius > 0) {
            move(x, direction, deployed.radius * (1 - 1e-12), net.features, there);
            assert_false(can_flip(&state, &net, there, t, 500));
            for (int k = 0; k < 20; k++) {
                double length = 0;
                for (size_t i = 0; i < net.features; i++) {
                    direction[i] = uniform(&state);
                    length = hypot(length, direction[i]);
                }
                move(x, direction, deployed.radius * (1 - 1e-12) / length, net.features, there);
                assert_false(can_flip(&state, &net, there, t, 20));
            }
        } else {
            assert_true(deployed.method[0] == 0);
        }
        lip_model_free(&model);
        build_free(b);
    }
    assert_true(broken >= 20); /* the attack works where rounding is ignored */
    assert_true(ties >= 5);
}

static void samples_without_a_certificate(void **unused)
{
    (void)unused;
    linear net = { .features = 3, .w = { 1, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0.5 } };
    double tied[] = { 1, 0, 0 }, nan[] = { 1, (double)NAN, 0 }, infinite[] = { (double)INFINITY, 0, 0 };
    double good[] = { 0, 1, 0 }, large[] = { 0, 1e100, 0 };
    int64_t two = 2, one = 1, none = -1;
    lip_certify_options options = { 0 };
    build *b;
    lip_model *model = open_linear(&b, &net);
    const double *none_of[] = { tied, nan, infinite };
    for (int i = 0; i < 3; i++) {
        lip_certificate c = certify(model, LIP_DEPLOYED_EXACT, none_of[i]);
        assert_true(c.radius == 0 && c.sqrt2_radius == 0 && c.pairwise_radius == 0 && c.method[0] == 0);
        assert_true(c.predicted == -1 && c.label == -1 && !(c.margin_lower > 0));
    }
    lip_certificate c = certify(model, LIP_DEPLOYED_FLOAT32, large);
    assert_true(c.radius == 0 && c.predicted == 2 && c.margin_lower > 0); /* overflows in float32 only */
    certify_with(model, options, good, &two, &c, NULL, 0);
    assert_true(c.predicted == 2 && c.label == 2 && c.radius > 0 && c.margin_lower <= 1);
    certify_with(model, options, good, &one, &c, NULL, 0); /* misclassified */
    assert_true(c.predicted == 2 && c.label == 1 && c.radius == 0 && c.margin_lower <= -1);
    certify_with(model, options, good, &none, &c, NULL, 0);
    assert_true(c.label == 2 && c.radius > 0);
    lip_model_free(&model);
    build_free(b);
}

static void labels_and_models_that_are_refused(void **unused)
{
    (void)unused;
    linear net = { .features = 2, .w = { 1, 0, 0, 1 } };
    double x[] = { 1, 0 };
    int64_t label = CLASSES;
    lip_certificate c;
    lip_report *report = NULL;
    lip_certifier *certifier = NULL;
    lip_error error = { 0 };
    build *b;
    lip_model *model = open_linear(&b, &net);
    assert_int_equal(lip_audit(model, NULL, &report, &error), LIP_OK);
    assert_int_equal(lip_certifier_open(model, report, NULL, &certifier, &error), LIP_OK);
    assert_int_equal(lip_certify(certifier, x, &label, 1, &c, &error), LIP_EUSAGE);
    check_holds(error.reason, "label 5 of sample 0 is no class");
    lip_certifier_free(&certifier);
    lip_report_free(&report);
    lip_model_free(&model);
    build_free(b);
    static const struct {
        const char *op, *inputs, *shape, *fragment;
    } refused[] = {
        { "Exp", "x", "1x4", "no finite Lipschitz bound" },
        { "Relu", "x", "2x4", "2x4" },
        { "Relu", "x", "1x1", "1x1" },
        { "Add", "x z", "1x4", "2 inputs" },
    };
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        b = build_new(17);
        build_input(b, "x", refused[i].shape);
        if (strchr(refused[i].inputs, 'z'))
            build_input(b, "z", refused[i].shape);
        build_node(b, refused[i].op, refused[i].inputs, "y");
        build_output(b, "y");
        model = check_open(b, NULL);
        assert_int_equal(lip_audit(model, NULL, &report, &error), LIP_OK);
        assert_int_equal(lip_certifier_open(model, report, NULL, &certifier, &error), LIP_EUNSUPPORTED);
        check_holds(error.reason, refused[i].fragment);
        assert_null(certifier);
        lip_report_free(&report);
        lip_model_free(&model);
        build_free(b);
    }
}

/* A step without an error bound: no radius, and the node is named; real arithmetic where only half precision lacks. */
static void remarks_name_the_node(void **unused)
{
    (void)unused;
    double x[] = { 3, 1, -2 };
    char remark[1024];
    lip_certificate c;
    build *b = build_new(17);
    build_input(b, "x", "1x3");
    build_node_in(b, "", "Sigmoid", "squash", "x", "y");
    build_output(b, "y");
    lip_model *model = check_open(b, NULL);
    certify_with(model, (lip_certify_options) { .deployed = LIP_DEPLOYED_FLOAT16 }, x, NULL, &c, remark, sizeof remark);
    assert_true(c.radius == 0 && c.predicted == 0 && c.margin_lower > 0);
    check_holds(remark, "float16");
    check_holds(remark, "squash");
    certify_with(model, (lip_certify_options) { .deployed = LIP_DEPLOYED_FLOAT32 }, x, NULL, &c, remark, sizeof remark);
    assert_true(c.radius > 0 && remark[0] == 0);
    lip_model_free(&model);
    build_free(b);
    linear net = { .features = 3, .w = { 1, 0, 0, 1 - 0x1p-12 } };
    model = open_linear(&b, &net);
    certify_with(model, (lip_certify_options) { .deployed = LIP_DEPLOYED_FLOAT16 }, x, NULL, &c, remark, sizeof remark);
    assert_true(c.radius == 0 && c.margin_lower > 0);
    check_holds(remark, "exceeds every margin");
    lip_model_free(&model);
    build_free(b);
}

/* Values beyond 65504 within the ball: no radius reaches there. */
static void half_precision_does_not_overflow(void **unused)
{
    (void)unused;
    linear net = { .features = 1, .w = { 1, 0, 0, 0, 0 } };
    double x[] = { 60000 };
    build *b;
    lip_model *model = open_linear(&b, &net);
    lip_certificate half = certify(model, LIP_DEPLOYED_FLOAT16, x), single = certify(model, LIP_DEPLOYED_FLOAT32, x);
    assert_true(half.radius > 0 && half.radius < 65504 - 60000);
    assert_true(single.radius > 59000);
    x[0] = 66000;
    assert_true(certify(model, LIP_DEPLOYED_FLOAT16, x).radius == 0);
    lip_model_free(&model);
    build_free(b);
}

/* The same before a scale that makes the values small again, and before a mean is divided. */
static void numbers_on_the_way_do_not_overflow(void **unused)
{
    (void)unused;
    double w[] = { 1000, 0 }, s[] = { 0x1p-10, 1 }, sums[] = { 1, 0, 1, 0, 1, 0 }, one[] = { 10 }, more[] = { 100 };
    double three[] = { 10, 10, 10 }, large[] = { 30000, 30000, 30000 };
    build *b = build_new(17);
    build_input(b, "x", "1x1");
    build_reals(b, "w", "1x2", w);
    build_reals(b, "s", "1x2", s);
    build_node(b, "MatMul", "x w", "m");
    build_node(b, "Mul", "m s", "y");
    build_output(b, "y");
    lip_model *model = check_open(b, NULL);
    lip_certificate c = certify(model, LIP_DEPLOYED_FLOAT16, one);
    assert_true(c.radius > 0 && c.radius < 65.504 - 10);
    assert_true(certify(model, LIP_DEPLOYED_FLOAT16, more).radius == 0);
    assert_true(certify(model, LIP_DEPLOYED_FLOAT32, more).radius > 95);
    lip_model_free(&model);
    build_free(b);
    b = build_new(17);
    build_input(b, "x", "1x1x3");
    build_reals(b, "w", "1x2", sums);
    build_node(b, "GlobalAveragePool", "x", "p");
    build_node(b, "Flatten", "p", "f");
    build_node(b, "MatMul", "f w", "y");
    build_output(b, "y");
    model = check_open(b, NULL);
    assert_true(certify(model, LIP_DEPLOYED_FLOAT16, three).radius > 0);
    assert_true(certify(model, LIP_DEPLOYED_FLOAT16, large).radius == 0);
    assert_true(certify(model, LIP_DEPLOYED_FLOAT32, large).radius > 0);
    lip_model_free(&model);
    build_free(b);
}

/* A box of inputs on which the bounds hold: outside of it, no radius. */
static void samples_outside_the_range_have_no_radius(void **unused)
{
    (void)unused;
    linear net = { .features = 2, .w = { 1, 0, 0, 1 } };
    double lo = 0, hi = 1, inside[] = { 1, 0.25 }, outside[] = { 1.0625, 0.25 };
    lip_input_range range = { &lo, &hi, 1 };
    lip_audit_options options = { .range = &range };
    lip_report *report = NULL;
    lip_certifier *certifier = NULL;
    lip_certificate c;
    lip_error error = { 0 };
    build *b;
    lip_model *model = open_linear(&b, &net);
    assert_int_equal(lip_audit(model, &options, &report, &error), LIP_OK);
    assert_int_equal(lip_certifier_open(model, report, NULL, &certifier, &error), LIP_OK);
    assert_int_equal(lip_certify(certifier, inside, NULL, 1, &c, &error), LIP_OK);
    assert_true(c.radius > 0);
    assert_int_equal(lip_certify(certifier, outside, NULL, 1, &c, &error), LIP_OK);
    assert_true(c.radius == 0 && c.pairwise_radius == 0 && c.margin_lower > 0 && c.method[0] == 0);
    lip_certifier_free(&certifier);
    lip_report_free(&report);
    lip_model_free(&model);
    build_free(b);
}

/* Every allocation that can fail does, once: an error, nothing leaks, and the next try works. */
static void running_out_of_memory_is_an_error(void **unused)
{
    (void)unused;
    uint64_t state = 5;
    linear net = { .features = 7 };
    double x[MOST];
    build *b;
    fill(&state, 1, CLASSES * net.features, net.w);
    fill(&state, 1, net.features, x);
    lip_model *model = open_linear(&b, &net);
    lip_report *report = NULL;
    lip_error error = { 0 };
    assert_int_equal(lip_audit(model, NULL, &report, &error), LIP_OK);
    uint_fast64_t before = atomic_load(&model->memory.used);
    for (int k = 1;; k++) {
        lip_certifier *certifier = NULL;
        lip_certificate c;
        atomic_store(&model->memory.fail_in, k);
        lip_certify_options options = { .threads = 1 };
        lip_status status = lip_certifier_open(model, report, &options, &certifier, &error);
        if (status == LIP_OK)
            status = lip_certify(certifier, x, NULL, 1, &c, &error);
        bool reached = atomic_exchange(&model->memory.fail_in, 0) <= 0;
        lip_certifier_free(&certifier);
        assert_int_equal(atomic_load(&model->memory.used), before);
        if (status == LIP_OK && !reached) {
            assert_true(k > 10);
            break;
        }
        assert_int_equal(status, LIP_EMEMORY);
    }
    lip_report_free(&report);
    lip_model_free(&model);
    build_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(linear_radius_is_the_distance),
        cmocka_unit_test(executions_do_not_break_the_deployed_radius),
        cmocka_unit_test(samples_without_a_certificate),
        cmocka_unit_test(labels_and_models_that_are_refused),
        cmocka_unit_test(remarks_name_the_node),
        cmocka_unit_test(half_precision_does_not_overflow),
        cmocka_unit_test(numbers_on_the_way_do_not_overflow),
        cmocka_unit_test(samples_outside_the_range_have_no_radius),
        cmocka_unit_test(running_out_of_memory_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
