/*
 * cholesky.c: the proof.
 *
 * Let B = fl(mu^2 I - G) - c I with the diagonal rounded down, and let the
 * Cholesky factorisation of B run to completion in floating point with all
 * pivots finite and positive. Then L L' = B + D with [Higham 2002, theorem
 * 10.3; Rump 2006, "Verification of positive definiteness"]
 *     |D_ij| <= gamma_{min(i,j)+1} |l_i|'|l_j| <= d_i d_j,
 *     d_j^2 = gamma_{j+2} / (1 - gamma_{j+2}) B_jj <= (j + 5) u B_jj   (j = 1..n),
 * in any order of the inner products, blocked or not, with or without fused
 * multiply-add. Two of the units pay for kernels that multiply by the rounded
 * reciprocal of a pivot instead of dividing by it (OpenBLAS does). So
 *     ||D||_2 <= sum_j d_j^2 <= sum_j (j + 5) u B_jj.
 * As B + D is positive semidefinite, mu^2 I - G >= c I - D (the diagonal was
 * rounded down), and with c >= sum_j (j + 5) u B_jj + gram_error
 *     mu^2 I - H >= mu^2 I - G - gram_error I >= 0.
 * Underflow adds at most n (n + max B_jj) 2^-1074 to D, six times over here.
 * The sums below count j from 0, so their (j + 6) is the (j + 5) above; B_jj is
 * taken before c comes off it, and the sums are rounded up (n u <= 1/8 is
 * required).
 *
 * For complex Hermitian matrices a product is four real ones and the inner
 * products double in length: D is bounded with 3 (j + 8) u B_jj.
 *
 * dpotrf of OpenBLAS reports success on NaN (its test is pivot <= 0), hence
 * the test of every pivot afterwards.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "cholesky.h"
#include "rounding.h"

#include <lapacke.h>

enum { LARGEST_ORDER = 1 << 20 };

double lip_cholesky_slack(int64_t n)
{
    double order = (double)n;
    return 0.5 * order * (order + 13) * LIP_UNIT;
}

/* The shift c: factor * sum_j (j + offset) u b_j, plus gram_error and underflow; b_j = mu^2 - G_jj rounded down. */
static double shift(const double *diagonal, int64_t n, double mu_squared, double gram_error, double factor,
                    double offset)
{
    double sum = 0, largest = 0;
    for (int64_t j = 0; j < n; j++) {
        double b = lip_sub_up(mu_squared, diagonal[j]);
        if (!(b > 0))
            return (double)INFINITY;
        sum += ((double)j + offset) * b;
        largest = fmax(largest, b);
    }
    double rounding = lip_mul_up(lip_mul_up(sum, factor * LIP_UNIT), 1 + 2 * lip_gamma((double)n + 4));
    double order = (double)n;
    return lip_add_up(lip_add_up(rounding, gram_error), 6 * order * (order + largest + 1) * LIP_TINY);
}

bool lip_gram_below(double *gram, const double *diagonal, int64_t n, double mu_squared, double gram_error)
{
    if (n > LARGEST_ORDER || !isfinite(mu_squared))
        return false;
    double c = shift(diagonal, n, mu_squared, gram_error, 1, 6);
    if (!isfinite(c))
        return false;
    for (int64_t j = 0; j < n; j++) {
        gram[j * n + j] = lip_sub_down(lip_sub_down(mu_squared, diagonal[j]), c);
        for (int64_t i = j + 1; i < n; i++)
            gram[j * n + i] = -gram[i * n + j];
    }
    if (LAPACKE_dpotrf_work(LAPACK_COL_MAJOR, 'L', (lapack_int)n, gram, (lapack_int)n) != 0)
        return false;
    for (int64_t j = 0; j < n; j++)
        if (!(gram[j * n + j] > 0) || !isfinite(gram[j * n + j]))
            return false;
    return true;
}

bool lip_gram_below_complex(double complex *gram, const double *diagonal, int64_t n, double mu_squared,
                            double gram_error)
{
    if (n > LARGEST_ORDER || !isfinite(mu_squared))
        return false;
    double c = shift(diagonal, n, mu_squared, gram_error, 3, 8);
    if (!isfinite(c))
        return false;
    for (int64_t j = 0; j < n; j++) {
        gram[j * n + j] = lip_sub_down(lip_sub_down(mu_squared, diagonal[j]), c);
        for (int64_t i = j + 1; i < n; i++)
            gram[j * n + i] = -conj(gram[i * n + j]);
    }
    if (LAPACKE_zpotrf_work(LAPACK_COL_MAJOR, 'L', (lapack_int)n, gram, (lapack_int)n) != 0)
        return false;
    for (int64_t j = 0; j < n; j++)
        if (!(creal(gram[j * n + j]) > 0) || !isfinite(creal(gram[j * n + j])))
            return false;
    return true;
}
