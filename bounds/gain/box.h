/*
 * box.h: the box of inputs on which bounds hold: what lies in it, and the way
 * into it.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_BOUNDS_BOX_H
#define LIP_BOUNDS_BOX_H

#include "../lipaudit.h"

/* box.count 0: everywhere. NaN is nowhere. */
bool lip_box_holds(const lip_input_range *box, const lip_shape *shape, const double *sample);

/* The nearest point in the box. */
void lip_box_clip(const lip_input_range *box, const lip_shape *shape, double *x);

/* Of a gradient at x in the box: 0 where a step against it would leave the box at once. */
void lip_box_hold(const lip_input_range *box, const lip_shape *shape, const double *x, double *gradient);

#endif
