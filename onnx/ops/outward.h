/*
 * outward.h: the few roundings that constants of gains need. Every operation
 * of IEEE arithmetic (and sqrt) is within half an ulp, so one step of
 * nextafter bounds its exact value from the side that is named.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_ONNX_OPS_OUTWARD_H
#define LIP_ONNX_OPS_OUTWARD_H

#include <math.h>

static inline double lip_up(double x)
{
    return nextafter(x, INFINITY);
}

static inline double lip_down(double x)
{
    return nextafter(x, -INFINITY);
}

/* a / sqrt(b) for a >= 0, b > 0. */
static inline double lip_over_root_upper(double a, double b)
{
    return a == 0 ? 0 : lip_up(a / lip_down(sqrt(b)));
}

static inline double lip_over_root_lower(double a, double b)
{
    return a == 0 ? 0 : fmax(0, lip_down(a / lip_up(sqrt(b))));
}

#endif
