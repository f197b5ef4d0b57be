/*
 * layers.h: what the formats for people (text, markdown) say about layers and
 * the network; each prints it in its own way.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_AUDIT_LAYERS_H
#define LIP_AUDIT_LAYERS_H

#include "fields.h"
#include "number.h"

#include <stdio.h>

/* The module path where the exporter stored one, otherwise the node's name. */
const char *layer_name(const json_t *layer);

/* A node of gain exactly 1 that only re-arranges its input (Reshape, Transpose ...): counted, not listed. */
bool layer_rearranges(const json_t *layer);

/* "1x28x28->16x14x14", without a leading dimension of 1; one shape where both are the same. Cut to `size`. */
void layer_shapes(const json_t *layer, char *text, size_t size);
void shape_text(const lip_shape *shape, bool known, char *text, size_t size); /* "1x28x28"; "scalar"; "?" */

/* A number as a cell of a table: "-" where it was not computed. */
lip_number layer_cell(lip_number_style *style, double value, int digits, size_t width);

/* Of a layer or of the network; what is not known to be bounded or unbounded is LIP_UNKNOWN. */
lip_verdict verdict_of(const json_t *object);
const char *verdict_alarm(lip_verdict verdict); /* "UNKNOWN" */

const json_t *report_layers(const json_t *report); /* the array; NULL is an empty one, as jansson has it */

/* Indices of the (at most three) layers with the largest positive share, largest first; returns how many. */
#define LAYERS_COSTLIEST 3
size_t layers_costliest(const json_t *report, size_t index[LAYERS_COSTLIEST]);

/* "5 nodes of gain exactly 1 only re-arrange their input: Reshape 3, Transpose 2"; nothing if there is none. */
void layers_print_rearranged(const json_t *report, FILE *stream);

/* "3 scaling nodes are part of the linear layer beside them ...": what is in "folded"; nothing if empty. */
void layers_print_folded(const json_t *report, FILE *stream);

/* "UNKNOWN: node conv1 (Conv): why" for each layer that is not bounded; `alarm` and `end_alarm` are put around the
 * first word, `end` ends a line, and `print` escapes. */
void layers_print_reasons(const json_t *report, const char *alarm, const char *end_alarm, const char *end,
                          void (*print)(FILE *stream, const char *text), FILE *stream);

/* The layers that cost most: "fc1 38 % (gain 14.9085), ..."; nothing if there is none. */
void layers_print_costliest(const json_t *report, FILE *stream);

/* By how much the product of the power iterations falls under the product of the proved gains. */
void network_print_estimate(const json_t *report, FILE *stream);

/* One sentence: what was proved, or why nothing was. */
void network_print_proof(const json_t *report, FILE *stream);

#endif
