/*
 * sweep.h: what open.c lays out, rows.c takes back through the network and
 * sweep.c computes layer after layer.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_BOUNDS_LOCAL_SWEEP_H
#define LIP_BOUNDS_LOCAL_SWEEP_H

#include "local.h"
#include "multiplier/system.h"
#include "slope.h"

enum { LIP_LOCAL_LANES = 16 }; /* rows that are taken back together */

/* Variables of the system that belong together: the inputs, the neurons of a node, or the outputs of a node of which
 * only a gain is known, with the rows of its inputs before them (AUX). */
typedef struct lip_local_layer {
    lip_variable_kind kind; /* INPUT, SLOPE or PASS */
    int64_t first, count;
    int64_t first_row, row_count; /* whose rows Z are reached: itself, or the AUX of a PASS */
    const lip_node *node;
    const lip_value *z;    /* SLOPE */
    int64_t anchor;        /* SLOPE: where z begins among the anchored elements */
    lip_local_kind slopes; /* SLOPE */
    double lipschitz;      /* from the input to what the rows are: z, or the input of a PASS where there is one */
} lip_local_layer;

struct lip_local {
    lip_system system;
    lip_local_layer *layers;
    size_t layer_count;
    int64_t anchored;
    double drift; /* of a coefficient, relative to the sum of what was added up to it */
};

struct lip_local_sample {
    const lip_local *local;
    lip_memory *memory;
    double *z, *error;      /* anchors; error per layer */
    double r;
    double *reach;          /* per variable with a row: >= |dz| */
    double *known;          /* the same for every r <= known_radius, from a former call */
    double known_radius;
    double *move;           /* per variable with a row: >= sum over k of |Z_mk| |v_k| */
    double *most;           /* per variable: >= |v|; inputs: not used */
    lip_local_slope *slope; /* per SLOPE variable */
    double *group;          /* per layer: SLOPE: >= |dz of those with w > 0|; PASS: >= |du| */
    double all;             /* >= |v|_2 of the layers done */
    double *p;              /* [variable][lane]: the rows on their way back, 0 between two calls */
    bool *touched;          /* per variable: p may not be 0 */
    double *magnitude, *absolute; /* per lane, see rows.c */
};

/* >= sum over the row of |M^_k| |v_k|, for the layers done. */
double lip_local_move(const lip_local_sample *sample, const lip_enclosed *m, int64_t row);

/* Lane += sign * row of m; `move` as above. sign is 1 or -1. */
void lip_local_put(lip_local_sample *sample, int lane, double sign, const lip_enclosed *m, int64_t row, double move);

/* fall[lane] >= the largest -(p v) of each lane, from layers [0, layers). Empties the lanes. */
void lip_local_take_back(lip_local_sample *sample, size_t layers, double *fall);

#endif
