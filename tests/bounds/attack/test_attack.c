/*
 * test_attack.c: attacks on small networks made here: exact distances of affine
 * classifiers, gradients against differences, points that are what they are
 * said to be.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "check_model.h"
#include "attack/target.h"
#include "oracle.h"

#include <math.h>
#include <stdio.h>

enum { FEATURES = 12, CLASSES = 5, HIDDEN = 16, SAMPLES = 20 };
static const lip_attack_kind kinds[] = { LIP_ATTACK_DEEPFOOL, LIP_ATTACK_PGD, LIP_ATTACK_CW };
enum { KINDS = sizeof kinds / sizeof *kinds };

typedef struct network {
    build *b;
    lip_model *model;
    double w[CLASSES * FEATURES], bias[CLASSES]; /* of an affine one */
    double samples[SAMPLES * FEATURES];
    int64_t classes[SAMPLES];
} network;

static double uniform(uint64_t *state) { return (double)oracle_bits(state) / 0x1p63 - 1; } /* in [-1, 1) */

static void fill(uint64_t *state, double scale, size_t count, double *to)
{
    for (size_t i = 0; i < count; i++)
        to[i] = (double)(float)(scale * uniform(state));
}

static int64_t predicted(const lip_model *model, const double *x, double *logits)
{
    double own[CLASSES];
    double *y = logits ? logits : own;
    int64_t best = 0;
    assert_int_equal(lip_model_forward(model, &x, y, NULL), LIP_OK);
    for (int64_t k = 1; k < CLASSES; k++)
        best = y[k] > y[best] ? k : best;
    return best;
}

/* Random samples, and the class that is predicted for each. */
static void finish(network *net, uint64_t *state)
{
    build_output(net->b, "y");
    net->model = check_open(net->b, NULL);
    fill(state, 1, SAMPLES * FEATURES, net->samples);
    for (size_t i = 0; i < SAMPLES; i++)
        net->classes[i] = predicted(net->model, net->samples + i * FEATURES, NULL);
}

static network affine(uint64_t *state, double scale)
{
    network net = { .b = build_new(17) };
    fill(state, scale, CLASSES * FEATURES, net.w);
    fill(state, scale, CLASSES, net.bias);
    build_input(net.b, "x", "1x12");
    build_reals(net.b, "w", "5x12", net.w);
    build_reals(net.b, "b", "5", net.bias);
    build_node(net.b, "Gemm", "x w b", "y");
    build_attr_int(net.b, "transB", 1);
    finish(&net, state);
    return net;
}

/* x -> W2 phi(W1 x), and a little of x itself. */
static network curved(uint64_t *state, const char *activation)
{
    network net = { .b = build_new(17) };
    double w[HIDDEN * FEATURES];
    build_input(net.b, "x", "1x12");
    fill(state, 1, HIDDEN * FEATURES, w);
    build_reals(net.b, "w1", "12x16", w);
    fill(state, 1, HIDDEN * CLASSES, w);
    build_reals(net.b, "w2", "16x5", w);
    fill(state, 0.3, FEATURES * CLASSES, w);
    build_reals(net.b, "w3", "12x5", w);
    build_node(net.b, "MatMul", "x w1", "a");
    build_node(net.b, activation, "a", "h");
    build_node(net.b, "MatMul", "h w2", "u");
    build_node(net.b, "MatMul", "x w3", "v");
    build_node(net.b, "Add", "u v", "y");
    finish(&net, state);
    return net;
}

static void end(network *net)
{
    lip_model_free(&net->model);
    build_free(net->b);
}

static void attack(const network *net, lip_attack_options options, lip_attack_result *results, double *points)
{
    lip_error error = { 0 };
    const lip_attack_samples samples = { net->samples, net->classes, 0, SAMPLES };
    if (lip_attack(net->model, &options, &samples, results, points, &error))
        fail_msg("%s: %s", error.node, error.reason);
}

static double distance(const double *a, const double *b)
{
    long double sum = 0;
    for (size_t i = 0; i < FEATURES; i++)
        sum += ((long double)a[i] - b[i]) * ((long double)a[i] - b[i]);
    return (double)sqrtl(sum);
}

/* |w_t - w_j| */
static double slope(const network *net, int64_t t, int64_t j)
{
    return distance(net->w + t * FEATURES, net->w + j * FEATURES);
}

/* The point has the class found, at the distance said; and no smaller distance is said. */
static void check_point(const network *net, size_t i, const lip_attack_result *result, const double *point)
{
    double logits[CLASSES], found = distance(point, net->samples + i * FEATURES);
    assert_true(isfinite(result->distance));
    assert_int_equal(predicted(net->model, point, logits), result->found);
    assert_true(logits[result->found] > logits[net->classes[i]]);
    assert_true(fabs(found - result->distance) <= 1e-14 * found);
}

/* To the nearest face: never nearer, hardly farther; the gradient is the steepest difference of rows. */
static void affine_distances_are_exact(void **unused)
{
    (void)unused;
    uint64_t state = 1;
    lip_attack_result found[SAMPLES];
    static double points[SAMPLES * FEATURES];
    for (size_t k = 0; k < 3 * KINDS; k++) {
        network net = affine(&state, k < KINDS ? 1 : k < 2 * KINDS ? 1e-3 : 1e3);
        attack(&net, (lip_attack_options) { .method = kinds[k % KINDS], .directions = 3 }, found, points);
        for (size_t i = 0; i < SAMPLES; i++) {
            double logits[CLASSES], exact = (double)INFINITY, steepest = 0;
            int64_t t = predicted(net.model, net.samples + i * FEATURES, logits);
            for (int64_t j = 0; j < CLASSES; j++)
                if (j != t) {
                    exact = fmin(exact, (logits[t] - logits[j]) / slope(&net, t, j));
                    steepest = fmax(steepest, slope(&net, t, j));
                }
            check_point(&net, i, &found[i], points + i * FEATURES);
            assert_true(found[i].distance >= exact * (1 - 1e-9) && found[i].distance <= exact * (1 + 1e-6));
            assert_false(found[i].distance * 0.999 >= exact); /* it can fail */
            assert_true(fabs(found[i].gradient_estimate - steepest) <= 1e-12 * steepest);
        }
        end(&net);
    }
}

/* Neither PGD nor CW ends farther away than DeepFool, from which they start. */
static void points_are_of_another_class(void **unused)
{
    (void)unused;
    static const char *const activations[] = { "Relu", "Tanh", "Sigmoid", "LeakyRelu" };
    uint64_t state = 2;
    for (size_t a = 0; a < sizeof activations / sizeof *activations; a++) {
        network net = curved(&state, activations[a]);
        lip_attack_result found[KINDS][SAMPLES];
        static double points[SAMPLES * FEATURES];
        size_t nearer = 0;
        for (size_t k = 0; k < KINDS; k++) {
            attack(&net, (lip_attack_options) { .method = kinds[k], .directions = 1 }, found[k], points);
            for (size_t i = 0; i < SAMPLES; i++) {
                check_point(&net, i, &found[k][i], points + i * FEATURES);
                assert_true(found[k][i].distance <= found[0][i].distance * (1 + 1e-9));
                nearer += found[k][i].distance < 0.999 * found[0][i].distance;
            }
        }
        assert_true(nearer > 0); /* they are of use */
        end(&net);
    }
}

/* Along a random direction, against a central difference. */
static void gradients_are_differences(void **unused)
{
    (void)unused;
    static const char *const activations[] = { "Relu", "Tanh", "Sigmoid", "Softplus" };
    const double h = 1e-5;
    uint64_t state = 3;
    for (size_t a = 0; a < sizeof activations / sizeof *activations; a++) {
        network net = curved(&state, activations[a]);
        lip_target t = { .memory = NULL };
        assert_int_equal(lip_target_open(net.model, NULL, &t, NULL), LIP_OK);
        for (size_t i = 0; i < SAMPLES; i++) {
            const double *x = net.samples + i * FEATURES;
            double d[FEATURES], up[FEATURES], down[FEATURES], high[CLASSES], low[CLASSES], g[FEATURES], length, sum = 0;
            int64_t from = net.classes[i], to = (from + 1 + (int64_t)(i % (CLASSES - 1))) % CLASSES;
            fill(&state, 1, FEATURES, d);
            for (size_t j = 0; j < FEATURES; j++) {
                up[j] = x[j] + h * d[j];
                down[j] = x[j] - h * d[j];
            }
            predicted(net.model, up, high);
            predicted(net.model, down, low);
            assert_true(lip_target_take(&t, x, from) && lip_target_gradient(&t, to, g, &length));
            for (size_t j = 0; j < FEATURES; j++)
                sum += g[j] * d[j];
            double difference = (high[from] - high[to] - low[from] + low[to]) / (2 * h);
            if (fabs(difference - sum) > 1e-6 * length)
                fail_msg("%s, sample %zu: %.12g, and the difference %.12g", activations[a], i, sum, difference);
        }
        lip_target_close(&t);
        end(&net);
    }
}

static void wrong_and_left_out(void **unused)
{
    (void)unused;
    uint64_t state = 4;
    lip_attack_result found[SAMPLES];
    static double points[SAMPLES * FEATURES];
    network net = curved(&state, "Relu");
    int64_t right = net.classes[3];
    net.classes[3] = (right + 1) % CLASSES;
    net.classes[5] = -1;
    attack(&net, (lip_attack_options) { .directions = 1 }, found, points);
    assert_true(found[3].distance == 0 && found[3].found == right);
    assert_memory_equal(points + 3 * FEATURES, net.samples + 3 * FEATURES, FEATURES * sizeof *points);
    assert_true(isnan(found[5].distance) && isnan(found[5].gradient_estimate) && found[5].found == -1);
    assert_true(found[4].distance > 0);
    end(&net);
}

/* Points lie in the range, and it costs; where no point of it has another class, none is found. */
static void ranges_hold(void **unused)
{
    (void)unused;
    uint64_t state = 5;
    lip_attack_result free_ones[SAMPLES], boxed[SAMPLES];
    static double points[SAMPLES * FEATURES];
    network net = affine(&state, 1);
    double lo[FEATURES], hi[FEATURES], all_lo = -1, all_hi = 1;
    lip_input_range range = { &all_lo, &all_hi, 1 };
    for (size_t k = 0; k < KINDS; k++) {
        size_t farther = 0, found = 0;
        attack(&net, (lip_attack_options) { .method = kinds[k], .directions = 1 }, free_ones, NULL);
        attack(&net, (lip_attack_options) { .method = kinds[k], .directions = 1, .range = &range }, boxed, points);
        for (size_t i = 0; i < SAMPLES; i++) {
            for (size_t j = 0; j < FEATURES && boxed[i].found >= 0; j++)
                assert_true(fabs(points[i * FEATURES + j]) <= 1);
            assert_true(boxed[i].distance >= free_ones[i].distance * (1 - 1e-9));
            farther += boxed[i].distance > 1.001 * free_ones[i].distance;
            found += boxed[i].found >= 0;
        }
        assert_true(farther > 0 && found > SAMPLES / 2);
    }
    for (size_t j = 0; j < FEATURES; j++) { /* one channel each, around the first sample */
        lo[j] = net.samples[j] - 1e-9;
        hi[j] = net.samples[j] + 1e-9;
    }
    range = (lip_input_range) { lo, hi, FEATURES };
    for (size_t i = 1; i < SAMPLES; i++)
        net.classes[i] = -1;
    for (size_t k = 0; k < KINDS; k++) {
        attack(&net, (lip_attack_options) { .method = kinds[k], .directions = 1, .range = &range }, boxed, points);
        assert_true(isinf(boxed[0].distance) && boxed[0].found == -1);
        assert_memory_equal(points, net.samples, FEATURES * sizeof *points);
    }
    end(&net);
}

/* Bit for bit the same on any number of threads, whatever samples come along; another seed, other directions. */
static void results_do_not_depend_on_the_others(void **unused)
{
    (void)unused;
    uint64_t state = 6;
    size_t differs = 0;
    lip_attack_result one[SAMPLES], three[SAMPLES], some[SAMPLES], other[SAMPLES];
    network net = curved(&state, "Tanh");
    lip_attack_options options = { .method = LIP_ATTACK_PGD, .directions = 2, .threads = 1, .seed = 7 };
    attack(&net, options, one, NULL);
    options.threads = 3;
    attack(&net, options, three, NULL);
    lip_attack_samples last = { net.samples + 15 * FEATURES, net.classes + 15, 15, SAMPLES - 15 };
    assert_int_equal(lip_attack(net.model, &options, &last, some + 15, NULL, NULL), LIP_OK);
    options.seed = 8;
    attack(&net, options, other, NULL);
    for (size_t i = 0; i < SAMPLES; i++) {
        const lip_attack_result *again = i < 15 ? &three[i] : &some[i];
        assert_true(one[i].distance == three[i].distance && one[i].gradient_estimate == three[i].gradient_estimate);
        assert_true(one[i].distance == again->distance && one[i].gradient_estimate == again->gradient_estimate);
        differs += one[i].gradient_estimate != other[i].gradient_estimate;
    }
    assert_true(differs > 0);
    end(&net);
}

/* A network without slope: nothing is found, and nothing goes wrong. */
static void flat(void **unused)
{
    (void)unused;
    uint64_t state = 7;
    lip_attack_result found[SAMPLES];
    network net = affine(&state, 0);
    for (size_t k = 0; k < KINDS; k++) {
        attack(&net, (lip_attack_options) { .method = kinds[k], .directions = 1 }, found, NULL);
        for (size_t i = 0; i < SAMPLES; i++)
            assert_true(isinf(found[i].distance) && found[i].found == -1 && found[i].gradient_estimate == 0);
    }
    end(&net);
}

static void check_refusal(const lip_model *model, const lip_attack_options *options, const lip_attack_samples *samples,
                          lip_status status, const char *fragment)
{
    lip_attack_result found[SAMPLES];
    lip_error error = { 0 };
    assert_int_equal(lip_attack(model, options, samples, found, NULL, &error), status);
    assert_int_equal(error.status, status);
    check_holds(error.reason, fragment);
    assert_string_equal(error.file, "test.onnx");
}

static lip_model *one_node(build **b, const char *op, const char *shape)
{
    *b = build_new(17);
    build_input(*b, "x", shape);
    build_node(*b, op, "x", "y");
    build_output(*b, "y");
    return check_open(*b, NULL);
}

static void refusals(void **unused)
{
    (void)unused;
    uint64_t state = 8;
    build *b;
    network net = affine(&state, 1);
    lip_attack_options wrong = { .method = (lip_attack_kind)7 };
    lip_attack_samples samples = { net.samples, net.classes, 0, SAMPLES };
    check_refusal(net.model, &wrong, &samples, LIP_EUSAGE, "no attack number 7");
    net.classes[2] = CLASSES;
    check_refusal(net.model, NULL, &samples, LIP_EUSAGE, "5 of sample 2 is no class: there are 5");
    assert_int_equal(lip_attack(net.model, NULL, &(lip_attack_samples) { .count = 0 }, NULL, NULL, NULL), LIP_OK);
    end(&net);

    lip_model *model = one_node(&b, "Round", "1x12");
    check_refusal(model, NULL, &(lip_attack_samples) { .count = 0 }, LIP_EUNSUPPORTED, "no gradient");
    lip_model_free(&model);
    build_free(b);
    model = one_node(&b, "Relu", "3x4");
    check_refusal(model, NULL, &(lip_attack_samples) { .count = 0 }, LIP_EUNSUPPORTED, "not one vector");
    lip_model_free(&model);
    build_free(b);
    b = build_new(17);
    build_input(b, "x", "1x12");
    build_input(b, "z", "1x12");
    build_node(b, "Add", "x z", "y");
    build_output(b, "y");
    model = check_open(b, NULL);
    check_refusal(model, NULL, &(lip_attack_samples) { .count = 0 }, LIP_EUNSUPPORTED, "one input");
    lip_model_free(&model);
    build_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(affine_distances_are_exact), cmocka_unit_test(points_are_of_another_class),
        cmocka_unit_test(gradients_are_differences), cmocka_unit_test(wrong_and_left_out),
        cmocka_unit_test(ranges_hold), cmocka_unit_test(results_do_not_depend_on_the_others), cmocka_unit_test(flat),
        cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests_name("attack", tests, NULL, NULL);
}
