/*
 * formats.c: the table of formats of a report, in the order of the help.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "format.h"

const lip_format *const report_formats[] = {
    &format_text,
    &format_json,
    &format_csv,
    &format_markdown,
    &format_html,
    &format_junit,
    &format_sarif,
    &format_github,
    &format_gitlab,
    &format_openmetrics,
    &format_dot,
    NULL,
};
