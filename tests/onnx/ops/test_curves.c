/*
 * test_curves.c: elementwise functions on intervals, against the same
 * functions in long double (as plain formulas).
 *
 * For random intervals, points and pairs of points inside: f(x) lies in y, and
 * (f(a) - f(b)) / (a - b) in the slopes. From the other side: the ends of y are
 * attained to 0.1 %, and where the curve says so the steepest slope.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "interval.h"
#include "ranges.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

enum { INTERVALS = 1000, POINTS = 40 };

typedef long double reference(long double x, const double *p);

static long double softplus(long double x) { return fmaxl(x, 0) + log1pl(expl(-fabsl(x))); }
static long double r_abs(long double x, const double *p) { (void)p; return fabsl(x); }
static long double r_acos(long double x, const double *p) { (void)p; return acosl(x); }
static long double r_acosh(long double x, const double *p) { (void)p; return acoshl(x); }
static long double r_asin(long double x, const double *p) { (void)p; return asinl(x); }
static long double r_asinh(long double x, const double *p) { (void)p; return asinhl(x); }
static long double r_atan(long double x, const double *p) { (void)p; return atanl(x); }
static long double r_atanh(long double x, const double *p) { (void)p; return atanhl(x); }
static long double r_clip(long double x, const double *p) { return fminl(fmaxl(x, p[0]), p[1]); }
static long double r_cos(long double x, const double *p) { (void)p; return cosl(x); }
static long double r_cosh(long double x, const double *p) { (void)p; return coshl(x); }
static long double r_elu(long double x, const double *p) { return x > 0 ? p[0] * x : p[1] * expm1l(x / p[2]); }
static long double r_erf(long double x, const double *p) { (void)p; return erfl(x); }
static long double r_exp(long double x, const double *p) { (void)p; return expl(x); }
static long double r_gelu(long double x, const double *p)
{
    if (p[0] != 0) return x / 2 * (1 + tanhl(sqrtl(2 / acosl(-1)) * (x + 0.044715L * x * x * x)));
    return x / 2 * erfcl(-x / sqrtl(2));
}
static long double r_hard_sigmoid(long double x, const double *p) { return fmaxl(0, fminl(1, p[0] * x + p[1])); }
static long double r_hard_swish(long double x, const double *p)
{
    (void)p;
    return x * fmaxl(0, fminl(1, x / 6 + 0.5L));
}
static long double r_leaky(long double x, const double *p) { return x < 0 ? p[0] * x : p[1] * x; }
static long double r_log(long double x, const double *p) { (void)p; return logl(x); }
static long double r_mish(long double x, const double *p) { (void)p; return x * tanhl(softplus(x)); }
static long double r_reciprocal(long double x, const double *p) { (void)p; return 1 / x; }
static long double r_sigmoid(long double x, const double *p) { (void)p; return 1 / (1 + expl(-x)); }
static long double r_sin(long double x, const double *p) { (void)p; return sinl(x); }
static long double r_sinh(long double x, const double *p) { (void)p; return sinhl(x); }
static long double r_softplus(long double x, const double *p) { (void)p; return softplus(x); }
static long double r_softsign(long double x, const double *p) { (void)p; return x / (1 + fabsl(x)); }
static long double r_sqrt(long double x, const double *p) { (void)p; return sqrtl(x); }
static long double r_swish(long double x, const double *p) { return x / (1 + expl(-p[0] * x)); }
static long double r_tan(long double x, const double *p) { (void)p; return tanl(x); }
static long double r_tanh(long double x, const double *p) { (void)p; return tanhl(x); }

static const struct subject {
    const char *name;
    const lip_curve *curve;
    reference *f;
    double p[LIP_CURVE_PARAMETERS], from, to; /* intervals are taken inside */
} subjects[] = {
    {"abs", &lip_curve_abs, r_abs, {-1, 1}, -5, 5},
    {"acos", &lip_curve_acos, r_acos, {0}, -1, 1},
    {"acosh", &lip_curve_acosh, r_acosh, {0}, 1, 20},
    {"asin", &lip_curve_asin, r_asin, {0}, -1, 1},
    {"asinh", &lip_curve_asinh, r_asinh, {0}, -9, 9},
    {"atan", &lip_curve_atan, r_atan, {0}, -9, 9},
    {"atanh", &lip_curve_atanh, r_atanh, {0}, -0.999, 0.999},
    {"clip", &lip_curve_clip, r_clip, {-1, 2}, -5, 5},
    {"cos", &lip_curve_cos, r_cos, {0}, -12, 12},
    {"cosh", &lip_curve_cosh, r_cosh, {0}, -6, 6},
    {"elu", &lip_curve_elu, r_elu, {1, 1.5, 1}, -5, 5},
    {"elu, negative", &lip_curve_elu, r_elu, {1, -0.5, 1}, -5, 5},
    {"celu", &lip_curve_celu, r_elu, {1, 2, 2}, -5, 5},
    {"selu", &lip_curve_selu, r_elu, {1.0507, 1.7581, 1}, -5, 5},
    {"erf", &lip_curve_erf, r_erf, {0}, -4, 4},
    {"exp", &lip_curve_exp, r_exp, {0}, -20, 20},
    {"gelu", &lip_curve_gelu, r_gelu, {0}, -6, 6},
    {"gelu, tanh", &lip_curve_gelu, r_gelu, {1}, -6, 6},
    {"hard sigmoid", &lip_curve_hard_sigmoid, r_hard_sigmoid, {0.2, 0.5}, -6, 6},
    {"hard sigmoid, falling", &lip_curve_hard_sigmoid, r_hard_sigmoid, {-0.2, 0.5}, -6, 6},
    {"hard swish", &lip_curve_hard_swish, r_hard_swish, {0}, -6, 6},
    {"leaky relu", &lip_curve_leaky_relu, r_leaky, {0.1, 1}, -5, 5},
    {"leaky relu, negative", &lip_curve_leaky_relu, r_leaky, {-2, 1}, -5, 5},
    {"log", &lip_curve_log, r_log, {0}, 1e-3, 9},
    {"mish", &lip_curve_mish, r_mish, {0}, -8, 8},
    {"neg", &lip_curve_neg, r_leaky, {-1, -1}, -5, 5},
    {"reciprocal", &lip_curve_reciprocal, r_reciprocal, {0}, 0.01, 9},
    {"reciprocal, negative", &lip_curve_reciprocal, r_reciprocal, {0}, -9, -0.01},
    {"relu", &lip_curve_relu, r_leaky, {0, 1}, -5, 5},
    {"sigmoid", &lip_curve_sigmoid, r_sigmoid, {0}, -12, 12},
    {"sin", &lip_curve_sin, r_sin, {0}, -12, 12},
    {"sinh", &lip_curve_sinh, r_sinh, {0}, -6, 6},
    {"softplus", &lip_curve_softplus, r_softplus, {0}, -12, 12},
    {"softsign", &lip_curve_softsign, r_softsign, {0}, -12, 12},
    {"sqrt", &lip_curve_sqrt, r_sqrt, {0}, 0, 9},
    {"swish", &lip_curve_swish, r_swish, {1}, -9, 9},
    {"swish, mirrored", &lip_curve_swish, r_swish, {-1.7}, -9, 9},
    {"swish, flat", &lip_curve_swish, r_swish, {0}, -9, 9},
    {"tan", &lip_curve_tan, r_tan, {0}, -1.5, 1.5},
    {"tanh", &lip_curve_tanh, r_tanh, {0}, -6, 6},
};

static double between(double lo, double hi)
{
    return lo + (hi - lo) * ((double)rand() / RAND_MAX);
}

static lip_interval some_interval(double from, double to)
{
    static const double widths[] = {1e-9, 1e-3, 0.1, 0.5, 1};
    double width = (to - from) * widths[rand() % 5] * between(0, 1), lo = between(from, to - width);
    return (lip_interval){rand() % 10 == 0 ? from : lo, fmin(to, lo + width)};
}

/* What sampling finds on an interval. */
typedef struct found {
    long double low, high, steepest;
} found;

static found sample(const struct subject *s, lip_interval x, lip_interval y, lip_interval slope)
{
    found f = {INFINITY, -INFINITY, 0};
    static const double kinks[] = {0, -3, -1.5, -1, 2, 2.5, -2.5, 3};
    for (int i = 0; i <= POINTS + 8; i++) {
        const double inside = i > POINTS ? kinks[i - POINTS - 1] : x.lo + (x.hi - x.lo) * i / POINTS;
        const double a = i == POINTS ? x.hi : fmin(fmax(inside, x.lo), x.hi);
        const long double at = s->f(a, s->p);
        if (!(at >= y.lo && at <= y.hi))
            fail_msg("%s of %.17g is %.20Lg, not in [%.17g, %.17g]", s->name, a, at, y.lo, y.hi);
        f.low = fminl(f.low, at);
        f.high = fmaxl(f.high, at);
        const double steps[] = {(x.hi - x.lo) / POINTS, 1e-5, -1e-5};
        for (int k = 0; k < 3; k++) {
            const double b = a + steps[k];
            if (!(b <= x.hi && b >= x.lo) || !(fabs(b - a) > 5e-6)) continue;
            const long double ratio = (s->f(b, s->p) - at) / ((long double)b - a), room = 1e-11L * (1 + fabsl(ratio));
            if (!(ratio >= slope.lo - room && ratio <= slope.hi + room))
                fail_msg("%s between %.17g and %.17g has slope %.20Lg, not in [%.17g, %.17g]", s->name, a, b, ratio,
                         slope.lo, slope.hi);
            f.steepest = fmaxl(f.steepest, fabsl(ratio));
        }
    }
    return f;
}

static void test_curves(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof subjects / sizeof *subjects; i++) {
        const struct subject *s = &subjects[i];
        for (int k = 0; k < INTERVALS; k++) {
            const lip_interval x = some_interval(s->from, s->to);
            lip_interval y, slope;
            s->curve->on(x, s->p, &y, &slope);
            const found f = sample(s, x, y, slope);
            /* Turning points lie between samples: within the square of their distance. */
            const double room = 1e-12 * (1 + lip_magnitude(y)) + 1e-3 * (y.hi - y.lo) +
                                0.6 * pow((x.hi - x.lo) / POINTS, 2);
            if (!(f.low <= y.lo + room) || !(f.high >= y.hi - room))
                fail_msg("%s on [%.17g, %.17g]: [%.17g, %.17g] is found to be [%.17Lg, %.17Lg]", s->name, x.lo, x.hi,
                         y.lo, y.hi, f.low, f.high);
            const double steepest = lip_magnitude(slope);
            const bool wide = x.hi - x.lo > 0.01 * (s->to - s->from);
            if (!isfinite(s->curve->attained) || !wide || !isfinite(steepest)) continue;
            if (!(f.steepest >= 0.95L * steepest - 1e-3L))
                fail_msg("%s on [%.17g, %.17g]: slope %.17g, found %.17Lg", s->name, x.lo, x.hi, steepest, f.steepest);
        }
    }
}

/* Slopes at one point, where they are known in closed form: both sides, to 1e-11. */
static void test_slopes_at_points(void **state)
{
    (void)state;
    const double e3 = exp(-3.0), e1 = exp(-1.0);
    const struct {
        const lip_curve *curve;
        lip_interval x;
        double wanted;
    } cases[] = {
        {&lip_curve_sigmoid, {3, 9}, e3 / ((1 + e3) * (1 + e3))},
        {&lip_curve_sigmoid, {-9, -3}, e3 / ((1 + e3) * (1 + e3))},
        {&lip_curve_sigmoid, {-1, 9}, 0.25},
        {&lip_curve_tanh, {0.5, 2}, 1 / (cosh(0.5) * cosh(0.5))},
        {&lip_curve_softplus, {-9, 1}, 1 / (1 + e1)},
        {&lip_curve_erf, {1, 2}, 2 / sqrt(acos(-1)) * e1},
        {&lip_curve_exp, {-4, -1}, e1},
        {&lip_curve_log, {0.25, 3}, 4},
        {&lip_curve_sqrt, {0.25, 3}, 1},
        {&lip_curve_reciprocal, {0.5, 3}, 4},
        {&lip_curve_relu, {-5, 0}, 0},
        {&lip_curve_relu, {-5, 1}, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        lip_interval y, slope;
        double p[LIP_CURVE_PARAMETERS] = {0, 1};
        cases[i].curve->on(cases[i].x, p, &y, &slope);
        const double largest = lip_magnitude(slope);
        if (!(largest >= cases[i].wanted * (1 - 1e-15) && largest <= cases[i].wanted * (1 + 1e-11)))
            fail_msg("case %zu: %.17g, not %.17g", i, largest, cases[i].wanted);
    }
}

static void test_powers(void **state)
{
    (void)state;
    static const double exponents[] = {-3, -2, -1, -0.5, 0, 0.5, 1, 1.5, 2, 3, 4, 0.3333333432674408};
    for (size_t i = 0; i < sizeof exponents / sizeof *exponents; i++)
        for (int k = 0; k < INTERVALS; k++) {
            const double b = exponents[i];
            const lip_interval x = some_interval(-3, 3);
            lip_interval y, slope;
            lip_curve_power(x, b, &y, &slope);
            for (int j = 0; j <= POINTS; j++) {
                const double a = fmin(x.hi, x.lo + (x.hi - x.lo) * j / POINTS);
                const long double at = powl(a, b), rise = b == 0 ? 0 : b * powl(a, b - 1);
                if (isnan(at) || isinf(at)) continue;
                if (!(at >= y.lo && at <= y.hi)) fail_msg("%.17g ^ %g not in [%.17g, %.17g]", a, b, y.lo, y.hi);
                if (isfinite(rise) && !(rise >= slope.lo && rise <= slope.hi))
                    fail_msg("slope at %.17g of ^ %g is %.17Lg, not in [%.17g, %.17g]", a, b, rise, slope.lo, slope.hi);
            }
        }
    lip_interval y, slope;
    lip_curve_power((lip_interval){-2, 1}, 2, &y, &slope);
    assert_true(y.lo == 0 && y.hi >= 4 && y.hi < 4.0001 && lip_magnitude(slope) >= 4 && lip_magnitude(slope) < 4.0001);
    lip_curve_power((lip_interval){-2, 1}, 0.5, &y, &slope);
    assert_true(isinf(y.lo) && isinf(y.hi) && isinf(lip_magnitude(slope)));
}

/* Unbounded ends, and points outside of a domain. */
static void test_ends(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof subjects / sizeof *subjects; i++) {
        const struct subject *s = &subjects[i];
        lip_interval y, slope;
        s->curve->on(lip_line(), s->p, &y, &slope);
        for (double x = -40; x <= 40; x += 0.37) {
            const long double at = s->f(x, s->p);
            if (!isnan(at) && !(isnan(y.lo) || isnan(y.hi)) && !(at >= y.lo && at <= y.hi))
                fail_msg("%s of %g is %.17Lg, not in [%.17g, %.17g]", s->name, x, at, y.lo, y.hi);
        }
    }
    lip_interval y, slope;
    lip_curve_sigmoid.on((lip_interval){2, INFINITY}, NULL, &y, &slope);
    assert_true(y.lo > 0.88 && y.hi == 1 && slope.lo == 0 && slope.hi < 0.105);
    lip_curve_sqrt.on((lip_interval){-1e-300, 1}, NULL, &y, &slope);
    assert_true(isinf(y.lo) && isinf(lip_magnitude(slope)));
    lip_curve_reciprocal.on((lip_interval){0, 1}, NULL, &y, &slope);
    assert_true(isinf(lip_magnitude(slope)));
}

/* Slopes so small that a formula in passing overflows, underflows or loses digits. */
static void test_small_slopes(void **state)
{
    (void)state;
    lip_interval y, slope;
    lip_curve_asinh.on((lip_interval){1e155, 1e160}, NULL, &y, &slope);
    assert_true(slope.hi >= 1e-155 && slope.hi < 1.000001e-155);
    const double celu[LIP_CURVE_PARAMETERS] = {1, 0.7f, 0.7f};
    for (int i = 1; i < 4500; i++) {
        const double end = -0.1 * i;
        lip_curve_celu.on((lip_interval){2 * end, end}, celu, &y, &slope);
        const long double exact = expl((long double)end / celu[2]);
        assert_true(slope.hi >= exact && slope.hi <= exact * (1 + 1e-12L) + 0x1p-999);
    }
}

/* No end of a product is lost to underflow: neither its size nor its sign. */
static void test_underflow(void **state)
{
    (void)state;
    const lip_interval tiny = {1e-200, 2e-200}, both = {-1e-200, 2e-200}, right = {0, 1e-200};
    lip_interval y = lip_times(tiny, tiny);
    assert_true(y.lo == 0 && y.hi > 0);
    y = lip_times(tiny, lip_negated(tiny));
    assert_true(y.lo < 0 && y.hi == 0);
    y = lip_times(right, both);
    assert_true(y.lo < 0 && y.hi > 0);
    y = lip_times(lip_at(0), both);
    assert_true(y.lo == 0 && y.hi == 0);
    y = lip_times(right, lip_interval_checked(0, INFINITY));
    assert_true(y.lo == 0 && isinf(y.hi));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_curves),
        cmocka_unit_test(test_slopes_at_points),
        cmocka_unit_test(test_powers),
        cmocka_unit_test(test_ends),
        cmocka_unit_test(test_small_slopes),
        cmocka_unit_test(test_underflow),
    };
    srand(1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
