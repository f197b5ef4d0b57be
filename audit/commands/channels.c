/*
 * channels.c: values that belong to the channels of the model's input.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "channels.h"

bool channels_of(size_t count, const lip_shape *input, lip_channels *out)
{
    lip_channels channels = {count > 1 ? count : 1, 1};
    int at = input->rank > 1 && input->dim[1] == (int64_t)count ? 1 : input->rank - 1;
    if (channels.count > 1 && (at < 0 || input->dim[at] != (int64_t)count))
        return false;
    for (int i = at + 1; channels.count > 1 && i < input->rank; i++)
        channels.inner *= (size_t)input->dim[i];
    *out = channels;
    return true;
}

size_t channels_outside(const lip_channels *channels, const lip_input_range *range, const double *samples, size_t count,
                        size_t elements)
{
    for (size_t k = 0; k < count; k++)
        for (size_t i = 0; i < elements; i++) {
            double value = samples[k * elements + i];
            size_t c = i / channels->inner % channels->count;
            if (!(value >= range->lo[c] && value <= range->hi[c]))
                return k;
        }
    return count;
}
