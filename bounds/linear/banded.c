/*
 * banded.c: ||A||_2 <= mu from a block-banded Cholesky factorisation.
 *
 * Of A'A (over input positions) and AA' (over output positions) the cheaper
 * one is taken; call its positions ends and the summed ones middles. Two ends
 * interact only if a middle touches both, so with ends ordered by the outermost
 * dimension (the longest) the Gram matrix is block-banded: block row e is one
 * slab of that dimension (inner positions times channels), and blocks (e, f)
 * with |e - f| > reach vanish,
 *     reach = (k - 1) d        for A'A,      floor((k - 1) d / s)   for AA'.
 * The factorisation needs a window of (reach + 1)(reach + 2) / 2 blocks only;
 * Gram blocks are made when they enter the window, from the products
 * M[t, t'] = w_t' w_t' of the kernel's taps, and never stored as a whole.
 *
 * The proof is that of cholesky.c with inner products no longer than the scalar
 * half-bandwidth h = (reach + 1) slab - 1:
 *     ||D||_2 <= order (h + 10) u mu^2.
 * Each Gram element is a sum of at most taps * c_mid products, so with
 * || |A| ||_2^2 <= (largest row sum of |A|) (largest column sum of |A|)
 *     ||fl G - G||_2 <= gamma_{taps c_mid + 10} row_sum column_sum.
 * Both are subtracted from the diagonal before the factorisation.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "banded.h"
#include "rounding.h"

#include <cblas.h>
#include <lapacke.h>
#include <string.h>

enum { DIMS = LIP_CONV_DIMS, TRIES = 8 };

typedef struct band {
    const lip_conv *conv;
    int order[DIMS]; /* dimensions of the convolution, the outermost first */
    bool over_inputs; /* ends are inputs: A'A */
    int64_t end_channels, mid_channels;
    int64_t end_size[DIMS], mid_size[DIMS], k[DIMS]; /* in `order`; 1 beyond the convolution's dimensions */
    int64_t taps, inner_taps, inner_ends, inner_mids, slab, reach;
    double *products;           /* (taps end_channels)^2: M */
    double **window;            /* blocks (a, b), a >= b, of the rows j + a and columns j + b */
    double error, diagonal_shift; /* proved Gram error; everything that comes off mu^2 */
} band;

/* Orders the dimensions by falling extent of the ends and measures blocks; c->dims <= 3. */
static band plan(const lip_conv *c, bool over_inputs)
{
    band b = { .conv = c, .over_inputs = over_inputs, .taps = 1, .inner_taps = 1, .inner_ends = 1, .inner_mids = 1 };
    const int64_t *ends = over_inputs ? c->n : c->n_out, *mids = over_inputs ? c->n_out : c->n;
    for (int i = 0; i < DIMS; i++)
        b.order[i] = i;
    for (int i = 1; i < c->dims; i++)
        for (int j = i; j > 0 && ends[b.order[j]] > ends[b.order[j - 1]]; j--) {
            int swap = b.order[j];
            b.order[j] = b.order[j - 1];
            b.order[j - 1] = swap;
        }
    for (int i = 0; i < DIMS; i++) {
        bool real = i < c->dims;
        b.end_size[i] = real ? ends[b.order[i]] : 1;
        b.mid_size[i] = real ? mids[b.order[i]] : 1;
        b.k[i] = real ? c->k[b.order[i]] : 1;
        b.taps *= b.k[i];
        if (i > 0) {
            b.inner_taps *= b.k[i];
            b.inner_ends *= b.end_size[i];
            b.inner_mids *= b.mid_size[i];
        }
    }
    b.end_channels = (over_inputs ? c->c_in : c->c_out) / c->groups;
    b.mid_channels = (over_inputs ? c->c_out : c->c_in) / c->groups;
    b.slab = b.inner_ends * b.end_channels;
    int d = b.order[0];
    int64_t span = (c->k[d] - 1) * c->dilation[d];
    b.reach = over_inputs ? span : span / c->stride[d];
    if (b.reach > b.end_size[0] - 1)
        b.reach = b.end_size[0] - 1;
    return b;
}

static int64_t window_blocks(const band *b) { return (b->reach + 1) * (b->reach + 2) / 2; }

static lip_banded_cost price(const band *b)
{
    double r = (double)b->reach, slab = (double)b->slab, rows = (double)b->end_size[0];
    double products = (double)(b->taps * b->end_channels);
    lip_banded_cost cost;
    cost.flops = (double)b->conv->groups * rows * slab * slab * slab * (1.0 / 3 + r + r * r);
    cost.flops += (double)b->conv->groups * 2 * products * products * (double)b->mid_channels;
    cost.bytes = 8 * ((double)window_blocks(b) * slab * slab + products * products);
    return cost;
}

static band cheaper(const lip_conv *c)
{
    band inputs = plan(c, true), outputs = plan(c, false);
    return price(&inputs).flops <= price(&outputs).flops ? inputs : outputs;
}

lip_banded_cost lip_banded_price(const lip_conv *conv)
{
    band b = cheaper(conv);
    return price(&b);
}

/* The end that tap `t` of dimension i links to middle `m`; -1 if none. */
static int64_t end_of(const band *b, int i, int64_t m, int64_t t)
{
    const lip_conv *c = b->conv;
    if (i >= c->dims)
        return m;
    int d = b->order[i];
    int64_t offset = t * c->dilation[d] - c->pad_begin[d], end;
    if (b->over_inputs) {
        end = m * c->stride[d] + offset;
    } else {
        end = m - offset;
        if (end < 0 || end % c->stride[d] != 0)
            return -1;
        end /= c->stride[d];
    }
    return end >= 0 && end < b->end_size[i] ? end : -1;
}

/* M = W'W with W of mid_channels rows and (tap, end channel) columns, taps in `order`. */
static void form_products(band *b, const double *w, double *reordered)
{
    const lip_conv *c = b->conv;
    int64_t ci = c->c_in / c->groups, co = c->c_out / c->groups, width = b->taps * b->end_channels;
    for (int64_t tap = 0; tap < b->taps; tap++) {
        int64_t position[DIMS] = { 0 }, rest = tap, flat = 0;
        for (int i = DIMS - 1; i >= 0; i--) {
            if (i < c->dims)
                position[b->order[i]] = rest % b->k[i];
            rest /= b->k[i];
        }
        for (int d = 0; d < c->dims; d++)
            flat = flat * c->k[d] + position[d];
        for (int64_t o = 0; o < co; o++)
            for (int64_t i = 0; i < ci; i++) {
                int64_t mid = b->over_inputs ? o : i, end = b->over_inputs ? i : o;
                reordered[mid * width + tap * b->end_channels + end] = w[(o * ci + i) * b->taps + flat];
            }
    }
    cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (blasint)width, (blasint)width, (blasint)b->mid_channels, 1,
                reordered, (blasint)width, reordered, (blasint)width, 0, b->products, (blasint)width);
}

/* Inner ends linked to inner middle `m`, with their inner tap; returns how many. */
static int64_t inner_links(const band *b, int64_t m, int64_t *taps, int64_t *ends)
{
    int64_t m1 = m / b->mid_size[2], m2 = m % b->mid_size[2], count = 0;
    for (int64_t t1 = 0; t1 < b->k[1]; t1++) {
        int64_t e1 = end_of(b, 1, m1, t1);
        for (int64_t t2 = 0; e1 >= 0 && t2 < b->k[2]; t2++) {
            int64_t e2 = end_of(b, 2, m2, t2);
            if (e2 < 0)
                continue;
            taps[count] = t1 * b->k[2] + t2;
            ends[count++] = e1 * b->end_size[2] + e2;
        }
    }
    return count;
}

/* block -= the part of Gram block (e, f) that comes from outer taps (t, u): all inner middles. */
static void subtract_links(const band *b, int64_t t, int64_t u, double *block, int64_t *links)
{
    int64_t width = b->taps * b->end_channels, c = b->end_channels;
    int64_t *taps = links, *ends = links + b->inner_taps;
    for (int64_t m = 0; m < b->inner_mids; m++) {
        int64_t count = inner_links(b, m, taps, ends);
        for (int64_t x = 0; x < count; x++)
            for (int64_t y = 0; y < count; y++) {
                /* M is symmetric: its row (u, y) is the column that the column-major block wants. */
                const double *from = b->products + (u * b->inner_taps + taps[y]) * c * width +
                                     (t * b->inner_taps + taps[x]) * c;
                double *to = block + ends[y] * c * b->slab + ends[x] * c;
                for (int64_t j = 0; j < c; j++)
                    for (int64_t i = 0; i < c; i++)
                        to[j * b->slab + i] -= from[j * width + i];
            }
    }
}

/* Block (e, f), e >= f, of mu^2 I - G - shift I, column-major. */
static void fill_block(const band *b, int64_t e, int64_t f, double mu_squared, double *block, int64_t *links)
{
    memset(block, 0, (size_t)(b->slab * b->slab) * sizeof *block);
    for (int64_t m = 0; m < b->mid_size[0]; m++)
        for (int64_t t = 0; t < b->k[0]; t++) {
            if (end_of(b, 0, m, t) != e)
                continue;
            for (int64_t u = 0; u < b->k[0]; u++)
                if (end_of(b, 0, m, u) == f)
                    subtract_links(b, t, u, block, links);
        }
    for (int64_t i = 0; e == f && i < b->slab; i++) {
        double *on = block + i * b->slab + i;
        *on = lip_sub_down(lip_add_down(*on, mu_squared), b->diagonal_shift);
    }
}

static double **at(const band *b, int64_t row, int64_t column)
{
    return b->window + row * (row + 1) / 2 + column;
}

/* Moves the window one block down: (a, c) takes the place of (a + 1, c + 1); the first column's blocks are reused for
 * the last row. */
static void advance(band *b)
{
    int64_t r = b->reach;
    double *freed[64];
    for (int64_t a = 0; a <= r; a++)
        freed[a] = *at(b, a, 0);
    for (int64_t a = 0; a < r; a++)
        for (int64_t c = 0; c <= a; c++)
            *at(b, a, c) = *at(b, a + 1, c + 1);
    for (int64_t c = 0; c <= r; c++)
        *at(b, r, c) = freed[c];
}

static bool pivots_positive(const double *block, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        if (!(block[i * n + i] > 0) || !isfinite(block[i * n + i]))
            return false;
    return true;
}

/* One block column: factor its pivot block, solve below it, update the window. */
static bool eliminate(band *b, int64_t rows_below)
{
    blasint n = (blasint)b->slab;
    double *pivot = *at(b, 0, 0);
    if (LAPACKE_dpotrf_work(LAPACK_COL_MAJOR, 'L', n, pivot, n) != 0 || !pivots_positive(pivot, b->slab))
        return false;
    for (int64_t a = 1; a <= rows_below; a++)
        cblas_dtrsm(CblasColMajor, CblasRight, CblasLower, CblasTrans, CblasNonUnit, n, n, 1, pivot, n, *at(b, a, 0),
                    n);
    for (int64_t a = 1; a <= rows_below; a++) {
        cblas_dsyrk(CblasColMajor, CblasLower, CblasNoTrans, n, n, -1, *at(b, a, 0), n, 1, *at(b, a, a), n);
        for (int64_t c = 1; c < a; c++)
            cblas_dgemm(CblasColMajor, CblasNoTrans, CblasTrans, n, n, n, -1, *at(b, a, 0), n, *at(b, c, 0), n, 1,
                        *at(b, a, c), n);
    }
    return true;
}

/* The factorisation at one mu. */
static bool factorise(band *b, double mu_squared, int64_t *links)
{
    double order = (double)(b->slab * b->end_size[0]), half_band = (double)((b->reach + 1) * b->slab - 1);
    double rounding = lip_mul_up(lip_mul_up(order * (half_band + 10), LIP_UNIT), lip_up(mu_squared));
    b->diagonal_shift = lip_add_up(lip_add_up(rounding, b->error), 6 * order * (order + mu_squared) * LIP_TINY);
    if (!(rounding < 0.1 * mu_squared))
        return false;
    int64_t rows = b->end_size[0], r = b->reach;
    for (int64_t a = 0; a <= r; a++)
        for (int64_t c = 0; c <= a; c++)
            fill_block(b, a, c, mu_squared, *at(b, a, c), links);
    for (int64_t j = 0; j < rows; j++) {
        int64_t below = rows - 1 - j < r ? rows - 1 - j : r;
        if (!eliminate(b, below))
            return false;
        advance(b);
        for (int64_t c = 0; j + r + 1 < rows && c <= r; c++)
            fill_block(b, j + r + 1, j + 1 + c, mu_squared, *at(b, r, c), links);
    }
    return true;
}

/* gamma * (largest row sum of |A|) * (largest column sum of |A|), for one group's weights. */
static double product_error(const band *b, const double *w)
{
    const lip_conv *c = b->conv;
    int64_t ci = c->c_in / c->groups, co = c->c_out / c->groups;
    double row = 0, column = 0;
    for (int64_t o = 0; o < co; o++) {
        double sum = 0;
        for (int64_t i = 0; i < ci * b->taps; i++)
            sum += fabs(w[o * ci * b->taps + i]);
        row = fmax(row, sum);
    }
    for (int64_t i = 0; i < ci; i++) {
        double sum = 0;
        for (int64_t o = 0; o < co; o++)
            for (int64_t t = 0; t < b->taps; t++)
                sum += fabs(w[(o * ci + i) * b->taps + t]);
        column = fmax(column, sum);
    }
    double gamma = lip_gamma((double)(b->taps * b->mid_channels) + 10);
    double slop = 1 + 4 * lip_gamma((double)(b->taps * (ci + co)) + 4);
    return lip_mul_up(lip_mul_up(lip_mul_up(row, column), slop), gamma);
}

/* Smallest mu tried that holds for one group; +inf if none up to limit does. */
static double prove_group(band *b, const double *w, double candidate, double limit, double *reordered, int64_t *links)
{
    form_products(b, w, reordered);
    b->error = product_error(b, w);
    double order = (double)(b->slab * b->end_size[0]), half_band = (double)((b->reach + 1) * b->slab - 1);
    double slack = order * (half_band + 10) * LIP_UNIT + b->error / (candidate * candidate);
    double delta = 1e-9;
    for (int attempt = 0; attempt < TRIES && candidate > 0; attempt++, delta *= 10) {
        double mu_squared = candidate * candidate * (1 + 2 * delta + 1.1 * slack), mu = lip_sqrt_up(mu_squared);
        if (!(mu < limit))
            break;
        if (factorise(b, mu_squared, links))
            return mu;
    }
    return (double)INFINITY;
}

lip_status lip_banded_upper(const lip_conv *conv, const double *w, double candidate, double limit, lip_memory *memory,
                            double *upper, lip_error *error)
{
    band b = cheaper(conv);
    int64_t width = b.taps * b.end_channels, blocks = window_blocks(&b), square = 0, slab_square = 0;
    *upper = (double)INFINITY;
    if (b.reach > 62 || b.slab > INT32_MAX || !lip_size_mul(width, width, &square) ||
        !lip_size_mul(b.slab, b.slab, &slab_square))
        return LIP_OK;
    double *reordered = lip_alloc(memory, width * b.mid_channels, sizeof(double));
    int64_t *links = lip_alloc(memory, 2 * b.inner_taps, sizeof *links);
    b.products = lip_alloc(memory, square, sizeof(double));
    b.window = lip_alloc(memory, blocks, sizeof *b.window);
    bool fine = reordered && links && b.products && b.window;
    for (int64_t i = 0; fine && i < blocks; i++)
        fine = (b.window[i] = lip_alloc(memory, slab_square, sizeof(double))) != NULL;
    if (fine) {
        double largest = 0;
        for (int64_t group = 0; group < conv->groups; group++)
            largest = fmax(largest, prove_group(&b, w + group * b.mid_channels * width, candidate, limit, reordered,
                                                links));
        *upper = largest;
    }
    for (int64_t i = 0; b.window && i < blocks; i++)
        lip_free(memory, b.window[i]);
    lip_free(memory, b.window);
    lip_free(memory, b.products);
    lip_free(memory, links);
    lip_free(memory, reordered);
    return fine ? LIP_OK : lip_fail(error, LIP_EMEMORY, "a banded factorisation passes the memory cap");
}
