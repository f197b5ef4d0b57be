/*
 * sample.h: a made report with the awkward cases in it: quotes and commas in
 * names, a byte that is no UTF-8, infinite and absent numbers, two inputs of a
 * layer.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TEST_AUDIT_SAMPLE_H
#define TEST_AUDIT_SAMPLE_H

#include "document.h"
#include "format.h"

lip_run_info sample_run(void); /* three bounded layers and one that only re-arranges */
lip_run_info sample_unknown_run(void); /* the same with a last layer that is not known */

/* What the format writes of the run's document; the caller frees it. */
char *sample_render(const lip_format *format, const lip_run_info *run);
char *sample_render_document(const lip_format *format, const json_t *document);

#endif
