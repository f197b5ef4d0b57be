/*
 * error_rules.h: what executing one node in floating point adds to the error.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_BOUNDS_ERROR_RULES_H
#define LIP_BOUNDS_ERROR_RULES_H

#include "error_plan.h"

/* Roundings that a scale may cost in any execution, folded into weights or not; and an added constant. */
#define LIP_SCALE_UNITS 16.0
#define LIP_SHIFT_UNITS 2.0

/*
 * Fills units, constant, tiny_constant, tiny_gain, refusals and each branch's magnitude of a step that is one node,
 * neither DENSE nor CONV. Branches and gains are there. `gain` is the node's own.
 */
void lip_error_rule(const lip_node *node, const lip_gain *gain, lip_error_step *step);

/* to[i] += |constant that the node adds to element i of its output|, for SUM with one varying input, SCALE, DENSE and
 * CONV; rounded to nearest, at most 4 roundings an element. False if it is not known. */
bool lip_add_constants(const lip_node *node, const lip_gain *gain, double *to);

/* What a SCALE adds to a number before it is scaled, as a 2-norm. */
double lip_constant_before_scale(const lip_node *node);

/* Root of the element count of output 0. */
double lip_root_of_count(const lip_value *value);

#endif
