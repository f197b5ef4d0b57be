/*
 * test_slope.c: the secant slopes of neurons, sampled, against their bounds
 * from both sides.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "check_model.h"
#include "graph.h"
#include "local/slope.h"
#include "oracle.h"
#include "rounding.h"

#include <math.h>
#include <stdio.h>

enum { TRIALS = 400, STEPS = 60 };

/* ---------------------------------------------------------------- activations */

typedef long double function(long double x, const double *p);

static long double two_slopes(long double x, const double *p) { return (x > 0 ? 1 : p[0]) * x; }
static long double clip(long double x, const double *p) { return fminl(fmaxl(x, p[0]), p[1]); }
static long double absolute(long double x, const double *p) { return p[0] * fabsl(x); }
static long double sigmoid(long double x, const double *p) { return p[0] / (1 + expl(-x)); }
static long double tangent(long double x, const double *p) { return p[0] * tanhl(x); }
static long double softplus(long double x, const double *p)
{
    return p[0] * (fmaxl(x, 0) + log1pl(expl(-fabsl(x))));
}
static long double softsign(long double x, const double *p) { return p[0] * x / (1 + fabsl(x)); }
static long double gelu(long double x, const double *p)
{
    return p[0] * 0.5L * x * erfcl(-x * 0.707106781186547524400844362104849L);
}
static long double gelu_tanh(long double x, const double *p)
{
    return p[0] * 0.5L * x * (1 + tanhl(0.79788456080286535587989211986876L * (x + 0.044715L * x * x * x)));
}
static long double hard_swish(long double x, const double *p)
{
    return p[0] * x * fminl(1, fmaxl(0, x / 6 + 0.5L));
}
static long double hard_sigmoid(long double x, const double *p) { return fminl(1, fmaxl(0, p[0] * x + p[1])); }
static long double elu(long double x, const double *p) { return x > 0 ? p[1] * x : p[0] * expm1l(x); }
static long double mish(long double x, const double *p) { return p[0] * x * tanhl(softplus(x, p)); }

typedef struct activation {
    const char *op, *extra; /* its attribute or inputs, see open_activation */
    function *f;
    double p[2];
    bool tight; /* every slope between the bounds is attained */
    bool hinge;
} activation;

static const activation all[] = {
    { "Relu", "", two_slopes, { 0, 0 }, true, true },
    { "LeakyRelu", "0.25", two_slopes, { 0.25, 0 }, true, true },
    { "LeakyRelu", "-0.5", two_slopes, { -0.5, 0 }, true, true },
    { "LeakyRelu", "1.5", two_slopes, { 1.5, 0 }, true, false },
    { "PRelu", "0.25", two_slopes, { 0.25, 0 }, false, false },
    { "Clip", "0 6", clip, { 0, 6 }, true, false },
    { "Clip", "-1 1", clip, { -1, 1 }, true, false },
    { "Abs", "", absolute, { 1, 0 }, true, false },
    { "Sigmoid", "", sigmoid, { 1, 0 }, true, false },
    { "Tanh", "", tangent, { 1, 0 }, true, false },
    { "Softplus", "", softplus, { 1, 0 }, true, false },
    { "Softsign", "", softsign, { 1, 0 }, true, false },
    { "Gelu", "none", gelu, { 1, 0 }, true, false },
    { "Gelu", "tanh", gelu_tanh, { 1, 0 }, false, false },
    { "HardSwish", "", hard_swish, { 1, 0 }, true, false },
    { "HardSigmoid", "0.5 0.25", hard_sigmoid, { 0.5, 0.25 }, true, false },
    { "Elu", "0.5", elu, { 0.5, 1 }, true, false },
    { "Elu", "2", elu, { 2, 1 }, true, false },
    { "Mish", "", mish, { 1, 0 }, false, false },
};
enum { KINDS = sizeof all / sizeof *all };

typedef struct opened {
    build *build;
    lip_model *model;
    lip_arena arena;
    lip_local_kind kind;
    double width;
} opened;

static void add_node(build *b, const activation *a)
{
    double first = a->p[0], second = a->p[1];
    if (strcmp(a->op, "Clip") == 0 || strcmp(a->op, "PRelu") == 0) {
        build_reals(b, "p", strcmp(a->op, "Clip") == 0 ? "" : "1", &first);
        build_reals(b, "q", "", &second);
        build_node(b, a->op, strcmp(a->op, "Clip") == 0 ? "x p q" : "x p", "y");
        return;
    }
    build_node(b, a->op, "x", "y");
    if (strcmp(a->op, "Gelu") == 0)
        build_attr_string(b, "approximate", a->extra);
    else if (a->extra[0])
        build_attr_float(b, "alpha", (float)first);
    if (strcmp(a->op, "HardSigmoid") == 0)
        build_attr_float(b, "beta", (float)second);
}

static void open_activation(opened *o, const activation *a)
{
    lip_layer_plan *plans;
    size_t count;
    lip_error error;
    o->build = build_new(20);
    build_input(o->build, "x", "1x2");
    add_node(o->build, a);
    build_output(o->build, "y");
    o->model = check_open(o->build, NULL);
    lip_arena_init(&o->arena, &o->model->memory);
    assert_int_equal(lip_plan_layers(o->model, &o->arena, &plans, &count, &error), LIP_OK);
    assert_int_equal(count, 1);
    assert_int_equal(plans[0].gain.kind, LIP_GAIN_SLOPES);
    o->kind = lip_local_kind_of(&plans[0]);
    const double low = plans[0].gain.slopes.a, high = plans[0].gain.slopes.b;
    o->width = low == 0 ? high : lip_sub_up(high, low);
    assert_int_equal(o->kind.form == LIP_LOCAL_HINGE, a->hinge);
}

static void close_activation(opened *o)
{
    lip_arena_free(&o->arena);
    lip_model_free(&o->model);
    build_free(o->build);
}

/* ------------------------------------------------------------------- sampling */

static double uniform(uint64_t *state, double lo, double hi)
{
    return lo + (hi - lo) * ((double)oracle_bits(state) * 0x1p-64);
}

/* A neuron: where it is said to be, where it is, and how far it goes. */
typedef struct neuron {
    double z, error, down, up, truth;
} neuron;

static neuron draw(uint64_t *state)
{
    double size = exp2(uniform(state, -12, 3)), near = oracle_bits(state) % 3 ? exp2(uniform(state, -12, 3)) : 8;
    neuron n = { .z = uniform(state, -near, near), .down = uniform(state, 0, size), .up = uniform(state, 0, size) };
    n.error = oracle_bits(state) % 2 ? uniform(state, 0, size / 4) : 0;
    n.truth = uniform(state, n.z - n.error, n.z + n.error);
    n.truth = oracle_bits(state) % 4 == 0 ? n.z - n.error : oracle_bits(state) % 3 == 0 ? n.z + n.error : n.truth;
    return n;
}

/* How far p dg - (p c dz - |p| w |dz|) is below 0, in units of |dz|, but for what long double makes of the difference
 * of two values; w times `factor`. */
static double breach(const opened *o, const activation *a, const lip_local_slope *bound, double truth, double dz,
                     double factor)
{
    double worst = -(double)INFINITY, noise = 1e-15 + 4e-19 * (1 + fabs(truth) + fabs(dz)) / fabs(dz);
    long double dg = a->f((long double)truth + dz, a->p) - a->f(truth, a->p) - (long double)o->kind.a * dz;
    for (int s = 0; s < 2 && dz != 0; s++) {
        long double p = s ? 1 : -1, least = p * bound->c[s] * dz - factor * bound->w[s] * fabs(dz);
        worst = fmax(worst, (double)((least - p * dg) / fabs(dz)) - noise);
    }
    return worst;
}

/* The largest breach over the way of a neuron. */
static double worst_breach(const opened *o, const activation *a, const lip_local_slope *bound, const neuron *n,
                           double factor)
{
    double worst = -(double)INFINITY;
    for (int i = 0; i <= STEPS; i++)
        worst = fmax(worst, breach(o, a, bound, n->truth, -n->down + (n->up + n->down) * i / STEPS, factor));
    worst = fmax(worst, breach(o, a, bound, n->truth, -n->down, factor));
    return fmax(worst, breach(o, a, bound, n->truth, n->up, factor));
}

/* --------------------------------------------------------------------- tests */

static void secants_are_within_the_bounds(void **unused)
{
    (void)unused;
    uint64_t state = 1;
    for (int k = 0; k < KINDS; k++) {
        opened o;
        open_activation(&o, &all[k]);
        for (int trial = 0; trial < TRIALS; trial++) {
            neuron n = draw(&state);
            lip_local_slope bound = lip_local_slope_of(&o.kind, o.width, n.z, n.error, n.down, n.up);
            double worst = worst_breach(&o, &all[k], &bound, &n, 1);
            if (worst > 0)
                fail_msg("%s %s: z %g +- %g, %g down, %g up: outside by %g", all[k].op, all[k].extra, n.z, n.error,
                         n.down, n.up, worst);
        }
        close_activation(&o);
    }
}

/* Some secant of a hinge is at its bound: one of 0.999 would be broken. */
static void bounds_of_hinges_are_attained(void **unused)
{
    (void)unused;
    uint64_t state = 2;
    for (int k = 0; k < KINDS; k++) {
        opened o;
        int seen[2] = { 0, 0 };
        if (!all[k].hinge)
            continue;
        open_activation(&o, &all[k]);
        for (int trial = 0; trial < TRIALS; trial++) {
            neuron n = draw(&state);
            n.truth = n.z;
            n.error = 0;
            lip_local_slope bound = lip_local_slope_of(&o.kind, o.width, n.z, n.error, n.down, n.up);
            bool crosses = n.z > 0 ? n.down > n.z : n.up > -n.z;
            assert_true(crosses == (fmax(bound.w[0], bound.w[1]) > 1e-12));
            if (!crosses || fmax(bound.w[0], bound.w[1]) < 1e-3)
                continue;
            assert_true(worst_breach(&o, &all[k], &bound, &n, 0.999) > 0);
            seen[n.z > 0]++;
        }
        assert_true(seen[0] > TRIALS / 10 && seen[1] > TRIALS / 10);
        close_activation(&o);
    }
}

/* The slopes between any two points of a neuron's way fill the bounds of a curve. */
static void bounds_of_curves_are_attained(void **unused)
{
    (void)unused;
    uint64_t state = 3;
    for (int k = 0; k < KINDS; k++) {
        opened o;
        if (!all[k].tight || all[k].hinge)
            continue;
        open_activation(&o, &all[k]);
        for (int trial = 0; trial < TRIALS; trial++) {
            neuron n = draw(&state);
            lip_local_slope bound = lip_local_slope_of(&o.kind, o.width, n.z, n.error, n.down, n.up);
            long double from = (long double)n.z - n.error - n.down, way = 2 * n.error + n.down + n.up;
            long double least = INFINITY, most = -INFINITY, step = way / 5000;
            for (int i = 0; i < 5000; i++) {
                long double x = from + i * step;
                long double slope = (all[k].f(x + step, all[k].p) - all[k].f(x, all[k].p)) / step - o.kind.a;
                least = fminl(least, slope);
                most = fmaxl(most, slope);
            }
            double slack = 1e-3 * o.width + 1e-14 / (double)step + 2 * (double)step; /* second derivatives <= 2 */
            assert_true(bound.c[0] == bound.c[1] && bound.w[0] == bound.w[1]);
            if (fabs(bound.c[0] - bound.w[0] - (double)least) > slack ||
                fabs(bound.c[0] + bound.w[0] - (double)most) > slack)
                fail_msg("%s %s: slopes in [%.9Lg, %.9Lg], said to be %.9g +- %.9g", all[k].op, all[k].extra, least,
                         most, bound.c[0], bound.w[0]);
        }
        close_activation(&o);
    }
}

/* Nothing known, or nowhere to go. */
static void ends(void **unused)
{
    (void)unused;
    const double inf = (double)INFINITY, nan = (double)NAN;
    const neuron odd[] = { { nan, 0, 1, 1, 0 }, { 1, nan, 1, 1, 0 }, { 1, inf, 1, 1, 0 }, { 0, 0, inf, inf, 0 },
                           { 1, 0, nan, nan, 0 }, { -1, 0, nan, nan, 0 }, { -1, 0, inf, inf, 0 }, { 1, 0, inf, 1, 0 } };
    for (int k = 0; k < KINDS; k++) {
        opened o;
        open_activation(&o, &all[k]);
        for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
            lip_local_slope bound = lip_local_slope_of(&o.kind, o.width, odd[i].z, odd[i].error, odd[i].down,
                                                       odd[i].up);
            neuron far = { .truth = isnan(odd[i].z) || !isfinite(odd[i].error) ? -2 : odd[i].z, .down = 30, .up = 1 };
            assert_true(worst_breach(&o, &all[k], &bound, &far, 1) <= 0);
            far.truth = isnan(odd[i].z) || !isfinite(odd[i].error) ? 2 : odd[i].z;
            far.up = isfinite(odd[i].up) ? odd[i].up : 30;
            assert_true(worst_breach(&o, &all[k], &bound, &far, 1) <= 0);
        }
        lip_local_slope still = lip_local_slope_of(&o.kind, o.width, 0.5, 0, 0, 0);
        assert_true(still.w[0] <= o.width && still.w[1] <= o.width && still.w[0] >= 0 && still.w[1] >= 0);
        close_activation(&o);
    }
}

/* A neuron that stays on a piece without a kink loses nothing: it counts as linear. */
static void pieces_without_a_kink_are_linear(void **unused)
{
    (void)unused;
    const double at[] = { -8, 3, 12 }, slope[] = { 0, 1, 0 };
    int clips = 0;
    for (int k = 0; k < KINDS; k++) {
        opened o;
        if (strcmp(all[k].extra, "0 6") != 0)
            continue;
        open_activation(&o, &all[k]);
        for (int i = 0; i < 3; i++) {
            lip_local_slope bound = lip_local_slope_of(&o.kind, o.width, at[i], 0.5, 1, 2);
            for (int s = 0; s < 2; s++)
                assert_true(bound.c[s] == slope[i] && bound.w[s] == 0);
        }
        clips++;
        close_activation(&o);
    }
    assert_int_equal(clips, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(secants_are_within_the_bounds),
        cmocka_unit_test(bounds_of_hinges_are_attained),
        cmocka_unit_test(bounds_of_curves_are_attained),
        cmocka_unit_test(ends),
        cmocka_unit_test(pieces_without_a_kink_are_linear),
    };
    return cmocka_run_group_tests_name("local slopes", tests, NULL, NULL);
}
