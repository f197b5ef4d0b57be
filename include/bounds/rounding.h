/*
 * rounding.h: scalar arithmetic that errs on the stated side.
 *
 * Arithmetic stays in round-to-nearest (worker threads and BLAS have their own
 * control words, so switching the rounding mode proves nothing there). For
 * finite doubles and one operation, |fl(x) - x| is at most half the distance
 * to the neighbour of fl(x), underflow included, so the neighbour above is
 * >= x and the neighbour below is <= x. Overflow gives inf, which is a valid
 * upper bound; a lower bound of an overflowed value is DBL_MAX.
 *
 * NaN never becomes a bound: every *_up function returns +inf, every *_down
 * function returns -inf (0 where the result is >= 0: products, quotients,
 * roots, norms) when an operand is NaN.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_BOUNDS_ROUNDING_H
#define LIP_BOUNDS_ROUNDING_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define LIP_UNIT 0x1p-53      /* u: |fl(a op b) - a op b| <= u |a op b| without underflow */
#define LIP_TINY 0x1p-1074    /* eta: the smallest positive double */

/* nextafter(x, INFINITY) without a call, on IEEE doubles: neighbours are neighbouring integers, negative ones in
 * reverse. */
static inline double lip_up(double x)
{
    int64_t bits;
    if (!(x < (double)INFINITY))
        return (double)INFINITY;
    x += 0.0; /* -0 becomes 0 */
    memcpy(&bits, &x, sizeof bits);
    bits += bits >= 0 ? 1 : -1;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static inline double lip_down(double x) { return -lip_up(-x); }

/* 0 and 1 are exact and common in bounds: a sum with 0 and a product with 1 stay as they are. */
static inline double lip_add_up(double a, double b)
{
    if (isnan(a + b))
        return (double)INFINITY;
    return a == 0 ? b : b == 0 ? a : lip_up(a + b);
}
static inline double lip_add_down(double a, double b)
{
    if (isnan(a + b))
        return -(double)INFINITY;
    return a == 0 ? b : b == 0 ? a : lip_down(a + b);
}
static inline double lip_sub_up(double a, double b) { return lip_up(a - b); }
static inline double lip_sub_down(double a, double b) { return lip_down(a - b); }

/* Products and quotients of values >= 0. 0 * inf is 0 for an upper bound: a map that is constant times any map. */
static inline double lip_mul_up(double a, double b)
{
    if (isnan(a) || isnan(b))
        return (double)INFINITY;
    if (a == 0 || b == 0)
        return 0;
    return a == 1 ? b : b == 1 ? a : lip_up(a * b);
}
static inline double lip_mul_down(double a, double b)
{
    if (isnan(a * b))
        return 0;
    return a == 1 ? b : b == 1 ? a : fmax(0, lip_down(a * b));
}
static inline double lip_div_up(double a, double b) { return b == 1 && !isnan(a) ? a : lip_up(a / b); }
static inline double lip_div_down(double a, double b) { return b == 1 && !isnan(a) ? a : fmax(0, lip_down(a / b)); }

/* Square roots of values >= 0; exact ones stay exact. */
static inline double lip_sqrt_up(double a)
{
    double root = sqrt(a);
    return fma(root, root, -a) == 0 && a > 0x1p-900 ? root : a == 0 ? 0 : lip_up(root);
}
static inline double lip_sqrt_down(double a)
{
    double root = sqrt(a);
    return fma(root, root, -a) == 0 && a > 0x1p-900 ? root : fmax(0, lip_down(root));
}

/* gamma_k = k u / (1 - k u), rounded up [Higham 2002, section 3.1]; inf from k u >= 1/2 on. */
double lip_gamma(double k);

/* Proved bounds of the Euclidean norm of n doubles; scaled, so that nothing overflows or is lost to underflow.
 * NaN or Inf among x: upper is inf, lower is 0. */
double lip_norm_upper(const double *x, int64_t n);
double lip_norm_lower(const double *x, int64_t n);

/* tightness = upper / lower rounded up; 1 if both are 0 or equal, inf if only lower is 0. */
double lip_tightness(double lower, double upper);

#endif
