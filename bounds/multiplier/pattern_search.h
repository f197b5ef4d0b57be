/*
 * pattern_search.h: large slopes of a piecewise linear network, by gradient
 * ascent of its Jacobian's norm with the kinks smoothed.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_BOUNDS_PATTERN_SEARCH_H
#define LIP_BOUNDS_PATTERN_SEARCH_H

#include "slope_search.h"
#include "system.h"

/*
 * The largest norm of the Jacobian found, an estimate from below as in slope_search.h: |J'u| of the network itself.
 * NaN where the network has other activations than Relu and LeakyRelu, nodes that only a gain is known of, or several
 * inputs. Cost: about `flops`, in float; 50 steps at least and 1200 at most, each of four passes over the system's
 * elements for eight points.
 */
double lip_pattern_search(const lip_model *model, const lip_system *system, const lip_layer_plan *plans,
                          const lip_input_range *range, double flops, uint64_t seed);

#endif
