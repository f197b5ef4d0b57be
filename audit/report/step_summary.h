/*
 * step_summary.h: the Markdown report on the page of a GitHub Actions run.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_AUDIT_STEP_SUMMARY_H
#define LIP_AUDIT_STEP_SUMMARY_H

#include "replacement.h"

#include <jansson.h>

#define STEP_SUMMARY_MOST (1 << 20) /* bytes; GitHub refuses a longer file */

/*
 * Appends the report as Markdown to the file that $GITHUB_STEP_SUMMARY names, if it is set: as many whole lines as fit,
 * and then a line that says so. False with a message if it cannot be written.
 */
bool step_summary_append(const json_t *report, lip_output_error *error);

#endif
