/*
 * tightness.h: how far apart proof and attack are: the medians of inequality
 * (5) of Lipschitz-Margin Training [Tsuzuku 2018] over the samples that are
 * right. With M the margin of a sample, t its class, and G the largest
 * |grad(f_t - f_j)| found,
 *   (A) certified  M / (sqrt(2) L_F), as `certify` proves it, rounding off
 *   (B) global     M / G, G over all samples and the points around them
 *   (C) local      M / G, G over the sample and the points around it
 *   (D) attack     distance of the other class that the attack found.
 * For every sample (A) <= (B) <= (C) and (A) <= (D). (B) and (C) are not
 * proved; nor is (C) <= (D), though it is to be expected.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_AUDIT_TIGHTNESS_H
#define LIP_AUDIT_TIGHTNESS_H

#include "certification.h"
#include "number.h"

const char *attack_text(lip_attack_kind kind); /* "deepfool" */

/* The report's section "tightness", from the rows alone; `method` as by attack_text. NULL without memory. */
json_t *tightness_json(const lip_rows *rows, const char *method);

/* A row of its table. */
typedef struct lip_tightness_row {
    const char *title;
    lip_number median, step; /* "-" without one; by what factor the next row is above it, "" for the last */
} lip_tightness_row;
#define TIGHTNESS_ROWS 4

lip_tightness_row tightness_row(const json_t *report, size_t i);

/* What the table says of what, in sentences. */
void tightness_print_words(const json_t *report, FILE *stream);

void tightness_text(const json_t *report, FILE *stream);
void tightness_markdown(const json_t *report, FILE *stream);

#endif
