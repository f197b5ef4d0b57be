/*
 * conv_kernel.c: y = conv(x, w) and its adjoint in float64, see conv.h.
 *
 *   Y [c_out/g, P] = W [c_out/g, K] C [K, P],   K = c_in/g * taps, P = output positions,
 * with C[(i, t), p] = x[i, p * stride + t * dilation - pad]: one GEMM per group,
 * block of output positions and block of channels, so that C's block stays
 * near one megabyte. The adjoint is C = W' Y, scattered back. Where C is x
 * itself (1x1) it is not formed; where a group has a handful of channel pairs
 * (depthwise) a GEMM would be all overhead, and the taps are added directly.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "conv.h"

#include <cblas.h>
#include <string.h>

enum {
    BLOCK_DOUBLES = 1 << 17, /* of C: 1 MB */
    BLOCK_ROWS = 512,        /* of C: about what a GEMM packs at once */
    BLOCK_COLUMNS_MIN = 32,
    DIRECT_PAIRS = 4 /* channel pairs of a group up to which the direct loops win */
};

/* The geometry in three dimensions, missing ones in front. */
typedef struct grid {
    int64_t n[3], m[3], k[3], stride[3], dilation[3], pad[3];
    int64_t inputs, positions, taps;       /* products of n, m and k */
    int64_t in, out;                       /* channels per group */
    int64_t block_channels, block_columns; /* of C */
} grid;

/* Output positions [at, at + count) of one row: `before` see padding, then `inside` see x from x[from] on. */
typedef struct stretch {
    int64_t at, count, before, inside, from;
} stretch;

/* Walks the output positions [at, end) under one tap. */
typedef struct walk {
    const grid *g;
    int64_t tap[3];
    int64_t at, end, row[2], column;
    int64_t low, high; /* columns in [low, high) see x */
} walk;

static int64_t min_i64(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t max_i64(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* Smallest o >= 0 with o * stride >= reach, cut to `most`. */
static int64_t first_at_least(int64_t reach, int64_t stride, int64_t most)
{
    if (reach <= 0)
        return 0;
    return min_i64((reach - 1) / stride + 1, most);
}

static grid grid_of(const lip_conv *conv)
{
    grid g = { .inputs = 1, .positions = 1, .taps = 1 };
    g.in = conv->c_in / conv->groups;
    g.out = conv->c_out / conv->groups;
    for (int i = 0; i < 3; i++) {
        const int axis = i - (3 - conv->dims);
        const bool real = axis >= 0;
        g.n[i] = real ? conv->n[axis] : 1;
        g.m[i] = real ? conv->n_out[axis] : 1;
        g.k[i] = real ? conv->k[axis] : 1;
        g.stride[i] = real ? conv->stride[axis] : 1;
        g.dilation[i] = real ? conv->dilation[axis] : 1;
        g.pad[i] = real ? conv->pad_begin[axis] : 0;
        g.inputs *= g.n[i];
        g.positions *= g.m[i];
        g.taps *= g.k[i];
    }
    g.block_channels = max_i64(1, min_i64(g.in, BLOCK_ROWS / g.taps));
    g.block_columns = max_i64(BLOCK_COLUMNS_MIN, BLOCK_DOUBLES / (g.block_channels * g.taps));
    g.block_columns = min_i64(g.positions, g.block_columns / 8 * 8);
    return g;
}

/* C is x: no padding, no stride, one tap. */
static bool grid_is_pointwise(const grid *g)
{
    for (int i = 0; i < 3; i++)
        if (g->k[i] != 1 || g->stride[i] != 1 || g->pad[i] != 0 || g->m[i] != g->n[i])
            return false;
    return true;
}

static bool grid_is_direct(const grid *g)
{
    return g->in * g->out <= DIRECT_PAIRS;
}

static walk walk_from(const grid *g, int64_t tap, int64_t begin, int64_t end)
{
    walk w = { .g = g, .at = begin, .end = end };
    w.tap[2] = tap % g->k[2];
    w.tap[1] = tap / g->k[2] % g->k[1];
    w.tap[0] = tap / g->k[2] / g->k[1];
    w.column = begin % g->m[2];
    w.row[1] = begin / g->m[2] % g->m[1];
    w.row[0] = begin / g->m[2] / g->m[1];
    const int64_t shift = g->pad[2] - w.tap[2] * g->dilation[2];
    w.low = first_at_least(shift, g->stride[2], g->m[2]);
    w.high = max_i64(w.low, first_at_least(g->n[2] + shift, g->stride[2], g->m[2]));
    return w;
}

/* Offset in x of the walk's row, or -1 in the padding. */
static int64_t walk_row(const walk *w)
{
    int64_t offset = 0;
    for (int i = 0; i < 2; i++) {
        const int64_t q = w->row[i] * w->g->stride[i] + w->tap[i] * w->g->dilation[i] - w->g->pad[i];
        if (q < 0 || q >= w->g->n[i])
            return -1;
        offset = (offset + q) * w->g->n[i + 1];
    }
    return offset;
}

static bool walk_next(walk *w, stretch *s)
{
    const grid *g = w->g;
    if (w->at >= w->end)
        return false;
    const int64_t stop = min_i64(g->m[2], w->column + w->end - w->at);
    const int64_t offset = walk_row(w);
    const int64_t low = min_i64(max_i64(w->low, w->column), stop);
    const int64_t high = max_i64(low, min_i64(w->high, stop));
    s->at = w->at;
    s->count = stop - w->column;
    s->before = offset < 0 ? s->count : low - w->column;
    s->inside = offset < 0 ? 0 : high - low;
    s->from = offset + low * g->stride[2] + w->tap[2] * g->dilation[2] - g->pad[2];
    w->at += s->count;
    w->column = 0;
    if (++w->row[1] == g->m[1]) {
        w->row[1] = 0;
        w->row[0]++;
    }
    return true;
}

/* One row of C for positions [begin, end): `c` = x under `tap`. */
static void gather(const grid *g, int64_t tap, int64_t begin, int64_t end, const double *x, double *c)
{
    walk w = walk_from(g, tap, begin, end);
    const int64_t stride = g->stride[2];
    for (stretch s; walk_next(&w, &s); c += s.count) {
        const int64_t after = s.count - s.before - s.inside;
        double *to = c + s.before;
        if (s.before > 0)
            memset(c, 0, (size_t)s.before * sizeof *c);
        if (stride == 1 && s.inside > 0)
            memcpy(to, x + s.from, (size_t)s.inside * sizeof *to);
        else
            for (int64_t i = 0; i < s.inside; i++)
                to[i] = x[s.from + i * stride];
        if (after > 0)
            memset(to + s.inside, 0, (size_t)after * sizeof *to);
    }
}

/* The transpose of gather: adds scale * c to x. */
static void scatter(const grid *g, int64_t tap, int64_t begin, int64_t end, double scale, const double *c, double *x)
{
    walk w = walk_from(g, tap, begin, end);
    const int64_t stride = g->stride[2];
    for (stretch s; walk_next(&w, &s); c += s.count) {
        const double *from = c + s.before;
        if (stride == 1)
            for (int64_t i = 0; i < s.inside; i++)
                x[s.from + i] += scale * from[i];
        else
            for (int64_t i = 0; i < s.inside; i++)
                x[s.from + i * stride] += scale * from[i];
    }
}

/* y += scale * (x under `tap`). */
static void add_tap(const grid *g, int64_t tap, double scale, const double *x, double *y)
{
    walk w = walk_from(g, tap, 0, g->positions);
    const int64_t stride = g->stride[2];
    for (stretch s; walk_next(&w, &s);) {
        double *to = y + s.at + s.before;
        if (stride == 1)
            for (int64_t i = 0; i < s.inside; i++)
                to[i] += scale * x[s.from + i];
        else
            for (int64_t i = 0; i < s.inside; i++)
                to[i] += scale * x[s.from + i * stride];
    }
}

/* One group by direct loops; y was zeroed. */
static void direct_forward(const grid *g, const double *w, const double *x, double *y)
{
    for (int64_t o = 0; o < g->out; o++)
        for (int64_t i = 0; i < g->in; i++)
            for (int64_t t = 0; t < g->taps; t++)
                add_tap(g, t, w[(o * g->in + i) * g->taps + t], x + i * g->inputs, y + o * g->positions);
}

static void direct_adjoint(const grid *g, const double *w, const double *y, double *x)
{
    for (int64_t o = 0; o < g->out; o++)
        for (int64_t i = 0; i < g->in; i++)
            for (int64_t t = 0; t < g->taps; t++)
                scatter(g, t, 0, g->positions, w[(o * g->in + i) * g->taps + t], y + o * g->positions,
                        x + i * g->inputs);
}

/* Y[:, block] (+)= W[:, channels] C. */
static void multiply_forward(const grid *g, const double *w, const double *c, double *y, int64_t rows, int64_t columns,
                             int64_t c_stride, bool add)
{
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (blasint)g->out, (blasint)columns, (blasint)rows, 1.0, w,
                (blasint)(g->in * g->taps), c, (blasint)c_stride, add ? 1.0 : 0.0, y, (blasint)g->positions);
}

/* C = W[:, channels]' Y[:, block]. */
static void multiply_adjoint(const grid *g, const double *w, const double *y, double *c, int64_t rows, int64_t columns,
                             int64_t c_stride)
{
    cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (blasint)rows, (blasint)columns, (blasint)g->out, 1.0, w,
                (blasint)(g->in * g->taps), y, (blasint)g->positions, 0.0, c, (blasint)c_stride);
}

static void blocked_forward(const grid *g, const double *w, const double *x, double *y, double *work)
{
    for (int64_t begin = 0; begin < g->positions; begin += g->block_columns) {
        const int64_t end = min_i64(g->positions, begin + g->block_columns);
        for (int64_t first = 0; first < g->in; first += g->block_channels) {
            const int64_t channels = min_i64(g->block_channels, g->in - first);
            for (int64_t i = 0; i < channels; i++)
                for (int64_t t = 0; t < g->taps; t++)
                    gather(g, t, begin, end, x + (first + i) * g->inputs, work + (i * g->taps + t) * (end - begin));
            multiply_forward(g, w + first * g->taps, work, y + begin, channels * g->taps, end - begin, end - begin,
                             first > 0);
        }
    }
}

static void blocked_adjoint(const grid *g, const double *w, const double *y, double *x, double *work)
{
    for (int64_t begin = 0; begin < g->positions; begin += g->block_columns) {
        const int64_t end = min_i64(g->positions, begin + g->block_columns);
        for (int64_t first = 0; first < g->in; first += g->block_channels) {
            const int64_t channels = min_i64(g->block_channels, g->in - first);
            multiply_adjoint(g, w + first * g->taps, y + begin, work, channels * g->taps, end - begin, end - begin);
            for (int64_t i = 0; i < channels; i++)
                for (int64_t t = 0; t < g->taps; t++)
                    scatter(g, t, begin, end, 1.0, work + (i * g->taps + t) * (end - begin),
                            x + (first + i) * g->inputs);
        }
    }
}

int64_t lip_conv_input_count(const lip_conv *conv)
{
    int64_t count = conv->c_in;
    for (int i = 0; i < conv->dims; i++)
        count *= conv->n[i];
    return count;
}

int64_t lip_conv_output_count(const lip_conv *conv)
{
    int64_t count = conv->c_out;
    for (int i = 0; i < conv->dims; i++)
        count *= conv->n_out[i];
    return count;
}

int64_t lip_conv_weight_count(const lip_conv *conv)
{
    int64_t count = conv->c_out * (conv->c_in / conv->groups);
    for (int i = 0; i < conv->dims; i++)
        count *= conv->k[i];
    return count;
}

int64_t lip_conv_work_count(const lip_conv *conv)
{
    const grid g = grid_of(conv);
    if (grid_is_direct(&g) || grid_is_pointwise(&g))
        return 0;
    return g.block_channels * g.taps * g.block_columns;
}

void lip_conv_forward(const lip_conv *conv, const double *w, const double *x, double *y, double *work)
{
    const grid g = grid_of(conv);
    const int64_t weights = g.out * g.in * g.taps;
    if (grid_is_direct(&g))
        memset(y, 0, (size_t)lip_conv_output_count(conv) * sizeof *y);
    for (int64_t i = 0; i < conv->groups; i++) {
        const double *wi = w + i * weights, *xi = x + i * g.in * g.inputs;
        double *yi = y + i * g.out * g.positions;
        if (grid_is_direct(&g))
            direct_forward(&g, wi, xi, yi);
        else if (grid_is_pointwise(&g))
            multiply_forward(&g, wi, xi, yi, g.in, g.positions, g.positions, false);
        else
            blocked_forward(&g, wi, xi, yi, work);
    }
}

void lip_conv_adjoint(const lip_conv *conv, const double *w, const double *y, double *x, double *work)
{
    const grid g = grid_of(conv);
    const int64_t weights = g.out * g.in * g.taps;
    if (grid_is_direct(&g) || !grid_is_pointwise(&g))
        memset(x, 0, (size_t)lip_conv_input_count(conv) * sizeof *x);
    for (int64_t i = 0; i < conv->groups; i++) {
        const double *wi = w + i * weights, *yi = y + i * g.out * g.positions;
        double *xi = x + i * g.in * g.inputs;
        if (grid_is_direct(&g))
            direct_adjoint(&g, wi, yi, xi);
        else if (grid_is_pointwise(&g))
            multiply_adjoint(&g, wi, yi, xi, g.in, g.positions, g.positions);
        else
            blocked_adjoint(&g, wi, yi, xi, work);
    }
}
