/*
 * spectral_graph.h: the walk over the graph that builds a spectral system:
 * first its geometry, then once for each frequency its numbers.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_BOUNDS_SPECTRAL_GRAPH_H
#define LIP_BOUNDS_SPECTRAL_GRAPH_H

#include "spectral.h"

typedef enum lip_image_form { LIP_IMAGE_NONE, LIP_IMAGE_RAW, LIP_IMAGE_GRID, LIP_IMAGE_FLAT } lip_image_form;

/* A value of the network. RAW: the model's input, elements in any order. GRID: an image on the torus. FLAT: after the
 * mean. */
typedef struct lip_image {
    lip_image_form form;
    int64_t channels, n[2];
    int64_t stride;    /* of its grid to the input's */
    bool extended;     /* by zeros */
    int64_t group;     /* it is this group's variables; -1: it is `rows` */
    bool reads[LIP_SPECTRAL_GROUPS]; /* groups that it depends on */
    double complex *rows; /* channels * phases x variables of these groups, row-major; numbers only */
    double error;      /* Frobenius norm of what rows may be off by */
    lip_enclosed *flat; /* FLAT: over the channels of the mean */
} lip_image;

typedef struct lip_spectral_walk {
    const lip_model *model;
    const lip_layer_plan *plans;
    size_t count;
    lip_arena *arena;      /* geometry only */
    lip_spectral *spectral;
    bool *reads;           /* geometry: [LIP_SPECTRAL_GROUPS][LIP_SPECTRAL_GROUPS], of Z */
    lip_image *values;     /* per model value */
    bool numbers;
    int64_t frequency, turns[2], circle; /* w = 2 pi turns / circle */
    int64_t coarsest, need; /* geometry: largest stride; coarse torus side */
    int64_t next_group;     /* of this walk */
    lip_image mean;         /* what the mean was taken of */
    double mean_factor;     /* 1 / positions, within 20u */
    lip_error *error;
} lip_spectral_walk;

lip_status lip_spectral_walk_all(lip_spectral_walk *walk);
void lip_spectral_walk_end(lip_spectral_walk *walk); /* frees the rows */

static inline int64_t lip_image_ratio(const lip_spectral_walk *w, const lip_image *image)
{
    return w->coarsest / image->stride;
}
static inline int64_t lip_image_rows(const lip_spectral_walk *w, const lip_image *image)
{
    int64_t ratio = lip_image_ratio(w, image);
    return image->channels * ratio * ratio;
}

/* The numbers of a node, where the walk has any (spectral_numbers.c). False: no memory. */
bool lip_image_convolve(lip_spectral_walk *walk, const lip_conv *conv, const double *weights, const lip_image *in,
                        lip_image *out);
bool lip_image_scale(lip_spectral_walk *walk, const lip_scale *scale, const lip_image *in, lip_image *out);
bool lip_image_add(lip_spectral_walk *walk, double ca, const lip_image *a, double cb, const lip_image *b,
                   lip_image *out);
/* Rows of `part` from row `at` of out on, which has been opened. */
bool lip_image_open(lip_spectral_walk *walk, lip_image *out); /* rows := 0 */
void lip_image_place(lip_spectral_walk *walk, const lip_image *part, int64_t at, lip_image *out);
void lip_image_store(lip_spectral_walk *walk, const lip_image *z, int64_t group); /* as the group's rows of z */
double lip_image_norm(const lip_spectral_walk *walk, const lip_image *image); /* Frobenius, rounded up */
/* row += factor * real part of the image's row, over all variables. */
void lip_image_gather(const lip_spectral_walk *walk, const lip_image *image, int64_t at, double factor, double *row);

/* Marks the groups that an image depends on. */
void lip_image_read(const lip_image *image, bool *reads);
/* An image of the same kind as `in`, computed from it: without rows yet. */
lip_image lip_image_derived(const lip_image *in);

/* Steps of the walk at plan `at` (spectral_join.c): *out = ca a + cb b; a sum or difference; channels side by side. */
lip_status lip_spectral_add(lip_spectral_walk *walk, double ca, const lip_image *a, double cb, const lip_image *b,
                            lip_image *out);
lip_status lip_spectral_sum(lip_spectral_walk *walk, size_t at, lip_image *out);
lip_status lip_spectral_concat(lip_spectral_walk *walk, size_t at, lip_image *out);

lip_status lip_spectral_unfit(lip_spectral_walk *walk, const char *why); /* LIP_EUNSUPPORTED */
lip_status lip_spectral_no_memory(lip_spectral_walk *walk);              /* LIP_EMEMORY */

#endif
