/*
 * rounding.c: see rounding.h. The norms: with s = sum x_i^2 in any order,
 * |fl(s) - s| <= gamma_n s when nothing underflows. Scaling by the power of
 * two that brings max |x_i| into [1, 2) is exact except for elements that
 * drop below 2^-1074, which together change the norm by at most
 * sqrt(n) 2^-1074 <= 2^-1000 of a norm >= 1; squares that underflow change s
 * by at most n 2^-1074. Both are covered by two units of gamma. Where max |x_i|
 * lies in [2^-400, 2^401), s is far from both ends of the range unscaled.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "rounding.h"

#include <float.h>

double lip_gamma(double k)
{
    double ku = lip_up(k * LIP_UNIT);
    return ku < 0.5 ? lip_up(ku / lip_down(1 - ku)) : (double)INFINITY;
}

/* Sum of squares of x * 2^-exponent; *exponent such that the largest is in [1, 2). False if there is a NaN or Inf. */
static bool scaled_square_sum(const double *x, int64_t n, double *sum, int *exponent)
{
    double largest = 0, check = 0;
    for (int64_t i = 0; i < n; i++) {
        largest = fmax(largest, fabs(x[i]));
        check += x[i] * 0; /* NaN if any element is NaN or Inf */
    }
    if (check != 0 || isnan(check))
        return false;
    *sum = 0;
    *exponent = largest > 0 ? ilogb(largest) : 0;
    if (*exponent > 400 || *exponent < -400) {
        for (int64_t i = 0; i < n; i++) {
            double scaled = scalbn(x[i], -*exponent);
            *sum += scaled * scaled;
        }
        return true;
    }
    *exponent = 0;
    for (int64_t i = 0; i < n; i++)
        *sum += x[i] * x[i];
    return true;
}

double lip_norm_upper(const double *x, int64_t n)
{
    double sum;
    int exponent;
    if (!scaled_square_sum(x, n, &sum, &exponent))
        return (double)INFINITY;
    double inflated = lip_mul_up(sum, 1 + lip_gamma((double)n + 4));
    return sum == 0 ? 0 : lip_up(scalbn(lip_sqrt_up(lip_up(inflated)), exponent));
}

double lip_norm_lower(const double *x, int64_t n)
{
    double sum;
    int exponent;
    if (!scaled_square_sum(x, n, &sum, &exponent) || sum == 0)
        return 0;
    double deflated = lip_mul_down(sum, 1 - lip_gamma((double)n + 4));
    double norm = scalbn(lip_sqrt_down(lip_down(deflated)), exponent);
    return isinf(norm) ? DBL_MAX : fmax(0, lip_down(norm));
}

double lip_tightness(double lower, double upper)
{
    if (lower == upper)
        return 1;
    return lower > 0 ? lip_div_up(upper, lower) : (double)INFINITY;
}
