/*
 * measure.h: the audit of an opened model, with a progress line.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_AUDIT_MEASURE_H
#define LIP_AUDIT_MEASURE_H

#include "opened.h"

/* lip_audit with the options given. Tells what went wrong on standard error and returns false. */
bool measure(const lip_options *options, const lip_opened *opened, lip_report **report);

#endif
