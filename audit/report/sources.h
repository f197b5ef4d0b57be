/*
 * sources.h: what layers read: other layers (the edges of the graph of layers,
 * where scales that were folded into a layer are no nodes of their own), and
 * weights.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_AUDIT_SOURCES_H
#define LIP_AUDIT_SOURCES_H

#include "json.h"

#define SOURCE_INPUT (-1) /* an input of the network */

/* Sets "sources" of each layer, an array of indices of layers, in the order of its inputs, and "weights", the names of
 * the constants that its node reads. False: out of memory. */
bool sources_add(json_t *layers, const lip_run_info *run);

#endif
