/*
 * batch_tiles.h: products of packed weights with gathered elements, tile by
 * tile. Convolutions and matrices are this with different tables. Private to
 * onnx/graph.
 *
 *   y[i * out_image + (g * channels + c) * positions + p] = bias[g, c] +
 *       sum_{k < terms} weight[g, c, k] * x[i * in_image + g * in_group + base[p] + offset[k]]
 *
 * for images i, groups g, channels c and positions p, in reals.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_GRAPH_BATCH_TILES_H
#define LIP_GRAPH_BATCH_TILES_H

#include "batch_kernels.h"

/* Positions that share what the caches hold: a multiple of every kernel's tile. */
#define LIP_TILES_CHUNK 240

typedef struct lip_tiles {
    const lip_kernels *kernels;
    int64_t groups, channels, terms, positions;
    int64_t in_image, in_group, out_image;
    int64_t padded;           /* channels, rounded up to whole vectors */
    int64_t *offset, *base;   /* the caller fills them */
    void *weight; /* [groups] blocks of [terms][up to two vectors of channels] */
    void *bias;   /* [groups][padded] */
    void *sums;
} lip_tiles;

/* Makes room, from sizes that are set: groups, channels, terms, positions. False when memory is out; free it all the
 * same. Weights and biases are zero. */
bool lip_tiles_open(lip_tiles *tiles, lip_memory *memory);
void lip_tiles_free(lip_tiles *tiles, lip_memory *memory);

void lip_tiles_set_weight(lip_tiles *tiles, int64_t group, int64_t channel, int64_t term, double value);
void lip_tiles_set_bias(lip_tiles *tiles, int64_t group, int64_t channel, double value);
/* Where they are kept. */
const void *lip_tiles_weight(const lip_tiles *tiles, int64_t group, int64_t channel, int64_t term);
const void *lip_tiles_bias(const lip_tiles *tiles, int64_t group, int64_t channel);

/* The product above for `images` images, then max(., 0) if relu. x and y do not overlap. */
void lip_tiles_run(const lip_tiles *tiles, bool relu, int64_t images, const void *x, void *y);

#endif
