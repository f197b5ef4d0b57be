/*
 * gates_words.h: the section "gates" as a person reads it.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_AUDIT_GATES_WORDS_H
#define LIP_AUDIT_GATES_WORDS_H

#include "number.h"

#include <jansson.h>
#include <stdio.h>

void gates_text(const json_t *report, FILE *stream);
void gates_markdown(const json_t *report, FILE *stream);

const char *gate_outcome(const json_t *gate); /* "holds", "FAILS", "NO VERDICT" */

/* "L_F <= 20"; then what was found: "17.6083 (unchanged)", or why nothing was. Cut to `size`. */
void gate_wanted(const json_t *gate, char *text, size_t size);
void gate_found(const json_t *gate, char *text, size_t size);

#endif
