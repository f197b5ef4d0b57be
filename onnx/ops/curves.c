/*
 * curves.c: smooth activations on intervals.
 *
 * A function that is monotone between its turning points takes, on [l, h], all
 * its values between those at l, at h and at the turning points inside; the
 * hull of enclosures of these holds the range. A turning point is known to lie
 * in a short interval, and counts wherever that meets [l, h].
 *
 * Errors: libm's exp, log1p, tanh, erf ... are within a few units in the last
 * place (glibc: at most 4), and each step of IEEE arithmetic within half of
 * one; `relative` and `absolute` cover what the few steps of a formula make of
 * that, with room to spare. The absolute part is for results near underflow,
 * and for the differences in y' = P + x p and the like, whose terms are below
 * 2: the error of exp(-x^2 / 2) is x^2 / 2 units relative, but x^3 p < 0.5.
 *
 * Turning points:
 *   sigma' = s (1 - s), tanh', erf', 1 / (1 + |x|)^2, 1 / (1 + x^2), 1 / sqrt(1 + x^2): one maximum, at 0.
 *   Gelu x P(x): y' = P + x p. For x = -u < 0, y' = 0 where P(-u) / p(u) = u: Mills' ratio decreases in u, u
 *     increases: once. y'' = p (2 - x^2): y' turns at +-sqrt 2.
 *   Gelu by tanh: y' = (1 + t)/2 (1 + x (1 - t) g'); at x = -u the sign is that of 1 - u (1 + tanh g(u)) g'(u), a
 *     product of three increasing factors: one zero.
 *   Swish u s(u), in u = alpha x: y' = s (1 + u (1 - s)); at u = -v the sign is that of 1 - v s(v): one zero. y''
 *     vanishes where u tanh(u / 2) = 2: twice.
 *   Mish: y' has the sign of w(x) = 4 (x + 1) + 4 e^2x + e^3x + e^x (4 x + 6) [Misra 2019]; w' = 4 + 8 e^2x + 3 e^3x +
 *     e^x (4 x + 10) > 4 - 4 e^-3.5 > 0, the least of e^x (4 x + 10) being at x = -3.5: one zero.
 * The slopes of Mish and of Gelu by tanh are taken from their global bounds.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "elementwise.h"
#include "interval.h"
#include "ranges.h"
#include "support.h"

#include <string.h>

#define EXACT 0x1p-47 /* relative error of a value made of a few libm calls and operations */
#define TINY 0x1p-1000

typedef struct turn { /* the function turns in [from, to], with a value in [low, high] */
    double from, to, low, high;
} turn;

typedef struct smooth {
    lip_scalar *f;
    double relative, absolute;
    double at_minus, at_plus; /* limits */
    double low, high;         /* of all values */
    int turns;
    turn turn[2];
} smooth;

static lip_interval end_of(const smooth *s, double x, const double *p)
{
    if (isinf(x)) return lip_at(x > 0 ? s->at_plus : s->at_minus);
    double y = s->f(x, p), error = s->relative * fabs(y) + s->absolute;
    return (lip_interval){lip_down(y - error), lip_up(y + error)};
}

static lip_interval on_interval(const smooth *s, lip_interval x, const double *p)
{
    lip_interval y = lip_hull(end_of(s, x.lo, p), end_of(s, x.hi, p));
    for (int i = 0; i < s->turns; i++) {
        const turn *t = &s->turn[i];
        if (t->from <= x.hi && t->to >= x.lo) y = lip_hull(y, (lip_interval){t->low, t->high});
    }
    return lip_clamped(y, s->low, s->high);
}

static double sigmoid(double x, const double *p)
{
    (void)p;
    double e = exp(-fabs(x));
    return x >= 0 ? 1 / (1 + e) : e / (1 + e);
}

static double sigmoid_slope(double x, const double *p)
{
    (void)p;
    double e = exp(-fabs(x));
    return e / ((1 + e) * (1 + e));
}

static double tanh_value(double x, const double *p)
{
    (void)p;
    return tanh(x);
}

static double tanh_slope(double x, const double *p)
{
    return 4 * sigmoid_slope(2 * x, p);
}

static double softplus(double x, const double *p)
{
    (void)p;
    return fmax(x, 0) + log1p(exp(-fabs(x)));
}

static double softsign(double x, const double *p)
{
    (void)p;
    return x / (1 + fabs(x));
}

static double softsign_slope(double x, const double *p)
{
    (void)p;
    return 1 / ((1 + fabs(x)) * (1 + fabs(x)));
}

static double erf_value(double x, const double *p)
{
    (void)p;
    return erf(x);
}

static double erf_slope(double x, const double *p)
{
    (void)p;
    return 1.1283791670955126 * exp(-x * x);
}

static double atan_value(double x, const double *p)
{
    (void)p;
    return atan(x);
}

static double atan_slope(double x, const double *p)
{
    (void)p;
    return 1 / (1 + x * x);
}

static double asinh_value(double x, const double *p)
{
    (void)p;
    return asinh(x);
}

static double asinh_slope(double x, const double *p)
{
    (void)p;
    return 1 / hypot(1, x); /* x^2 may overflow where the slope is above TINY */
}

static double gelu(double x, const double *p)
{
    (void)p;
    return 0.5 * x * erfc(-x * M_SQRT1_2);
}

static double gelu_slope(double x, const double *p)
{
    (void)p;
    return 0.5 * erfc(-x * M_SQRT1_2) + x * 0.39894228040143267794 * exp(-0.5 * x * x);
}

static double gelu_by_tanh(double x, const double *p)
{
    (void)p;
    return 0.5 * x * (1 + tanh(0.79788456080286535588 * (x + 0.044715 * x * x * x)));
}

static double swish(double x, const double *p)
{
    return x * sigmoid(x, p);
}

static double swish_slope(double x, const double *p)
{
    double s = sigmoid(x, p);
    return s + x * sigmoid_slope(x, p);
}

static double mish(double x, const double *p)
{
    return x * tanh(softplus(x, p));
}

#define MAXIMUM_AT_0(value) .turns = 1, .turn = {{0, 0, value, value}}

static const smooth sigmoid_curve = {sigmoid, EXACT, TINY, 0, 1, 0, 1, .turns = 0};
static const smooth sigmoid_slopes = {sigmoid_slope, EXACT, TINY, 0, 0, 0, 0.25, MAXIMUM_AT_0(0.25)};
static const smooth tanh_curve = {tanh_value, EXACT, TINY, -1, 1, -1, 1, .turns = 0};
static const smooth tanh_slopes = {tanh_slope, EXACT, TINY, 0, 0, 0, 1, MAXIMUM_AT_0(1)};
static const smooth softplus_curve = {softplus, EXACT, TINY, 0, INFINITY, 0, INFINITY, .turns = 0};
static const smooth softsign_curve = {softsign, EXACT, TINY, -1, 1, -1, 1, .turns = 0};
static const smooth softsign_slopes = {softsign_slope, EXACT, TINY, 0, 0, 0, 1, MAXIMUM_AT_0(1)};
static const smooth erf_curve = {erf_value, EXACT, TINY, -1, 1, -1, 1, .turns = 0};
static const smooth erf_slopes = {erf_slope, 0x1p-42, TINY, 0, 0, 0, 1.1283791670955128,
                                  MAXIMUM_AT_0(1.1283791670955128)};
static const smooth atan_curve = {atan_value, EXACT, TINY, -1.5707963267948968, 1.5707963267948968, -1.5707963267948968,
                                  1.5707963267948968, .turns = 0};
static const smooth atan_slopes = {atan_slope, EXACT, TINY, 0, 0, 0, 1, MAXIMUM_AT_0(1)};
static const smooth asinh_curve = {asinh_value, EXACT, TINY, -INFINITY, INFINITY, -INFINITY, INFINITY, .turns = 0};
static const smooth asinh_slopes = {asinh_slope, EXACT, TINY, 0, 0, 0, 1, MAXIMUM_AT_0(1)};
static const smooth gelu_curve = {
    gelu, EXACT, 0x1p-46, 0, INFINITY, -0.169971207479903662, INFINITY, 1,
    {{-0.75179152469356446, -0.75179152469356445, -0.169971207479903662, -0.169971207479903661}}};
static const smooth gelu_slopes = {
    gelu_slope, EXACT, 0x1p-46, 0, 1, -0.128904145185155, 1.128904145185155, 2,
    {{1.414213562373095, 1.414213562373096, 1.128904145185154, 1.128904145185155},
     {-1.414213562373096, -1.414213562373095, -0.128904145185155, -0.128904145185154}}};
static const smooth gelu_tanh_curve = {
    gelu_by_tanh, EXACT, 0x1p-46, 0, INFINITY, -0.170040750712541, INFINITY, 1,
    {{-0.7524614220710163, -0.7524614220710162, -0.170040750712541, -0.170040750712540}}};
static const smooth swish_curve = {
    swish, 0x1p-42, TINY, 0, INFINITY, -0.278464542761074, INFINITY, 1,
    {{-1.278464542761074, -1.278464542761073, -0.278464542761074, -0.278464542761073}}};
static const smooth swish_slopes = {
    swish_slope, EXACT, 0x1p-46, 0, 1, -0.099839320128867, 1.099839320128867, 2,
    {{2.399357280515467, 2.399357280515468, 1.099839320128866, 1.099839320128867},
     {-2.399357280515468, -2.399357280515467, -0.099839320128867, -0.099839320128866}}};
static const smooth mish_curve = {
    mish, EXACT, TINY, 0, INFINITY, -0.308843413017251, INFINITY, 1,
    {{-1.192431214515496, -1.192431214515495, -0.308843413017251, -0.308843413017250}}};

#define CURVE(name, curve, slopes)                                                                             \
    static void name##_on(lip_interval x, const double *p, lip_interval *y, lip_interval *slope)              \
    {                                                                                                          \
        *y = on_interval(&(curve), x, p);                                                                      \
        *slope = on_interval(&(slopes), x, p);                                                                 \
    }                                                                                                          \
    const lip_curve lip_curve_##name = {.on = name##_on, .attained = 0x1p-40};

CURVE(sigmoid, sigmoid_curve, sigmoid_slopes)
CURVE(tanh, tanh_curve, tanh_slopes)
CURVE(softplus, softplus_curve, sigmoid_curve)
CURVE(softsign, softsign_curve, softsign_slopes)
CURVE(erf, erf_curve, erf_slopes)
CURVE(atan, atan_curve, atan_slopes)
CURVE(asinh, asinh_curve, asinh_slopes)

static bool gelu_parameters(const lip_node *node, double *p)
{
    p[0] = node->domain[0] == '\0' && strcmp(lip_attr_string(node, "approximate", "none"), "tanh") == 0;
    return true;
}

static void gelu_on(lip_interval x, const double *p, lip_interval *y, lip_interval *slope)
{
    *y = on_interval(p[0] != 0 ? &gelu_tanh_curve : &gelu_curve, x, p);
    *slope = p[0] != 0 ? (lip_interval){-0.128993068660, 1.128993068660} : on_interval(&gelu_slopes, x, p);
}

const lip_curve lip_curve_gelu = {.parameters = gelu_parameters, .on = gelu_on, .attained = INFINITY};

/* Its bias is no part of the curve. */
static bool fast_gelu_parameters(const lip_node *node, double *p)
{
    p[0] = 1;
    return !lip_node_input(node, 1);
}

const lip_curve lip_curve_fast_gelu = {.parameters = fast_gelu_parameters, .on = gelu_on, .attained = INFINITY};

static void mish_on(lip_interval x, const double *p, lip_interval *y, lip_interval *slope)
{
    *y = on_interval(&mish_curve, x, p);
    *slope = (lip_interval){-0.112526122390, 1.088498161253};
}

const lip_curve lip_curve_mish = {.on = mish_on, .attained = INFINITY};

static bool swish_parameters(const lip_node *node, double *p)
{
    p[0] = lip_attr_float(node, "alpha", node->domain[0] == '\0' ? 1.0f : 1.702f);
    return isfinite(p[0]);
}

/* In u = alpha x: y = g(u) / alpha, y' = g'(u). */
static void swish_on(lip_interval x, const double *p, lip_interval *y, lip_interval *slope)
{
    lip_interval u = lip_times(lip_at(p[0]), x);
    if (p[0] == 0) {
        *slope = lip_at(0.5);
        *y = lip_times(*slope, x);
        return;
    }
    *y = lip_times(on_interval(&swish_curve, u, p), lip_inverse(lip_at(p[0])));
    *slope = on_interval(&swish_slopes, u, p);
}

const lip_curve lip_curve_swish = {.parameters = swish_parameters, .on = swish_on, .attained = 0x1p-40};
