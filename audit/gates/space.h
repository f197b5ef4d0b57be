/*
 * space.h: whether it is known what a radius of a report is a distance of.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_AUDIT_SPACE_H
#define LIP_AUDIT_SPACE_H

#include <jansson.h>
#include <stdbool.h>

/*
 * Known: somebody stated it, or preprocessing was given, or the graph normalises its input itself, or the data do not
 * look as if somebody had normalised them before (no value is negative). Otherwise a radius of 0.1 may be a tenth of
 * the range of a pixel, or of its standard deviation.
 */
bool space_known(const json_t *report, bool stated);

#endif
