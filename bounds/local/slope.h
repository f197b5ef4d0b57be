/*
 * slope.h: between which bounds the secant slope of one neuron lies, from where
 * it is and how far it can go.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_BOUNDS_LOCAL_SLOPE_H
#define LIP_BOUNDS_LOCAL_SLOPE_H

#include "compose/layers.h"

/* The neurons of one node, h = a z + g with slopes of g in [0, width]. */
typedef struct lip_local_kind {
    enum { LIP_LOCAL_ANY, LIP_LOCAL_HINGE, LIP_LOCAL_CURVE } form; /* HINGE: g = W max(z, 0) */
    double a, hinge;                                               /* hinge: 0 <= W - hinge, W <= width */
    const lip_curve *curve;
    double parameters[LIP_CURVE_PARAMETERS];
} lip_local_kind;

lip_local_kind lip_local_kind_of(const lip_layer_plan *plan);

/*
 * For every change dz in [-down, up] of a z within `error` of z:
 *     p dg >= p c[s] dz - |p| w[s] |dz|   with s = (p > 0).
 */
typedef struct lip_local_slope {
    double c[2], w[2];
} lip_local_slope;

lip_local_slope lip_local_slope_of(const lip_local_kind *kind, double width, double z, double error, double down,
                                   double up);

#endif
