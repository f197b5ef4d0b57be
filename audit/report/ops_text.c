/*
 * ops_text.c: the operator table, one row a line.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "run.h"

#include <string.h>

static int widest_name(void)
{
    size_t widest = strlen("operator");
    for (size_t i = 0; i < lip_op_count(); i++) {
        size_t length = strlen(lip_op_describe(i).name);
        widest = length > widest ? length : widest;
    }
    return (int)widest;
}

static bool render(const lip_run_info *run, FILE *stream)
{
    (void)run;
    int width = widest_name();
    fprintf(stream, "%-*s %-14s %-6s  gain\n", width, "operator", "domain", "opsets");
    for (size_t i = 0; i < lip_op_count(); i++) {
        lip_op_info op = lip_op_describe(i);
        char opsets[32];
        snprintf(opsets, sizeof opsets, "%d-%d", op.opset_first, op.opset_last);
        const char *domain = op.domain[0] != '\0' ? op.domain : "ai.onnx";
        fprintf(stream, "%-*s %-14s %-6s  %s\n", width, op.name, domain, opsets, op.gain);
    }
    return true;
}

const lip_format format_ops_text = {"text", ".txt", render};
