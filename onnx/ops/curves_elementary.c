/*
 * curves_elementary.c: exp, log, roots, powers and the circular and
 * hyperbolic functions on intervals. Where an interval leaves the domain, or
 * meets a pole, nothing is known.
 *
 * Each is monotone between the points that are treated apart. libm's functions
 * are within 4 units in the last place (glibc's manual, section "Known
 * Maximum Errors in Math Functions"); 2^-48 leaves room for the operations
 * around them.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "interval.h"
#include "ranges.h"
#include "support.h"

#define PI 3.14159265358979323846

static double below(double y) { return lip_down(y - (0x1p-48 * fabs(y) + 0x1p-1000)); }
static double above(double y) { return lip_up(y + (0x1p-48 * fabs(y) + 0x1p-1000)); }

/* The hull of two values that libm gave. */
static lip_interval between(double a, double b)
{
    return lip_interval_checked(below(fmin(a, b)), above(fmax(a, b)));
}

static lip_interval not_negative(lip_interval y)
{
    return (lip_interval){fmax(0, y.lo), y.hi};
}

static void nothing(lip_interval *y, lip_interval *slope)
{
    *y = *slope = lip_line();
}

static void exp_on(lip_interval x, const double *p, lip_interval *y, lip_interval *slope)
{
    (void)p;
    *y = *slope = not_negative(between(exp(x.lo), exp(x.hi)));
}

const lip_curve lip_curve_exp = {.on = exp_on, .attained = 0x1p-40};

static void log_on(lip_interval x, const double *p, lip_interval *y, lip_interval *slope)
{
    (void)p;
    nothing(y, slope);
    if (x.lo < 0) return;
    *y = (lip_interval){x.lo > 0 ? below(log(x.lo)) : -INFINITY, above(log(x.hi))};
    if (x.lo > 0) *slope = lip_inverse(x);
}

const lip_curve lip_curve_log = {.on = log_on, .attained = 0x1p-40};

static void sqrt_on(lip_interval x, const double *p, lip_interval *y, lip_interval *slope)
{
    (void)p;
    *y = lip_root(x);
    *slope = x.lo > 0 ? lip_times(lip_at(0.5), lip_inverse(*y)) : lip_line();
}

const lip_curve lip_curve_sqrt = {.on = sqrt_on, .attained = 0x1p-40};

static void reciprocal_on(lip_interval x, const double *p, lip_interval *y, lip_interval *slope)
{
    (void)p;
    *y = lip_inverse(x);
    *slope = lip_negated(lip_squared(*y));
}

const lip_curve lip_curve_reciprocal = {.on = reciprocal_on, .attained = 0x1p-40};

/* x^b on x >= 0. */
static lip_interval power_right(lip_interval x, double b)
{
    if (b == 0) return lip_at(1);
    if (b == 1) return x;
    if (b == 2) return lip_squared(x);
    if (b == 0.5) return lip_root(x);
    if (b < 0 && x.lo <= 0) return (lip_interval){fmax(0, below(pow(x.hi, b))), INFINITY};
    return not_negative(between(pow(x.lo, b), pow(x.hi, b)));
}

static lip_interval power(lip_interval x, double b)
{
    bool whole = b == floor(b) && fabs(b) < 0x1p53, odd = whole && fmod(b, 2) != 0;
    if (b == 0) return lip_at(1);
    if (x.lo >= 0) return power_right(x, b);
    if (!whole) return lip_line();
    if (b < 0 && x.hi >= 0) return lip_line();
    lip_interval left = power_right((lip_interval){fmax(0, -x.hi), -x.lo}, b);
    if (odd) left = lip_negated(left);
    return x.hi > 0 ? lip_hull(left, power_right((lip_interval){0, x.hi}, b)) : left;
}

void lip_curve_power(lip_interval x, double b, lip_interval *y, lip_interval *slope)
{
    double less = b - 1;
    *y = power(x, b);
    *slope = b == 0 ? lip_at(0) : less + 1 == b ? lip_times(lip_at(b), power(x, less)) : lip_line();
}

/* Is a point `at` + k `period` in x, or too close to tell? */
static bool holds(lip_interval x, double at, double period)
{
    double slack = 1e-12 * (1 + lip_magnitude(x));
    return floor((x.hi + slack - at) / period) != floor((x.lo - slack - at) / period);
}

static lip_interval wave(lip_interval x, double (*f)(double), double peak)
{
    if (!(lip_magnitude(x) < 1e6) || x.hi - x.lo > 7) return (lip_interval){-1, 1};
    lip_interval y = between(f(x.lo), f(x.hi));
    if (holds(x, peak, 2 * PI)) y.hi = 1;
    if (holds(x, peak + PI, 2 * PI)) y.lo = -1;
    return lip_clamped(y, -1, 1);
}

static void sin_on(lip_interval x, const double *p, lip_interval *y, lip_interval *slope)
{
    (void)p;
    *y = wave(x, sin, PI / 2);
    *slope = wave(x, cos, 0);
}

static void cos_on(lip_interval x, const double *p, lip_interval *y, lip_interval *slope)
{
    (void)p;
    *y = wave(x, cos, 0);
    *slope = lip_negated(wave(x, sin, PI / 2));
}

const lip_curve lip_curve_sin = {.on = sin_on, .attained = INFINITY};
const lip_curve lip_curve_cos = {.on = cos_on, .attained = INFINITY};

/* On the branch around 0. */
static void tan_on(lip_interval x, const double *p, lip_interval *y, lip_interval *slope)
{
    (void)p;
    nothing(y, slope);
    if (!(x.lo > -1.5707 && x.hi < 1.5707)) return;
    *y = between(tan(x.lo), tan(x.hi));
    *slope = lip_plus(lip_at(1), lip_squared(*y));
}

const lip_curve lip_curve_tan = {.on = tan_on, .attained = 0x1p-40};

static void sinh_on(lip_interval x, const double *p, lip_interval *y, lip_interval *slope)
{
    (void)p;
    *y = between(sinh(x.lo), sinh(x.hi));
    *slope = between(cosh(lip_mignitude(x)), cosh(lip_magnitude(x)));
}

static void cosh_on(lip_interval x, const double *p, lip_interval *y, lip_interval *slope)
{
    sinh_on(x, p, slope, y);
}

const lip_curve lip_curve_sinh = {.on = sinh_on, .attained = 0x1p-40};
const lip_curve lip_curve_cosh = {.on = cosh_on, .attained = 0x1p-40};

/* 1 - x^2 for x in (-1, 1). */
static lip_interval co_square(lip_interval x)
{
    return lip_plus(lip_at(1), lip_negated(lip_squared(x)));
}

static void asin_on(lip_interval x, const double *p, lip_interval *y, lip_interval *slope)
{
    (void)p;
    nothing(y, slope);
    if (x.lo < -1 || x.hi > 1) return;
    *y = between(asin(x.lo), asin(x.hi));
    *slope = lip_inverse(lip_root(co_square(x)));
}

static void acos_on(lip_interval x, const double *p, lip_interval *y, lip_interval *slope)
{
    asin_on(x, p, y, slope);
    *slope = lip_negated(*slope);
    if (!(x.lo < -1 || x.hi > 1)) *y = not_negative(between(acos(x.lo), acos(x.hi)));
}

static void atanh_on(lip_interval x, const double *p, lip_interval *y, lip_interval *slope)
{
    (void)p;
    nothing(y, slope);
    if (!(x.lo > -1 && x.hi < 1)) return;
    *y = between(atanh(x.lo), atanh(x.hi));
    *slope = lip_inverse(co_square(x));
}

static void acosh_on(lip_interval x, const double *p, lip_interval *y, lip_interval *slope)
{
    (void)p;
    nothing(y, slope);
    if (x.lo < 1) return;
    *y = not_negative(between(acosh(x.lo), acosh(x.hi)));
    *slope = lip_inverse(lip_root(lip_plus(lip_squared(x), lip_at(-1))));
}

/* Near the ends of their domains 1 - x^2 loses its digits. */
const lip_curve lip_curve_asin = {.on = asin_on, .attained = INFINITY};
const lip_curve lip_curve_acos = {.on = acos_on, .attained = INFINITY};
const lip_curve lip_curve_atanh = {.on = atanh_on, .attained = INFINITY};
const lip_curve lip_curve_acosh = {.on = acosh_on, .attained = INFINITY};
