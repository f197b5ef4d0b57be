/*
 * levels.h: what has been proved so far, and what each level of effort added.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_BOUNDS_LEVELS_H
#define LIP_BOUNDS_LEVELS_H

#include "certificate.h"
#include "multiplier.h"

/* Tables of what is returned, in `results`: for `count` plans, and for pairs of classes, 2 to LIP_MULTIPLIER_PAIRS of
 * them. False: no memory. */
bool lip_bounds_open(lip_multiplier_bounds *bounds, lip_arena *results, size_t count, int64_t classes);

/* Takes what is proved, where it is less. `method` must outlive the bounds. */
void lip_bounds_take(lip_multiplier_bounds *bounds, const lip_certificate_of *certificate, const char *method);
void lip_bounds_take_upper(lip_multiplier_bounds *bounds, double upper, const char *method);

/* A level that began at `started` (lip_clock) is done. */
void lip_bounds_end_level(lip_multiplier_bounds *bounds, const char *method, double started);

#endif
