/*
 * slope_search.h: large slopes of the network, found from random points and,
 * where there are any, from samples.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_BOUNDS_SLOPE_SEARCH_H
#define LIP_BOUNDS_SLOPE_SEARCH_H

#include "graph.h"

typedef struct lip_slope_options {
    const lip_input_range *range; /* points stay inside; NULL: anywhere */
    uint64_t seed;
    int64_t evaluations; /* at most, of the network or its gradient; as many again for the samples */
    const double *samples; /* [sample_count][elements of the input] */
    size_t sample_count;
} lip_slope_options;

/*
 * The largest |J' e| found, J the Jacobian of the logits in floating point at points of the search and e unit vectors:
 * an estimate from below of the Lipschitz constant, not proved (rounding; and where J does not exist, what the
 * operators' adjoints take for it). Samples only add to what is looked at. NaN where the network cannot be
 * differentiated, or has several inputs.
 */
double lip_slope_search(const lip_model *model, const lip_slope_options *options);

#endif
