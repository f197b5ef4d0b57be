/*
 * report.h: the public report from what was computed.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_BOUNDS_REPORT_H
#define LIP_BOUNDS_REPORT_H

#include "propagate.h"

/* Copies everything it needs into a new report; names stay in the model. */
lip_status lip_report_build(const lip_layer_plan *plans, const lip_layer_gain *gains,
                            const double *seconds, size_t count, const lip_propagation *network, lip_memory *memory,
                            lip_report **out, lip_error *error);

#endif
