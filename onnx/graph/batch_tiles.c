/*
 * batch_tiles.c: see batch_tiles.h.
 *
 * Channels are the lanes of a vector. A tile multiplies a few positions, taken
 * across images, by a block of terms for up to two vectors of channels and
 * keeps its sums in registers; nothing is gathered into a matrix first, every
 * factor is a load at base + offset. Around it:
 *
 *   groups > blocks of channels > chunks of positions > blocks of terms > tiles
 *
 * so that the weights of a block of terms stay in the nearest cache over the
 * tiles of a chunk, and a chunk's sums are still there when they go to y.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "batch_tiles.h"

enum { TERMS = 8 * LIP_BATCH_SUM }; /* of a block */

static int64_t min_i64(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Channels of the block that starts at channel `first`. */
static int64_t block_width(const lip_tiles *t, int64_t first)
{
    const int64_t lanes = t->kernels->lanes;
    return t->padded - first >= 2 * lanes ? 2 * lanes : lanes;
}

static size_t weight_at(const lip_tiles *t, int64_t group, int64_t channel, int64_t term)
{
    const int64_t pair = 2 * t->kernels->lanes, first = channel / pair * pair;
    return (size_t)((group * t->padded + first) * t->terms + term * block_width(t, first) + channel - first) *
           t->kernels->size;
}

static size_t bias_at(const lip_tiles *t, int64_t group, int64_t channel)
{
    return (size_t)(group * t->padded + channel) * t->kernels->size;
}

bool lip_tiles_open(lip_tiles *tiles, lip_memory *memory)
{
    const int64_t lanes = tiles->kernels->lanes;
    const size_t size = tiles->kernels->size;
    int64_t rows, weights;
    tiles->padded = (tiles->channels + lanes - 1) / lanes * lanes;
    if (!lip_size_mul(tiles->groups, tiles->padded, &rows) || !lip_size_mul(rows, tiles->terms, &weights))
        return false;
    tiles->offset = lip_alloc(memory, tiles->terms, sizeof *tiles->offset);
    tiles->base = lip_alloc(memory, tiles->positions, sizeof *tiles->base);
    tiles->weight = lip_alloc(memory, weights, size);
    tiles->bias = lip_alloc(memory, rows, size);
    tiles->sums = lip_alloc(memory, LIP_TILES_CHUNK * 2 * lanes, size);
    return tiles->offset != NULL && tiles->base != NULL && tiles->weight != NULL && tiles->bias != NULL &&
           tiles->sums != NULL;
}

void lip_tiles_free(lip_tiles *tiles, lip_memory *memory)
{
    lip_free(memory, tiles->weight);
    lip_free(memory, tiles->bias);
    lip_free(memory, tiles->offset);
    lip_free(memory, tiles->base);
    lip_free(memory, tiles->sums);
}

static void set(const lip_tiles *t, void *to, size_t at, double value)
{
    if (t->kernels->size == sizeof(float))
        *(float *)(void *)((char *)to + at) = (float)value;
    else
        *(double *)(void *)((char *)to + at) = value;
}

void lip_tiles_set_weight(lip_tiles *tiles, int64_t group, int64_t channel, int64_t term, double value)
{
    set(tiles, tiles->weight, weight_at(tiles, group, channel, term), value);
}

void lip_tiles_set_bias(lip_tiles *tiles, int64_t group, int64_t channel, double value)
{
    set(tiles, tiles->bias, bias_at(tiles, group, channel), value);
}

const void *lip_tiles_weight(const lip_tiles *tiles, int64_t group, int64_t channel, int64_t term)
{
    return (const char *)tiles->weight + weight_at(tiles, group, channel, term);
}

const void *lip_tiles_bias(const lip_tiles *tiles, int64_t group, int64_t channel)
{
    return (const char *)tiles->bias + bias_at(tiles, group, channel);
}

/* A walk over the positions of all images. */
typedef struct walk {
    int64_t image, position;
} walk;

static void next_tile(const lip_tiles *t, walk *w, int64_t left, int64_t *at)
{
    for (int64_t p = 0; p < t->kernels->positions; p++) {
        if (p >= left) { /* the last tile has idle rows */
            at[p] = at[p - 1];
            continue;
        }
        at[p] = w->image * t->in_image + t->base[w->position];
        if (++w->position == t->positions) {
            w->position = 0;
            w->image++;
        }
    }
}

/* The sums of positions [begin, begin + count) for the block of channels whose weights are w. */
static void multiply(const lip_tiles *t, const char *x, const char *w, int64_t width, int64_t begin, int64_t count)
{
    const size_t size = t->kernels->size;
    for (int64_t k = 0; k == 0 || k < t->terms; k += TERMS) {
        const int64_t terms = min_i64(TERMS, t->terms - k);
        walk position = { begin / t->positions, begin % t->positions };
        for (int64_t j = 0; j < count; j += t->kernels->positions) {
            int64_t at[LIP_TILE_POSITIONS];
            next_tile(t, &position, count - j, at);
            t->kernels->tile[width > t->kernels->lanes](x, at, t->offset + k, terms, w + (size_t)(k * width) * size,
                                                        (char *)t->sums + (size_t)(j * width) * size, k > 0);
        }
    }
}

/* From the sums to y[image][channel][position]; `y` is where the block's first channel is in image 0. */
static void collect(const lip_tiles *t, const void *bias, bool relu, int64_t width, int64_t channels, int64_t begin,
                    int64_t count, char *y)
{
    const size_t size = t->kernels->size;
    if (t->positions == 1) {
        t->kernels->collect_rows(t->sums, width, bias, channels, count, y + (size_t)(begin * t->out_image) * size,
                                 t->out_image, relu);
        return;
    }
    for (int64_t j = 0; j < count;) {
        const int64_t image = (begin + j) / t->positions, position = (begin + j) % t->positions;
        const int64_t some = min_i64(count - j, t->positions - position);
        t->kernels->collect((const char *)t->sums + (size_t)(j * width) * size, width, bias, channels, some,
                            y + (size_t)(image * t->out_image + position) * size, t->positions, relu);
        j += some;
    }
}

void lip_tiles_run(const lip_tiles *tiles, bool relu, int64_t images, const void *x, void *y)
{
    const lip_tiles *t = tiles;
    const size_t size = t->kernels->size;
    const int64_t positions = images * t->positions;
    for (int64_t g = 0; g < t->groups; g++)
        for (int64_t c = 0, width; c < t->channels; c += width) {
            width = block_width(t, c);
            const char *from = (const char *)x + (size_t)(g * t->in_group) * size;
            char *to = (char *)y + (size_t)((g * t->channels + c) * t->positions) * size;
            for (int64_t begin = 0; begin < positions; begin += LIP_TILES_CHUNK) {
                const int64_t count = min_i64(LIP_TILES_CHUNK, positions - begin);
                multiply(t, from, lip_tiles_weight(t, g, c, 0), width, begin, count);
                collect(t, lip_tiles_bias(t, g, c), relu, width, min_i64(width, t->channels - c), begin, count,
                        to);
            }
        }
}
