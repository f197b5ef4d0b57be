/*
 * lines_picture.h: one or two curves in a frame with ticks.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_AUDIT_LINES_PICTURE_H
#define LIP_AUDIT_LINES_PICTURE_H

#include "axis.h"

#define LINES_HEIGHT 200

/* The frame: an SVG element of that height with horizontal lines and numbers at the ticks of `y`. */
void lines_start(const lip_axis *y, const char *title, FILE *stream);
void lines_end(FILE *stream);

/* Points in percent: x from the left, y from the bottom. Those with y < 0 are left out. */
typedef struct lip_point {
    double x, y;
} lip_point;

/* Straight pieces, or (steps) level ones up to the next point. */
void lines_print(const lip_point *points, size_t count, bool steps, const char *colour, FILE *stream);

#endif
