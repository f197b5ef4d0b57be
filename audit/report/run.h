/*
 * run.h: everything one run of lipaudit found out, in memory, and the formats
 * that write it. A format is one constant value at the end of its file and one
 * row in the table of the command that offers it (audit/commands/).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_AUDIT_RUN_H
#define LIP_AUDIT_RUN_H

#include "audit.h"

#include <stdio.h>

/* Strings and arrays are borrowed; a run owns nothing. */
typedef struct lip_run_info {
    const char *command;       /* "audit" */
    lip_model_info info;       /* empty for `ops` */
    lip_tensor_info logits;
    const lip_tensor_info *inputs; /* info.input_count of them */
    const lip_model *model;    /* for the nodes that `inspect` lists; otherwise NULL */
    const lip_report *report;  /* `audit`; otherwise NULL */
    int threads;
    double load_seconds, total_seconds;
} lip_run_info;

/* Writes the report. False: out of memory. Errors of the stream are left in the stream. */
typedef bool lip_render(const lip_run_info *run, FILE *stream);

typedef struct lip_format {
    const char *name, *extension;
    lip_render *render;
} lip_format;

extern const lip_format format_audit_text, format_audit_json, format_audit_csv, format_audit_markdown;
extern const lip_format format_inspect_text, format_inspect_json;
extern const lip_format format_ops_text, format_ops_markdown;

#endif
