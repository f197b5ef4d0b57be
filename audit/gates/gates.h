/*
 * gates.h: conditions that a report is to meet, and whether it does: the
 * section "gates".
 *
 * A gate has one of three outcomes: it holds, it fails, or what it asks for
 * was not measured. The last is never taken for the first.
 *
 *   {name, what, relation: "<=" | ">=", wanted, found, holds: true | false | null, node, module, reason}
 *
 * `wanted` and `found` are numbers ("inf" for infinite, null for not measured); `node` is the layer it speaks of, or
 * null; `reason` says why nothing was measured, or adds to the numbers.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_AUDIT_GATES_H
#define LIP_AUDIT_GATES_H

#include "comparison.h"

#include <stddef.h>

#define GATES_MOST 64

typedef enum lip_gate_kind {
    GATE_MIN_RADIUS,
    GATE_MIN_CERTIFIED_ACCURACY,
    GATE_MAX_LIPSCHITZ,
    GATE_MAX_LAYER_UPPER,
    GATE_BASELINE,        /* L_F, and the median radius where both reports have one */
    GATE_BASELINE_LAYERS  /* every matched layer */
} lip_gate_kind;

typedef struct lip_gate {
    lip_gate_kind kind;
    double wanted;       /* a radius, a share, a bound */
    double quantile;     /* GATE_MIN_RADIUS: the share of samples that may have less, 0 to 1 */
    double epsilon;      /* GATE_MIN_CERTIFIED_ACCURACY */
    char pattern[256];   /* GATE_MAX_LAYER_UPPER: of layer names and module paths, as by fnmatch(3) */
    lip_tolerance tolerance; /* GATE_BASELINE, GATE_BASELINE_LAYERS */
} lip_gate;

typedef struct lip_gates {
    lip_gate gate[GATES_MOST];
    size_t count;
} lip_gates;

const char *gate_name(lip_gate_kind kind); /* "max-lipschitz": the flag's name */

/* Does the gate ask for certified radii? */
bool gate_needs_data(const lip_gate *gate);

typedef enum lip_outcome { GATES_HOLD, GATES_FAIL, GATES_NO_VERDICT } lip_outcome;

/*
 * The section for a report, in the order of the gates; what compares takes the report's section "comparison". NULL
 * without memory. `space_known` false: whether radii are distances in the data's units is not known, and gates on radii
 * have no verdict.
 */
json_t *gates_judge(const lip_gates *gates, const json_t *report, bool space_known);

/* Of the section: no verdict if any gate has none; else failure if any fails. No gate at all is no verdict. */
lip_outcome gates_outcome(const json_t *section);

#endif
