/*
 * ops.c: `lipaudit ops`: the operator table.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "opened.h"

static int run_ops(const lip_options *options)
{
    return reports_check(options) && reports_write(options, document_of_operators()) ? EXIT_DONE : EXIT_NO_VERDICT;
}

static const lip_format *const formats[] = {&format_ops_text, &format_ops_markdown, NULL};

const lip_command command_ops = {
    .name = "ops",
    .summary = "supported operators, opsets and how each gain is known",
    .details = "Prints one row an operator.\n",
    .flags = FLAGS_REPORT,
    .takes_model = false,
    .formats = formats,
    .run = run_ops,
};
