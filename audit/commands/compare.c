/*
 * compare.c: `lipaudit compare BASELINE MODEL`: two networks side by side,
 * each a model or a saved report.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "comparison.h"
#include "diagnostics.h"
#include "documents.h"

/* NULL after telling what went wrong. */
static json_t *compared(const lip_options *options, bool *partial)
{
    static const lip_tolerance none = {0};
    bool older_partial = false;
    json_t *older = document_for(options, options->files[0], &older_partial);
    json_t *document = older ? document_for(options, options->files[1], partial) : NULL;
    if (document) {
        document_put(&document, "comparison", comparison_of(older, options->files[0], document, &none));
        if (document)
            document_put(&document, "command", json_text("compare"));
        if (!document)
            diagnose_message(stderr, "out of memory");
    }
    json_decref(older);
    *partial = *partial || older_partial;
    return document;
}

static int run_compare(const lip_options *options)
{
    bool partial = false;
    json_t *document = reports_check(options) ? compared(options, &partial) : NULL;
    bool done = document && reports_write(options, document);
    return done && !partial ? EXIT_DONE : EXIT_NO_VERDICT;
}

const lip_command command_compare = {
    .name = "compare",
    .summary = "two networks side by side: layers, shares, L_F, radii",
    .details =
        "The report of MODEL, and beside each of its layers the one of BASELINE: gain, ratio, share, cumulative\n"
        "L. Layers are matched by the name of their weight, then module path, then node name, then operator\n"
        "and shapes in order. Each of the two is an .onnx file or a report that was saved with --report\n"
        "json=FILE; with --data the models among them are certified, and the radii compared too.\n"
        "\n"
        "change: 'regressed' is proved (the new lower bound is above the old upper one), 'looser' is not: only\n"
        "the bound grew.\n",
    .flags = FLAGS_REPORT | FLAGS_MODEL | FLAGS_AUDIT | FLAGS_DATA | FLAGS_CERTIFY,
    .files = "BASELINE MODEL",
    .files_least = 2,
    .files_most = 2,
    .formats = report_formats,
    .run = run_compare,
};
