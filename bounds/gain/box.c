/*
 * box.c: see box.h, and lip_input_range for which axis the channels are.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "box.h"

#include <math.h>

/* Element i of a sample is of channel i / inner_of(...) % box->count. */
static int64_t inner_of(const lip_input_range *box, const lip_shape *shape)
{
    int axis = shape->rank > 1 && shape->dim[1] == (int64_t)box->count ? 1 : shape->rank - 1;
    int64_t inner = 1;
    for (int d = axis + 1; d < shape->rank; d++)
        inner *= shape->dim[d];
    return inner;
}

static int64_t count_of(const lip_shape *shape)
{
    int64_t count = 1;
    for (int d = 0; d < shape->rank; d++)
        count *= shape->dim[d];
    return count;
}

bool lip_box_holds(const lip_input_range *box, const lip_shape *shape, const double *sample)
{
    int64_t count = box->count > 0 ? count_of(shape) : 0, inner = inner_of(box, shape);
    for (int64_t i = 0; i < count; i++) {
        size_t c = (size_t)(i / inner) % box->count;
        if (!(sample[i] >= box->lo[c] && sample[i] <= box->hi[c]))
            return false;
    }
    return true;
}

void lip_box_clip(const lip_input_range *box, const lip_shape *shape, double *x)
{
    int64_t count = box->count > 0 ? count_of(shape) : 0, inner = inner_of(box, shape);
    for (int64_t i = 0; i < count; i++) {
        size_t c = (size_t)(i / inner) % box->count;
        x[i] = fmin(fmax(x[i], box->lo[c]), box->hi[c]);
    }
}

void lip_box_hold(const lip_input_range *box, const lip_shape *shape, const double *x, double *gradient)
{
    int64_t count = box->count > 0 ? count_of(shape) : 0, inner = inner_of(box, shape);
    for (int64_t i = 0; i < count; i++) {
        size_t c = (size_t)(i / inner) % box->count;
        if ((x[i] <= box->lo[c] && gradient[i] > 0) || (x[i] >= box->hi[c] && gradient[i] < 0))
            gradient[i] = 0;
    }
}
