/*
 * batch_kernels.h: the inner loops of batched forward passes, once for each
 * instruction set and precision. Reals are float or double as the table says;
 * all pointers to them are void, so that callers are written once.
 *
 * Products and sums may be contracted to FMA here and nowhere else.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_GRAPH_BATCH_KERNELS_H
#define LIP_GRAPH_BATCH_KERNELS_H

#include "batch.h"

typedef struct lip_kernels {
    size_t size;       /* of a real */
    int64_t lanes;     /* reals in a vector */
    int64_t positions; /* of a tile; at most LIP_TILE_POSITIONS */

    /*
     * A tile of an implicit matrix product: for p < positions and j < width * lanes, width 1 or 2,
     *   acc[p * width * lanes + j] (+)= sum_{k < terms} x[at[p] + offset[k]] * w[k * width * lanes + j].
     * w and acc are aligned to 64 bytes. add = false: acc is only written. LIP_BATCH_SUM terms at a time are summed on
     * their own and then added, so that few roundings add up.
     */
    void (*tile[2])(const void *x, const int64_t *at, const int64_t *offset, int64_t terms, const void *w, void *acc,
                    bool add);

    /* y[c * y_stride + p] = acc[p * acc_stride + c] + bias[c], c < channels, p < count; then max(., 0) if relu. */
    void (*collect)(const void *acc, int64_t acc_stride, const void *bias, int64_t channels, int64_t count, void *y,
                    int64_t y_stride, bool relu);

    /* The same with channels side by side: y[p * y_stride + c]. */
    void (*collect_rows)(const void *acc, int64_t acc_stride, const void *bias, int64_t channels, int64_t count,
                         void *y, int64_t y_stride, bool relu);

    /* to[r * to_stride + c * to_step] = from[r * from_stride + c], r < rows, c < columns. */
    void (*spread)(const void *from, int64_t from_stride, int64_t rows, int64_t columns, void *to, int64_t to_stride,
                   int64_t to_step);

    /* y[r * y_stride + c] += w * x[r * x_stride + c * step], r < rows, c < columns. */
    void (*add_rows)(int64_t rows, int64_t columns, const void *w, const void *x, int64_t x_stride, int64_t step,
                     void *y, int64_t y_stride);
    /* The same with y = max(y, x); NaN wins. */
    void (*max_rows)(int64_t rows, int64_t columns, const void *x, int64_t x_stride, int64_t step, void *y,
                     int64_t y_stride);

    void (*fill)(int64_t count, const void *value, void *y);
    void (*relu)(int64_t count, const void *x, void *y);                /* NaN stays NaN; y may be x */
    void (*add)(int64_t count, const void *a, const void *b, void *y);  /* y may be a or b */
    double (*square_sum)(int64_t count, const void *x);                 /* in float64, in any order */
    void (*from_f64)(int64_t count, const double *x, void *y);
    void (*to_f64)(int64_t count, const void *x, double *y);
} lip_kernels;

#define LIP_TILE_POSITIONS 12

/* The index-th of those that this processor runs, fastest first; NULL past the last. */
const lip_kernels *lip_kernels_at(size_t index, lip_batch_precision precision);

#endif
