/*
 * batch_conv.c: y = conv(x, w) + b for many samples, without forming C of
 * conv_kernel.c.
 *
 * Images are laid into grids with their zero padding, so that every tap of
 * every position is a load at (where the position starts) + (where the tap
 * is): the tables of batch_tiles.h. A block of images is laid out at a time
 * and read again from the cache.
 *
 * The transpose of a convolution is one too: the input's elements lie stride
 * apart in the grid, the taps are mirrored.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "batch_parts.h"

#include <string.h>

enum {
    GRID_BYTES = 128 << 10,   /* of a block of images ... */
    GRID_BYTES_MOST = 4 << 20 /* ... where that does not fill a chunk of positions */
};

struct lip_batch_conv {
    lip_tiles tiles;
    int64_t images; /* of one sample: the batch axis in the model */
    int64_t in;     /* channels per group */
    int64_t n[3], m[3], k[3], step[3], dilation[3], up[3], lead[3];
    int64_t grid[3], stride[3];  /* of one channel in the padded grid */
    int64_t inputs, taps, cells; /* products of n, k, grid */
    bool copied, direct;
    int64_t block;   /* images */
    int64_t scratch; /* bytes of their grids, [block][channels][cells]; 0: x is read in place */
};

static int64_t min_i64(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t max_i64(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static bool product3(const int64_t *v, int64_t *out)
{
    return lip_size_mul(v[0], v[1], out) && lip_size_mul(*out, v[2], out);
}

/* Missing dimensions in front. */
static bool read_axis(lip_batch_conv *c, const lip_conv *conv, int i)
{
    const int axis = i - (3 - conv->dims);
    const bool real = axis >= 0, back = conv->transposed;
    const int64_t stride = real ? conv->stride[axis] : 1, pad = real ? conv->pad_begin[axis] : 0;
    c->n[i] = !real ? 1 : back ? conv->n_out[axis] : conv->n[axis];
    c->m[i] = !real ? 1 : back ? conv->n[axis] : conv->n_out[axis];
    c->k[i] = real ? conv->k[axis] : 1;
    c->dilation[i] = real ? conv->dilation[axis] : 1;
    c->step[i] = back ? 1 : stride;
    c->up[i] = back ? stride : 1;
    int64_t span, reach;
    if (!lip_size_mul(max_i64(c->m[i] - 1, 0), c->step[i], &span) ||
        !lip_size_mul(max_i64(c->k[i] - 1, 0), c->dilation[i], &reach) || !lip_size_add(span, reach + 1, &c->grid[i]))
        return false;
    c->lead[i] = back ? reach - pad : pad;
    c->copied = c->copied || c->lead[i] != 0 || c->up[i] != 1 || c->grid[i] > c->n[i];
    return true;
}

static bool read_geometry(lip_batch_conv *c, const lip_conv *conv)
{
    lip_tiles *t = &c->tiles;
    bool fits = true;
    t->groups = conv->groups;
    c->images = conv->batch;
    c->in = (conv->transposed ? conv->c_out : conv->c_in) / conv->groups;
    t->channels = (conv->transposed ? conv->c_in : conv->c_out) / conv->groups;
    for (int i = 0; i < 3; i++)
        fits = fits && read_axis(c, conv, i);
    for (int i = 0; !c->copied && i < 3; i++)
        c->grid[i] = c->n[i];
    if (!fits || !product3(c->n, &c->inputs) || !product3(c->m, &t->positions) || !product3(c->k, &c->taps) ||
        !product3(c->grid, &c->cells) || !lip_size_mul(c->in, c->taps, &t->terms) ||
        !lip_size_mul(c->in, c->cells, &t->in_group) || !lip_size_mul(t->groups, t->in_group, &t->in_image))
        return false;
    c->direct = t->channels <= max_i64(1, t->kernels->lanes / 8) && t->terms <= LIP_BATCH_SUM;
    t->out_image = t->groups * t->channels * t->positions;
    c->stride[2] = 1;
    c->stride[1] = c->grid[2];
    c->stride[0] = c->grid[1] * c->grid[2];
    return true;
}

static void split3(int64_t index, const int64_t *size, int64_t *v)
{
    v[2] = index % size[2];
    v[1] = index / size[2] % size[1];
    v[0] = index / size[2] / size[1];
}

static void make_tables(lip_batch_conv *c)
{
    int64_t v[3];
    lip_tiles *t = &c->tiles;
    for (int64_t k = 0; k < t->terms; k++) {
        split3(k % c->taps, c->k, v);
        t->offset[k] = k / c->taps * c->cells;
        for (int i = 0; i < 3; i++)
            t->offset[k] += v[i] * c->dilation[i] * c->stride[i];
    }
    for (int64_t p = 0; p < t->positions; p++) {
        split3(p, c->m, v);
        t->base[p] = 0;
        for (int i = 0; i < 3; i++)
            t->base[p] += v[i] * c->step[i] * c->stride[i];
    }
}

/* Coefficient from input channel and tap `term` to output channel `o` of a group, as the correlation has it. */
static double coefficient(const lip_batch_conv *c, const lip_conv *conv, int64_t group, int64_t o, int64_t term)
{
    const int64_t i = term / c->taps, t = term % c->taps;
    if (!conv->transposed)
        return lip_tensor_real(conv->weight, ((group * c->tiles.channels + o) * c->in + i) * c->taps + t);
    return lip_tensor_real(conv->weight, ((group * c->in + i) * c->tiles.channels + o) * c->taps + (c->taps - 1 - t));
}

/* Enough images to fill a chunk, or a cache. */
static int64_t choose_block(const lip_batch_conv *c)
{
    const int64_t bytes = max_i64(1, c->tiles.in_image * (int64_t)c->tiles.kernels->size);
    const int64_t chunk = min_i64(LIP_TILES_CHUNK / max_i64(1, c->tiles.positions) + 1, GRID_BYTES_MOST / bytes);
    return max_i64(1, max_i64(chunk, GRID_BYTES / bytes));
}

static bool open_rooms(lip_batch_conv *c, lip_memory *memory)
{
    int64_t reals;
    if (!lip_size_mul(c->tiles.in_image, (int64_t)c->tiles.kernels->size, &reals))
        return false;
    c->block = choose_block(c);
    if (c->copied && !lip_size_mul(reals, c->block, &c->scratch))
        return false;
    return lip_tiles_open(&c->tiles, memory);
}

static void pack(lip_batch_conv *c, const lip_conv *conv, const lip_tensor *bias)
{
    lip_tiles *t = &c->tiles;
    for (int64_t g = 0; g < t->groups; g++)
        for (int64_t o = 0; o < t->channels; o++) {
            if (bias != NULL)
                lip_tiles_set_bias(t, g, o, lip_tensor_real(bias, g * t->channels + o));
            for (int64_t k = 0; k < t->terms; k++)
                lip_tiles_set_weight(t, g, o, k, coefficient(c, conv, g, o, k));
        }
}

lip_status lip_batch_conv_open(const lip_node *node, const lip_conv *conv, const lip_kernels *kernels,
                               lip_memory *memory, lip_batch_conv **out, lip_error *error)
{
    lip_batch_conv *c = lip_alloc(memory, 1, sizeof *c);
    if (c == NULL)
        return lip_fail_memory(error, node, "a convolution");
    c->tiles.kernels = kernels;
    if (!read_geometry(c, conv) || !open_rooms(c, memory)) {
        lip_batch_conv_free(c, memory);
        return lip_fail_memory(error, node, "a convolution's weights and padded input");
    }
    make_tables(c);
    pack(c, conv, lip_node_constant(node, 2));
    *out = c;
    return LIP_OK;
}

void lip_batch_conv_free(lip_batch_conv *conv, lip_memory *memory)
{
    if (conv == NULL)
        return;
    lip_tiles_free(&conv->tiles, memory);
    lip_free(memory, conv);
}

int64_t lip_batch_conv_terms(const lip_batch_conv *conv)
{
    return conv->tiles.terms;
}

int64_t lip_batch_conv_scratch(const lip_batch_conv *conv)
{
    return conv->scratch;
}

/* Indices in [first, last) of axis i lie inside of the grid. */
static void inside(const lip_batch_conv *c, int i, int64_t *first, int64_t *last)
{
    const int64_t lead = c->lead[i], room = c->grid[i] - lead;
    *first = lead < 0 ? (-lead + c->up[i] - 1) / c->up[i] : 0;
    *last = room > 0 ? min_i64(c->n[i], (room - 1) / c->up[i] + 1) : 0;
}

/* One channel into its grid, which is zero. */
static void lay(const lip_batch_conv *c, const char *x, char *grid)
{
    const size_t size = c->tiles.kernels->size;
    int64_t first[3], last[3];
    for (int i = 0; i < 3; i++)
        inside(c, i, &first[i], &last[i]);
    if (first[2] >= last[2] || first[1] >= last[1])
        return;
    for (int64_t a = first[0]; a < last[0]; a++) {
        const int64_t from = (a * c->n[1] + first[1]) * c->n[2] + first[2];
        const int64_t to = (a * c->up[0] + c->lead[0]) * c->stride[0] +
                           (first[1] * c->up[1] + c->lead[1]) * c->stride[1] + first[2] * c->up[2] + c->lead[2];
        c->tiles.kernels->spread(x + (size_t)from * size, c->n[2], last[1] - first[1], last[2] - first[2],
                           grid + (size_t)to * size, c->up[1] * c->stride[1], c->up[2]);
    }
}

/* The grids of `images` images: x itself, or copies with their padding. */
static const char *grids_of(const lip_batch_conv *c, int64_t images, const char *x, char *scratch)
{
    const size_t size = c->tiles.kernels->size;
    if (!c->copied)
        return x;
    memset(scratch, 0, (size_t)(images * c->tiles.in_image) * size);
    for (int64_t i = 0; i < images * c->tiles.groups * c->in; i++)
        lay(c, x + (size_t)(i * c->inputs) * size, scratch + (size_t)(i * c->cells) * size);
    return scratch;
}

/* y += w * (x under one tap), one channel each. */
static void add_tap(const lip_batch_conv *c, const void *w, const char *x, char *y)
{
    const size_t size = c->tiles.kernels->size;
    for (int64_t a = 0; a < c->m[0]; a++)
        c->tiles.kernels->add_rows(c->m[1], c->m[2], w, x + (size_t)(a * c->step[0] * c->stride[0]) * size,
                                   c->step[1] * c->stride[1], c->step[2], y + (size_t)(a * c->m[1] * c->m[2]) * size,
                                   c->m[2]);
}

/* A group of a few channels (depthwise) would leave most lanes idle: positions are the lanes then. */
static void run_direct(const lip_batch_conv *c, bool relu, int64_t images, const char *x, char *y)
{
    const lip_tiles *t = &c->tiles;
    const size_t size = t->kernels->size;
    const int64_t channels = t->groups * t->channels;
    for (int64_t i = 0; i < images * channels; i++) {
        const int64_t group = i % channels / t->channels, channel = i % t->channels;
        const char *from = x + (size_t)(i / channels * t->in_image + group * t->in_group) * size;
        char *to = y + (size_t)(i * t->positions) * size;
        t->kernels->fill(t->positions, lip_tiles_bias(t, group, channel), to);
        for (int64_t k = 0; k < t->terms; k++)
            add_tap(c, lip_tiles_weight(t, group, channel, k), from + (size_t)t->offset[k] * size, to);
        if (relu)
            t->kernels->relu(t->positions, to, to);
    }
}

void lip_batch_conv_run(const lip_batch_conv *conv, bool relu, int64_t count, const void *x, void *y,
                        void *scratch)
{
    const lip_tiles *t = &conv->tiles;
    const size_t size = t->kernels->size;
    const int64_t images = count * conv->images;
    for (int64_t i = 0; i < images && t->positions > 0; i += conv->block) {
        const int64_t some = min_i64(conv->block, images - i);
        const char *from = (const char *)x + (size_t)(i * t->groups * conv->in * conv->inputs) * size;
        char *to = (char *)y + (size_t)(i * t->out_image) * size;
        const char *grids = grids_of(conv, some, from, scratch);
        if (conv->direct)
            run_direct(conv, relu, some, grids, to);
        else
            lip_tiles_run(t, relu, some, grids, to);
    }
}
