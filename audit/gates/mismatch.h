/*
 * mismatch.h: what makes two reports hard to compare.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_AUDIT_MISMATCH_H
#define LIP_AUDIT_MISMATCH_H

#include <jansson.h>
#include <stdbool.h>

/* Sentences, an array; NULL without memory: another threat model, other data, another version or linear algebra, ... */
json_t *mismatches(const json_t *older, const json_t *report);

/* Do both speak of distances in the same units, from inputs of the same shape? Otherwise L_F and radii of the one say
 * nothing about those of the other. */
bool mismatch_threat_model(const json_t *older, const json_t *report);

/* Were both certified on the same samples, as far as is known? Also true where either has none. */
bool mismatch_data(const json_t *older, const json_t *report);

#endif
