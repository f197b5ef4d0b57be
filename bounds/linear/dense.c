/*
 * dense.c: ||A||_2 <= mu from a Cholesky factorisation of mu^2 I - A'A.
 *
 * Elements are scaled by the power of two that brings the largest into [1, 2);
 * elements that drop below 2^-1074 there change the norm by at most
 * sqrt(length width) eta, eta = 2^-1074.
 *
 * With m = length, n = width, G = fl(A'A) by dsyrk over panels of lines (any
 * summation order, with or without fused multiply-add):
 *     |G - A'A| <= gamma_{m+2} |A|'|A| + m eta,
 *     || |A|'|A| ||_2 <= ||A||_F^2 <= tr(G) (1 + 4 gamma_{m+n+4}),
 * so gram_error = gamma_{m+4} tr(G) (1 + ...) + n m eta.
 *
 * mu^2 is first chosen just above the Ritz value plus the slack that the proof
 * costs; where the factorisation fails, mu is raised. A failure costs one
 * factorisation and never a wrong answer.
 *
 * The lower bound: w = fl(A v), |w - A v| <= gamma_{n+2} |A||v|, so
 * ||A v|| >= ||w|| - gamma_{n+2} ||A||_F ||v||. [Rump 2006, 2011; the choice
 * of Lanczos and the constants are worked out in cholesky.c and here.]
 *
 * A relative error rho of the elements changes the norm by at most rho ||A||_F.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "dense.h"
#include "cholesky.h"
#include "rounding.h"

#include <cblas.h>
#include <string.h>

enum { PANEL_LINES = 512, ATTEMPTS = 12 };

static void fill_from_matrix(void *context, int64_t first, int64_t count, double *lines)
{
    const lip_matrix *m = context;
    bool by_rows = m->rows >= m->cols;
    int64_t width = by_rows ? m->cols : m->rows;
    for (int64_t i = 0; i < count; i++)
        for (int64_t j = 0; j < width; j++)
            lines[i * width + j] = m->elements[by_rows ? (first + i) * width + j : j * m->cols + first + i];
}

lip_panels lip_matrix_panels(lip_matrix *m, double relative_error)
{
    bool by_rows = m->rows >= m->cols;
    int64_t length = by_rows ? m->rows : m->cols, width = by_rows ? m->cols : m->rows;
    return (lip_panels) { length, width, m, fill_from_matrix, relative_error };
}

typedef struct dense {
    const lip_panels *panels;
    int64_t length, width;
    double *gram;     /* width x width, the upper triangle in column-major order */
    double *diagonal; /* of the Gram matrix */
    double *lines;    /* PANEL_LINES x width */
    int exponent;     /* elements are multiplied by 2^-exponent */
    double trace;     /* of the Gram matrix, rounded up */
} dense;

static bool panel(dense *a, int64_t first, int64_t count)
{
    a->panels->fill(a->panels->context, first, count, a->lines);
    if (a->exponent != 0) {
        double half = ldexp(1, -a->exponent / 2), rest = ldexp(1, -a->exponent - (-a->exponent / 2));
        for (int64_t i = 0; i < count * a->width; i++)
            a->lines[i] = a->lines[i] * half * rest;
    }
    return true;
}

static int64_t panel_count(const dense *a, int64_t first)
{
    return a->length - first < PANEL_LINES ? a->length - first : PANEL_LINES;
}

/* Exponent of the largest element; false if an element is NaN or Inf. */
static bool find_scale(dense *a)
{
    double largest = 0, check = 0;
    a->exponent = 0;
    for (int64_t first = 0; first < a->length; first += PANEL_LINES) {
        int64_t count = panel_count(a, first);
        panel(a, first, count);
        for (int64_t i = 0; i < count * a->width; i++) {
            largest = fmax(largest, fabs(a->lines[i]));
            check += a->lines[i] * 0;
        }
    }
    a->exponent = largest > 0 && isfinite(largest) ? ilogb(largest) : 0;
    return check == 0;
}

static void form_gram(dense *a)
{
    blasint n = (blasint)a->width;
    for (int64_t first = 0; first < a->length; first += PANEL_LINES) {
        int64_t count = panel_count(a, first);
        panel(a, first, count);
        cblas_dsyrk(CblasColMajor, CblasUpper, CblasNoTrans, n, (blasint)count, 1, a->lines, n, first > 0, a->gram, n);
    }
    double trace = 0;
    for (int64_t j = 0; j < a->width; j++) {
        a->diagonal[j] = a->gram[j * a->width + j];
        trace += a->diagonal[j];
    }
    double terms = (double)a->length + (double)a->width + 4;
    a->trace = lip_mul_up(trace, 1 + 5 * lip_gamma(terms));
}

static double gram_error(const dense *a)
{
    double m = (double)a->length, n = (double)a->width;
    return lip_add_up(lip_mul_up(lip_gamma(m + 4), a->trace), n * m * 2 * LIP_TINY);
}

/* y = G x; dsymv reads the upper triangle only. */
static bool gram_forward(void *context, const double *x, double *y)
{
    const dense *a = context;
    blasint n = (blasint)a->width;
    memset(y, 0, (size_t)n * sizeof *y); /* NaN in old contents would survive a factor of 0 in some kernels */
    cblas_dsymv(CblasColMajor, CblasUpper, n, 1, a->gram, n, x, 1, 0, y, 1);
    return true;
}

/* Lower bound of ||A|| at v (width elements), scaled. */
static double lower_at(dense *a, const double *v, double *image)
{
    blasint n = (blasint)a->width;
    for (int64_t first = 0; first < a->length; first += PANEL_LINES) {
        int64_t count = panel_count(a, first);
        panel(a, first, count);
        cblas_dgemv(CblasColMajor, CblasTrans, n, (blasint)count, 1, a->lines, n, v, 1, 0, image + first, 1);
    }
    double length = lip_norm_upper(v, a->width);
    double lost = lip_mul_up(lip_gamma((double)a->width + 4), lip_sqrt_up(a->trace));
    double underflow = sqrt((double)a->length) * (double)a->width * 4 * LIP_TINY;
    double proved = lip_sub_down(lip_norm_lower(image, a->length), lip_add_up(lip_mul_up(lost, length), underflow));
    return proved > 0 && length > 0 ? lip_div_down(proved, length) : 0;
}

/* Power iteration on the Gram matrix: the same iterates as u <- A'A u / ||.||, at the cost of the shorter side. */
static lip_power power_iteration(const dense *a, int iterations, lip_random *random, double *u, double *v)
{
    blasint n = (blasint)a->width;
    double quotient = 0, r = 0, before = 0;
    for (int64_t i = 0; i < a->width; i++)
        u[i] = lip_random_normal(random);
    for (int i = 0; i <= iterations; i++) {
        double norm = cblas_dnrm2(n, u, 1);
        if (!(norm > 0))
            return (lip_power) { 0, 0 };
        before = i > 1 ? r : 0;
        r = i > 0 ? norm : 0; /* ||A'A u|| of the step before */
        cblas_dscal(n, 1 / norm, u, 1);
        gram_forward((void *)(uintptr_t)a, u, v);
        quotient = cblas_ddot(n, u, 1, v, 1); /* ||A u||^2 */
        memcpy(u, v, (size_t)n * sizeof *u);
    }
    double estimate = sqrt(fmax(0, quotient));
    return (lip_power) { estimate, lip_power_error_term(r, before, a->width, estimate) };
}

/* Smallest mu that could be proved, scaled: starts just above the larger of `lower` and the Ritz value. */
static double prove_upper(dense *a, double lower, double ritz)
{
    double error = gram_error(a), base = fmax(lower * lower, ritz);
    double slack = lip_cholesky_slack(a->width) * base + error;
    double delta = 1e-12;
    for (int attempt = 0; attempt < ATTEMPTS && base > 0; attempt++, delta *= 30) {
        double mu_squared = base * (1 + delta) + 1.05 * slack;
        if (lip_gram_below(a->gram, a->diagonal, a->width, mu_squared, error))
            return lip_sqrt_up(mu_squared);
    }
    return lip_sqrt_up(lip_add_up(a->trace, error)); /* the Frobenius norm: always a bound */
}

static lip_status bound(dense *a, int iterations, lip_random *random, lip_memory *memory, double *work, lip_norm *out,
                        lip_error *error)
{
    double *vector = work, *image = work + a->width;
    lip_operator gram = { .rows = a->width, .cols = a->width, .context = a, .forward = gram_forward,
                          .adjoint = gram_forward };
    lip_singular singular;
    form_gram(a);
    if (a->trace == 0) { /* the largest element is scaled into [1, 2): there is none */
        *out = (lip_norm) { 0, 0, iterations > 0 ? 0 : (double)NAN, "zero", 0 };
        return LIP_OK;
    }
    if (iterations > 0) {
        lip_power power = power_iteration(a, iterations, random, vector, image);
        out->power_estimate = ldexp(power.estimate, a->exponent);
        out->power_error_term = ldexp(power.error_term, a->exponent);
    }
    lip_status status = lip_lanczos(&gram, NULL, random, memory, vector, &singular, error);
    if (status != LIP_OK)
        return status;
    double lower = lower_at(a, vector, image);
    double upper = prove_upper(a, lower, singular.estimate);
    bool frobenius = upper > lower * 1.001 && upper >= lip_sqrt_down(a->trace);
    double lost = lip_mul_up(a->panels->relative_error, lip_sqrt_up(a->trace));
    double underflow = sqrt((double)a->length * (double)a->width) * 2 * LIP_TINY;
    lower = fmax(0, lip_sub_down(lower, lip_add_up(lost, underflow)));
    upper = lip_add_up(upper, a->exponent != 0 ? lip_add_up(lost, underflow) : lost);
    out->lower = fmax(0, a->exponent != 0 ? lip_down(ldexp(lower, a->exponent)) : lower);
    out->upper = a->exponent != 0 ? lip_up(ldexp(upper, a->exponent)) : upper;
    out->method = frobenius ? "Frobenius norm" : "verified Cholesky";
    return LIP_OK;
}

lip_status lip_dense_norm(const lip_panels *panels, int iterations, lip_random *random, lip_memory *memory,
                          lip_norm *out, lip_error *error)
{
    dense a = { .panels = panels, .length = panels->length, .width = panels->width };
    *out = (lip_norm) { 0, (double)INFINITY, (double)NAN, "none", 0 };
    int64_t square, work_count;
    if (a.width > INT32_MAX || !lip_size_mul(a.width, a.width, &square) ||
        !lip_size_add(a.width, a.length > a.width ? a.length : a.width, &work_count))
        return lip_fail(error, LIP_EUNSUPPORTED, "a dense matrix of %lld x %lld is too large", (long long)a.length,
                        (long long)a.width);
    a.gram = lip_alloc(memory, square, sizeof(double));
    a.diagonal = lip_alloc(memory, a.width, sizeof(double));
    a.lines = lip_alloc(memory, PANEL_LINES * a.width, sizeof(double));
    double *work = lip_alloc(memory, work_count, sizeof(double));
    lip_status status = LIP_OK;
    if (!a.gram || !a.diagonal || !a.lines || !work)
        status = lip_fail(error, LIP_EMEMORY, "the Gram matrix of a %lld x %lld matrix (%.1f GiB) passes the memory "
                          "cap", (long long)a.length, (long long)a.width, (double)square * 8 / 0x1p30);
    else if (a.length == 0 || a.width == 0)
        *out = (lip_norm) { 0, 0, 0, "empty", 0 };
    else if (find_scale(&a))
        status = bound(&a, iterations, random, memory, work, out, error);
    lip_free(memory, work);
    lip_free(memory, a.lines);
    lip_free(memory, a.diagonal);
    lip_free(memory, a.gram);
    return status;
}
