/*
 * multiplier.h: bounds of the whole network that are tighter than the product
 * of its layers', proved from multipliers.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_BOUNDS_MULTIPLIER_H
#define LIP_BOUNDS_MULTIPLIER_H

#include "compose/layers.h"

enum { LIP_MULTIPLIER_PAIRS = 64, LIP_MULTIPLIER_LEVELS = 6, LIP_MULTIPLIER_OUTPUTS = 4096 };

typedef struct lip_multiplier_options {
    int effort;         /* 1: LipLT, layerwise multipliers; 2: optimised, one for all pairs; 3: for each pair its own */
    double max_seconds; /* 0: none. With a limit, results depend on the machine's speed */
    int threads;
    uint64_t seed;
    const lip_input_range *range; /* of the search for large slopes */
    bool no_search;     /* for large slopes: nobody asks, or the model is a part of a network, not to be evaluated */
    double share;       /* of the work that a network may cost; 0: all */
} lip_multiplier_options;

typedef struct lip_multiplier_bounds {
    lip_level levels[LIP_MULTIPLIER_LEVELS];
    size_t level_count;
    double network_upper; /* proved; +inf: none */
    double own_upper;     /* proved by the level at work; +inf at the end */
    const char *network_method;
    int64_t classes;      /* 0: no table */
    double *pairs;        /* [classes][classes], proved, symmetric, 0 on the diagonal */
    const char *pairs_method;
    double *won_estimate; /* per plan: see lip_layer.won_back_estimate; NaN: not an activation */
    double lower_estimate; /* of the search for large slopes, effort 2 on; NaN: none */
    const char *reason;   /* why there is nothing; "" otherwise */
    const lip_stage *stages; /* of lip_stages_run */
    size_t stage_count;
} lip_multiplier_bounds;

/*
 * Bounds the network through system.h where it is small enough; where not, there is nothing but the reason.
 * gains[i] belongs to plans[i]; cumulative[i] is the product bound from the input to plan i's output.
 * LIP_EMEMORY never: without memory there is nothing, with the reason. What is returned lives in the arena.
 * Cost: effort 1: liplt.h's, a factorisation for each activation layer; effort 2: at most 1.5e12 flops of
 * factorisations or 30 of them, whichever is more; effort 3: that for each pair.
 */
void lip_multiplier_run(const lip_model *model, const lip_layer_plan *plans, const lip_layer_gain *gains,
                        const double *cumulative, size_t count, const lip_multiplier_options *options,
                        lip_arena *results, lip_multiplier_bounds *out);

#endif
