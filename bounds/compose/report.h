/*
 * report.h: the public report from what was computed.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_BOUNDS_REPORT_H
#define LIP_BOUNDS_REPORT_H

#include "multiplier/multiplier.h"
#include "pairwise.h"

/* Copies everything it needs into a new report; names stay in the model. */
lip_status lip_report_build(const lip_layer_plan *plans, const lip_layer_gain *gains,
                            const double *seconds, size_t count, const lip_propagation *network, lip_memory *memory,
                            lip_report **out, lip_error *error);

/* The bounds of pairs into a report that has none; their table lies in lip_report_arena. */
void lip_report_set_pairwise(lip_report *report, const lip_pairwise *pairwise);
/* Takes what multipliers proved where it is less; bounds lie in lip_report_arena. */
void lip_report_take_multipliers(lip_report *report, const lip_layer_plan *plans, size_t count,
                                 const lip_multiplier_bounds *bounds);
lip_arena *lip_report_arena(lip_report *report);

#endif
