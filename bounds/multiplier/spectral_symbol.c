/*
 * spectral_symbol.c: a convolution at one frequency.
 *
 * Phases e^{i 2 pi m / N} come from cos and sin of an angle reduced to integers
 * first, within 8u of the truth. An element of A adds up t <= taps products:
 * it is off by at most (t + 16) u sum |w_t|, so the matrix by (taps + 20) u
 * times the Frobenius norm F of the sums of |w_t|, F^2 <= taps * sum of w^2 over all elements and phases.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "spectral.h"

#include "rounding.h"

#include <string.h>

static int64_t floor_div(int64_t a, int64_t b) { return a >= 0 ? a / b : -((-a + b - 1) / b); }

static double complex phase(int64_t turns, int64_t side)
{
    int64_t reduced = ((turns % side) + side) % side;
    double angle = 2 * M_PI * (double)reduced / (double)side;
    if (4 * reduced % side == 0) { /* quarter turns exactly */
        static const double exact[][2] = { { 1, 0 }, { 0, 1 }, { -1, 0 }, { 0, -1 } };
        return exact[4 * reduced / side][0] + exact[4 * reduced / side][1] * I;
    }
    return cos(angle) + sin(angle) * I;
}

/* Where the taps of one output phase go: columns and factors. */
static void add_phase(const lip_conv *c, const double *w, int64_t ratio, int64_t side, const int64_t *j,
                      const int64_t *b, double complex *a)
{
    int64_t out_ratio = ratio / c->stride[0], ci = c->c_in / c->groups, taps = c->k[0] * c->k[1];
    int64_t phases = ratio * ratio, width = c->c_in * phases, row_phase = b[0] * out_ratio + b[1];
    for (int64_t t0 = 0; t0 < c->k[0]; t0++)
        for (int64_t t1 = 0; t1 < c->k[1]; t1++) {
            int64_t m0 = c->stride[0] * b[0] + t0 * c->dilation[0] - c->pad_begin[0];
            int64_t m1 = c->stride[1] * b[1] + t1 * c->dilation[1] - c->pad_begin[1];
            int64_t k0 = floor_div(m0, ratio), k1 = floor_div(m1, ratio);
            int64_t column_phase = (m0 - k0 * ratio) * ratio + (m1 - k1 * ratio);
            double complex factor = phase(j[0] * k0 + j[1] * k1, side);
            for (int64_t o = 0; o < c->c_out; o++)
                for (int64_t i = 0; i < ci; i++) {
                    int64_t from = o / (c->c_out / c->groups) * ci + i;
                    a[(o * out_ratio * out_ratio + row_phase) * width + from * phases + column_phase] +=
                        w[(o * ci + i) * taps + t0 * c->k[1] + t1] * factor;
                }
        }
}

double lip_spectral_symbol(const lip_conv *c, const double *w, int64_t ratio, int64_t side, const int64_t *j,
                           double complex *a)
{
    int64_t out_ratio = ratio / c->stride[0], taps = c->k[0] * c->k[1];
    int64_t rows = c->c_out * out_ratio * out_ratio, cols = c->c_in * ratio * ratio;
    memset(a, 0, (size_t)(rows * cols) * sizeof *a);
    for (int64_t b0 = 0; b0 < out_ratio; b0++)
        for (int64_t b1 = 0; b1 < out_ratio; b1++)
            add_phase(c, w, ratio, side, j, (int64_t[]) { b0, b1 }, a);
    double norm = lip_norm_upper(w, lip_conv_weight_count(c)) * (double)out_ratio * sqrt((double)taps);
    return lip_mul_up(norm * ((double)taps + 20) * LIP_UNIT, 1 + 0x1p-20);
}
