/*
 * radii.h: what a report's section "certification" says about radii that it
 * may hold as a number, or only as the rows of its samples.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_AUDIT_RADII_H
#define LIP_AUDIT_RADII_H

#include <jansson.h>

/* The largest r such that at least a share of 1 - quantile of all samples has a radius >= r, 0 <= quantile <= 1, as
 * quantiles_of has it. NaN: the section does not say. */
double radii_quantile(const json_t *certification, double quantile);

/* The share of all samples that are right and certified at epsilon (radius > epsilon). NaN: the section does not
 * say. */
double radii_certified(const json_t *certification, double epsilon);

#endif
