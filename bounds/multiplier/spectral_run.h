/*
 * spectral_run.h: the levels of effort on a torus.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_BOUNDS_SPECTRAL_RUN_H
#define LIP_BOUNDS_SPECTRAL_RUN_H

#include "multiplier.h"
#include "spectral.h"

/*
 * Bounds the network through spectral.h, into *out, where nothing is proved yet; its tables go into `results`, all else
 * into `arena`. The outputs are the model's logits, or a map (a stage's). LIP_EUNSUPPORTED, with the reason: it is not
 * put on a torus; LIP_EMEMORY. Cost: a few times 8e11 flops at most, or a few factorisations.
 */
lip_status lip_spectral_run(const lip_model *model, const lip_layer_plan *plans, size_t count,
                            const lip_multiplier_options *options, double deadline, lip_arena *arena,
                            lip_arena *results, lip_multiplier_bounds *out, lip_error *error);

#endif
