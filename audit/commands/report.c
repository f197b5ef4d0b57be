/*
 * report.c: `lipaudit report RUN.json`: a saved report in another format.
 * Computes nothing.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "diagnostics.h"
#include "opened.h"

static int run_report(const lip_options *options)
{
    lip_error error = {0};
    if (!reports_check(options))
        return EXIT_NO_VERDICT;
    json_t *document = document_load(options->files[0], 0, &error);
    if (!document) {
        diagnose_error(stderr, &error);
        return EXIT_NO_VERDICT;
    }
    return reports_write(options, document) ? EXIT_DONE : EXIT_NO_VERDICT;
}

const lip_command command_report = {
    .name = "report",
    .summary = "a saved report in another format",
    .details =
        "Renders a report that was saved with --report json=FILE. Nothing is computed again: every number is\n"
        "the saved one.\n",
    .flags = FLAGS_REPORT,
    .files = "RUN.json",
    .files_least = 1,
    .files_most = 1,
    .formats = report_formats,
    .run = run_report,
};
