/*
 * inspect.c: `lipaudit inspect MODEL`: the graph as it is understood, and what
 * is not understood and why. Bounds nothing.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "opened.h"

static int run_inspect(const lip_options *options)
{
    lip_opened opened = {0};
    bool done = reports_check(options) && opened_open(options, &opened);
    if (done) {
        opened.run.total_seconds = clock_seconds() - opened.started;
        done = reports_write(options, document_of_graph(&opened.run));
    }
    opened_close(&opened);
    return done ? EXIT_DONE : EXIT_NO_VERDICT;
}

static const lip_format *const formats[] = {&format_inspect_text, &format_json, NULL};

const lip_command command_inspect = {
    .name = "inspect",
    .summary = "the graph as understood: nodes, shapes, what is not supported and why",
    .details =
        "Prints the model's inputs and logits, then every node between them with its shapes; nodes that\n"
        "were folded into constants are counted (and listed in json).\n",
    .flags = FLAGS_REPORT | FLAGS_MODEL,
    .takes_model = true,
    .formats = formats,
    .run = run_inspect,
};
