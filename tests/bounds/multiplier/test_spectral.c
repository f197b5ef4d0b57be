/*
 * test_spectral.c: convolutional networks of many geometries, on the torus and
 * as one system: no bound is below the Jacobian at any point, among them
 * points where all activations are active, where the network is one linear map.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "compose/propagate.h"
#include "multiplier/multiplier.h"
#include "multiplier/spectral_objective.h"
#include "random_weights.h"
#include "run.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { CLASSES = 4, MOST_INPUTS = 3 * 11 * 11, MOST_OUTPUTS = 8 * 14 * 14, MOST_MULTIPLIERS = 96 };

static uint64_t state = 79;

typedef struct net {
    build *b;
    lip_model *model;
    lip_arena arena;
    lip_layer_plan *plans;
    lip_layer_gain *gains;
    double *cumulative, product;
    size_t count;
} net;

/* Bias of a convolution: large where all activations are to be active. */
static void bias(build *b, const char *name, int64_t count, double level)
{
    double values[8];
    char shape[8];
    for (int64_t i = 0; i < count; i++)
        values[i] = level + 0.1 * oracle_normal(&state);
    snprintf(shape, sizeof shape, "%d", (int)count);
    build_reals(b, name, shape, values);
}

static void convolution(build *b, const char *name, const char *in, const char *out, int64_t co, int64_t ci, int64_t k,
                        int64_t stride, int64_t pad, bool nonnegative, double level)
{
    char shape[32], inputs[64], w[16], c[16];
    snprintf(w, sizeof w, "w%s", name);
    snprintf(c, sizeof c, "b%s", name);
    snprintf(shape, sizeof shape, "%dx%dx%dx%d", (int)co, (int)ci, (int)k, (int)k);
    snprintf(inputs, sizeof inputs, "%s %s %s", in, w, c);
    random_weights(b, &state, w, shape, co * ci * k * k, nonnegative);
    bias(b, c, co, level);
    build_node(b, "Conv", inputs, out);
    build_attr_ints(b, "strides", 2, (int64_t[]) { stride, stride });
    if (pad >= 0)
        build_attr_ints(b, "pads", 4, (int64_t[]) { pad, pad, pad, pad });
    else /* of all sides on its own */
        build_attr_ints(b, "pads", 4, (int64_t[]) { oracle_int(&state, 0, k - 1), oracle_int(&state, 0, k - 1),
                                                    oracle_int(&state, 0, k - 1), oracle_int(&state, 0, k - 1) });
}

/* Pooling with and without shared windows, or none. */
static const char *pool(build *b, const char *from, int64_t side)
{
    int64_t kind = side >= 8 ? oracle_int(&state, 0, 5) : 5;
    if (kind > 2)
        return from;
    build_node(b, kind == 2 ? "AveragePool" : "MaxPool", from, "pooled");
    int64_t k = kind == 1 ? 3 : 2;
    build_attr_ints(b, "kernel_shape", 2, (int64_t[]) { k, k });
    build_attr_ints(b, "strides", 2, (int64_t[]) { 2, 2 });
    return "pooled";
}

/*
 * conv, Relu, then a residual block (also with a shortcut of stride 2, a plain convolution of a sum, a concatenation of
 * both branches), pooling; then mean and Gemm, or the map itself.
 */
static net make(bool nonnegative, double level, const char *activation, bool map)
{
    net n = { .b = build_new(13) };
    int64_t side = oracle_int(&state, 5, 11), channels = oracle_int(&state, 1, 3), k = oracle_int(&state, 1, 4);
    int64_t stride = oracle_int(&state, 1, 2), inner = oracle_int(&state, 1, 4), other = oracle_int(&state, 5, 11);
    char shape[32];
    snprintf(shape, sizeof shape, "1x%dx%dx%d", (int)channels, (int)side, (int)other);
    build_input(n.b, "x", shape);
    convolution(n.b, "1", "x", "z1", inner, channels, k, 1, -1, nonnegative, level);
    build_node(n.b, activation, "z1", "h1");
    convolution(n.b, "2", "h1", "z2", inner, inner, 3, stride, 1, nonnegative, level);
    build_node(n.b, activation, "z2", "h2");
    convolution(n.b, "3", "h2", "z3", inner, inner, 3, 1, 1, nonnegative, level);
    convolution(n.b, "s", "h1", "zs", inner, inner, 1, stride, 0, nonnegative, level);
    const char *last = "sum";
    if (oracle_int(&state, 0, 3) == 0) {
        build_node(n.b, "Concat", "z3 zs", "sum");
        build_attr_int(n.b, "axis", 1);
        convolution(n.b, "4", "sum", "z4", inner, 2 * inner, 3, 1, 1, nonnegative, level);
        last = "z4";
    } else {
        build_node(n.b, "Add", "z3 zs", "sum");
        if (oracle_int(&state, 0, 2) == 0) { /* it looks at the neighbourhood of what is no activation */
            convolution(n.b, "4", "sum", "z4", inner, inner, 3, 1, 1, nonnegative, level);
            last = "z4";
        }
    }
    if (!map || oracle_int(&state, 0, 2) > 0) {
        build_node(n.b, activation, last, "h4");
        last = pool(n.b, "h4", side < other ? side : other);
    }
    if (map && oracle_int(&state, 0, 1)) {
        convolution(n.b, "5", last, "z5", inner, inner, 2, 1, 1, nonnegative, level);
        last = "z5";
    }
    if (map) {
        build_output(n.b, last);
        return n;
    }
    build_node(n.b, "GlobalAveragePool", last, "mean");
    build_node(n.b, "Flatten", "mean", "flat");
    snprintf(shape, sizeof shape, "%dx%d", (int)inner, CLASSES);
    random_weights(n.b, &state, "wl", shape, inner * CLASSES, nonnegative);
    build_node(n.b, "MatMul", "flat wl", "y");
    build_output(n.b, "y");
    return n;
}

static void open_net(net *n)
{
    lip_error error = { 0 };
    lip_propagation network;
    if (build_open(n->b, NULL, &n->model, &error) != LIP_OK)
        fail_msg("%s: %s", error.node, error.reason);
    lip_arena_init(&n->arena, &n->model->memory);
    assert_int_equal(lip_plan_layers(n->model, &n->arena, &n->plans, &n->count, &error), LIP_OK);
    n->gains = lip_arena_alloc(&n->arena, (int64_t)n->count, sizeof *n->gains);
    for (size_t i = 0; i < n->count; i++) {
        lip_layer_task task = { .node = n->plans[i].node, .gain = n->plans[i].gain, .exact = LIP_EXACT_NEVER,
                                .memory = &n->model->memory, .random = lip_random_seed(1, i) };
        assert_int_equal(lip_gain_of(&task, &n->gains[i], &error), LIP_OK);
    }
    assert_int_equal(lip_propagate(n->model, n->plans, n->gains, n->count, &n->arena, &network, &error), LIP_OK);
    n->cumulative = network.cumulative;
    n->product = network.network_upper;
}

static void close_net(net *n)
{
    lip_arena_free(&n->arena);
    lip_model_free(&n->model);
    build_free(n->b);
}

/* The largest norm of the Jacobian at random points. */
static double jacobian_norm(const net *n, int points)
{
    static double x[MOST_INPUTS], gradient[MOST_INPUTS], jacobian[MOST_OUTPUTS * MOST_INPUTS], seed[MOST_OUTPUTS];
    lip_run *run = NULL;
    lip_error error = { 0 };
    int64_t size, outputs;
    double most = 0;
    assert_true(lip_shape_count(&n->model->inputs[0]->shape, &size) && size <= MOST_INPUTS);
    assert_true(lip_shape_count(&n->model->logits->shape, &outputs) && outputs <= MOST_OUTPUTS);
    assert_int_equal(lip_run_open(n->model, &run, &error), LIP_OK);
    for (int point = 0; point < points; point++) {
        const double *inputs[] = { x };
        oracle_fill(&state, x, size);
        assert_int_equal(lip_run_forward(run, inputs, &error), LIP_OK);
        for (int64_t k = 0; k < outputs; k++) {
            seed[k] = 1;
            assert_int_equal(lip_run_gradient(run, seed, 0, gradient, &error), LIP_OK);
            seed[k] = 0;
            for (int64_t i = 0; i < size; i++)
                jacobian[i * outputs + k] = gradient[i];
        }
        most = fmax(most, oracle_svd(jacobian, outputs, size));
    }
    lip_run_free(&run);
    return most;
}

/* The bound on the torus with the start's multipliers of that shape, each changed at random by up to `noise`. */
static double torus_bound(net *n, double power, double noise)
{
    lip_spectral spectral;
    lip_certificate_of certificate;
    lip_error error = { 0 };
    double upper = (double)INFINITY, multipliers[MOST_MULTIPLIERS];
    bool proved;
    lip_status status =
        lip_spectral_build(n->model, n->plans, n->count, false, 1, &n->arena, &spectral, &error);
    if (status != LIP_OK)
        fail_msg("%s", error.reason);
    assert_true(spectral.multipliers <= MOST_MULTIPLIERS);
    assert_true(lip_spectral_start(&spectral, power, 1, multipliers));
    for (int64_t i = 0; i < spectral.multipliers; i++)
        multipliers[i] *= exp(noise * oracle_normal(&state));
    if (spectral.output >= 0) {
        upper = lip_spectral_upper(&spectral, multipliers, 1);
        lip_spectral_close(&spectral);
        return upper;
    }
    assert_int_equal(lip_spectral_certificate(&spectral, multipliers, true, 1, &certificate, &proved, &error), LIP_OK);
    if (proved)
        upper = lip_certificate_network_upper(&certificate);
    lip_certificate_close(&certificate);
    lip_spectral_close(&spectral);
    return upper;
}

static void check_torus(void **unused)
{
    (void)unused;
    static const char *const activations[] = { "Relu", "LeakyRelu", "Tanh" };
    int proofs = 0;
    for (int trial = 0; trial < 60; trial++) {
        net n = make(trial % 2, 0, activations[trial % 3], false);
        open_net(&n);
        double truth = jacobian_norm(&n, 12);
        double upper = torus_bound(&n, 0.25 * (trial % 4), 0), changed = torus_bound(&n, 0, 0.3);
        assert_true(upper >= truth && changed >= truth);
        proofs += isfinite(upper);
        close_net(&n);
    }
    assert_true(proofs == 60);
}

/* All activations active: the Jacobian is that of the linear network, and with weights >= 0 nothing is larger. */
static void check_active(void **unused)
{
    (void)unused;
    double tightest = (double)INFINITY;
    for (int trial = 0; trial < 240; trial++) {
        net n = make(trial % 3 != 0, 1e5, "Relu", false);
        open_net(&n);
        double truth = jacobian_norm(&n, 1), upper = torus_bound(&n, 0.25 * (trial % 3), 0);
        assert_true(upper >= truth * (1 - 1e-12));
        if (trial % 3 != 0)
            tightest = fmin(tightest, upper / truth);
        close_net(&n);
    }
    assert_true(tightest < 1.5); /* so two thirds of the bound would be refuted here */
}

/* The same for outputs that are images, where the output's multiplier is an estimate that need not hold. */
static void check_maps(void **unused)
{
    (void)unused;
    static const char *const activations[] = { "Relu", "LeakyRelu", "Tanh" };
    double tightest = (double)INFINITY;
    int proofs = 0;
    for (int trial = 0; trial < 60; trial++) {
        bool active = trial % 4 == 3;
        net n = make(trial % 2, active ? 1e5 : 0, active ? "Relu" : activations[trial % 3], true);
        open_net(&n);
        double truth = jacobian_norm(&n, active ? 1 : 3), upper = torus_bound(&n, 0.25 * (trial % 4), 0);
        assert_true(upper >= truth * (1 - 1e-12) && torus_bound(&n, 0, 0.02) >= truth * (1 - 1e-12));
        proofs += isfinite(upper);
        if (active)
            tightest = fmin(tightest, upper / truth);
        close_net(&n);
    }
    assert_true(proofs >= 50 && tightest < 1.1);
}

/* Settled: the vectors that grow most are found step by step, from evaluation to evaluation. */
static double objective_at(lip_spectral_objective *objective, const double *theta, double *gradient)
{
    for (int i = 0; i < 30; i++)
        lip_spectral_objective_at(objective, theta, gradient);
    return lip_spectral_objective_at(objective, theta, gradient);
}

/* The objective is log L, nearly, and its gradient that of differences. */
static void check_objective(void **unused)
{
    (void)unused;
    for (int trial = 0; trial < 12; trial++) {
        lip_spectral spectral;
        lip_spectral_objective objective;
        lip_error error = { 0 };
        double multipliers[MOST_MULTIPLIERS], theta[MOST_MULTIPLIERS];
        double gradient[MOST_MULTIPLIERS], unused_gradient[MOST_MULTIPLIERS];
        net n = make(false, 0, trial % 3 ? "Relu" : "LeakyRelu", trial % 2);
        open_net(&n);
        lip_status status = lip_spectral_build(n.model, n.plans, n.count, false, 1, &n.arena, &spectral, &error);
        if (status != LIP_OK)
            fail_msg("%s", error.reason);
        assert_true(lip_spectral_start(&spectral, 0.5, 1, multipliers));
        assert_true(lip_spectral_objective_open(&spectral, multipliers, 1, &objective));
        objective.barrier = 0.01 * (trial % 4);
        objective.pairs = trial % 4 == 2;
        for (int64_t i = 0; i < spectral.multipliers; i++)
            theta[i] = log(multipliers[i]) - 0.1;
        double value = objective_at(&objective, theta, gradient), slope = 0, step = 1e-5;
        assert_true(isfinite(value));
        double largest = sqrt(lip_spectral_objective_largest(&objective));
        if (spectral.output >= 0) /* the certificate proves what the objective finds, and no less */
            for (int side = 0; side < 2; side++) {
                double *output = &objective.multipliers[spectral.group[spectral.output].multiplier];
                *output = 1 / (largest * largest * (side ? 0.99 : 1.01));
                assert_true(isinf(lip_spectral_upper(&spectral, objective.multipliers, 1)) == (side == 1));
            }
        for (int64_t i = 0; i < spectral.multipliers; i++) {
            double direction = cos(2.3 * (double)i + trial);
            slope += direction * gradient[i];
            theta[i] += step * direction;
        }
        double ahead = objective_at(&objective, theta, unused_gradient);
        for (int64_t i = 0; i < spectral.multipliers; i++)
            theta[i] -= 2 * step * cos(2.3 * (double)i + trial);
        double behind = objective_at(&objective, theta, unused_gradient), difference = (ahead - behind) / (2 * step);
        assert_true(fabs(slope - difference) <= 1e-4 * (fabs(slope) + fabs(difference)) + 1e-6);
        lip_spectral_objective_close(&objective);
        lip_spectral_close(&spectral);
        close_net(&n);
    }
}

/* The same networks, as one system. */
static void check_system(void **unused)
{
    (void)unused;
    for (int trial = 0; trial < 16; trial++) {
        net n = make(trial % 2, trial % 4 < 2 ? 1e5 : 0, trial % 3 ? "Relu" : "LeakyRelu", false);
        open_net(&n);
        double truth = jacobian_norm(&n, 6);
        lip_multiplier_options options = { .effort = 1, .threads = 1 };
        lip_multiplier_bounds bounds;
        lip_multiplier_run(n.model, n.plans, n.gains, n.cumulative, n.count, &options, &n.arena, &bounds);
        assert_string_equal(bounds.reason, "");
        assert_true(isfinite(bounds.network_upper) && bounds.network_upper >= truth * (1 - 1e-12));
        close_net(&n);
    }
}

/* One convolution and one activation with T = 1 / norm^2 of the torus: the bound is the product with the mean's
 * norm. */
static void check_symbol(void **unused)
{
    (void)unused;
    for (int trial = 0; trial < 40; trial++) {
        int64_t k = oracle_int(&state, 1, 4), pad = oracle_int(&state, 0, k - 1), stride = oracle_int(&state, 1, 2);
        int64_t n_in = oracle_int(&state, 4, 8), n_out = (n_in + 2 * pad - k) / stride + 1, ratio = stride;
        lip_conv conv = { .dims = 2, .batch = 1, .groups = 1, .c_in = 2, .c_out = 3, .n = { n_in, n_in },
                          .n_out = { n_out, n_out }, .k = { k, k }, .stride = { stride, stride }, .dilation = { 1, 1 },
                          .pad_begin = { pad, pad } };
        double w[2 * 3 * 16], most = 0;
        oracle_fill(&state, w, 6 * k * k);
        int64_t side = (n_in + pad + k + ratio - 1) / ratio;
        for (int64_t a = 0; a < side; a++)
            for (int64_t b = 0; b < side; b++) {
                double complex symbol[3 * 2 * 4];
                double real[4 * 3 * 2 * 4];
                int64_t j[] = { a, b }, cols = 2 * ratio * ratio;
                lip_spectral_symbol(&conv, w, ratio, side, j, symbol);
                for (int64_t r = 0; r < 3; r++) /* [re -im; im re], column-major, has the same norm */
                    for (int64_t c = 0; c < cols; c++) {
                        double complex s = symbol[r * cols + c];
                        real[c * 6 + r] = real[(cols + c) * 6 + 3 + r] = creal(s);
                        real[c * 6 + 3 + r] = cimag(s);
                        real[(cols + c) * 6 + r] = -cimag(s);
                    }
                most = fmax(most, oracle_svd(real, 6, 2 * cols));
            }
        double truth = oracle_conv_norm(&conv, w);
        assert_true(most >= truth * (1 - 1e-12) && most <= truth * 1.6);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(check_symbol),
        cmocka_unit_test(check_torus),
        cmocka_unit_test(check_active),
        cmocka_unit_test(check_maps),
        cmocka_unit_test(check_objective),
        cmocka_unit_test(check_system),
    };
    return cmocka_run_group_tests_name("spectral", tests, NULL, NULL);
}
