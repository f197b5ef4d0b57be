/*
 * channels.h: values that belong to the channels of the model's input.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_AUDIT_CHANNELS_H
#define LIP_AUDIT_CHANNELS_H

#include "audit.h"

/* Element i of an input belongs to channel i / inner % count. */
typedef struct lip_channels {
    size_t count, inner;
} lip_channels;

/* `count` values, one a channel, for an input of that shape: those of axis 1 if it has so many elements, else of the
 * last axis; count <= 1: all elements are one channel. False: the input has no such channels. */
bool channels_of(size_t count, const lip_shape *input, lip_channels *out);

/* The first of the samples [count][elements] with an element outside the range, or `count`. */
size_t channels_outside(const lip_channels *channels, const lip_input_range *range, const double *samples, size_t count,
                        size_t elements);

#endif
