/*
 * interval.h: arithmetic of intervals, rounded outward.
 *
 * An infinite end means that there is no bound on that side, not that a value
 * is infinite: 0 * [.., inf) is 0. An operation whose result is NaN for some
 * operands gives the whole line.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_ONNX_OPS_INTERVAL_H
#define LIP_ONNX_OPS_INTERVAL_H

#include "outward.h"
#include "range.h"

static inline lip_interval lip_line(void) { return (lip_interval){-INFINITY, INFINITY}; }

static inline lip_interval lip_at(double x) { return (lip_interval){x, x}; }

/* Whatever is not an interval becomes the line. */
static inline lip_interval lip_interval_checked(double lo, double hi)
{
    return lo <= hi && lo < INFINITY && hi > -INFINITY ? (lip_interval){lo, hi} : lip_line();
}

static inline lip_interval lip_hull(lip_interval a, lip_interval b)
{
    return (lip_interval){fmin(a.lo, b.lo), fmax(a.hi, b.hi)};
}

static inline double lip_magnitude(lip_interval a) { return fmax(fabs(a.lo), fabs(a.hi)); }

/* The least |x|. */
static inline double lip_mignitude(lip_interval a)
{
    return a.lo > 0 ? a.lo : a.hi < 0 ? -a.hi : 0;
}

/* Adding 0 and multiplying by 0, 1 and -1 are exact. */
static inline lip_interval lip_plus(lip_interval a, lip_interval b)
{
    double lo = a.lo + b.lo, hi = a.hi + b.hi;
    return lip_interval_checked(a.lo == 0 || b.lo == 0 ? lo : lip_down(lo), a.hi == 0 || b.hi == 0 ? hi : lip_up(hi));
}

static inline lip_interval lip_negated(lip_interval a) { return (lip_interval){-a.hi, -a.lo}; }

static inline double lip_product(double a, double b) { return a == 0 || b == 0 ? 0 : a * b; }

/* A product of 0 is exact where its sign is known; elsewhere it may have underflowed. */
static inline lip_interval lip_times(lip_interval a, lip_interval b)
{
    double p = lip_product(a.lo, b.lo), q = lip_product(a.lo, b.hi), r = lip_product(a.hi, b.lo),
           s = lip_product(a.hi, b.hi);
    double lo = fmin(fmin(p, q), fmin(r, s)), hi = fmax(fmax(p, q), fmax(r, s));
    bool exact = a.lo == a.hi && (a.lo == 0 || fabs(a.lo) == 1);
    exact = exact || (b.lo == b.hi && (b.lo == 0 || fabs(b.lo) == 1));
    bool above = (a.lo >= 0 && b.lo >= 0) || (a.hi <= 0 && b.hi <= 0);
    bool below = (a.lo >= 0 && b.hi <= 0) || (a.hi <= 0 && b.lo >= 0);
    return lip_interval_checked(exact || (above && lo == 0) ? lo : lip_down(lo),
                                exact || (below && hi == 0) ? hi : lip_up(hi));
}

static inline lip_interval lip_squared(lip_interval a)
{
    double least = lip_mignitude(a), most = lip_magnitude(a);
    return lip_interval_checked(least == 0 ? 0 : fmax(0, lip_down(least * least)), most == 0 ? 0 : lip_up(most * most));
}

/* 1 / a; the line where a holds 0. */
static inline lip_interval lip_inverse(lip_interval a)
{
    if (a.lo <= 0 && a.hi >= 0) return lip_line();
    double lo = 1 / a.hi, hi = 1 / a.lo;
    return lip_interval_checked(lo == 0 ? lo : lip_down(lo), hi == 0 ? hi : lip_up(hi));
}

/* The line where a goes below 0: the network has no value there. */
static inline lip_interval lip_root(lip_interval a)
{
    if (a.lo < 0) return lip_line();
    return lip_interval_checked(a.lo == 0 ? 0 : fmax(0, lip_down(sqrt(a.lo))), a.hi == 0 ? 0 : lip_up(sqrt(a.hi)));
}

static inline lip_interval lip_clamped(lip_interval a, double lo, double hi)
{
    return (lip_interval){fmin(fmax(a.lo, lo), hi), fmin(fmax(a.hi, lo), hi)};
}

#endif
