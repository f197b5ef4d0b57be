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
/* Of a product's own, beside those of its sum. */
#define LIP_PRODUCT_UNITS 8.0
/* Assumed of functions: within so many units of the precision. */
#define LIP_FUNCTION_UNITS 64.0

/*
 * Fills units, constant, tiny_constant, tiny_gain, refusals and each branch's magnitude of a step that is one node,
 * neither DENSE nor CONV. Branches and gains are there. `gain` is the node's own.
 */
void lip_error_rule(const lip_node *node, const lip_gain *gain, lip_error_step *step);

/* Its parts: LIPSCHITZ and SELECT [error_statistics.c]; Resize and Upsample [error_interpolation.c]. */
void lip_error_statistics(const lip_node *node, lip_error_step *step);
void lip_error_interpolation(const lip_node *node, lip_error_step *step);

/* What storing constants in the deployed precision adds [error_stored.c]: of a node that only chooses between its
 * inputs and constants; of a SCALE that divides (refusals only). */
void lip_error_of_chosen(const lip_node *node, lip_error_step *step);
void lip_error_of_divisors(const lip_node *node, lip_error_step *step);

/* A step of so many units, its outputs of the size of the gains times the inputs. */
void lip_round_outputs(lip_error_step *step, double units);

/* to[i] += |constant that the node adds to element i of its output|, for SUM with one varying input, SCALE, DENSE and
 * CONV; rounded to nearest, at most 4 roundings an element. False if it is not known. */
bool lip_add_constants(const lip_node *node, const lip_gain *gain, double *to);

/* Roundings that a SCALE costs in our execution, which computes it as one node. */
double lip_own_scale_units(const lip_node *node);

/* What a SCALE adds to a number before it is scaled, as a 2-norm. */
double lip_constant_before_scale(const lip_node *node);

/* Elements of the value, and their root; +inf where that is not known. */
double lip_count_of(const lip_value *value);
double lip_root_of_count(const lip_value *value);

/* Root of copies * square, rounded up; square a sum of squares of `terms` numbers, as computed. */
double lip_norm_of_copies(double square, double copies, double terms);

#endif
