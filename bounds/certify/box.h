/*
 * box.h: whether a sample lies in the box of inputs on which bounds hold.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_BOUNDS_BOX_H
#define LIP_BOUNDS_BOX_H

#include "../lipaudit.h"

/* box.count 0: everywhere. NaN is nowhere. */
bool lip_box_holds(const lip_input_range *box, const lip_shape *shape, const double *sample);

#endif
