/*
 * findings.h: what is wrong with a network, as the formats for other tools
 * (SARIF, annotations, code quality) list it: gates that do not hold, nodes
 * without a bound, layers that are worse than the baseline's.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_AUDIT_FINDINGS_H
#define LIP_AUDIT_FINDINGS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

typedef enum lip_rule_id {
    RULE_GATE_FAILS,
    RULE_GATE_NO_VERDICT,
    RULE_UNBOUNDED,
    RULE_UNKNOWN,
    RULE_REGRESSED,
    RULE_LOOSER,
    RULE_COUNT
} lip_rule_id;

typedef struct lip_rule_text {
    const char *id;    /* "gate-fails": stable */
    const char *level; /* SARIF's: "error", "warning", "note" */
    const char *title, *help;
} lip_rule_text;

extern const lip_rule_text finding_rules[RULE_COUNT];

typedef struct lip_finding_row {
    lip_rule_id rule;
    const char *node, *module; /* "": the network as a whole. Borrowed from the report */
    const char *subject;       /* the gate's name, or "": with rule and node what makes it the same in the next run */
    double weight;             /* how bad, among those of its rule */
    size_t order;
    char message[1024];
    char fingerprint[65];      /* of rule, subject and node: numbers are not in it */
} lip_finding_row;

typedef struct lip_findings {
    lip_finding_row *row; /* worst first */
    size_t count;
} lip_findings;

/* False: out of memory. Free with findings_free in either case. */
bool findings_of(const json_t *report, lip_findings *out);
void findings_free(lip_findings *findings);

/* A path as a URI reference relative to where lipaudit ran: "/" stays, what is not allowed is escaped. A new string. */
json_t *uri_of(const char *path);

#endif
