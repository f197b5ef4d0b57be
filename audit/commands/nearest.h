/*
 * nearest.h: "did you mean ...": the word that a typing error came from.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_AUDIT_NEAREST_H
#define LIP_AUDIT_NEAREST_H

#include <stddef.h>

/* The candidate within two edits of `word` (one for words of up to three letters); the first of the nearest ones,
 * NULL if there is none. An edit inserts, removes, replaces a letter or swaps two neighbours. */
const char *nearest_word(const char *word, const char *const *candidates, size_t count);

#endif
