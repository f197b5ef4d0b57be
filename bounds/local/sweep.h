/*
 * sweep.h: what open.c lays out, rows.c takes back through the network, and
 * reach.c and sweep.c compute layer after layer.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_BOUNDS_LOCAL_SWEEP_H
#define LIP_BOUNDS_LOCAL_SWEEP_H

#include "local.h"
#include "multiplier/system.h"
#include "slope.h"
#include "windows.h"

enum { LIP_LOCAL_LANES = 16 }; /* rows that are taken back together */

/* Variables of the system that belong together: the inputs, the neurons of a node, or the outputs of a node of which
 * only a gain is known, with the rows of its inputs before them (AUX). A max-pool is such a node, but its windows tell
 * more than its gain. */
typedef struct lip_local_layer {
    lip_variable_kind kind; /* INPUT, SLOPE or PASS */
    int64_t first, count;
    int64_t first_row, row_count; /* whose rows Z are reached: its own, or the AUX of a PASS */
    const lip_node *node;
    const lip_value *z;    /* what is wanted of a sample: the input of neurons and windows; else NULL */
    int64_t anchor;        /* where z begins among the anchored elements */
    lip_local_kind slopes; /* SLOPE */
    lip_windows windows;   /* max-pools; else empty */
    double lipschitz;      /* from the input to what the rows are: z, or the input of a PASS where there is one */
} lip_local_layer;

struct lip_local {
    lip_system system;
    lip_local_layer *layers;
    size_t layer_count;
    int64_t anchored;
    double drift; /* of a coefficient, relative to the sum of what was added up to it */
};

/* -down <= change <= up. */
typedef struct lip_local_way {
    double down, up;
} lip_local_way;

/*
 * A variable g that follows a row dz = Z_row v: for any p, with s = (p > 0),
 *     p dg >= p c[s] dz - |p| (w[s] min(reach, far) + tie),
 * far one number for each, whose 2-norm over the layer's variables with a w > 0 is at most lip_local_sample.group.
 */
typedef struct lip_local_neuron {
    lip_local_slope slope;
    double reach, tie;
    int64_t row;
} lip_local_neuron;

struct lip_local_sample {
    const lip_local *local;
    lip_memory *memory;
    double *z, *error;        /* anchors; error per layer */
    double r;
    lip_local_way *way;       /* per variable with a row: of dz */
    lip_local_way *known;     /* the same for every r <= known_radius, from a former call */
    double known_radius;
    double *move;             /* per variable with a row: >= sum over k of |Z^_mk| |v_k| */
    double *most;             /* per variable: >= |v|; inputs: not used */
    lip_local_neuron *neuron; /* per variable that follows a row */
    double *group;            /* per layer: see lip_local_neuron; of a PASS without windows: >= |du| */
    double all;               /* >= |v|_2 of the layers done */
    double *p;                /* [variable][lane]: the rows on their way back, 0 between two calls */
    bool *touched;            /* per variable: p may not be 0 */
    bool *wanted;             /* per variable with a row: it is to be taken back */
    double *magnitude, *absolute; /* per lane, see rows.c */
    int64_t work;             /* elements of rows added in this call */
};

static inline bool lip_local_follows(const lip_local_layer *layer)
{
    return layer->kind == LIP_VAR_SLOPE || layer->windows.outputs > 0;
}

/* >= sum over the row of |M^_k| |v_k|, for the layers done. */
double lip_local_move(const lip_local_sample *sample, const lip_enclosed *m, int64_t row);

/* Lane += sign * row of m; `move` as above. sign is 1 or -1. */
void lip_local_put(lip_local_sample *sample, int lane, double sign, const lip_enclosed *m, int64_t row, double move);

/* fall[lane] >= the largest -(p v) of each lane, from layers [0, layers). Empties the lanes. */
void lip_local_take_back(lip_local_sample *sample, size_t layers, double *fall);

/* The ways of the layer's rows, from what is known without taking them back; then of those that are wanted. */
void lip_local_guess(lip_local_sample *sample, const lip_local_layer *layer);
void lip_local_reach(lip_local_sample *sample, const lip_local_layer *layer);

/* Neurons of a layer that follows, from the ways of its rows, with `most` and `group`. Rows of which it would pay to
 * know more are wanted then. */
void lip_local_follow(lip_local_sample *sample, const lip_local_layer *layer);

#endif
