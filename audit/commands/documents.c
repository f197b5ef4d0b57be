/*
 * documents.c: the report of a model, however it is come by.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "documents.h"
#include "diagnostics.h"
#include "measure.h"

json_t *audit_document(const lip_options *options)
{
    lip_opened opened = {0};
    lip_report *report = NULL;
    json_t *document = NULL;
    if (opened_open(options, &opened) && measure(options, &opened, &report)) {
        opened.run.report = report;
        opened.run.preprocess = options->load.preprocess;
        opened.run.total_seconds = clock_seconds() - opened.started;
        document = document_of(&opened.run);
        if (!document)
            diagnose_message(stderr, "out of memory");
    }
    lip_report_free(&report);
    opened_close(&opened);
    return document;
}

json_t *document_for(const lip_options *options, const char *path, bool *partial)
{
    lip_error error = {0};
    lip_options one = *options;
    *partial = false;
    one.model = path;
    if (!document_recognises(path))
        return options->data.path ? certify_document(&one, true, partial) : audit_document(&one);
    json_t *document = document_load(path, 0, &error);
    if (document && options->data.path && !json_object_get(document, "certification") && !options->quiet)
        diagnose_note(stderr, "a saved report is taken as it is: it holds no samples, and --data adds none");
    if (!document)
        diagnose_error(stderr, &error);
    return document;
}
