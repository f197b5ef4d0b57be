/*
 * torus.c: the twisted torus.
 *
 * Let the torus have N positions per dimension, N a multiple of the stride s
 * and large enough that no tap of an output reaches an input position of the
 * image in two ways:
 *     N >= max(n + pad_begin, n + pad_end, s n_out),
 *     pad_end = max(0, (n_out - 1) s + (k - 1) d - pad_begin - (n - 1)).
 * The zero-padded convolution is then a submatrix of the convolution on the
 * torus, whatever phase e^{2 pi i theta} an index picks up when it wraps
 * around, because wrapped indices only meet zeros. A submatrix has no larger
 * norm, so for every theta in [0, 1)^D
 *     ||A||_2 <= max over frequencies of ||W(omega)||_2,
 *     W(omega) = sum_t w_t e^{i omega . (t d)},  omega = 2 pi (j + theta) / N.
 * With stride s the s^D frequencies j + l N / s meet in one output frequency
 * and the symbol is the block row [W(omega_l)]_l / sqrt(s^D). theta in
 * {0, 1/2}^D keeps W(-omega) = conj W(omega), which halves the work; 1/2 puts
 * the grid astride the frequencies 0 and pi, where trained filters peak.
 * (Circulant embedding: Sedghi, Gupta & Long 2019 for periodic convolutions,
 * which on the n-grid is *not* a bound for zero padding.)
 *
 * At each frequency ||X||_2^2 <= S mu^2, X the block row without 1 / sqrt(S),
 * S = s^D, is settled by the cheapest of: ||X||_F^2, || X X* ||_F, a verified
 * Cholesky factorisation of S mu^2 I - X X*. Where none proves it, mu is
 * raised to this frequency's norm; what was proved for a smaller mu holds for
 * the larger one.
 *
 * Rounding. G = fl(X X*), inner length K: a complex product is four real ones,
 *     ||G - X X*||_2 <= 3 (K + 4) u ||X||_F^2.
 * The symbol itself: angles are reduced exactly in integers, r = (2 j + 2
 * theta) t d mod 2 N, roots of unity are off by at most 20 u per dimension
 * (argument and function), their products by 3 u more each, the sum over taps
 * by gamma_taps. Real and imaginary part together:
 *     ||fl W - W||_F <= 2 (taps + 24 D + 10) u || sum_t |w_t| ||_F,
 * which is added to mu at the end.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "torus.h"
#include "cholesky.h"
#include "operator.h"
#include "rounding.h"

#include <cblas.h>
#include <string.h>

enum { CHUNK_BYTES = 4 << 20 };

static const double SECOND_TWIST_FLOPS = 6e10; /* above this, one twist must do */

typedef struct torus {
    const lip_conv *conv;
    lip_memory *memory;
    int64_t size[LIP_CONV_DIMS];    /* N */
    int64_t outputs[LIP_CONV_DIMS]; /* N / s: output frequencies per dimension */
    int64_t output_count, aliases;  /* products of outputs and of strides */
    int64_t stride[LIP_CONV_DIMS];
    int64_t taps, ci, co;           /* ci, co: channels per group */
    int64_t widest;                 /* elements of a phase or a symbol, whichever has more */
    int64_t m, k;                   /* sides of the symbol, m <= k */
    bool rows_are_outputs;          /* m counts output channels */
    double *root[LIP_CONV_DIMS];    /* 2 N cosines, then 2 N sines of pi r / N */
    int64_t chunk;                  /* output frequencies per batch */
    double *phase;                  /* 2 chunk aliases x taps */
    double *symbol;                 /* 2 chunk aliases x co ci */
    double complex *x, *gram;
    double *diagonal;
} torus;

/* One sweep over all frequencies with one twist. */
typedef struct sweep {
    int twice_theta[LIP_CONV_DIMS]; /* 0 or 1 */
    double mu_squared;              /* proved for all frequencies met so far (S mu^2) */
    double cap;                     /* give up when mu_squared passes it */
    int64_t worst;                  /* output frequency that raised mu last */
} sweep;

/* False: too large for BLAS's indices. */
static bool measure(torus *t)
{
    const lip_conv *c = t->conv;
    t->taps = t->aliases = t->output_count = 1;
    for (int d = 0; d < c->dims; d++) {
        t->stride[d] = c->n_out[d] == 1 ? 1 : c->stride[d]; /* a single output takes no step */
        int64_t begin = c->pad_begin[d] > 0 ? c->pad_begin[d] : 0;
        int64_t n = c->pad_begin[d] < 0 ? c->n[d] + c->pad_begin[d] : c->n[d]; /* negative pads crop */
        int64_t end = (c->n_out[d] - 1) * t->stride[d] + (c->k[d] - 1) * c->dilation[d] - begin - (n - 1);
        int64_t need = n + (begin > end ? begin : end);
        int64_t outputs = (need + t->stride[d] - 1) / t->stride[d];
        t->outputs[d] = outputs > c->n_out[d] ? outputs : c->n_out[d];
        t->size[d] = t->outputs[d] * t->stride[d];
        t->taps *= c->k[d];
        if (!lip_size_mul(t->aliases, t->stride[d], &t->aliases) || t->aliases > INT32_MAX ||
            !lip_size_mul(t->output_count, t->outputs[d], &t->output_count))
            return false;
    }
    t->ci = c->c_in / c->groups;
    t->co = c->c_out / c->groups;
    t->rows_are_outputs = t->co <= t->ci * t->aliases;
    t->m = t->rows_are_outputs ? t->co : t->ci * t->aliases;
    t->k = t->rows_are_outputs ? t->ci * t->aliases : t->co;
    t->widest = t->co * t->ci > t->taps ? t->co * t->ci : t->taps;
    return t->widest <= INT32_MAX / 2 / t->aliases;
}

static bool allocate(torus *t)
{
    for (int d = 0; d < t->conv->dims; d++) {
        t->root[d] = lip_alloc(t->memory, 4 * t->size[d], sizeof(double));
        if (!t->root[d])
            return false;
        for (int64_t r = 0; r < 2 * t->size[d]; r++) {
            double angle = 3.14159265358979323846 * (double)r / (double)t->size[d];
            t->root[d][r] = cos(angle);
            t->root[d][2 * t->size[d] + r] = sin(angle);
        }
    }
    int64_t per_frequency = 2 * t->aliases * t->widest * (int64_t)sizeof(double);
    t->chunk = CHUNK_BYTES / per_frequency;
    t->chunk = t->chunk < 1 ? 1 : t->chunk > t->output_count ? t->output_count : t->chunk;
    t->phase = lip_alloc(t->memory, 2 * t->chunk * t->aliases * t->taps, sizeof(double));
    t->symbol = lip_alloc(t->memory, 2 * t->chunk * t->aliases * t->co * t->ci, sizeof(double));
    t->x = lip_alloc(t->memory, t->m * t->k, sizeof(double complex));
    t->gram = lip_alloc(t->memory, t->m * t->m, sizeof(double complex));
    t->diagonal = lip_alloc(t->memory, t->m, sizeof(double));
    return t->phase && t->symbol && t->x && t->gram && t->diagonal;
}

static void release(torus *t)
{
    for (int d = 0; d < LIP_CONV_DIMS; d++)
        lip_free(t->memory, t->root[d]);
    lip_free(t->memory, t->phase);
    lip_free(t->memory, t->symbol);
    lip_free(t->memory, t->x);
    lip_free(t->memory, t->gram);
    lip_free(t->memory, t->diagonal);
}

/* Splits a flat row-major index over `extent`. */
static void unflatten(int64_t flat, const int64_t *extent, int dims, int64_t *index)
{
    for (int d = dims - 1; d >= 0; d--) {
        index[d] = flat % extent[d];
        flat /= extent[d];
    }
}

/* True for one of each pair of conjugate output frequencies. */
static bool is_representative(const torus *t, const sweep *s, int64_t frequency)
{
    int64_t j[LIP_CONV_DIMS], mirrored = 0;
    unflatten(frequency, t->outputs, t->conv->dims, j);
    for (int d = 0; d < t->conv->dims; d++) {
        int64_t opposite = (2 * t->outputs[d] - j[d] - s->twice_theta[d]) % t->outputs[d];
        mirrored = mirrored * t->outputs[d] + opposite;
    }
    return frequency <= mirrored;
}

/* Phases e^{i omega . (tap d)} of one input frequency: cosines to re[tap], sines to im[tap]. */
static void fill_phases(const torus *t, const sweep *s, const int64_t *frequency, double *re, double *im)
{
    const lip_conv *c = t->conv;
    for (int64_t tap = 0; tap < t->taps; tap++) {
        int64_t position[LIP_CONV_DIMS];
        double cosine = 1, sine = 0;
        unflatten(tap, c->k, c->dims, position);
        for (int d = 0; d < c->dims; d++) {
            int64_t period = 2 * t->size[d];
            int64_t twice_frequency = (2 * frequency[d] + s->twice_theta[d]) % period;
            int64_t r = twice_frequency * (position[d] * c->dilation[d] % period) % period;
            double a = t->root[d][r], b = t->root[d][period + r];
            double next = cosine * a - sine * b;
            sine = cosine * b + sine * a;
            cosine = next;
        }
        re[tap] = cosine;
        im[tap] = sine;
    }
}

/* Symbols of `count` output frequencies into t->symbol: for each its aliases, for each a real and an imaginary
 * co x ci matrix. */
static void compute_symbols(torus *t, const sweep *s, const int64_t *frequencies, int64_t count, const double *w)
{
    int dims = t->conv->dims;
    for (int64_t f = 0; f < count; f++) {
        int64_t j[LIP_CONV_DIMS];
        unflatten(frequencies[f], t->outputs, dims, j);
        for (int64_t alias = 0; alias < t->aliases; alias++) {
            int64_t l[LIP_CONV_DIMS];
            unflatten(alias, t->stride, dims, l);
            for (int d = 0; d < dims; d++)
                l[d] = j[d] + l[d] * t->outputs[d];
            double *row = t->phase + (f * t->aliases + alias) * 2 * t->taps;
            fill_phases(t, s, l, row, row + t->taps);
        }
    }
    blasint channels = (blasint)(t->co * t->ci), lines = (blasint)(2 * count * t->aliases), taps = (blasint)t->taps;
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, lines, channels, taps, 1, t->phase, taps, w, taps, 0,
                t->symbol, channels);
}

/* The symbol of one output frequency as m rows of k complex numbers; returns ||X||_F^2, not rounded. */
static double gather(torus *t, int64_t slot)
{
    double sum = 0;
    for (int64_t alias = 0; alias < t->aliases; alias++) {
        const double *re = t->symbol + (slot * t->aliases + alias) * 2 * t->co * t->ci, *im = re + t->co * t->ci;
        for (int64_t o = 0; o < t->co; o++) {
            for (int64_t i = 0; i < t->ci; i++) {
                double a = re[o * t->ci + i], b = im[o * t->ci + i];
                int64_t at = t->rows_are_outputs ? o * t->k + alias * t->ci + i : (alias * t->ci + i) * t->k + o;
                ((double *)t->x)[2 * at] = a; /* clang with glibc has no CMPLX */
                ((double *)t->x)[2 * at + 1] = b;
                sum += a * a + b * b;
            }
        }
    }
    return sum;
}

/* ||G||_F^2 of the Hermitian matrix in the upper triangle. */
static double gram_square(const torus *t)
{
    double off = 0, on = 0;
    for (int64_t j = 0; j < t->m; j++) {
        const double *column = (const double *)(t->gram + j * t->m);
        for (int64_t i = 0; i < 2 * j; i++)
            off += column[i] * column[i];
        on += t->diagonal[j] * t->diagonal[j];
    }
    return 2 * off + on;
}

/* y = G x, G Hermitian in the upper triangle, x and y as pairs of doubles. */
static bool gram_product(void *context, const double *x, double *y)
{
    const torus *t = context;
    memset(y, 0, (size_t)(2 * t->m) * sizeof *y);
    for (int64_t j = 0; j < t->m; j++) {
        const double *column = (const double *)(t->gram + j * t->m);
        double re = x[2 * j], im = x[2 * j + 1], sum_re = t->diagonal[j] * re, sum_im = t->diagonal[j] * im;
        for (int64_t i = 0; i < j; i++) {
            double a = column[2 * i], b = column[2 * i + 1];
            y[2 * i] += a * re - b * im;
            y[2 * i + 1] += a * im + b * re;
            sum_re += a * x[2 * i] + b * x[2 * i + 1];
            sum_im += a * x[2 * i + 1] - b * x[2 * i];
        }
        y[2 * j] += sum_re;
        y[2 * j + 1] += sum_im;
    }
    return true;
}

/* Largest eigenvalue of the Gram matrix, not proved; NaN if there is no memory for it. */
static double largest_eigenvalue(torus *t)
{
    lip_operator gram = { 2 * t->m, 2 * t->m, t, gram_product, gram_product, 0 };
    lip_lanczos_options options = { .max_steps = 60, .relative_target = 1e-11 };
    lip_random random = lip_random_seed(0, 0);
    lip_singular singular;
    if (lip_lanczos(&gram, &options, &random, t->memory, NULL, &singular, NULL) != LIP_OK)
        return (double)NAN;
    return singular.estimate;
}

/* Proves ||X||_2^2 <= s->mu_squared for the symbol in t->x, raising mu_squared if need be; false: passed the cap. */
static bool settle(torus *t, sweep *s, double frobenius_square)
{
    double k = (double)t->k, m = (double)t->m;
    double square = lip_mul_up(frobenius_square, 1 + 2 * lip_gamma(2 * k * m + 4));
    if (square <= s->mu_squared)
        return true;
    double error = lip_mul_up(lip_mul_up(3 * (k + 4), LIP_UNIT), square);
    cblas_zherk(CblasColMajor, CblasUpper, CblasConjTrans, (blasint)t->m, (blasint)t->k, 1, t->x, (blasint)t->k, 0,
                t->gram, (blasint)t->m);
    for (int64_t j = 0; j < t->m; j++)
        t->diagonal[j] = creal(t->gram[j * t->m + j]);
    double norm = lip_sqrt_up(lip_mul_up(gram_square(t), 1 + 2 * lip_gamma(2 * m * m + 4)));
    if (lip_add_up(norm, error) <= s->mu_squared)
        return true;
    if (lip_gram_below_complex(t->gram, t->diagonal, t->m, s->mu_squared, error))
        return true;
    double largest = largest_eigenvalue(t);
    double slack = 3.2 * lip_cholesky_slack(t->m + 3) * largest + 1.05 * error;
    for (double delta = 1e-10; delta < 1; delta *= 10) {
        double raised = fmax(s->mu_squared, largest) * (1 + delta) + slack;
        if (!(raised <= s->cap))
            return false;
        s->mu_squared = raised;
        if (lip_gram_below_complex(t->gram, t->diagonal, t->m, raised, error))
            return true;
    }
    return false;
}

/* All frequencies of one group. The order strides through them so that mu is raised to near its end soon. */
static bool sweep_group(torus *t, sweep *s, const double *w, int64_t *pending)
{
    int64_t step = t->output_count / 2 + t->output_count / 8 + 1;
    for (int64_t a = t->output_count, b = step; b != 0;) { /* a step coprime to the count meets every frequency */
        int64_t rest = a % b;
        a = b;
        b = rest;
        if (b == 0 && a != 1) {
            step++;
            a = t->output_count;
            b = step;
        }
    }
    int64_t waiting = 0, frequency = s->worst % t->output_count;
    for (int64_t i = 0; i < t->output_count; i++, frequency = (frequency + step) % t->output_count) {
        if (is_representative(t, s, frequency))
            pending[waiting++] = frequency;
        if (waiting < t->chunk && i + 1 < t->output_count)
            continue;
        compute_symbols(t, s, pending, waiting, w);
        for (int64_t slot = 0; slot < waiting; slot++) {
            double before = s->mu_squared;
            if (!settle(t, s, gather(t, slot)))
                return false;
            if (s->mu_squared > before)
                s->worst = pending[slot];
        }
        waiting = 0;
    }
    return true;
}

static bool sweep_all(torus *t, sweep *s, const double *w, int64_t *pending)
{
    int64_t per_group = t->co * t->ci * t->taps;
    for (int64_t group = 0; group < t->conv->groups; group++)
        if (!sweep_group(t, s, w + group * per_group, pending))
            return false;
    return true;
}

/* || sum_t |w_t| ||_F, the largest over groups (all groups together is an upper bound), rounded up. */
static double absolute_sum(const torus *t, const double *w)
{
    double square = 0;
    for (int64_t channel = 0; channel < t->conv->c_out * t->ci; channel++) {
        double sum = 0;
        for (int64_t tap = 0; tap < t->taps; tap++)
            sum += fabs(w[channel * t->taps + tap]);
        square += sum * sum;
    }
    double terms = (double)(t->conv->c_out * t->ci) + 2 * (double)t->taps + 4;
    return lip_sqrt_up(lip_mul_up(square, 1 + 2 * lip_gamma(terms)));
}

static double sweep_flops(const torus *t)
{
    double m = (double)t->m, k = (double)t->k;
    return 0.5 * (double)(t->output_count * t->conv->groups) * (4 * m * m * k + 4 * m * m * m / 3);
}

static double smallest_mu_squared(torus *t, const double *w, double lower, int64_t *pending)
{
    int twists = 1 << t->conv->dims;
    double start = lower * lower * (double)t->aliases * (1 + 1e-9), best = (double)INFINITY;
    int64_t worst = 0;
    for (int twist = twists - 1; twist >= 0; twist--) {
        sweep s = { .mu_squared = fmax(start, 0x1p-200), .cap = best * (1 - 1e-6), .worst = worst };
        for (int d = 0; d < t->conv->dims; d++)
            s.twice_theta[d] = twist >> d & 1;
        if (sweep_all(t, &s, w, pending))
            best = fmin(best, s.mu_squared);
        worst = s.worst;
        if (best <= start * (1 + 1e-8) || sweep_flops(t) > SECOND_TWIST_FLOPS)
            break;
    }
    return best;
}

lip_status lip_torus_upper(const lip_conv *conv, const double *w, double lower, lip_memory *memory, double *upper,
                           lip_error *error)
{
    torus t = { .conv = conv, .memory = memory };
    lip_status status = LIP_OK;
    *upper = (double)INFINITY;
    if (!measure(&t))
        return LIP_OK;
    int64_t *pending = NULL;
    if (!allocate(&t) || !(pending = lip_alloc(memory, t.chunk, sizeof *pending))) {
        status = lip_fail(error, LIP_EMEMORY, "the symbol of a convolution passes the memory cap");
    } else {
        double mu_squared = smallest_mu_squared(&t, w, lower, pending);
        double taps = (double)t.taps, dims = conv->dims;
        double symbol_error = lip_mul_up(2 * (taps + 24 * dims + 10) * LIP_UNIT, absolute_sum(&t, w));
        *upper = lip_add_up(lip_sqrt_up(lip_div_up(mu_squared, (double)t.aliases)), symbol_error);
    }
    lip_free(memory, pending);
    release(&t);
    return status;
}
