/*
 * annotations.h: the bounds of an audit on the graph itself: in the nodes'
 * metadata of a copy of the model, and as node data for Model Explorer.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_AUDIT_ANNOTATIONS_H
#define LIP_AUDIT_ANNOTATIONS_H

#include "opened.h"

/* Before the work: can the files that options->annotate and options->model_explorer name be written, and do they
 * replace nothing they should not? Tells what is wrong on standard error. */
bool annotations_check(const lip_options *options);

/* Writes those that are asked for. Tells what went wrong on standard error and returns false; a file is whole or is as
 * it was. `document`: of the report. */
bool annotations_write(const lip_options *options, const lip_opened *opened, const lip_report *report,
                       const json_t *document);

#endif
