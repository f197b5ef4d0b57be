/*
 * flags.c: every flag, one row each.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "data_flags.h"
#include "gate_flags.h"
#include "parse.h"

#include <limits.h>
#include <stdarg.h>
#include <string.h>

bool options_refuse(lip_options_error *error, const char *text, ...)
{
    va_list arguments;
    va_start(arguments, text);
    vsnprintf(error->message, sizeof error->message, text, arguments);
    va_end(arguments);
    return false;
}

static bool find_format(const lip_options *options, const lip_flag *flag, const char *name, size_t length,
                        const lip_format **out, lip_options_error *error)
{
    char known[128] = "";
    for (const lip_format *const *f = options->command->formats; *f; f++) {
        if (strlen((*f)->name) == length && strncmp((*f)->name, name, length) == 0) {
            *out = *f;
            return true;
        }
        size_t used = strlen(known);
        snprintf(known + used, sizeof known - used, "%s%s", used > 0 ? ", " : "", (*f)->name);
    }
    return options_refuse(error, "--%s: '%s' has no format '%.*s'; it has: %s", flag->name, options->command->name,
                  (int)(length < 40 ? length : 40), name, known);
}

static bool set_format(lip_options *options, const lip_flag *flag, const char *value, lip_options_error *error)
{
    return find_format(options, flag, value, strlen(value), &options->reports[0].format, error);
}

static bool set_output(lip_options *options, const lip_flag *flag, const char *value, lip_options_error *error)
{
    if (value[0] == '\0')
        return options_refuse(error, "--%s: the file's name is empty", flag->name);
    options->reports[0].path = value;
    return true;
}

static bool set_report(lip_options *options, const lip_flag *flag, const char *value, lip_options_error *error)
{
    const char *equals = strchr(value, '=');
    if (!equals || equals[1] == '\0')
        return options_refuse(error, "--%s: '%s' is not FORMAT=FILE", flag->name, value);
    if (options->report_count == OPTIONS_MAX_REPORTS)
        return options_refuse(error, "--%s: more than %d reports", flag->name, OPTIONS_MAX_REPORTS - 1);
    lip_output *report = &options->reports[options->report_count];
    if (!find_format(options, flag, value, (size_t)(equals - value), &report->format, error))
        return false;
    report->path = equals + 1;
    options->report_count++;
    return true;
}

static bool set_quiet(lip_options *options, const lip_flag *flag, const char *value, lip_options_error *error)
{
    (void)flag, (void)value, (void)error;
    options->quiet = true;
    return true;
}

static bool set_no_progress(lip_options *options, const lip_flag *flag, const char *value, lip_options_error *error)
{
    (void)flag, (void)value, (void)error;
    options->no_progress = true;
    return true;
}

static bool set_help(lip_options *options, const lip_flag *flag, const char *value, lip_options_error *error)
{
    (void)flag, (void)value, (void)error;
    options->help = true;
    return true;
}

static bool set_input(lip_options *options, const lip_flag *flag, const char *value, lip_options_error *error)
{
    (void)flag, (void)error;
    options->load.input = value;
    return true;
}

static bool set_logits(lip_options *options, const lip_flag *flag, const char *value, lip_options_error *error)
{
    (void)flag, (void)error;
    options->load.output = value;
    return true;
}

static bool set_input_shape(lip_options *options, const lip_flag *flag, const char *value, lip_options_error *error)
{
    const char *colon = strrchr(value, ':'); /* the last one: names may hold colons ("serving_default_x:0") */
    size_t at = options->load.shape_count, length = colon ? (size_t)(colon - value) : 0;
    lip_shape shape;
    if (length == 0 || !parse_shape(colon + 1, &shape))
        return options_refuse(error, "--%s: '%s' is not NAME:SHAPE, such as x:1x3x224x224", flag->name, value);
    if (at == OPTIONS_MAX_SHAPES || length >= sizeof options->shape_names[0])
        return options_refuse(error, "--%s: too many shapes, or too long a name", flag->name);
    for (size_t i = 0; i < at; i++)
        if (strlen(options->shape_names[i]) == length && strncmp(options->shape_names[i], value, length) == 0)
            return options_refuse(error, "--%s: input '%s' is given twice", flag->name, options->shape_names[i]);
    memcpy(options->shape_names[at], value, length);
    options->shape_names[at][length] = '\0';
    options->shapes[at] = (lip_input_shape){options->shape_names[at], shape};
    options->load.shape_count++;
    return true;
}

static bool set_max_memory(lip_options *options, const lip_flag *flag, const char *value, lip_options_error *error)
{
    return parse_size(value, &options->load.max_memory) ||
           options_refuse(error, "--%s: '%s' is not a size, such as 500M or 4GiB", flag->name, value);
}

static bool set_threads(lip_options *options, const lip_flag *flag, const char *value, lip_options_error *error)
{
    return parse_int(value, 1, 4096, &options->audit.threads) ||
           options_refuse(error, "--%s: '%s' is not a whole number from 1 to 4096", flag->name, value);
}

static bool set_seed(lip_options *options, const lip_flag *flag, const char *value, lip_options_error *error)
{
    return parse_u64(value, &options->audit.seed) ||
           options_refuse(error, "--%s: '%s' is not a whole number from 0 to 18446744073709551615", flag->name, value);
}

static bool set_effort(lip_options *options, const lip_flag *flag, const char *value, lip_options_error *error)
{
    int effort;
    if (!parse_int(value, 0, 3, &effort))
        return options_refuse(error, "--%s: '%s' is not 0, 1, 2 or 3", flag->name, value);
    options->audit.effort = (lip_effort)(effort + LIP_EFFORT_PRODUCT);
    return true;
}

static bool set_max_seconds(lip_options *options, const lip_flag *flag, const char *value, lip_options_error *error)
{
    return (parse_number(value, &options->audit.max_seconds) && options->audit.max_seconds > 0) ||
           options_refuse(error, "--%s: '%s' is not a number of seconds above 0", flag->name, value);
}

static bool set_iterations(lip_options *options, const lip_flag *flag, const char *value, lip_options_error *error)
{
    return parse_int(value, 1, INT_MAX, &options->audit.iterations) ||
           options_refuse(error, "--%s: '%s' is not a whole number from 1 to %d", flag->name, value, INT_MAX);
}

static bool set_input_range(lip_options *options, const lip_flag *flag, const char *value, lip_options_error *error)
{
    lip_input_range *range = &options->input_range;
    if (!parse_intervals(value, options->range_lo, options->range_hi, OPTIONS_MAX_CHANNELS, &range->count))
        return options_refuse(error, "--%s: '%s' is not LO:HI, such as 0:1, for all channels or one for each",
                              flag->name, value);
    range->lo = options->range_lo;
    range->hi = options->range_hi;
    options->audit.range = range;
    return true;
}

static bool set_exact(lip_options *options, const lip_flag *flag, const char *value, lip_options_error *error)
{
    static const char *const word[] = {
        [LIP_EXACT_AUTO] = "auto", [LIP_EXACT_ALWAYS] = "always", [LIP_EXACT_NEVER] = "never",
    };
    for (size_t i = 0; i < sizeof word / sizeof *word; i++)
        if (strcmp(word[i], value) == 0) {
            options->audit.exact = (lip_exact)i;
            return true;
        }
    return options_refuse(error, "--%s: '%s' is not auto, always or never", flag->name, value);
}

static bool set_annotate(lip_options *options, const lip_flag *flag, const char *value, lip_options_error *error)
{
    options->annotate = value;
    return value[0] != '\0' || options_refuse(error, "--%s: the file's name is empty", flag->name);
}

static bool set_model_explorer(lip_options *options, const lip_flag *flag, const char *value, lip_options_error *error)
{
    options->model_explorer = value;
    return value[0] != '\0' || options_refuse(error, "--%s: the file's name is empty", flag->name);
}

const lip_flag flags[] = {
    {"format", 0, "FORMAT", "format of the report; the first one is the default", FLAGS_REPORT, set_format},
    {"output-file", 'o', "FILE", "write the report to FILE instead of standard output", FLAGS_REPORT, set_output},
    {"report", 0, "FORMAT=FILE", "write the report in this format too; repeatable", FLAGS_REPORT, set_report},
    {"quiet", 'q', NULL, "no progress, no notes; the report is still written", FLAGS_REPORT, set_quiet},
    {"input", 0, "NAME", "the one graph input that is perturbed (default: all of floating point)", FLAGS_MODEL,
     set_input},
    {"output", 0, "NAME", "the tensor taken as logits (default: the first output, before a softmax)", FLAGS_MODEL,
     set_logits},
    {"input-shape", 0, "NAME:1x3x224x224", "shape of an input with dynamic dimensions; repeatable", FLAGS_MODEL,
     set_input_shape},
    {"max-memory", 0, "SIZE", "cap on memory, such as 500M or 4GiB (default: half of the machine's)", FLAGS_MODEL,
     set_max_memory},
    {"exact", 0, "auto|always|never", "exact SVD and certificates: where affordable, wherever they fit, never",
     FLAGS_AUDIT, set_exact},
    {"input-range", 0, "LO:HI[,LO:HI...]", "bounds that hold for inputs in this range, one for all channels or each",
     FLAGS_AUDIT, set_input_range},
    {"iterations", 0, "N", "of the power-iteration column (default 100)", FLAGS_AUDIT, set_iterations},
    {"effort", 0, "0..3", "of L_F: 0 product, 1 layerwise multipliers, 2 optimised (default), 3 for each pair",
     FLAGS_AUDIT, set_effort},
    {"max-seconds", 0, "S", "of --effort; ends with the best bound proved so far", FLAGS_AUDIT, set_max_seconds},
    {"seed", 0, "N", "of all randomness (default 0)", FLAGS_AUDIT, set_seed},
    {"threads", 0, "N", "layers audited at a time (default: one per processor)", FLAGS_AUDIT, set_threads},
    {"data", 0, "PATH", "samples: .npy, .npz, IDX, CSV, TensorProto (.pb, test_data_set_* folders); gzip'd too",
     FLAGS_SAMPLES | FLAGS_DATA, set_data},
    {"labels", 0, "PATH", "their classes, where they are in a file of their own", FLAGS_DATA, set_labels},
    {"layout", 0, "nchw|nhwc", "how the images of the data lie", FLAGS_SAMPLES | FLAGS_DATA, set_layout},
    {"range", 0, "A:B", "only samples A to B - 1, counted from 0", FLAGS_SAMPLES | FLAGS_DATA, set_range},
    {"limit", 0, "N", "only the first N samples (of the range)", FLAGS_SAMPLES | FLAGS_DATA, set_limit},
    {"scale", 0, "S", "what the data are multiplied by before they reach the model, such as 1/255",
     FLAGS_SAMPLES | FLAGS_DATA, set_scale},
    {"mean", 0, "M1,M2,...", "what is subtracted then, a channel or all", FLAGS_SAMPLES | FLAGS_DATA, set_mean},
    {"std", 0, "S1,S2,...", "what they are divided by then, a channel or all", FLAGS_SAMPLES | FLAGS_DATA, set_std},
    {"radius-space", 0, "data|model", "radii as distances in the data (default), or at the model's input", FLAGS_DATA,
     set_radius_space},
    {"force", 0, NULL, "use --mean and --std though the model itself normalises its input", FLAGS_SAMPLES | FLAGS_DATA,
     set_force},
    {"epsilon", 0, "E1,E2,...", "radii to state the certified accuracy at, such as 36/255,0.5", FLAGS_CERTIFY,
     set_epsilon},
    {"deployed", 0, "float32|float16|exact", "the arithmetic that the network runs in (default float32)", FLAGS_CERTIFY,
     set_deployed},
    {"precision", 0, "auto|float32|float64", "of the forward passes here; their rounding is part of the proof",
     FLAGS_CERTIFY, set_precision},
    {"local", 0, NULL, "bounds around each sample as well: larger radii, for some tenths of a second a sample",
     FLAGS_CERTIFY, set_local},
    {"attack", 0, "deepfool|pgd|cw", "the nearest change of the class that this attack finds, beside each radius",
     FLAGS_ATTACK, set_attack},
    {"per-sample", 0, "FILE.csv|FILE.npz", "write one row a sample to FILE instead of the report", FLAGS_ROWS,
     set_per_sample},
    {"shard", 0, "I/N", "only the I-th of N parts of the samples; `lipaudit merge` joins their reports", FLAGS_CERTIFY,
     set_shard},
    {"annotate", 0, "OUT.onnx", "write the model again with the bounds in its nodes' metadata", FLAGS_ANNOTATE,
     set_annotate},
    {"model-explorer", 0, "FILE.json", "write the bounds as node data for Model Explorer", FLAGS_ANNOTATE,
     set_model_explorer},
    {"min-radius", 0, "R", "the median certified radius is at least R; R@Q: of another quantile; repeatable",
     FLAGS_GATES, set_min_radius},
    {"quantile", 0, "Q", "the share of samples that may have a smaller radius (default 0.5)", FLAGS_GATES,
     set_quantile},
    {"min-certified-accuracy", 0, "P@EPS",
     "at least a share P of all samples is right and certified at EPS; repeatable", FLAGS_GATES,
     set_min_certified_accuracy},
    {"max-lipschitz", 0, "L", "L_F is at most L", FLAGS_GATES, set_max_lipschitz},
    {"max-layer-upper", 0, "PATTERN=U", "the gain of each layer of such a name or module is at most U; repeatable",
     FLAGS_GATES, set_max_layer_upper},
    {"baseline", 0, "FILE", "a saved report: L_F (and the median radius) is not worse than in there", FLAGS_GATES,
     set_baseline},
    {"max-regression", 0, "T", "how much worse is allowed: 5% (the default), 0.1 (absolute), 5%+0.1", FLAGS_GATES,
     set_max_regression},
    {"max-layer-regression", 0, "T", "the gain of no layer has grown by more than T either", FLAGS_GATES,
     set_max_layer_regression},
    {"update-baseline", 0, NULL, "write this report to the baseline's file, and say what moved", FLAGS_GATES,
     set_update_baseline},
    {"policy", 0, "FILE", "gates and other flags from a YAML file; see lipaudit-policy(5)", FLAGS_GATES, set_policy},
    {"exit-zero", 0, NULL, "exit with 0 where a gate fails (not where there is no verdict)", FLAGS_GATES,
     set_exit_zero},
    {"no-progress", 0, NULL, "no progress line on a terminal", FLAGS_AUDIT, set_no_progress},
    {"help", 'h', NULL, "this text", 0, set_help},
};
const size_t flag_count = sizeof flags / sizeof *flags;

bool flag_applies(const lip_flag *flag, const lip_command *command)
{
    return flag->groups == 0 || (flag->groups & command->flags) != 0;
}
