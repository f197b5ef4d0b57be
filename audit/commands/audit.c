/*
 * audit.c: `lipaudit audit MODEL`: what every layer can amplify, proved, and
 * L_F. An unbounded or unknown network is a report, not an error.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "annotations.h"
#include "measure.h"
#include "starts.h"

static bool write_all(const lip_options *options, lip_opened *opened, const lip_report *report)
{
    opened->run.report = report;
    opened->run.preprocess = options->load.preprocess;
    opened->run.total_seconds = clock_seconds() - opened->started;
    json_t *document = document_of(&opened->run);
    bool done = document && annotations_write(options, opened, report, document);
    if (!document || done)
        return reports_write(options, document);
    json_decref(document);
    return false;
}

static int run_audit(const lip_options *options)
{
    lip_opened opened = {0};
    lip_report *report = NULL;
    lip_starts starts = {0};
    lip_options with = *options;
    bool done = reports_check(options) && annotations_check(options) && opened_open(options, &opened) &&
                opened_check_normalisation(options, &opened) && starts_read(options, &opened, &starts);
    with.audit.samples = starts.samples;
    with.audit.sample_count = opened.run.start_count = starts.count;
    done = done && measure(&with, &opened, &report) && write_all(options, &opened, report);
    starts_free(&starts);
    lip_report_free(&report);
    opened_close(&opened);
    return done ? EXIT_DONE : EXIT_NO_VERDICT;
}

const lip_command command_audit = {
    .name = "audit",
    .summary = "what every layer can amplify, proved, and L_F",
    .details =
        "Prints one row a layer. 'proved lower' and 'proved upper' enclose the layer's L2 gain (the spectral\n"
        "norm of a linear layer as it runs), rounding included. 'power iter.' (as in Lipschitz-Margin\n"
        "Training) and 'exact SVD' stand beside them and are not proved. 'cumul. L' bounds the network from\n"
        "its input to this layer, 'share' is the layer's part of log L_F. Then L_F, a proved upper bound of\n"
        "the Lipschitz constant from the input to the logits.\n"
        "\n"
        "The largest slope found stands beside L_F: with --data the search for it starts from samples, too.\n"
        "\n"
        "A network without a finite bound (UNBOUNDED), or with a node that is not known (UNKNOWN), is\n"
        "reported with the reason; the exit status is 0. It is 2 if there is no report.\n",
    .flags = FLAGS_REPORT | FLAGS_MODEL | FLAGS_AUDIT | FLAGS_SAMPLES | FLAGS_ANNOTATE,
    .takes_model = true,
    .formats = report_formats,
    .run = run_audit,
};
