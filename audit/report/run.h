/*
 * run.h: everything one run of lipaudit found out, in memory. document.h makes
 * it the document that every format is rendered from.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_AUDIT_RUN_H
#define LIP_AUDIT_RUN_H

#include "audit.h"

/* Strings and arrays are borrowed; a run owns nothing. */
typedef struct lip_run_info {
    const char *command;       /* "audit" */
    lip_model_info info;       /* empty for `ops` */
    lip_tensor_info logits;
    const lip_tensor_info *inputs; /* info.input_count of them */
    const lip_model *model;    /* for the nodes that `inspect` lists; otherwise NULL */
    const lip_report *report;  /* `audit`; otherwise NULL */
    const lip_preprocess *preprocess; /* prepended to the model; NULL: none */
    size_t start_count; /* samples that the search for large slopes started from */
    int threads;
    double load_seconds, total_seconds;
} lip_run_info;

#endif
