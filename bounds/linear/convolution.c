/*
 * convolution.c: which proof for which convolution.
 *
 * The lower bound is Lanczos on the operator itself, products by GEMM. With
 * K = (c_in / groups) taps terms per output and K' = (c_out / groups) taps per
 * input, |fl(A x) - A x| <= gamma_{K+2} |A||x| and the same for A' with K', so
 *     product_error = gamma_{max(K, K') + 4} || |A| ||_2,
 * || |A| ||_2 <= sqrt(row_sum column_sum) (Schur's test). Weights known to a
 * relative error rho change A by at most rho || |A| ||_2.
 *
 * Weights are scaled by the power of two that brings the largest into [1, 2);
 * what underflows there is below 2^-1074 each and changes the norm by at most
 * 2^-1074 taps max(c_in, c_out).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "convolution.h"
#include "banded.h"
#include "rounding.h"
#include "torus.h"

#include <string.h>

static const double TORUS_ENOUGH = 1e-3, ALWAYS_ENOUGH = 1e-7;
static const double BANDED_FLOPS = 3e11, BANDED_BYTES = 0x1p30;
static const double LANCZOS_FLOPS = 1.2e11;

static int64_t tap_count(const lip_conv *c)
{
    int64_t taps = 1;
    for (int d = 0; d < c->dims; d++)
        taps *= c->k[d];
    return taps;
}

static bool forward(void *context, const double *x, double *y)
{
    lip_conv_operator *a = context;
    lip_conv_forward(a->conv, a->w, x, y, a->work);
    return true;
}

static bool adjoint(void *context, const double *y, double *x)
{
    lip_conv_operator *a = context;
    lip_conv_adjoint(a->conv, a->w, y, x, a->work);
    return true;
}

double lip_conv_schur_upper(const lip_conv *c, const double *w)
{
    int64_t ci = c->c_in / c->groups, co = c->c_out / c->groups, taps = tap_count(c);
    double row = 0, column = 0;
    for (int64_t o = 0; o < c->c_out; o++) {
        double sum = 0;
        for (int64_t i = 0; i < ci * taps; i++)
            sum += fabs(w[o * ci * taps + i]);
        row = fmax(row, sum);
    }
    for (int64_t group = 0; group < c->groups; group++)
        for (int64_t i = 0; i < ci; i++) {
            double sum = 0;
            for (int64_t o = group * co; o < (group + 1) * co; o++)
                for (int64_t t = 0; t < taps; t++)
                    sum += fabs(w[(o * ci + i) * taps + t]);
            column = fmax(column, sum);
        }
    double slop = 1 + lip_gamma((double)(taps * (ci > co ? ci : co)) + 2);
    return lip_mul_up(lip_sqrt_up(lip_mul_up(row, column)), slop);
}

lip_operator lip_conv_as_operator(lip_conv_operator *a)
{
    const lip_conv *c = a->conv;
    int64_t ci = c->c_in / c->groups, co = c->c_out / c->groups;
    double terms = (double)(tap_count(c) * (ci > co ? ci : co)) + 4;
    return (lip_operator) {
        .rows = lip_conv_output_count(c), .cols = lip_conv_input_count(c), .context = a, .forward = forward,
        .adjoint = adjoint, .product_error = lip_mul_up(lip_gamma(terms), lip_conv_schur_upper(c, a->w)) };
}

/* Kernel 1: each output position sees at most one input position, so the norm is the matrix's (0 if none is seen). */
static bool is_pointwise(const lip_conv *c) { return tap_count(c) == 1; }

static bool sees_input(const lip_conv *c)
{
    for (int d = 0; d < c->dims; d++) {
        bool seen = false;
        for (int64_t p = 0; p < c->n_out[d] && !seen; p++) {
            int64_t q = p * c->stride[d] - c->pad_begin[d];
            seen = q >= 0 && q < c->n[d];
        }
        if (!seen)
            return false;
    }
    return true;
}

static lip_status pointwise(const lip_conv *c, const double *w, double relative_error, int iterations,
                            lip_random *random, lip_memory *memory, lip_norm *out, lip_error *error)
{
    int64_t ci = c->c_in / c->groups, co = c->c_out / c->groups;
    *out = (lip_norm) { 0, 0, 0, "verified Cholesky", 0 };
    for (int64_t group = 0; group < c->groups && sees_input(c); group++) {
        lip_matrix matrix = { w + group * co * ci, co, ci };
        lip_panels panels = lip_matrix_panels(&matrix, relative_error);
        lip_norm one;
        lip_status status = lip_dense_norm(&panels, iterations, random, memory, &one, error);
        if (status != LIP_OK)
            return status;
        out->lower = fmax(out->lower, one.lower);
        out->upper = fmax(out->upper, one.upper);
        out->power_estimate = iterations > 0 ? fmax(out->power_estimate, one.power_estimate) : (double)NAN;
        out->power_error_term = fmax(out->power_error_term, one.power_error_term);
    }
    return LIP_OK;
}

static bool banded_is_wanted(const lip_conv *c, lip_exact exact, double lower, double upper)
{
    lip_banded_cost cost = lip_banded_price(c);
    if (exact == LIP_EXACT_NEVER)
        return false;
    if (exact == LIP_EXACT_ALWAYS)
        return upper > lower * (1 + ALWAYS_ENOUGH);
    return upper > lower * (1 + TORUS_ENOUGH) && cost.flops <= BANDED_FLOPS && cost.bytes <= BANDED_BYTES;
}

static int lanczos_steps(const lip_conv *c, lip_exact exact)
{
    double flops = 8 * (double)lip_conv_output_count(c) * (double)(c->c_in / c->groups) * (double)tap_count(c);
    double steps = exact == LIP_EXACT_ALWAYS ? 400 : LANCZOS_FLOPS / flops;
    return steps < 40 ? 40 : steps > 400 ? 400 : (int)steps;
}

/* Bounds with scaled weights and relative_error = 0. */
static lip_status bound(const lip_conv *c, const double *w, const lip_conv_options *options, double *work,
                        lip_random *random, lip_memory *memory, lip_norm *out, lip_error *error)
{
    lip_conv_operator context = { c, w, work };
    lip_operator operator = lip_conv_as_operator(&context);
    lip_lanczos_options lanczos = { .max_steps = lanczos_steps(c, options->exact), .relative_target = 1e-10 };
    lip_singular singular;
    double torus, banded;
    lip_status status = LIP_OK;
    if (options->iterations > 0) {
        lip_power power = { 0 };
        status = lip_power_iteration(&operator, options->iterations, random, memory, &power, error);
        out->power_estimate = power.estimate;
        out->power_error_term = power.error_term;
    }
    if (status == LIP_OK)
        status = lip_lanczos(&operator, &lanczos, random, memory, NULL, &singular, error);
    if (status == LIP_OK)
        status = lip_torus_upper(c, w, singular.lower, memory, &torus, error);
    if (status != LIP_OK)
        return status;
    out->lower = singular.lower;
    out->upper = lip_conv_schur_upper(c, w);
    out->method = "Schur test";
    if (torus < out->upper) {
        out->upper = torus;
        out->method = "twisted torus";
    }
    if (!banded_is_wanted(c, options->exact, out->lower, out->upper))
        return LIP_OK;
    double candidate = fmax(singular.lower, singular.estimate * (1 + singular.error_estimate));
    lip_error ignored = { 0 }; /* without memory for it the torus stands */
    if (lip_banded_upper(c, w, candidate, out->upper, memory, &banded, &ignored) == LIP_OK && banded < out->upper) {
        out->upper = banded;
        out->method = "banded Cholesky";
    }
    return LIP_OK;
}

static void unscale(lip_norm *out, int exponent, double lost)
{
    out->lower = fmax(0, lip_sub_down(out->lower, lost));
    out->upper = lip_add_up(out->upper, lost);
    if (exponent != 0) {
        out->lower = fmax(0, lip_down(ldexp(out->lower, exponent)));
        out->upper = lip_up(ldexp(out->upper, exponent));
        out->power_estimate = ldexp(out->power_estimate, exponent);
        out->power_error_term = ldexp(out->power_error_term, exponent);
    }
}

lip_status lip_conv_norm(const lip_conv *conv, const double *w, double relative_error, const lip_conv_options *options,
                         lip_random *random, lip_memory *memory, lip_norm *out, lip_error *error)
{
    int64_t count = lip_conv_weight_count(conv);
    double largest = 0, check = 0;
    *out = (lip_norm) { 0, (double)INFINITY, (double)NAN, "none", 0 };
    for (int64_t i = 0; i < count; i++) {
        largest = fmax(largest, fabs(w[i]));
        check += w[i] * 0;
    }
    if (check != 0 || isnan(check))
        return LIP_OK;
    if (largest == 0) {
        *out = (lip_norm) { 0, 0, 0, "zero", 0 };
        return LIP_OK;
    }
    if (is_pointwise(conv))
        return pointwise(conv, w, relative_error, options->iterations, random, memory, out, error);
    double *scaled = lip_alloc(memory, count, sizeof(double));
    double *work = lip_alloc(memory, lip_conv_work_count(conv), sizeof(double));
    lip_status status = LIP_OK;
    if (!scaled || !work) {
        status = lip_fail(error, LIP_EMEMORY, "a convolution's weights and workspace pass the memory cap");
    } else {
        int exponent = ilogb(largest);
        for (int64_t i = 0; i < count; i++)
            scaled[i] = scalbn(w[i], -exponent);
        status = bound(conv, scaled, options, work, random, memory, out, error);
        double lost = relative_error > 0 ? lip_mul_up(relative_error, lip_conv_schur_upper(conv, scaled)) : 0;
        if (exponent > 0)
            lost = lip_add_up(lost, (double)(tap_count(conv) * (conv->c_in + conv->c_out)) * LIP_TINY);
        if (status == LIP_OK)
            unscale(out, exponent, lost);
    }
    lip_free(memory, work);
    lip_free(memory, scaled);
    return status;
}
