/*
 * sample.h: layers made by hand for the tests of the gain calculators.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_TESTS_GAIN_SAMPLE_H
#define LIP_TESTS_GAIN_SAMPLE_H

#include "gain/gain_of.h"
#include "oracle.h"

/* A node that has a name only, and a tensor of doubles. */
lip_node *sample_node(void);
lip_tensor sample_tensor(const double *data, int64_t count);

/* The gain; asserts LIP_OK, that nothing leaks, and lower <= upper. */
lip_layer_gain sample_gain(const lip_gain *gain, const lip_node *node, const lip_scale *before, const lip_scale *after);

/* `count` factors over one axis, in *room: of mixed signs and sizes. */
lip_scale sample_scale(uint64_t *state, double *room, int64_t count, int axis);

#endif
