/*
 * oracle.c: see oracle.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "oracle.h"

#include "linear/svd.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

int oracle_breaks(double lower, double upper, double truth, double doubt)
{
    if (!(upper >= truth * (1 - doubt)))
        return 1;
    return lower <= truth * (1 + doubt) ? 0 : -1;
}

uint64_t oracle_bits(uint64_t *state) /* xorshift64* [Vigna 2016] */
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(0x2545f4914f6cdd1d);
}

int64_t oracle_int(uint64_t *state, int64_t low, int64_t high)
{
    return low + (int64_t)(oracle_bits(state) >> 33) % (high - low + 1);
}

double oracle_normal(uint64_t *state)
{
    double radius = sqrt(-2 * log(((double)(oracle_bits(state) >> 12) + 0.5) * 0x1p-52));
    return radius * cos(6.283185307179586 * (double)(oracle_bits(state) >> 12) * 0x1p-52);
}

void oracle_fill(uint64_t *state, double *x, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        x[i] = oracle_normal(state);
}

lip_memory *oracle_memory(void)
{
    static lip_memory memory;
    if (memory.cap == 0)
        lip_memory_init(&memory, UINT64_C(2) << 30);
    return &memory;
}

void *oracle_alloc(int64_t count, size_t size)
{
    void *block = lip_alloc(oracle_memory(), count, size);
    assert_non_null(block);
    return block;
}

void oracle_free(void *block)
{
    lip_free(oracle_memory(), block);
}

uint64_t oracle_in_use(void)
{
    return atomic_load(&oracle_memory()->used);
}

/* Rotates columns p and q of the m-row matrix so that they are orthogonal; returns |cosine| of their angle before. */
static long double rotate(long double *p, long double *q, int64_t m)
{
    long double pp = 0, qq = 0, pq = 0;
    for (int64_t i = 0; i < m; i++) {
        pp += p[i] * p[i];
        qq += q[i] * q[i];
        pq += p[i] * q[i];
    }
    if (pq == 0)
        return 0;
    long double zeta = (qq - pp) / (2 * pq);
    long double t = (zeta < 0 ? -1 : 1) / (fabsl(zeta) + sqrtl(1 + zeta * zeta)), c = 1 / sqrtl(1 + t * t), s = c * t;
    for (int64_t i = 0; i < m; i++) {
        long double old = p[i];
        p[i] = c * old - s * q[i];
        q[i] = s * old + c * q[i];
    }
    return fabsl(pq) / sqrtl(pp * qq);
}

long double oracle_jacobi(const double *matrix, int64_t rows, int64_t cols)
{
    bool tall = rows >= cols;
    int64_t m = tall ? rows : cols, n = tall ? cols : rows;
    long double *a = oracle_alloc(m * n, sizeof *a), largest = 0;
    for (int64_t j = 0; j < n; j++)
        for (int64_t i = 0; i < m; i++)
            a[j * m + i] = tall ? matrix[j * rows + i] : matrix[i * rows + j];
    long double worst = 1;
    for (int sweep = 0; sweep < 30 && worst > 1e-17L; sweep++) {
        worst = 0;
        for (int64_t p = 0; p < n; p++)
            for (int64_t q = p + 1; q < n; q++)
                worst = fmaxl(worst, rotate(a + p * m, a + q * m, m));
    }
    for (int64_t j = 0; j < n; j++) {
        long double sum = 0;
        for (int64_t i = 0; i < m; i++)
            sum += a[j * m + i] * a[j * m + i];
        largest = fmaxl(largest, sum);
    }
    oracle_free(a);
    return sqrtl(largest);
}

double oracle_svd(const double *matrix, int64_t rows, int64_t cols)
{
    double sigma, *copy = oracle_alloc(rows * cols, sizeof *copy);
    memcpy(copy, matrix, (size_t)(rows * cols) * sizeof *copy);
    assert_int_equal(lip_svd_largest(copy, rows, cols, oracle_memory(), &sigma, NULL), LIP_OK);
    oracle_free(copy);
    return sigma;
}

static int64_t power_of(int64_t base, int exponent)
{
    return exponent == 0 ? 1 : base * power_of(base, exponent - 1);
}

lip_conv oracle_conv(uint64_t *state, int64_t most)
{
    for (;;) {
        lip_conv c = { .dims = (int)oracle_int(state, 1, 3), .batch = 1 };
        int64_t top = c.dims == 1 ? 14 : c.dims == 2 ? 6 : 3;
        c.groups = oracle_int(state, 0, 3) == 0 ? 2 : 1;
        c.c_in = c.groups * oracle_int(state, 1, 3);
        c.c_out = c.groups * oracle_int(state, 1, 3);
        for (int d = 0; d < c.dims; d++) {
            c.n[d] = oracle_int(state, 1, top);
            c.n_out[d] = oracle_int(state, 1, top);
            c.k[d] = oracle_int(state, 1, c.dims == 3 ? 3 : 5);
            c.stride[d] = oracle_int(state, 1, 3);
            c.dilation[d] = oracle_int(state, 1, 2);
            c.pad_begin[d] = oracle_int(state, -1 - (oracle_bits(state) >> 60 == 0), 3);
        }
        if (lip_conv_input_count(&c) <= most && lip_conv_output_count(&c) <= most &&
            power_of(5, c.dims) * c.c_in * c.c_out <= 4000)
            return c;
    }
}

/* Splits a flat index over `extent`. */
static void split(int64_t flat, const int64_t *extent, int dims, int64_t *index)
{
    for (int d = dims - 1; d >= 0; d--) {
        index[d] = flat % extent[d];
        flat /= extent[d];
    }
}

/* Offset of input position p * stride + t * dilation - pad; -1 outside. */
static int64_t reached(const lip_conv *c, const int64_t *p, const int64_t *t)
{
    int64_t offset = 0;
    for (int d = 0; d < c->dims; d++) {
        int64_t q = p[d] * c->stride[d] + t[d] * c->dilation[d] - c->pad_begin[d];
        if (q < 0 || q >= c->n[d])
            return -1;
        offset = offset * c->n[d] + q;
    }
    return offset;
}

double *oracle_conv_matrix(const lip_conv *c, const double *w)
{
    int64_t rows = lip_conv_output_count(c), cols = lip_conv_input_count(c);
    int64_t ci = c->c_in / c->groups, co = c->c_out / c->groups, taps = lip_conv_weight_count(c) / (c->c_out * ci);
    int64_t positions = rows / c->c_out, inputs = cols / c->c_in;
    double *a = oracle_alloc(rows * cols, sizeof *a);
    for (int64_t p = 0; p < positions; p++)
        for (int64_t t = 0; t < taps; t++) {
            int64_t at[LIP_CONV_DIMS], tap[LIP_CONV_DIMS];
            split(p, c->n_out, c->dims, at);
            split(t, c->k, c->dims, tap);
            int64_t q = reached(c, at, tap);
            for (int64_t o = 0; q >= 0 && o < c->c_out; o++)
                for (int64_t i = 0; i < ci; i++)
                    a[(o / co * ci + i) * inputs * rows + q * rows + o * positions + p] += w[(o * ci + i) * taps + t];
        }
    return a;
}

double oracle_conv_norm(const lip_conv *c, const double *w)
{
    double *a = oracle_conv_matrix(c, w), norm = oracle_svd(a, lip_conv_output_count(c), lip_conv_input_count(c));
    oracle_free(a);
    return norm;
}

void oracle_conv_text(const lip_conv *c, char *text, size_t size)
{
    int at = snprintf(text, size, "channels %d>%d/%d", (int)c->c_in, (int)c->c_out, (int)c->groups);
    for (int d = 0; d < c->dims; d++)
        at += snprintf(text + at, size - (size_t)at, "  n %d>%d k %d s %d d %d p %d", (int)c->n[d], (int)c->n_out[d],
                       (int)c->k[d], (int)c->stride[d], (int)c->dilation[d], (int)c->pad_begin[d]);
}

void oracle_scale(double *w, int64_t count)
{
    double largest = 0;
    for (int64_t i = 0; i < count; i++)
        largest = fmax(largest, fabs(w[i]));
    int exponent = largest > 0 ? ilogb(largest) : 0;
    for (int64_t i = 0; i < count; i++)
        w[i] = scalbn(w[i], -exponent);
}
