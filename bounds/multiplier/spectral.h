/*
 * spectral.h: the system of system.h for convolutional networks, on a torus,
 * where it falls apart into one small system for each frequency.
 *
 * Values are images [1, C, H, W]; every one is put on a torus whose side is
 * r N, N common to all and r the ratio of its grid to the coarsest one. Split
 * into r^2 phases of N x N positions, a convolution of any stride multiplies
 * the discrete Fourier transform of all phases of all channels, at each
 * frequency w = 2 pi j / N, by a matrix A(w): with x[r q + a] =: x_a[q] and
 * y[p] = sum_t W_t x[s p + t d - pad], p = r' q + b, r' = r / s,
 *     s p + t d - pad = r q + m,  m = s b + t d - pad = r k + a,
 *     A_{b,a}(w) = sum over t that give this a of W_t e^{i w k}.
 * All paths end on the same grid, so that sums of branches are sums of matrices.
 *
 * Why a proof on the torus is one for zero padding. Model inputs and outputs of
 * activations are extended by zeros. For a convolution that reads such a value,
 * the torus value at every true output position is the true one, if
 * r N >= n + max(pad_begin, pad_end): what wraps around meets zeros. Outside of
 * the true positions the torus value dz is anything, but there dh = 0, and
 * 2 T g (width dz - g) >= 0 holds with g = -a dz as long as a <= 0 <= b; so slopes are
 * taken in [min(a, 0), max(b, 0)]. A PASS only gains from a larger |dz|. A value that
 * is not extended by zeros (a sum, an image before its activation) may be read
 * position by position; where a convolution looks at its neighbourhood, it
 * becomes a variable of its own, with slopes [0, 1], among which is the
 * identity. [Pauli et al. 2023 for circular layers; multipliers by channel.]
 *
 * After a mean over all positions only frequency 0 is left: a linear tail follows, and
 * dy = Y v(0). So J(w) > 0 at all frequencies and J(0) >= Y'Y / L^2 prove L.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_BOUNDS_SPECTRAL_H
#define LIP_BOUNDS_SPECTRAL_H

#include "certificate.h"

#include <complex.h>

enum { LIP_SPECTRAL_VARIABLES = 1600, LIP_SPECTRAL_GROUPS = 256 };

typedef struct lip_spectral_group {
    lip_variable_kind kind;
    int64_t first, channels, phases; /* channels * phases variables, phases of a channel side by side */
    int64_t multiplier;              /* of channel 0; channels of them. INPUT: -1 */
    int32_t plan;
    double constant; /* SLOPE: width; AUX: gain^2 */
} lip_spectral_group;

typedef struct lip_spectral {
    int64_t variables, multipliers, classes, side, frequencies; /* side: N; one of each pair of conjugate frequencies */
    lip_spectral_group *group;
    int64_t groups;
    double complex **z;  /* per frequency: variables x variables, row-major, below the diagonal blocks; 0 comes first */
    double **z_error;    /* per frequency and group: Frobenius norm of what its rows may be off by */
    double *y, *y_error; /* classes x variables, row-major; per row, its norm */
    lip_memory *memory;
} lip_spectral;

/* LIP_EUNSUPPORTED, with the reason: the graph is not of this kind, or too large. Free with lip_spectral_close in any
 * case. */
lip_status lip_spectral_build(const lip_model *model, const lip_layer_plan *plans, const lip_layer_gain *gains,
                              size_t count, int threads, lip_arena *arena, lip_spectral *out, lip_error *error);
void lip_spectral_close(lip_spectral *spectral);

/* A(w) of a convolution at frequency (j0, j1) of N x N, row-major [c_out r'^2][c_in r^2]. The Frobenius norm of its
 * error is at most the returned value. */
double lip_spectral_symbol(const lip_conv *conv, const double *w, int64_t ratio, int64_t side, const int64_t *j,
                           double complex *a);

/*
 * Multipliers group by group: with D_c the mean of the diagonal of Z J^-1 Z' over a channel's phases and all frequencies,
 * T = D^-power / largest eigenvalue of D^(-power/2) Z J^-1 Z' D^(-power/2). False: no memory, or J is not positive definite.
 */
bool lip_spectral_start(const lip_spectral *spectral, double power, int threads, double *multipliers);

/* As lip_certificate_open. */
lip_status lip_spectral_certificate(const lip_spectral *spectral, const double *multipliers, bool with_pairs, int threads,
                                    lip_certificate_of *out, bool *proved, lip_error *error);

#endif
