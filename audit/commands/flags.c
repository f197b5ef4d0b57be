/*
 * flags.c: every flag, one row each.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "options.h"
#include "parse.h"

#include <limits.h>
#include <stdarg.h>
#include <string.h>

LIP_PRINTF(2, 3) static bool refuse(lip_options_error *error, const char *text, ...)
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
    return refuse(error, "--%s: '%s' has no format '%.*s'; it has: %s", flag->name, options->command->name,
                  (int)(length < 40 ? length : 40), name, known);
}

static bool set_format(lip_options *options, const lip_flag *flag, const char *value, lip_options_error *error)
{
    return find_format(options, flag, value, strlen(value), &options->reports[0].format, error);
}

static bool set_output(lip_options *options, const lip_flag *flag, const char *value, lip_options_error *error)
{
    if (value[0] == '\0')
        return refuse(error, "--%s: the file's name is empty", flag->name);
    options->reports[0].path = value;
    return true;
}

static bool set_report(lip_options *options, const lip_flag *flag, const char *value, lip_options_error *error)
{
    const char *equals = strchr(value, '=');
    if (!equals || equals[1] == '\0')
        return refuse(error, "--%s: '%s' is not FORMAT=FILE", flag->name, value);
    if (options->report_count == OPTIONS_MAX_REPORTS)
        return refuse(error, "--%s: more than %d reports", flag->name, OPTIONS_MAX_REPORTS - 1);
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
        return refuse(error, "--%s: '%s' is not NAME:SHAPE, such as x:1x3x224x224", flag->name, value);
    if (at == OPTIONS_MAX_SHAPES || length >= sizeof options->shape_names[0])
        return refuse(error, "--%s: too many shapes, or too long a name", flag->name);
    for (size_t i = 0; i < at; i++)
        if (strlen(options->shape_names[i]) == length && strncmp(options->shape_names[i], value, length) == 0)
            return refuse(error, "--%s: input '%s' is given twice", flag->name, options->shape_names[i]);
    memcpy(options->shape_names[at], value, length);
    options->shape_names[at][length] = '\0';
    options->shapes[at] = (lip_input_shape){options->shape_names[at], shape};
    options->load.shape_count++;
    return true;
}

static bool set_max_memory(lip_options *options, const lip_flag *flag, const char *value, lip_options_error *error)
{
    return parse_size(value, &options->load.max_memory) ||
           refuse(error, "--%s: '%s' is not a size, such as 500M or 4GiB", flag->name, value);
}

static bool set_threads(lip_options *options, const lip_flag *flag, const char *value, lip_options_error *error)
{
    return parse_int(value, 1, 4096, &options->audit.threads) ||
           refuse(error, "--%s: '%s' is not a whole number from 1 to 4096", flag->name, value);
}

static bool set_seed(lip_options *options, const lip_flag *flag, const char *value, lip_options_error *error)
{
    return parse_u64(value, &options->audit.seed) ||
           refuse(error, "--%s: '%s' is not a whole number from 0 to 18446744073709551615", flag->name, value);
}

static bool set_iterations(lip_options *options, const lip_flag *flag, const char *value, lip_options_error *error)
{
    return parse_int(value, 1, INT_MAX, &options->audit.iterations) ||
           refuse(error, "--%s: '%s' is not a whole number from 1 to %d", flag->name, value, INT_MAX);
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
    return refuse(error, "--%s: '%s' is not auto, always or never", flag->name, value);
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
    {"iterations", 0, "N", "of the power-iteration column (default 100)", FLAGS_AUDIT, set_iterations},
    {"seed", 0, "N", "of all randomness (default 0)", FLAGS_AUDIT, set_seed},
    {"threads", 0, "N", "layers audited at a time (default: one per processor)", FLAGS_AUDIT, set_threads},
    {"no-progress", 0, NULL, "no progress line on a terminal", FLAGS_AUDIT, set_no_progress},
    {"help", 'h', NULL, "this text", 0, set_help},
};
const size_t flag_count = sizeof flags / sizeof *flags;

bool flag_applies(const lip_flag *flag, const lip_command *command)
{
    return flag->groups == 0 || (flag->groups & command->flags) != 0;
}
