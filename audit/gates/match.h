/*
 * match.h: which layer of one report is which layer of another, although a new
 * export has named its nodes anew.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_AUDIT_MATCH_H
#define LIP_AUDIT_MATCH_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#define MATCH_NONE ((size_t)-1)

typedef enum lip_match_by {
    MATCH_NOT,
    MATCH_WEIGHT, /* both read the weight of that name */
    MATCH_MODULE, /* same module path and operator */
    MATCH_NAME,   /* same node name and operator */
    MATCH_ORDER   /* same operator and shapes, in the same order as others like it */
} lip_match_by;

/* For a layer of the newer report: the older one's, or MATCH_NONE. */
typedef struct lip_match {
    size_t other;
    lip_match_by by;
} lip_match;

const char *match_text(lip_match_by by); /* "weight" */

/*
 * matches[i] for layer i of `layers`, an array of reports' layers; a layer of `older` is matched once at the most. A
 * name that two layers share on one side says nothing and is passed over. NULL without memory; the caller frees it.
 * Cost: linear in the names; the product of the numbers of layers that no name matches.
 */
lip_match *match_layers(const json_t *older, const json_t *layers);

#endif
