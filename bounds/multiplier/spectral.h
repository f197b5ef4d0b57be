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
 * dy = Y v(0). So J(w) > 0 at all frequencies and J(0) >= Y'Y / L^2 prove L. Where the
 * output is an image, dy = Y(w) v(w) at its true positions, and J(w) >= Y'Y / L^2 at all
 * frequencies proves L: Y(w) is Z of a last group of AUX variables, with 1 / (T gain^2) = L^2.
 * There the frequencies are 2 pi (j + 1/2) / N instead: what wraps around meets zeros, whatever its sign.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_BOUNDS_SPECTRAL_H
#define LIP_BOUNDS_SPECTRAL_H

#include "certificate.h"

#include <complex.h>

enum { LIP_SPECTRAL_GROUPS = 256 };
#define LIP_SPECTRAL_BYTES 3e9  /* of all frequencies */
#define LIP_SPECTRAL_ROOM 1.001 /* of the output map's squared bound, for what its estimate from below misses */
#define LIP_SPECTRAL_FLOPS 8e11 /* of one factorisation at all frequencies */

typedef struct lip_spectral_group {
    lip_variable_kind kind;
    int64_t first, channels, phases; /* channels * phases variables, phases of a channel side by side */
    int64_t multiplier;              /* of channel 0; channels of them. INPUT: -1; the output: one for all */
    int32_t plan;
    double constant; /* SLOPE: width; AUX: gain^2 */
} lip_spectral_group;

/* A matrix that has one row of blocks for each group: the blocks that are not zero side by side, row-major. */
typedef struct lip_spectral_pattern {
    int64_t *start;  /* [groups + 1]: where its row of blocks begins */
    int64_t *width;  /* [groups]: columns of it */
    int64_t *column; /* [groups][groups]: first column of the block; -1: zero */
} lip_spectral_pattern;

typedef struct lip_spectral {
    int64_t variables, multipliers, classes, side, frequencies; /* side: N; one of each pair of conjugate frequencies */
    int64_t output; /* the group of the output map, the last one; -1: the outputs are y */
    lip_spectral_group *group;
    int64_t groups;
    lip_spectral_pattern rows, factor; /* of z, and of J's factor, which has blocks on the diagonal */
    double flops;        /* of one factorisation at all frequencies */
    double complex **z;  /* per frequency: Z in `rows`; of the mean's outputs, frequency 0 comes first */
    double **z_error;    /* per frequency and group: Frobenius norm of what its rows may be off by */
    double *y, *y_error; /* classes x variables, row-major; per row, its norm */
    lip_memory *memory;
} lip_spectral;

static inline int64_t lip_spectral_width(const lip_spectral *s, int64_t group)
{
    return s->group[group].channels * s->group[group].phases;
}
static inline int64_t lip_spectral_column(const lip_spectral *s, const lip_spectral_pattern *p, int64_t k, int64_t j)
{
    return p->column[k * s->groups + j];
}

/* Of variable i of the group. */
static inline double lip_spectral_multiplier(const lip_spectral_group *g, int64_t i, const double *multipliers)
{
    int64_t of_channel = g->kind == LIP_VAR_AUX && g->plan < 0 ? 0 : i / g->phases;
    return g->multiplier < 0 ? 1 : multipliers[g->multiplier + of_channel];
}

/*
 * The system of a network from its input to its logits, which are images [1, C, H, W] or come from a mean over all
 * positions. LIP_EUNSUPPORTED, with the reason: the graph is not of this kind, or too large. Free with
 * lip_spectral_close in any case. Only_size: no numbers, for an answer in milliseconds.
 */
lip_status lip_spectral_build(const lip_model *model, const lip_layer_plan *plans, size_t count, bool only_size,
                              int threads, lip_arena *arena, lip_spectral *out, lip_error *error);
void lip_spectral_close(lip_spectral *spectral);

/* A(w) of a convolution at frequency (j0, j1) of N x N, row-major [c_out r'^2][c_in r^2]. The Frobenius norm of its
 * error is at most the returned value. */
double lip_spectral_symbol(const lip_conv *conv, const double *w, int64_t ratio, int64_t side, const int64_t *j,
                           double complex *a);

/*
 * One row of blocks of the factor L of a Hermitian matrix, L L^H, in spectral->factor. `l` holds the rows before it,
 * and in row `group` what is left of the matrix's diagonal; solve: that becomes L's. Then finish: the block on the
 * diagonal, which holds the matrix's (lower triangle), becomes L's. False: a pivot is not positive and finite. Each
 * element of L comes from one inner product of at most as many terms as there are variables before it, and itself.
 */
void lip_spectral_solve(const lip_spectral *spectral, int64_t group, double complex *l);
bool lip_spectral_finish(const lip_spectral *spectral, int64_t group, double complex *l);

/* Z's rows of a group at a frequency, into those of the factor. */
void lip_spectral_copy(const lip_spectral *spectral, int64_t frequency, int64_t group, double complex *l);

/* Patterns and cost from `reads`, [group][group]: whether Z has that block. False: no memory. */
bool lip_spectral_patterns(lip_spectral *spectral, const bool *reads, lip_arena *arena);

/*
 * Multipliers group by group: with D_c the mean of the diagonal of Z J^-1 Z' over a channel's phases and all
 * frequencies, T = D^-power / largest eigenvalue of D^(-power/2) Z J^-1 Z' D^(-power/2). The output's is what an
 * estimate of the bound asks for. False: no memory, or J is not positive definite.
 */
bool lip_spectral_start(const lip_spectral *spectral, double power, int threads, double *multipliers);

/* Of outputs y. As lip_certificate_open. */
lip_status lip_spectral_certificate(const lip_spectral *spectral, const double *multipliers, bool with_pairs,
                                    int threads, lip_certificate_of *out, bool *proved, lip_error *error);

/* Of an output map: an upper bound proved with these multipliers, the output's among them; +inf: not proved. */
double lip_spectral_upper(const lip_spectral *spectral, const double *multipliers, int threads);

#endif
