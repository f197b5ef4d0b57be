/*
 * comparison_words.h: the section "comparison" as a person reads it.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_AUDIT_COMPARISON_WORDS_H
#define LIP_AUDIT_COMPARISON_WORDS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

void comparison_text(const json_t *report, FILE *stream);
void comparison_markdown(const json_t *report, FILE *stream);

/* The layer of the report that the pair speaks of; NULL: it is gone. */
const json_t *pair_layer(const json_t *report, const json_t *pair);

/* Does the pair only re-arrange on both sides? Such pairs are not listed. */
bool pair_rearranges(const json_t *report, const json_t *pair);

#endif
