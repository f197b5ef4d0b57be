/*
 * propagate.h: from the gains of the layers to the bound of the network.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_BOUNDS_PROPAGATE_H
#define LIP_BOUNDS_PROPAGATE_H

#include "layers.h"

typedef struct lip_propagation {
    double *cumulative;       /* per plan: upper bound of the map from the model's input to the layer's output */
    double network_upper;     /* of the map to the logits */
    double network_estimate;  /* the same composition with power-iteration numbers where there are any: not proved */
    double network_lower;     /* proved, or NaN: known where all layers but one are isometries in a chain */
} lip_propagation;

/*
 * Composition as in [Tsuzuku 2018, section 4]: a chain multiplies, an addition
 * adds, a concatenation takes the root of the sum of squares; every operation
 * rounded up. gains[i] belongs to plans[i].
 */
lip_status lip_propagate(const lip_model *model, const lip_layer_plan *plans, const lip_layer_gain *gains, size_t count,
                         lip_arena *arena, lip_propagation *out, lip_error *error);

#endif
