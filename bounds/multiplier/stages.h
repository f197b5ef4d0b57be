/*
 * stages.h: bounds of the whole network from multipliers, in one stage or,
 * where that cannot be done, in several.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_BOUNDS_STAGES_H
#define LIP_BOUNDS_STAGES_H

#include "multiplier.h"

/* A value that every way from the inputs to the logits leads through. */
typedef struct lip_cut {
    size_t end;             /* the plans before it are plans[0 .. end) */
    const lip_value *value; /* NULL: the model's inputs */
} lip_cut;

/*
 * All cuts in order, in the arena: the first one is the inputs, the last one the logits. None lies between a scale and
 * the layer that took it, since the gains on both sides speak of them together. False: no memory.
 */
bool lip_find_cuts(const lip_model *model, const lip_layer_plan *plans, size_t count, lip_arena *arena,
                   lip_cut **cuts, size_t *cut_count);

/*
 * As lip_multiplier_run, whose one stage is taken where it succeeds. Else the network is split at cuts, so that as few
 * linear nodes as possible are left to the product, in as few stages as possible; L_F <= product of the stages' bounds,
 * each the least of what multipliers prove of it and its own product, and pairs are those of the last stage times the
 * others. *out lists the stages in any case.
 */
void lip_stages_run(const lip_model *model, const lip_layer_plan *plans, const lip_layer_gain *gains,
                    const double *cumulative, size_t count, const lip_multiplier_options *options, lip_arena *results,
                    lip_multiplier_bounds *out);

#endif
