/*
 * ops_markdown.c: the operator table as the README shows it.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "markdown.h"
#include "run.h"

static bool render(const lip_run_info *run, FILE *stream)
{
    (void)run;
    fputs("| operator | domain | opsets | gain |\n|---|---|---|---|\n", stream);
    for (size_t i = 0; i < lip_op_count(); i++) {
        lip_op_info op = lip_op_describe(i);
        fputs("| ", stream);
        markdown_print(stream, op.name);
        fputs(" | ", stream);
        markdown_print(stream, op.domain[0] != '\0' ? op.domain : "ai.onnx");
        fprintf(stream, " | %d-%d | ", op.opset_first, op.opset_last);
        markdown_print(stream, op.gain);
        fputs(" |\n", stream);
    }
    return true;
}

const lip_format format_ops_markdown = {"markdown", ".md", render};
