/*
 * test_error_statistics.c: bounds of rounding errors of normalisations, local
 * responses, norms, Softmax, LogSoftmax and interpolation against executions
 * in float32 in random orders, with functions as wrong as they are assumed to
 * be; and certificates of networks with functions against such executions.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "certify/opened_plan.h"
#include "oracle.h"

#include <math.h>
#include <stdio.h>

/* x: 1 x 6 x 2 x 2. */
enum { CHANNELS = 6, SIDE = 2, POSITIONS = SIDE * SIDE, COUNT = CHANNELS * POSITIONS, MOST = 4 * COUNT };

typedef long double real;

/* How numbers are computed: exactly, or in float32, the functions off by up to `off` units. */
typedef struct arithmetic {
    bool exact;
    double off;
    uint64_t *state;
} arithmetic;

static real rounded(const arithmetic *a, real x) { return a->exact ? x : (real)(float)x; }

static real sum_of(const arithmetic *a, real *terms, int n)
{
    real sum = 0;
    for (int i = n - 1; i >= 0; i--) {
        int j = a->exact ? i : (int)(oracle_bits(a->state) % (uint64_t)(i + 1));
        real term = terms[j];
        terms[j] = terms[i];
        sum = rounded(a, sum + term);
    }
    return sum;
}

/* A function's value, off by up to 60 units relatively or of `size`. */
static real function(const arithmetic *a, real value, real size)
{
    double where = a->exact ? 0 : a->off * ((double)(oracle_bits(a->state) % 1024) / 1024);
    return rounded(a, value + size * (real)(where * 0x1p-24));
}

typedef struct parameters {
    double gamma[COUNT], beta[COUNT];
} parameters;

/* ------------------------------------------------------------------- functions */

/* A block of n elements, `step` apart; gamma and beta of element i at i / run. */
static void normalise(const arithmetic *a, const real *x, int n, bool centred, const double *gamma, const double *beta,
                      int run, real *y)
{
    real terms[COUNT], mean = 0;
    for (int i = 0; i < n; i++)
        terms[i] = x[i];
    if (centred)
        mean = rounded(a, sum_of(a, terms, n) / n);
    for (int i = 0; i < n; i++) {
        real z = rounded(a, x[i] - mean);
        terms[i] = a->exact ? z * z : function(a, z * z, z * z);
    }
    real variance = rounded(a, sum_of(a, terms, n) / n);
    real root = rounded(a, sqrtl(rounded(a, variance + (real)1e-5F)));
    for (int i = 0; i < n; i++) {
        real z = rounded(a, x[i] - mean), f = rounded(a, z / root);
        if (!a->exact && a->off < 0)
            f = rounded(a, z * rounded(a, 1 / root));
        y[i] = rounded(a, f * gamma[i / run]);
        y[i] = beta ? rounded(a, y[i] + beta[i / run]) : y[i];
    }
}

static void layer(const arithmetic *a, const parameters *p, const real *x, real *y)
{
    normalise(a, x, COUNT, true, p->gamma, p->beta, 1, y);
}

static void rms(const arithmetic *a, const parameters *p, const real *x, real *y)
{
    normalise(a, x, COUNT, false, p->gamma, NULL, 1, y);
}

static void instance(const arithmetic *a, const parameters *p, const real *x, real *y)
{
    for (int c = 0; c < CHANNELS; c++)
        normalise(a, x + c * POSITIONS, POSITIONS, true, p->gamma + c, p->beta + c, POSITIONS, y + c * POSITIONS);
}

static void group(const arithmetic *a, const parameters *p, const real *x, real *y)
{
    for (int g = 0; g < 2; g++)
        normalise(a, x + g * COUNT / 2, COUNT / 2, true, p->gamma + g * CHANNELS / 2, p->beta + g * CHANNELS / 2,
                  POSITIONS, y + g * COUNT / 2);
}

static void response(const arithmetic *a, const parameters *p, const real *x, real *y)
{
    (void)p;
    const real alpha = (real)0.5F, factor = rounded(a, alpha / 3);
    for (int i = 0; i < COUNT; i++) {
        real terms[3];
        int n = 0;
        for (int c = i / POSITIONS - 1; c <= i / POSITIONS + 1; c++)
            if (c >= 0 && c < CHANNELS)
                terms[n++] = rounded(a, x[c * POSITIONS + i % POSITIONS] * x[c * POSITIONS + i % POSITIONS]);
        real d = rounded(a, 1 + rounded(a, factor * sum_of(a, terms, n)));
        real power = powl(d, 0.75L);
        y[i] = rounded(a, x[i] / function(a, power, power));
    }
}

static void norm_p(const arithmetic *a, int p, const real *x, real *y)
{
    for (int c = 0; c < CHANNELS; c++) {
        real terms[POSITIONS];
        for (int i = 0; i < POSITIONS; i++) {
            real element = x[c * POSITIONS + i];
            terms[i] = p == 1 ? fabsl(element) : function(a, element * element, element * element);
        }
        real sum = sum_of(a, terms, POSITIONS);
        y[c] = p == 1 ? sum : function(a, sqrtl(sum), sqrtl(sum));
    }
}

static void norm_1(const arithmetic *a, const parameters *p, const real *x, real *y)
{
    (void)p;
    norm_p(a, 1, x, y);
}

static void norm_2(const arithmetic *a, const parameters *p, const real *x, real *y)
{
    (void)p;
    norm_p(a, 2, x, y);
}

static void soft(const arithmetic *a, const real *x, bool log, real *y)
{
    for (int i = 0; i < POSITIONS; i++) {
        real most = x[i], e[CHANNELS], terms[CHANNELS];
        for (int c = 1; c < CHANNELS; c++)
            most = fmaxl(most, x[c * POSITIONS + i]);
        for (int c = 0; c < CHANNELS; c++) {
            real value = expl(rounded(a, x[c * POSITIONS + i] - most));
            e[c] = terms[c] = function(a, value, value);
        }
        real sum = sum_of(a, terms, CHANNELS), logarithm = function(a, logl(sum), fabsl(logl(sum)) + 1);
        bool first = a->off > 0;
        for (int c = 0; c < CHANNELS; c++) {
            real from = x[c * POSITIONS + i];
            y[c * POSITIONS + i] = !log    ? rounded(a, e[c] / sum)
                                   : first ? rounded(a, rounded(a, from - most) - logarithm)
                                           : rounded(a, from - rounded(a, most + logarithm));
        }
    }
}

static void softmax(const arithmetic *a, const parameters *p, const real *x, real *y)
{
    (void)p;
    soft(a, x, false, y);
}

static void log_softmax(const arithmetic *a, const parameters *p, const real *x, real *y)
{
    (void)p;
    soft(a, x, true, y);
}

/* Twice as large, half-pixel: coefficients 3/4 and 1/4, the border repeated. */
static void bilinear(const arithmetic *a, const parameters *p, const real *x, real *y)
{
    (void)p;
    for (int i = 0; i < MOST; i++) {
        int c = i / 16, row = i / 4 % 4, column = i % 4, n = 0;
        real terms[4];
        for (int u = 0; u < 2; u++)
            for (int v = 0; v < 2; v++) {
                int r = (row + 1) / 2 - 1 + u, q = (column + 1) / 2 - 1 + v;
                real near = (row % 2 == 0) == (u == 1) ? 0.75L : 0.25L, by = (column % 2 == 0) == (v == 1) ? 0.75L
                                                                                                         : 0.25L;
                r = r < 0 ? 0 : r > 1 ? 1 : r;
                q = q < 0 ? 0 : q > 1 ? 1 : q;
                terms[n++] = rounded(a, near * rounded(a, by * x[c * 4 + r * 2 + q]));
            }
        y[i] = sum_of(a, terms, 4);
    }
}

/* ------------------------------------------------------------------------ cases */

typedef struct example {
    const char *op, *inputs, *parameters; /* parameters: their shape */
    void (*run)(const arithmetic *a, const parameters *p, const real *x, real *y);
    int64_t opset;
    int outputs, p;
    bool is_own_only; /* deployed executions are refused */
} example;

static const example examples[] = {
    { "LayerNormalization", "x gamma beta", "6x2x2", layer, 17, COUNT, 0, true },
    { "RMSNormalization", "x gamma", "6x2x2", rms, 23, COUNT, 0, false },
    { "InstanceNormalization", "x gamma beta", "6", instance, 17, COUNT, 0, true },
    { "GroupNormalization", "x gamma beta", "6", group, 21, COUNT, 0, true },
    { "LRN", "x", NULL, response, 17, COUNT, 0, false },
    { "LpPool", "x", NULL, norm_1, 17, CHANNELS, 1, false },
    { "LpPool", "x", NULL, norm_2, 17, CHANNELS, 2, false },
    { "ReduceL1", "x", NULL, norm_1, 13, CHANNELS, 0, false },
    { "ReduceL2", "x", NULL, norm_2, 13, CHANNELS, 0, false },
    { "Softmax", "x", NULL, softmax, 17, COUNT, 0, false },
    { "LogSoftmax", "x", NULL, log_softmax, 17, COUNT, 0, false },
    { "Resize", "x - scales", NULL, bilinear, 17, MOST, 0, false },
};

static void set_attributes(build *b, const example *e)
{
    if (strcmp(e->op, "LayerNormalization") == 0 || strcmp(e->op, "RMSNormalization") == 0 || strstr(e->op, "Softmax"))
        build_attr_int(b, "axis", 1);
    if (strcmp(e->op, "GroupNormalization") == 0)
        build_attr_int(b, "num_groups", 2);
    if (strcmp(e->op, "LRN") == 0) {
        build_attr_int(b, "size", 3);
        build_attr_float(b, "alpha", 0.5F);
    }
    if (strcmp(e->op, "LpPool") == 0) {
        build_attr_int(b, "p", e->p);
        build_attr_ints(b, "kernel_shape", 2, (int64_t[]) { SIDE, SIDE });
    }
    if (strncmp(e->op, "ReduceL", 7) == 0)
        build_attr_ints(b, "axes", 2, (int64_t[]) { 2, 3 });
    if (strcmp(e->op, "Resize") == 0)
        build_attr_string(b, "mode", "linear");
}

/* The node alone, a sign after it, as a Softmax at the end is not part of the logits. */
static void open_example(opened *o, const example *e, const parameters *p, const float *scales)
{
    build *b = o->build = build_new(e->opset);
    build_input(b, "x", "1x6x2x2");
    build_floats(b, "scales", "4", scales);
    if (e->parameters) {
        build_reals(b, "gamma", e->parameters, p->gamma);
        build_reals(b, "beta", e->parameters, p->beta);
    }
    build_node(b, e->op, e->inputs, "t");
    set_attributes(b, e);
    build_node(b, "Neg", "t", "y");
    build_output(b, "y");
    open_plan(o, 0, e->op);
}

static bool run_plan(opened *o, const lip_ieee *precision, bool is_own, double *most)
{
    const lip_error_step *refused = NULL;
    const lip_error_case which = { .precision = precision, .norms = o->norms, .own = is_own ? NULL : o->own };
    return lip_error_run(&o->plan, &which, o->errors, most, &refused);
}

static double norm_of(const real *x, int n)
{
    real sum = 0;
    for (int i = 0; i < n; i++)
        sum += x[i] * x[i];
    return (double)(sqrtl(sum) * (1 + 1e-14L));
}

/* The largest error over its bound in executions at one point. */
static double worst_of(opened *o, const example *e, const parameters *p, const real *x, uint64_t *state)
{
    real exact[MOST], found[MOST];
    double worst = 0, most;
    const arithmetic truth = { .exact = true };
    o->norms[o->model->inputs[0]->index] = norm_of(x, COUNT);
    assert_true(run_plan(o, &lip_ieee_float32, e->is_own_only, &most));
    assert_true(most > 0);
    const double bound = o->errors[o->model->logits->index].at0;
    e->run(&truth, p, x, exact);
    for (int trial = 0; trial < 60; trial++) {
        const arithmetic narrow = { .off = trial % 3 == 0 ? -60 : trial % 3 == 1 ? 60 : 1, .state = state };
        e->run(&narrow, p, x, found);
        for (int i = 0; i < e->outputs; i++)
            found[i] -= exact[i];
        worst = fmax(worst, norm_of(found, e->outputs) / bound);
    }
    return worst;
}

static void fill(uint64_t *state, double scale, double *to)
{
    for (int i = 0; i < COUNT; i++)
        to[i] = (double)(float)(scale * ((double)oracle_bits(state) / 0x1p63 - 1));
}

static void executions_stay_within_the_bounds(void **unused)
{
    (void)unused;
    static const double scales[] = { 1e-25, 1e-3, 0.05, 1, 30, 1e4 };
    static const float twice[] = { 1, 1, 2, 2 };
    uint64_t state = 41;
    for (size_t k = 0; k < sizeof examples / sizeof *examples; k++) {
        const example *e = &examples[k];
        double worst = 0;
        for (int trial = 0; trial < 30; trial++) {
            parameters p;
            opened o = { 0 };
            double from[COUNT];
            real x[COUNT];
            fill(&state, 2, p.gamma);
            fill(&state, trial % 2 ? 1 : 0, p.beta);
            fill(&state, scales[trial % 6], from);
            for (int i = 0; i < COUNT; i++)
                x[i] = (real)(float)(from[i] + (trial % 4 == 3 ? 3 * scales[trial % 6] : 0));
            open_example(&o, e, &p, twice);
            worst = fmax(worst, worst_of(&o, e, &p, x, &state));
            close_plan(&o);
        }
        if (!(worst <= 1 && worst > 1e-3))
            fail_msg("%s: the largest error is %g of its bound", e->op, worst);
    }
}

/* What is not derived is refused: deployed centred normalisation, scales that are not exact, half precision. */
static void the_rest_is_refused(void **unused)
{
    (void)unused;
    static const float twice[] = { 1, 1, 2, 2 }, thrice[] = { 1, 1, 3, 3 };
    uint64_t state = 43;
    parameters p;
    double most;
    fill(&state, 2, p.gamma);
    fill(&state, 1, p.beta);
    for (size_t k = 0; k < sizeof examples / sizeof *examples; k++) {
        const example *e = &examples[k];
        opened o = { 0 };
        bool is_norm = strncmp(e->op, "ReduceL", 7) == 0 || strcmp(e->op, "LpPool") == 0;
        open_example(&o, e, &p, twice);
        assert_true(run_plan(&o, &lip_ieee_float64, true, &most));
        assert_true(run_plan(&o, &lip_ieee_float32, false, &most) == !e->is_own_only);
        assert_true(run_plan(&o, &lip_ieee_float16, false, &most) == is_norm);
        o.norms[o.model->inputs[0]->index] = 1e36; /* whose square overflows */
        if (run_plan(&o, &lip_ieee_float32, false, &most) && e->run != norm_1 && e->run != softmax &&
            e->run != log_softmax && e->run != bilinear)
            assert_true(most == 0);
        close_plan(&o);
    }
    opened o = { 0 };
    open_example(&o, &examples[sizeof examples / sizeof *examples - 1], &p, thrice);
    assert_true(run_plan(&o, &lip_ieee_float64, true, &most));
    assert_false(run_plan(&o, &lip_ieee_float32, false, &most));
    close_plan(&o);
}

/* ----------------------------------------------------------------- certificates */

enum { WIDTH = 12, CLASSES = 3 };

/* W3 g(W2 f(W1 x)). */
typedef struct network {
    const char *first, *second;
    double w1[WIDTH * WIDTH], w2[WIDTH * WIDTH], w3[CLASSES * WIDTH];
} network;

static void log_soft(const arithmetic *a, real *x)
{
    real most = x[0], e[WIDTH];
    for (int i = 1; i < WIDTH; i++)
        most = fmaxl(most, x[i]);
    for (int i = 0; i < WIDTH; i++) {
        real value = expl(rounded(a, x[i] - most));
        e[i] = function(a, value, value);
    }
    real sum = sum_of(a, e, WIDTH), logarithm = function(a, logl(sum), fabsl(logl(sum)) + 1);
    for (int i = 0; i < WIDTH; i++)
        x[i] = rounded(a, rounded(a, x[i] - most) - logarithm);
}

static void activate(const arithmetic *a, const char *op, real *x)
{
    if (strcmp(op, "LogSoftmax") == 0) {
        log_soft(a, x);
        return;
    }
    real most = x[0], sum = 0;
    for (int i = 1; i < WIDTH; i++)
        most = fmaxl(most, x[i]);
    for (int i = 0; i < WIDTH; i++) {
        real size = fabsl(x[i]) + 1;
        if (strcmp(op, "Softmax") == 0)
            x[i] = function(a, expl(rounded(a, x[i] - most)), expl(x[i] - most));
        else if (strcmp(op, "Tanh") == 0)
            x[i] = function(a, tanhl(x[i]), size);
        else
            x[i] = function(a, 1 / (1 + expl(-x[i])), size);
        sum = rounded(a, sum + x[i]);
    }
    for (int i = 0; i < WIDTH && strcmp(op, "Softmax") == 0; i++)
        x[i] = rounded(a, x[i] / sum);
}

static void times(const arithmetic *a, const double *w, int rows, const real *x, real *y)
{
    for (int i = 0; i < rows; i++) {
        real terms[WIDTH];
        for (int k = 0; k < WIDTH; k++)
            terms[k] = rounded(a, (real)w[i * WIDTH + k] * x[k]);
        y[i] = sum_of(a, terms, WIDTH);
    }
}

static void execute(const arithmetic *a, const network *n, const double *x, real *y)
{
    real in[WIDTH], h[WIDTH];
    for (int i = 0; i < WIDTH; i++)
        in[i] = rounded(a, x[i]);
    times(a, n->w1, WIDTH, in, h);
    activate(a, n->first, h);
    times(a, n->w2, WIDTH, h, in);
    activate(a, n->second, in);
    times(a, n->w3, CLASSES, in, y);
}

static lip_model *open_network(build **b, const network *n)
{
    *b = build_new(17);
    build_input(*b, "x", "1x12");
    build_reals(*b, "w1", "12x12", n->w1);
    build_reals(*b, "w2", "12x12", n->w2);
    build_reals(*b, "w3", "3x12", n->w3);
    build_node(*b, "Gemm", "x w1", "a");
    build_attr_int(*b, "transB", 1);
    build_node(*b, n->first, "a", "f");
    build_node(*b, "Gemm", "f w2", "c");
    build_attr_int(*b, "transB", 1);
    build_node(*b, n->second, "c", "g");
    build_node(*b, "Gemm", "g w3", "y");
    build_attr_int(*b, "transB", 1);
    build_output(*b, "y");
    return check_open(*b, NULL);
}

/* The direction that loses most of the margin of t, by differences. */
static void descent(const network *n, const double *x, int t, double *direction)
{
    const arithmetic truth = { .exact = true };
    double length = 0, moved[WIDTH];
    for (int i = 0; i < WIDTH; i++) {
        real margin[2];
        for (int s = 0; s < 2; s++) {
            real y[CLASSES], rest = -INFINITY;
            memcpy(moved, x, sizeof moved);
            moved[i] += s ? 1e-6 : -1e-6;
            execute(&truth, n, moved, y);
            for (int j = 0; j < CLASSES; j++)
                rest = j == t ? rest : fmaxl(rest, y[j]);
            margin[s] = y[t] - rest;
        }
        direction[i] = (double)(margin[0] - margin[1]);
        length = hypot(length, direction[i]);
    }
    for (int i = 0; i < WIDTH; i++)
        direction[i] /= length > 0 ? length : 1;
}

/* No execution at distance r - towards the nearest class, or anywhere - answers anything else; returns how often one
 * at distance 200 r did. */
static int attack(uint64_t *state, const network *n, const double *x, const lip_certificate *c)
{
    double towards[WIDTH];
    int flipped = 0;
    descent(n, x, (int)c->label, towards);
    for (int trial = 0; trial < 60; trial++) {
        const double r = c->radius * (trial % 4 == 3 ? 200 : 1 - 1e-9);
        const arithmetic narrow = { .off = trial % 2 ? 60 : -60, .state = state };
        double there[WIDTH], aside[WIDTH], length = 0;
        real y[CLASSES];
        for (int i = 0; i < WIDTH; i++) {
            aside[i] = towards[i] + (trial % 5 == 0 ? 0 : 0.3 * oracle_normal(state));
            length = hypot(length, aside[i]);
        }
        for (int i = 0; i < WIDTH; i++)
            there[i] = x[i] + r * aside[i] / (length > 0 ? length : 1);
        execute(&narrow, n, there, y);
        bool other = false;
        for (int j = 0; j < CLASSES; j++)
            other = other || (j != c->label && y[j] >= y[c->label]);
        if (trial % 4 == 3)
            flipped += other;
        else
            assert_false(other);
    }
    return flipped;
}

static void certified_samples_never_flip(void **unused)
{
    (void)unused;
    static const char *const pairs[][2] = { { "Sigmoid", "Tanh" }, { "Tanh", "Softmax" }, { "Softmax", "Sigmoid" },
                                            { "Tanh", "LogSoftmax" }, { "LogSoftmax", "Sigmoid" } };
    uint64_t state = 47;
    int certified = 0, flipped = 0;
    for (int trial = 0; trial < 60; trial++) {
        network n = { .first = pairs[trial % 5][0], .second = pairs[trial % 5][1] };
        build *b;
        lip_report *report = NULL;
        lip_certifier *certifier = NULL;
        lip_certificate c;
        lip_error error = { 0 };
        double x[COUNT];
        for (int i = 0; i < WIDTH * WIDTH; i++) {
            n.w1[i] = (double)(float)oracle_normal(&state);
            n.w2[i] = (double)(float)oracle_normal(&state);
        }
        for (int i = 0; i < CLASSES * WIDTH; i++)
            n.w3[i] = (double)(float)oracle_normal(&state);
        fill(&state, 1, x);
        lip_model *model = open_network(&b, &n);
        if (lip_audit(model, NULL, &report, &error) || lip_certifier_open(model, report, NULL, &certifier, &error) ||
            lip_certify(certifier, x, NULL, 1, &c, &error))
            fail_msg("%s: %s", error.node, error.reason);
        assert_string_equal(lip_certifier_remark(certifier), "");
        if (c.radius > 0)
            flipped += attack(&state, &n, x, &c);
        certified += c.radius > 0;
        lip_certifier_free(&certifier);
        lip_report_free(&report);
        lip_model_free(&model);
        build_free(b);
    }
    assert_true(certified > 50);
    assert_true(flipped > 0); /* the attack is one */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(executions_stay_within_the_bounds),
        cmocka_unit_test(the_rest_is_refused),
        cmocka_unit_test(certified_samples_never_flip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
