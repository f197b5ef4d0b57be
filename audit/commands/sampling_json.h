/*
 * sampling_json.h: which samples a report speaks of, and in which space.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_AUDIT_SAMPLING_JSON_H
#define LIP_AUDIT_SAMPLING_JSON_H

#include "json.h"
#include "sampling.h"

/* The object "data" of the report: files and their digests, format, shape, values. NULL with the error. */
json_t *sampling_data_json(const lip_sampling *sampling, lip_error *error);

/* Sets in the document's threat model the space that radii are distances in. False: out of memory. */
bool threat_model_state(json_t *document, const lip_options *options, bool in_model_space);

#endif
