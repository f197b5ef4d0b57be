/*
 * policy.h: a policy file, lipaudit.yaml: what `lipaudit check` is to ask for,
 * kept beside the model. Its keys are the names of flags, its values what the
 * flags take:
 *
 *   max-lipschitz: 20
 *   min-certified-accuracy: [90%@0.1, 60%@36/255]
 *   max-layer-upper:
 *     "conv*": 3
 *
 * One mapping, of keys to a value, a list of values, or a mapping whose
 * entries are read as KEY=VALUE.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_AUDIT_POLICY_H
#define LIP_AUDIT_POLICY_H

#include "audit.h"

typedef struct lip_policy_entry {
    char *key, *value;
    long line; /* from 1 */
} lip_policy_entry;

typedef struct lip_policy {
    lip_policy_entry *entry; /* in the order of the file */
    size_t count;
} lip_policy;

/*
 * Refuses, with the file, the line and a reason: what is not YAML or not of the form above, anchors, aliases and tags,
 * a key that is given twice, a file of more than 1 MiB. `out` is written only on success.
 */
lip_status policy_load(const char *path, lip_policy *out, lip_error *error);
void policy_free(lip_policy *policy);

#endif
