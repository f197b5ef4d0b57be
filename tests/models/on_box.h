/*
 * on_box.h: a model on inputs in [0, 1]: does the network stay in the ranges
 * that are proved for it, and its logits within L_F of that box?
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_TESTS_MODELS_ON_BOX_H
#define LIP_TESTS_MODELS_ON_BOX_H

#include "graph.h"

typedef struct on_box {
    const char *verdict; /* of the audit with the box; "refused" */
    double upper;
    size_t checked;    /* elements that were held against their range, all nodes and points */
    char wrong[512];   /* what is wrong, "" if nothing */
} on_box;

/* `upper`: L_F for all inputs; where it is finite it serves, and no second audit is made. Memory beyond the model's own
 * comes from the arena. */
on_box on_box_check(const lip_model *model, double upper, lip_arena *arena);

#endif
