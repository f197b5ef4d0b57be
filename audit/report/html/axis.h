/*
 * axis.h: where a value lies in a picture, in percent, and where ticks go.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_AUDIT_AXIS_H
#define LIP_AUDIT_AXIS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define AXIS_TICKS 6

typedef struct lip_axis {
    double low, high; /* low < high, after the logarithm where it is one */
    bool logarithmic;
    bool empty;       /* nothing was taken yet */
} lip_axis;

lip_axis axis_start(bool logarithmic);
void axis_take(lip_axis *axis, double value); /* makes room; leaves out what is not finite, or not > 0 on a log axis */
void axis_finish(lip_axis *axis);             /* some air at the ends; never empty */

/* 0 to 100; -1 where the value has no place (NaN; 0 on a log axis is at the very left, inf at the very right). */
double axis_place(const lip_axis *axis, double value);

/* Round values, at most AXIS_TICKS; returns how many. */
size_t axis_ticks(const lip_axis *axis, double ticks[AXIS_TICKS]);

/* A strip of SVG, 18 high and as wide as there is room, with the ticks' numbers. */
void axis_print(const lip_axis *axis, FILE *stream);

/* Thin vertical lines at the ticks, inside an SVG element. */
void axis_print_grid(const lip_axis *axis, FILE *stream);

#endif
