/*
 * certify.c: `lipaudit certify MODEL --data D`: how far each sample is
 * guaranteed to keep its class.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "diagnostics.h"
#include "documents.h"
#include "document.h"
#include "measure.h"
#include "rows_file.h"
#include "sampling.h"
#include "sampling_json.h"
#include "tightness.h"

#include <math.h>
#include <string.h>

typedef struct lip_certify_run {
    const lip_options *options;
    lip_opened opened;
    lip_report *report;
    lip_certifier *certifier;
    lip_model_space space;
    bool in_model_space; /* radii at the model's input though the data are preprocessed */
    lip_attacking attacking;
    lip_sampling sampling;
} lip_certify_run;

static bool refuse(const char *message)
{
    diagnose_message(stderr, message);
    return false;
}

static bool explain(const lip_error *error)
{
    diagnose_error(stderr, error);
    return false;
}

/* What can be known to be wrong before the model is read. */
static bool check_options(const lip_options *options)
{
    lip_output_error error;
    if (!options->data.path)
        return refuse("'certify' wants samples: --data PATH");
    if (!reports_check(options))
        return false;
    if (!options->per_sample)
        return true;
    for (size_t i = 0; i < options->report_count; i++)
        if (!output_is_stdout(&options->reports[i]) && output_same_file(options->per_sample, options->reports[i].path))
            return refuse("--per-sample and a report go to the same file");
    if (output_same_file(options->per_sample, options->model) ||
        output_same_file(options->per_sample, options->data.path))
        return refuse("--per-sample would replace the model or the data");
    return replacement_check(ROWS_FILE_WHAT, options->per_sample, &error) || refuse(error.message);
}

/* The model, with the preprocessing prepended unless radii are wanted at the model's input. */
static bool open_model(lip_certify_run *run)
{
    lip_options_error reason;
    lip_options options = *run->options;
    const lip_preprocess *preprocess = options.load.preprocess;
    run->in_model_space = preprocess && options.space == LIP_SPACE_MODEL;
    if (run->in_model_space)
        options.load.preprocess = NULL;
    if (!opened_open(&options, &run->opened) || !opened_check_normalisation(run->options, &run->opened))
        return false;
    if (run->opened.run.info.input_count != 1)
        return refuse("'certify' perturbs one input: name it with --input");
    return !run->in_model_space || model_space_of(preprocess, &run->opened.inputs[0].shape, &run->space, &reason) ||
           refuse(reason.message);
}

/* Classes of logits [K] or [1, K]; 0: it is another shape, which the certifier refuses with its reason. */
static int64_t class_count(const lip_tensor_info *logits)
{
    const lip_shape *shape = &logits->shape;
    if (!logits->shape_known || shape->rank < 1 || shape->rank > 2 || (shape->rank == 2 && shape->dim[0] != 1))
        return 0;
    return shape->dim[shape->rank - 1];
}

static bool open_data(lip_certify_run *run)
{
    lip_error error = {0};
    lip_data_options data = run->options->data;
    data.input = run->opened.inputs[0].name;
    data.shape = run->opened.inputs[0].shape;
    data.classes = class_count(&run->opened.run.logits);
    data.preprocess = run->options->load.preprocess;
    data.max_memory = run->options->load.max_memory;
    if (data_open(&data, &run->sampling.data, &error) != LIP_OK)
        return explain(&error);
    for (size_t i = 0; !run->options->quiet && i < data_describe(run->sampling.data).note_count; i++)
        diagnose_note(stderr, data_note(run->sampling.data, i));
    return true;
}

/* Before the bounds, which may take long. */
static bool check_attack(lip_certify_run *run)
{
    lip_error error = {0};
    const lip_options *options = run->options;
    if (!options->attacked)
        return true;
    run->attacking = (lip_attacking){
        .model = run->opened.model,
        .options = {.method = options->attack, .threads = options->audit.threads, .seed = options->audit.seed,
                    .range = options->audit.range},
    };
    if (options->load.preprocess && !run->in_model_space) /* the paper's 1, of images scaled to [0, 1] */
        run->attacking.options.reach = 1.0 / options->load.preprocess->scale;
    run->sampling.attacking = &run->attacking;
    return attacking_check(&run->attacking, &error) || explain(&error);
}

static bool open_certifier(lip_certify_run *run)
{
    lip_error error = {0};
    lip_certify_options certify = run->options->certify;
    certify.threads = run->options->audit.threads;
    if (lip_certifier_open(run->opened.model, run->report, &certify, &run->certifier, &error) != LIP_OK)
        return explain(&error);
    run->sampling.certifier = run->certifier;
    run->space.lipschitz_upper = run->report->network.upper;
    /* A bound on a range says nothing about gradients on its edge. */
    run->attacking.steepest_upper = run->options->audit.range
        ? (double)INFINITY : nextafter(sqrt(2.0) * run->report->network.upper, (double)INFINITY);
    return true;
}

static bool certify_samples(lip_certify_run *run)
{
    lip_sampling *s = &run->sampling;
    lip_data_info data = data_describe(s->data);
    const lip_input_range *range = run->options->audit.range;
    if (range && !channels_of(range->count, &run->opened.inputs[0].shape, &s->range_channels))
        return refuse("--input-range holds one interval for each channel, and the input has no such channels");
    s->options = run->options;
    s->space = run->in_model_space ? &run->space : NULL;
    shard_range(run->options->shard, data.count, &s->first, &s->count);
    s->first += data.first;
    if (s->count == 0)
        return refuse("this shard has no samples: there are more shards than samples");
    if (!sampling_run(s))
        return false;
    if (s->partial) {
        char message[128];
        snprintf(message, sizeof message, "ended early, with %zu of %lld samples: the report is marked partial",
                 s->rows.count, (long long)s->count);
        diagnose_message(stderr, message);
    }
    return true;
}

static lip_certification certification_of(const lip_certify_run *run, const json_t *data)
{
    const lip_options *options = run->options;
    return (lip_certification){
        .rows = run->sampling.rows,
        .labelled = data_describe(run->sampling.data).has_labels,
        .pairwise = run->report->pairwise_upper != NULL,
        .local = options->certify.local && lip_certifier_local_reason(run->certifier)[0] == '\0',
        .local_reason = lip_certifier_local_reason(run->certifier),
        .partial = run->sampling.partial,
        .rows_apart = options->per_sample != NULL,
        .deployed = deployed_text(options->certify.deployed),
        .remark = lip_certifier_remark(run->certifier),
        .epsilon = options->epsilon,
        .epsilon_count = options->epsilon_count,
        .shard = options->shard,
        .data = data,
    };
}

/* Are there formats that list every sample? */
static bool wants_rows(const lip_options *options)
{
    for (size_t i = 0; i < options->report_count; i++)
        if (options->reports[i].format != &format_text && options->reports[i].format != &format_markdown)
            return true;
    return false;
}

/* NULL without memory. */
static json_t *make_document(lip_certify_run *run, const json_t *data, bool rows)
{
    lip_opened *opened = &run->opened;
    lip_certification certification = certification_of(run, data);
    opened->run.report = run->report;
    opened->run.preprocess = run->options->load.preprocess;
    opened->run.total_seconds = clock_seconds() - opened->started;
    json_t *document = document_of(&opened->run);
    bool complete = document && threat_model_state(document, run->options, run->in_model_space) &&
                    json_object_set_new(json_object_get(document, "timing"), "data",
                                        json_number(run->sampling.seconds)) == 0;
    json_t *section = complete ? certification_json(&certification, rows) : NULL;
    if (complete)
        document_put(&document, "certification", section);
    if (document && complete && run->options->attacked)
        document_put(&document, "tightness", tightness_json(&run->sampling.rows, attack_text(run->options->attack)));
    return json_whole(document, complete);
}

static bool gather_document(lip_certify_run *run, bool rows, json_t **out)
{
    lip_error error = {0};
    json_t *data = sampling_data_json(&run->sampling, &error);
    if (!data)
        return explain(&error);
    *out = make_document(run, data, rows);
    json_decref(data);
    return *out != NULL || refuse("out of memory");
}

json_t *certify_document(const lip_options *options, bool rows, bool *partial)
{
    json_t *document = NULL;
    lip_options bounds = *options;
    bounds.audit.bounds_only = true;
    lip_certify_run run = {.options = &bounds};
    if (check_options(options) && open_model(&run) && open_data(&run) && check_attack(&run) &&
        measure(&bounds, &run.opened, &run.report) && open_certifier(&run) && certify_samples(&run))
        gather_document(&run, rows, &document);
    *partial = run.sampling.partial;
    sampling_free(&run.sampling);
    lip_certifier_free(&run.certifier);
    lip_report_free(&run.report);
    data_close(&run.sampling.data);
    opened_close(&run.opened);
    return document;
}

static int run_certify(const lip_options *options)
{
    bool partial;
    json_t *document = certify_document(options, wants_rows(options), &partial);
    bool done = document && reports_write(options, document);
    return done && !partial ? EXIT_DONE : EXIT_NO_VERDICT;
}

const lip_command command_certify = {
    .name = "certify",
    .summary = "how far each sample is guaranteed to keep its class, over a set of data",
    .details =
        "For each sample the margin and an L2 radius within which no change of the input changes the class,\n"
        "proved, rounding included; over the set the quantiles of the radius (misclassified samples count\n"
        "as 0), the certified accuracy at each --epsilon (right, and no change of that norm or less changes\n"
        "the class), and the weakest samples. Two rules stand side by side: margin / (sqrt(2) L_F) as in\n"
        "Lipschitz-Margin Training, and pairwise bounds; with --local a third one, bounds on a ball around the\n"
        "sample itself, much the best for ordinary networks. The radius is the largest.\n"
        "\n"
        "Data go to the model as (x * scale - mean) / std, which is taken as a part of the network: radii are\n"
        "distances in the units of the data file, or, with --radius-space model, at the model's input.\n"
        "Numbers may be fractions: --scale 1/255 --epsilon 36/255,0.5.\n"
        "\n"
        "--attack looks for the nearest change that does change the class (L2, in float64, by gradients), for\n"
        "each sample that is right, and sets the medians of inequality (5) of Lipschitz-Margin Training beside\n"
        "each other: margin / (sqrt(2) L_F), margin / the steepest gradient of all samples, margin / that\n"
        "around the sample, distance of the attack. A certified radius above an attack's distance is an error.\n"
        "\n"
        "Ctrl-C and SIGTERM end the run with the samples done so far; the report is then marked partial and\n"
        "the exit status is 2. It is 2, too, for a network without a finite bound.\n",
    .flags = FLAGS_REPORT | FLAGS_MODEL | FLAGS_AUDIT | FLAGS_DATA | FLAGS_CERTIFY | FLAGS_ROWS | FLAGS_ATTACK,
    .takes_model = true,
    .formats = report_formats,
    .run = run_certify,
};
