/*
 * certification_words.h: what text and Markdown say alike about certified
 * samples. Shares and radii are rounded down.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_AUDIT_CERTIFICATION_WORDS_H
#define LIP_AUDIT_CERTIFICATION_WORDS_H

#include "number.h"

#include <jansson.h>
#include <stdio.h>

lip_number share_text(uint64_t count, uint64_t total); /* "95.76 %", rounded down; "-" of none */

/* One line each, without its end. */
void certification_print_samples(const json_t *report, FILE *stream);    /* which samples, and how many are right */
void certification_print_space(const json_t *report, FILE *stream);      /* what the radii are distances of */
void certification_print_arithmetic(const json_t *report, FILE *stream); /* whose predictions are certified */
void certification_print_caveats(const json_t *report, FILE *stream);    /* partial, one shard, radii 0; or nothing */

/* The rows of the table of radii. */
typedef struct lip_rule {
    const char *key, *title;
} lip_rule;
#define CERTIFICATION_RULES 4
extern const lip_rule certification_rules[CERTIFICATION_RULES];

/* Its columns. */
#define CERTIFICATION_QUANTILES 8
extern const lip_rule certification_quantiles[CERTIFICATION_QUANTILES];

#endif
