/*
 * layers.h: which nodes are layers of the report, and which scales are
 * multiplied into which linear node.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_BOUNDS_LAYERS_H
#define LIP_BOUNDS_LAYERS_H

#include "gain/on_range.h"

typedef struct lip_layer_plan {
    lip_node *node;
    lip_gain gain;
    const struct lip_layer_plan *before, *after; /* the scale nodes folded into this one */
    bool folded_away;                            /* a scale that another layer took: no row of its own, gain 1 */
    const lip_range_gain *on_range;              /* NULL: nothing is known of its inputs' ranges */
} lip_layer_plan;

/*
 * One plan for every node whose output varies with the model's input, in
 * topological order, in the arena. A scale (gain kind SCALE) is folded into
 * the convolution or matrix directly before it, else directly after it; "directly"
 * means that nobody else reads the value between them. Translations (Add with
 * a constant) between the two do not matter.
 */
lip_status lip_plan_layers(const lip_model *model, lip_arena *arena, lip_layer_plan **plans, size_t *count,
                           lip_error *error);

#endif
