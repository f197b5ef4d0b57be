/*
 * merge.c: `lipaudit merge SHARD.json ...`: one report from the shards of a
 * certify run.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "diagnostics.h"
#include "opened.h"
#include "shards.h"

static int run_merge(const lip_options *options)
{
    lip_shards shards = {0};
    lip_error error = {0};
    int status = EXIT_NO_VERDICT;
    if (!reports_check(options))
        return status;
    if (!shards_read(&shards, options->files, options->file_count, &error))
        diagnose_error(stderr, &error);
    else if (reports_write(options, shards_join(&shards)))
        status = EXIT_DONE;
    shards_free(&shards);
    return status;
}

const lip_command command_merge = {
    .name = "merge",
    .summary = "one report from the shards of a certify run",
    .details =
        "Joins the JSON reports of `lipaudit certify --shard 1/N` to `--shard N/N`, in any order. Refuses shards\n"
        "of different models, data, threat models, arithmetics or versions, and a shard that is missing, there\n"
        "twice, or partial. All numbers of the set are computed again from the samples' rows: they are those of\n"
        "one run over all samples. The bounds of the layers are those of the first report.\n",
    .flags = FLAGS_REPORT,
    .files = "SHARD.json ...",
    .files_least = 1,
    .files_most = OPTIONS_MAX_SHARDS,
    .formats = report_formats,
    .run = run_merge,
};
