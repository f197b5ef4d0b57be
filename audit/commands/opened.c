/*
 * opened.c: a model as the commands open it, and the reports they write.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "opened.h"
#include "diagnostics.h"
#include "gunzip.h"
#include "step_summary.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

double clock_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

int processor_count(void)
{
    long count = sysconf(_SC_NPROCESSORS_ONLN);
    return count > 0 && count < 4096 ? (int)count : 1;
}

static lip_status open_model(const lip_options *options, lip_opened *out, lip_error *error)
{
    size_t size;
    if (!gunzip_recognises(options->model))
        return lip_model_open(options->model, &options->load, &out->model, error);
    lip_status status = gunzip_file(options->model, options->load.max_memory, &out->bytes, &size, error);
    if (status != LIP_OK)
        return status;
    lip_load_options load = options->load;
    if (load.max_memory > 0) /* the unpacked bytes count too; 0 would mean the default */
        load.max_memory = load.max_memory > size ? load.max_memory - size : 1;
    return lip_model_open_bytes(out->bytes, size, options->model, &load, &out->model, error);
}

static bool gather(const lip_options *options, lip_opened *out)
{
    lip_run_info *run = &out->run;
    run->command = options->command->name;
    run->model = out->model;
    run->info = lip_model_describe(out->model);
    run->logits = lip_model_logits(out->model);
    run->threads = options->audit.threads > 0 ? options->audit.threads : processor_count();
    out->inputs = calloc(run->info.input_count > 0 ? run->info.input_count : 1, sizeof *out->inputs);
    if (!out->inputs) {
        diagnose_message(stderr, "out of memory");
        return false;
    }
    for (size_t i = 0; i < run->info.input_count; i++)
        out->inputs[i] = lip_model_input(out->model, i);
    run->inputs = out->inputs;
    return true;
}

bool opened_open(const lip_options *options, lip_opened *out)
{
    lip_error error = {0};
    *out = (lip_opened){.started = clock_seconds()};
    if (open_model(options, out, &error) != LIP_OK) {
        diagnose_error(stderr, &error);
        return false;
    }
    if (!gather(options, out))
        return false;
    out->run.load_seconds = clock_seconds() - out->started;
    if (!options->quiet)
        diagnose_notes(stderr, out->model, &out->run.info);
    return true;
}

bool opened_check_normalisation(const lip_options *options, const lip_opened *opened)
{
    const lip_preprocess *p = options->load.preprocess;
    const lip_model_info *info = &opened->run.info;
    lip_error error = {0};
    if (!p || (!p->mean && !p->std) || info->normalises[0] == '\0' || options->force)
        return true;
    snprintf(error.file, sizeof error.file, "%s", info->path);
    snprintf(error.node, sizeof error.node, "%s", info->normalises);
    snprintf(error.reason, sizeof error.reason, "the model itself normalises its input; --mean and --std would do it "
             "twice (--force to insist)");
    diagnose_error(stderr, &error);
    return false;
}

void opened_close(lip_opened *opened)
{
    lip_model_free(&opened->model);
    free(opened->bytes);
    free(opened->inputs);
    opened->bytes = NULL;
    opened->inputs = NULL;
}

static bool complain(const char *path, const char *why)
{
    lip_error error = {0};
    snprintf(error.file, sizeof error.file, "%s", path);
    snprintf(error.reason, sizeof error.reason, "%s", why);
    diagnose_error(stderr, &error);
    return false;
}

static bool is_read(const lip_options *options, const char *path)
{
    const char *const named[] = {options->policy, options->data.path, options->data.labels};
    for (size_t i = 0; i < sizeof named / sizeof *named; i++)
        if (named[i] && output_same_file(path, named[i]))
            return true;
    for (size_t i = 0; i < options->file_count; i++)
        if (output_same_file(path, options->files[i]))
            return true;
    return false;
}

/* Does the i-th report go to a file of its own? */
static bool check_alone(const lip_options *options, size_t i)
{
    const char *path = options->reports[i].path;
    if (output_is_stdout(&options->reports[i]))
        return true;
    if (options->model && output_same_file(path, options->model))
        return complain(path, "the report would replace the model");
    if (options->baseline && output_same_file(path, options->baseline))
        return complain(path, "the report would replace the baseline; --update-baseline does that");
    if (is_read(options, path))
        return complain(path, "the report would replace a file that is read");
    for (size_t other = 0; other < i; other++)
        if (!output_is_stdout(&options->reports[other]) && output_same_file(path, options->reports[other].path))
            return complain(path, "two reports go to this file");
    return true;
}

bool reports_check(const lip_options *options)
{
    lip_output_error error;
    for (size_t i = 0; i < options->report_count; i++) {
        if (!output_check(&options->reports[i], &error)) {
            diagnose_message(stderr, error.message);
            return false;
        }
        if (!check_alone(options, i))
            return false;
    }
    return true;
}

static bool wants_markdown(const lip_options *options)
{
    for (size_t i = 0; i < options->report_count; i++)
        if (options->reports[i].format == &format_markdown)
            return true;
    return false;
}

/* The first report comes last: it may go to a reader that leaves early (`| head`), which ends the process. */
bool reports_write(const lip_options *options, json_t *document)
{
    lip_output_error error;
    bool all = document != NULL;
    if (!document)
        diagnose_message(stderr, "out of memory");
    for (size_t i = document ? options->report_count : 0; i-- > 0;)
        if (!output_write(&options->reports[i], document, &error)) {
            diagnose_message(stderr, error.message);
            all = false;
        }
    if (document && wants_markdown(options) && !step_summary_append(document, &error)) {
        diagnose_message(stderr, error.message);
        all = false;
    }
    json_decref(document);
    return all;
}
