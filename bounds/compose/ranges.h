/*
 * ranges.h: one pass of interval arithmetic over the network, and what each
 * layer can amplify on the ranges it finds.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_BOUNDS_RANGES_H
#define LIP_BOUNDS_RANGES_H

#include "layers.h"

/*
 * Fills plans[i].on_range, in the arena, for model inputs in the box; box NULL: for all inputs, where some layer has no
 * finite gain otherwise (products of activations that are bounded by themselves); nothing where all have one. The plans
 * are those of lip_plan_layers. Refuses what lip_ranges_walk does. Cost: about three evaluations of the network.
 */
lip_status lip_plan_ranges(const lip_model *model, const lip_input_range *box, uint64_t seed, lip_layer_plan *plans,
                           size_t count, lip_arena *arena, lip_memory *memory, lip_error *error);

/* Puts the box, and the names of the inputs that it is about, into the report. */
lip_status lip_report_set_range(lip_report *report, const lip_model *model, const lip_input_range *box,
                                lip_error *error);

#endif
