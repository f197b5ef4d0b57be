/*
 * check.c: `lipaudit check MODEL GATES`: does the model meet the bar? The exit
 * status says so: 0 every gate holds, 1 one fails, 2 there is no verdict.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "baseline.h"
#include "diagnostics.h"
#include "documents.h"
#include "space.h"

/* The older report; *out is NULL where it is to be made for the first time. */
static bool read_baseline(const lip_options *options, json_t **out)
{
    lip_error error = {0};
    lip_output_error why;
    *out = NULL;
    if (!options->baseline)
        return true;
    if (options->update_baseline) {
        if (!replacement_check(BASELINE_WHAT, options->baseline, &why)) {
            diagnose_message(stderr, why.message);
            return false;
        }
        if (!baseline_exists(options->baseline))
            return true;
    }
    *out = document_load(options->baseline, 0, &error);
    if (!*out)
        diagnose_error(stderr, &error);
    return *out != NULL;
}

static bool add_sections(const lip_options *options, const json_t *older, json_t **document)
{
    if (older)
        document_put(document, "comparison", comparison_of(older, options->baseline, *document, &options->regression));
    if (*document)
        document_put(document, "gates",
                     gates_judge(&options->gates, *document,
                                 space_known(*document, options->space != LIP_SPACE_NOT_STATED)));
    if (*document)
        document_put(document, "command", json_text("check"));
    if (!*document)
        diagnose_message(stderr, "out of memory");
    return *document != NULL;
}

static int status_of(const lip_options *options, const json_t *document, bool partial)
{
    lip_outcome outcome = options->gates.count > 0 ? gates_outcome(json_object_get(document, "gates")) : GATES_HOLD;
    if (partial || outcome == GATES_NO_VERDICT)
        return EXIT_NO_VERDICT;
    return outcome == GATES_HOLD || options->exit_zero ? EXIT_DONE : EXIT_GATE_FAILS;
}

static int run_check(const lip_options *options)
{
    bool partial = false;
    int status = EXIT_NO_VERDICT;
    json_t *older = NULL;
    if (!reports_check(options) || !read_baseline(options, &older))
        return status;
    json_t *document = document_for(options, options->model, &partial);
    if (document && add_sections(options, older, &document)) {
        status = status_of(options, document, partial);
        if (options->update_baseline && !baseline_write(options->baseline, document))
            status = EXIT_NO_VERDICT;
        if (!reports_write(options, document))
            status = EXIT_NO_VERDICT;
    }
    json_decref(older);
    return status;
}

const lip_command command_check = {
    .name = "check",
    .summary = "does the model meet these gates? The exit status says so",
    .details =
        "Audits the model (with --data: certifies it), or takes a saved report, and holds it against gates;\n"
        "each is reported with what is wanted, what was found, and whether it holds.\n"
        "\n"
        "Exit status: 0 every gate holds; 1 a gate fails; 2 there is no verdict: something that a gate asks\n"
        "for could not be measured (an unreadable file, a network without a finite bound, no samples).\n"
        "\n"
        "  lipaudit check model.onnx --max-lipschitz 20 --max-layer-upper 'conv*=3'\n"
        "  lipaudit check model.onnx --data test.npz --min-certified-accuracy 80%@36/255\n"
        "  lipaudit check model.onnx --baseline main.json --max-regression 5%\n"
        "  lipaudit check model.onnx --baseline main.json --update-baseline\n"
        "  lipaudit check model.onnx --policy lipaudit.yaml --report github=-\n",
    .flags = FLAGS_REPORT | FLAGS_MODEL | FLAGS_AUDIT | FLAGS_DATA | FLAGS_CERTIFY | FLAGS_GATES,
    .takes_model = true,
    .formats = report_formats,
    .run = run_check,
};
