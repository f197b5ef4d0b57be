/*
 * box.c: see box.h, and lip_input_range for which axis the channels are.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "box.h"

bool lip_box_holds(const lip_input_range *box, const lip_shape *shape, const double *sample)
{
    int axis = shape->rank > 1 && shape->dim[1] == (int64_t)box->count ? 1 : shape->rank - 1;
    int64_t count = 1, inner = 1;
    for (int d = 0; d < shape->rank; d++) {
        count *= shape->dim[d];
        inner *= d > axis ? shape->dim[d] : 1;
    }
    for (int64_t i = 0; box->count > 0 && i < count; i++) {
        size_t c = (size_t)(i / inner) % box->count;
        if (!(sample[i] >= box->lo[c] && sample[i] <= box->hi[c]))
            return false;
    }
    return true;
}
