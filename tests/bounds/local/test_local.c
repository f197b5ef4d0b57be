/*
 * test_local.c FOLDER: bounds on a ball around a sample, of networks whose
 * logits are known exactly on the ball, and beside the other radii of the
 * fixtures in FOLDER.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "local/opened.h"

#include <stdio.h>

static const char *folder;

/* ------------------------------------------------------------ one hidden layer */

/* y = V max(W x + b, 0), with float32 weights. */
typedef struct hidden {
    int n, neurons;
    double w[DIM * DIM], b[DIM], v[CLASSES * DIM];
} hidden;

static void open_hidden(opened *o, const hidden *net)
{
    char w[32], v[32], n[32], b[32];
    snprintf(n, sizeof n, "1x%d", net->n);
    snprintf(w, sizeof w, "%dx%d", net->neurons, net->n);
    snprintf(b, sizeof b, "%d", net->neurons);
    snprintf(v, sizeof v, "%dx%d", CLASSES, net->neurons);
    o->build = build_new(17);
    build_input(o->build, "x", n);
    build_reals(o->build, "w", w, net->w);
    build_reals(o->build, "b", b, net->b);
    build_reals(o->build, "v", v, net->v);
    build_node(o->build, "Gemm", "x w b", "z");
    build_attr_int(o->build, "transB", 1);
    build_node(o->build, "Relu", "z", "h");
    build_node(o->build, "Gemm", "h v", "y");
    build_attr_int(o->build, "transB", 1);
    build_output(o->build, "y");
    open_with(o, exact, NULL);
}

static double before_relu(const hidden *net, int i, const double *x)
{
    long double z = net->b[i];
    for (int k = 0; k < net->n; k++)
        z += (long double)net->w[i * net->n + k] * x[k];
    return (double)z;
}

/* Gradient at x of f_t - f_j, without the neuron `but`. */
static double gradient(const hidden *net, const double *x, int64_t t, int64_t j, int but, double *g)
{
    long double squares = 0;
    for (int k = 0; k < net->n; k++) {
        long double sum = 0;
        for (int i = 0; i < net->neurons; i++)
            if (i != but && before_relu(net, i, x) > 0)
                sum += ((long double)net->v[t * net->neurons + i] - net->v[j * net->neurons + i]) *
                       net->w[i * net->n + k];
        squares += sum * sum;
        g[k] = (double)sum;
    }
    return (double)sqrtl(squares);
}

/* (f_t - f_j)(x), in long double. */
static double difference(const hidden *net, const double *x, int64_t t, int64_t j)
{
    long double sum = 0;
    for (int i = 0; i < net->neurons; i++)
        sum += ((long double)net->v[t * net->neurons + i] - net->v[j * net->neurons + i]) *
               fmaxl(0, before_relu(net, i, x));
    return (double)sum;
}

/* Where no neuron reaches its kink the network is affine on the ball: the bounds are its gradients, and the radius the
 * distance to the boundary. */
static void far_from_kinks_bounds_are_gradients(void **unused)
{
    (void)unused;
    uint64_t state = 11;
    int beyond = 0;
    for (int trial = 0; trial < 20; trial++) {
        hidden net = { .n = 3 + trial, .neurons = 4 + trial };
        double x[DIM], g[DIM], fall[CLASSES], distance = (double)INFINITY;
        opened o;
        draw(&state, 1, net.n * net.neurons, net.w);
        draw(&state, 1, CLASSES * net.neurons, net.v);
        draw(&state, 1, net.n, x);
        for (int i = 0; i < net.neurons; i++) /* some active, others not, all of them far from 0 */
            net.b[i] = oracle_bits(&state) % 3 ? 4096 + i : -4096;
        open_hidden(&o, &net);
        lip_certificate c = certify(&o, x);
        assert_true(c.predicted >= 0);
        for (int64_t j = 0; j < CLASSES; j++)
            if (j != c.label)
                distance = fmin(distance, difference(&net, x, c.label, j) / gradient(&net, x, c.label, j, -1, g));
        double r = 1;
        falls(&o, r, c.label, fall);
        for (int64_t j = 0; j < CLASSES; j++) {
            double exactly = r * gradient(&net, x, c.label, j, -1, g);
            if (j == c.label)
                assert_true(fall[j] == 0);
            else if (!(fall[j] >= exactly * (1 - 1e-15) && fall[j] * 0.999 < exactly))
                fail_msg("trial %d: fall %.17g, gradient %.17g", trial, fall[j], exactly);
        }
        if (distance < 200) { /* |W_i| < 20: no kink that near */
            beyond++;
            assert_true(c.local_radius <= distance && c.local_radius > 0.99 * distance);
            assert_true(c.radius == c.local_radius);
            assert_string_equal(c.method, "local");
        }
        close_opened(&o);
    }
    assert_true(beyond >= 3);
}

/* The largest fall on a ball with one neuron i that may cross its kink: the rest is affine, so that the worst is in the
 * plane of the gradient of the rest and of W_i. */
static double worst_with_one_kink(const hidden *net, const double *x, int64_t t, int64_t j, int i, double r)
{
    double g[DIM], squares = 0, along = 0, rest = gradient(net, x, t, j, i, g), across, worst = 0;
    double z = before_relu(net, i, x), v = net->v[t * net->neurons + i] - net->v[j * net->neurons + i];
    for (int k = 0; k < net->n; k++) {
        squares += net->w[i * net->n + k] * net->w[i * net->n + k];
        along += net->w[i * net->n + k] * g[k] / rest;
    }
    across = sqrt(fmax(0, squares - along * along));
    for (int step = 0; step < 20000; step++) {
        double angle = 2 * M_PI * step / 20000, dx = r * cos(angle), dy = r * sin(angle);
        for (int part = 1; part <= 4; part++) { /* inside the ball as well */
            double s = part / 4.0, moved = z + s * (along * dx + across * dy);
            worst = fmax(worst, -(rest * dx * s) - v * (fmax(0, moved) - fmax(0, z)));
        }
    }
    return worst;
}

/* The same where the neuron is said to be `shift` from where it is, and said not to be known better. */
static void anchor_is_off(const opened *o, const hidden *net, const double *x, int64_t t, double shift)
{
    const lip_local_tile *tile = &o->certifier->pool->local;
    double z[DIM], error[2] = { fabs(shift), fabs(shift) }, fall[CLASSES];
    assert_int_equal(lip_local_layers(tile->local), 2);
    memcpy(z, tile->z, (size_t)net->neurons * sizeof *z);
    z[0] += shift;
    lip_local_sample_set(tile->sample, z, error);
    for (double r = 0.125; r < 4; r *= 2) {
        falls(o, r, t, fall);
        for (int64_t j = 0; j < CLASSES; j++)
            assert_true(j == t || fall[j] >= worst_with_one_kink(net, x, t, j, 0, r));
    }
}

/* One neuron that may cross: never below the exact fall, equal to it up to the kink, and not far from it beyond. */
static void one_kink(void **unused)
{
    (void)unused;
    uint64_t state = 12;
    double widest = 0, sum = 0;
    int count = 0, straight = 0;
    for (int trial = 0; trial < 40; trial++) {
        hidden net = { .n = 4, .neurons = 6 };
        double x[DIM], fall[CLASSES];
        opened o;
        draw(&state, 1, net.n * net.neurons, net.w);
        draw(&state, 1, CLASSES * net.neurons, net.v);
        draw(&state, 1, net.n, x);
        for (int i = 0; i < net.neurons; i++)
            net.b[i] = i % 2 ? 4096 + i : -4096;
        net.b[0] = 0;
        net.b[0] = (double)(float)((trial % 2 ? 0.5 : -0.5) - before_relu(&net, 0, x));
        open_hidden(&o, &net);
        lip_certificate c = certify(&o, x);
        for (double r = 0.125; r < 16; r *= 2) {
            falls(&o, r, c.label, fall);
            for (int64_t j = 0; j < CLASSES; j++) {
                if (j == c.label)
                    continue;
                double worst = worst_with_one_kink(&net, x, c.label, j, 0, r);
                assert_true(fall[j] >= worst);
                if (length(net.w, net.n) * r < 0.49) {
                    assert_true(fall[j] * 0.999 < worst);
                    straight++;
                }
                widest = fmax(widest, fall[j] / worst);
                sum += fall[j] / worst;
                count++;
            }
        }
        for (double shift = -0.4; shift < 0.5; shift += 0.8)
            anchor_is_off(&o, &net, x, c.label, shift);
        for (int64_t j = 0; c.radius > 0 && j < CLASSES; j++)
            if (j != c.label)
                assert_true(worst_with_one_kink(&net, x, c.label, j, 0, c.radius * (1 - 1e-12)) <
                            difference(&net, x, c.label, j));
        close_opened(&o);
    }
    print_message("# one kink: bound / exact fall %.4f in the mean, at most %.4f\n", sum / count, widest);
    assert_true(widest < 2.5 && sum / count < 1.1 && straight > 40);
}

/* ---------------------------------------------------------- a few nodes by hand */

/* y_0 = c + w v, y_1 = 0, y_2 = -100. */
static void add_head(build *b, const char *v, int n, const double *w, double c)
{
    double matrix[CLASSES * DIM] = { 0 }, bias[CLASSES] = { c, 0, -100 };
    char shape[32], inputs[32];
    memcpy(matrix, w, (size_t)n * sizeof *w);
    snprintf(shape, sizeof shape, "%dx%d", CLASSES, n);
    snprintf(inputs, sizeof inputs, "%s v c", v);
    build_reals(b, "v", shape, matrix);
    build_reals(b, "c", "3", bias);
    build_node(b, "Gemm", inputs, "y");
    build_attr_int(b, "transB", 1);
    build_output(b, "y");
}

/* How far y_0 - y_1 can fall. */
static double fall_of(opened *o, const double *x, double r)
{
    double fall[CLASSES];
    assert_int_equal(certify(o, x).label, 0);
    falls(o, r, 0, fall);
    return fall[1];
}

/* x_0 - max(x_0, x_1) falls by sqrt(2) r - gap: by both moving at once. */
static void max_pool(void **unused)
{
    (void)unused;
    const double w[] = { 1, 0, -1 };
    for (double gap = 0; gap < 2; gap += 0.25) {
        const double x[] = { 3, 3 - gap };
        opened o = { .build = build_new(17) };
        build_input(o.build, "x", "1x1x1x2");
        build_node(o.build, "MaxPool", "x", "u");
        build_attr_ints(o.build, "kernel_shape", 2, (int64_t[]){ 1, 2 });
        build_node(o.build, "Flatten", "x", "a");
        build_node(o.build, "Flatten", "u", "b");
        build_node(o.build, "Concat", "a b", "h");
        build_attr_int(o.build, "axis", 1);
        add_head(o.build, "h", 3, w, 5);
        open_with(&o, exact, NULL);
        for (double r = 0.0625; r < 8; r *= 1.25) {
            double fall = fall_of(&o, x, r), exactly = fmax(0, sqrt(2) * r - gap);
            assert_true(fall >= exactly * (1 - 1e-15));
            assert_true(gap > 0 || fall * 0.999 < exactly);
            assert_true(fall < 1e-12 || 2 * r > gap);
        }
        close_opened(&o);
    }
}

/* 10 u_0 - 10 u_1, u = softmax(x) at x_0 = x_1: the steepest there is. */
static void softmax_inside(void **unused)
{
    (void)unused;
    const double w[] = { 10, -10 }, x[] = { 1, 1 };
    opened o = { .build = build_new(17) };
    build_input(o.build, "x", "1x2");
    build_node(o.build, "Softmax", "x", "u");
    add_head(o.build, "u", 2, w, 1);
    open_with(&o, exact, NULL);
    for (double r = 0x1p-12; r < 1; r *= 2) {
        double fall = fall_of(&o, x, r), exactly = 10 * tanh(r / sqrt(2));
        assert_true(fall >= exactly);
        assert_true(r > 0.01 || fall * 0.999 < exactly);
    }
    close_opened(&o);
}

/* -max(a, 0) for a = factor max(x, 0) - 1/2 at x = -1/8: a moves to one side only, and counts from the gap on. */
static void one_side(void **unused)
{
    (void)unused;
    const double one[] = { 1 }, below[] = { -0.5 }, w[] = { -1 }, x[] = { -0.125 };
    for (double factor = 1; factor < 3; factor++) {
        opened o = { .build = build_new(17) };
        build_input(o.build, "x", "1x1");
        build_reals(o.build, "p", "1x1", one);
        build_reals(o.build, "f", "1x1", &factor);
        build_reals(o.build, "q", "1", below);
        build_node(o.build, "Gemm", "x p", "z");
        build_node(o.build, "Relu", "z", "h");
        build_node(o.build, "Gemm", "h f q", "a");
        build_node(o.build, "Relu", "a", "u");
        add_head(o.build, "u", 1, w, 5);
        open_with(&o, exact, NULL);
        for (double r = 0.125; r < 4; r *= 1.25) {
            double fall = fall_of(&o, x, r), exactly = fmax(0, factor * (r - 0.125) - 0.5);
            assert_true(fall >= exactly);
            assert_true(factor * (r - 0.125) < 0.5 ? fall < 1e-12 : fall <= factor * r);
        }
        close_opened(&o);
    }
}

/* -------------------------------------------------------------------- fixtures */

/* What a certifier says of `samples` noisy images. */
static void certify_noise(const lip_model *model, const lip_report *report, bool local, lip_deployed deployed,
                          lip_certificate *out, size_t samples)
{
    const lip_certify_options options = { .deployed = deployed, .local = local };
    lip_certifier *certifier = NULL;
    lip_error error;
    int64_t elements;
    uint64_t state = 16;
    assert_true(lip_shape_count(&model->inputs[0]->shape, &elements));
    double *x = oracle_alloc((int64_t)samples * elements, sizeof *x);
    for (size_t i = 0; i < samples * (size_t)elements; i++)
        x[i] = (double)oracle_bits(&state) * 0x1p-64;
    assert_int_equal(lip_certifier_open(model, report, &options, &certifier, &error), LIP_OK);
    assert_int_equal(lip_certify(certifier, x, NULL, samples, out, &error), LIP_OK);
    lip_certifier_free(&certifier);
    oracle_free(x);
}

/* Bounds around the sample never make a radius smaller. */
static void fixtures_have_larger_radii(void **unused)
{
    (void)unused;
    static const char *const names[] = { "fmnist_mlp2_base", "fmnist_keras_flatten", "fmnist_small_base_torchscript" };
    enum { SAMPLES = 3 };
    for (size_t f = 0; f < sizeof names / sizeof *names; f++) {
        char path[1024];
        const lip_audit_options audit = { .iterations = 1, .exact = LIP_EXACT_NEVER, .effort = LIP_EFFORT_PRODUCT };
        lip_model *model = NULL;
        lip_report *report = NULL;
        lip_error error;
        lip_certificate with[SAMPLES], without[SAMPLES];
        const lip_deployed deployed = f == 1 ? LIP_DEPLOYED_EXACT : LIP_DEPLOYED_FLOAT32;
        snprintf(path, sizeof path, "%s/%s.onnx", folder, names[f]);
        if (lip_model_open(path, NULL, &model, &error) || lip_audit(model, &audit, &report, &error))
            fail_msg("%s: %s", path, error.reason);
        certify_noise(model, report, true, deployed, with, SAMPLES);
        certify_noise(model, report, false, deployed, without, SAMPLES);
        for (int i = 0; i < SAMPLES; i++) {
            print_message("# %s: %g by %s, %g without\n", names[f], with[i].radius, with[i].method, without[i].radius);
            assert_true(isnan(without[i].local_radius) && !isnan(with[i].local_radius));
            assert_true(with[i].radius == fmax(with[i].local_radius, without[i].radius));
        }
        lip_report_free(&report);
        lip_model_free(&model);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(far_from_kinks_bounds_are_gradients),
        cmocka_unit_test(one_kink),
        cmocka_unit_test(max_pool),
        cmocka_unit_test(softmax_inside),
        cmocka_unit_test(one_side),
        cmocka_unit_test(fixtures_have_larger_radii),
    };
    folder = argc > 1 ? argv[1] : "fixtures/models";
    return cmocka_run_group_tests_name("bounds around samples", tests, NULL, NULL);
}
