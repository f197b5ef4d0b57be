/*
 * comparison.h: a report beside an older one: the section "comparison".
 *
 *   baseline    {path, tool, model, threat_model, network, certification}: of the older report, without single samples
 *   tolerance   {relative, absolute}
 *   network     {lower, upper, ratio, change}: L_F of the older report, new upper / old upper
 *   layers      [{index, baseline, matched_by, ratio, change}]: index in "layers", or null where the layer is gone;
 *               baseline: the older report's layer, or null where it is new
 *   radius      {baseline, model, ratio, change, curve}: median certified radii, where both reports have them; curve:
 *               points {eps, value} of the older certified accuracy
 *   notes       [text]: what makes the two hard to compare
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_AUDIT_COMPARISON_H
#define LIP_AUDIT_COMPARISON_H

#include <jansson.h>
#include <stdbool.h>

/* How much worse is still called unchanged: by relative * |old| + absolute. Both >= 0. */
typedef struct lip_tolerance {
    double relative, absolute;
} lip_tolerance;

/*
 * Judged on intervals that hold the two true gains:
 *   regressed  proved worse: the new lower bound is above the old upper bound and what is tolerated
 *   looser     only the bound is worse: the new upper bound is, the new lower bound is not
 *   improved   the new upper bound is below the old one by more than is tolerated
 *   unchanged  none of them
 * "added" and "removed" for a layer without a partner. Infinite and absent bounds: finite to infinite is looser.
 */
const char *comparison_change(double old_upper, double lower, double upper, const lip_tolerance *tolerance);

/* old * (1 + relative) + absolute, rounded down. */
double tolerance_limit(double old, const lip_tolerance *tolerance);

/* The section; NULL without memory. `path`: where the older report, or its model, comes from. */
json_t *comparison_of(const json_t *older, const char *path, const json_t *report, const lip_tolerance *tolerance);

#endif
