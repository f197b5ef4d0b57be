/*
 * data_flags.c: what the flags about data and certificates set.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "data_flags.h"
#include "parse.h"
#include "rows_file.h"
#include "tightness.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* The index of `value` in word[count], or -1 with a message that lists them. */
static int choose(const lip_flag *flag, const char *value, const char *const *word, size_t count,
                  lip_options_error *error)
{
    char known[128] = "";
    for (size_t i = 0; i < count; i++) {
        if (strcmp(word[i], value) == 0)
            return (int)i;
        size_t used = strlen(known);
        snprintf(known + used, sizeof known - used, "%s%s", i == 0 ? "" : i + 1 < count ? ", " : " or ", word[i]);
    }
    options_refuse(error, "--%s: '%s' is not %s", flag->name, value, known);
    return -1;
}

bool set_data(lip_options *options, const lip_flag *flag, const char *value, lip_options_error *error)
{
    if (value[0] == '\0')
        return options_refuse(error, "--%s: the file's name is empty", flag->name);
    options->data.path = value;
    return true;
}

bool set_labels(lip_options *options, const lip_flag *flag, const char *value, lip_options_error *error)
{
    if (value[0] == '\0')
        return options_refuse(error, "--%s: the file's name is empty", flag->name);
    options->data.labels = value;
    return true;
}

bool set_layout(lip_options *options, const lip_flag *flag, const char *value, lip_options_error *error)
{
    static const char *const word[] = {"nchw", "nhwc"};
    int found = choose(flag, value, word, COUNT(word), error);
    options->data.layout = found == 0 ? LIP_LAYOUT_NCHW : LIP_LAYOUT_NHWC;
    return found >= 0;
}

/* The text before `mark`, copied, and the text behind it. False: there is no mark, or too much before it. */
static bool split(const char *value, char mark, char *before, size_t size, const char **behind)
{
    const char *at = strchr(value, mark);
    size_t length = at ? (size_t)(at - value) : size;
    if (length >= size)
        return false;
    memcpy(before, value, length);
    before[length] = '\0';
    *behind = at + 1;
    return true;
}

/* "A:B", either may be left out: samples A to before B. */
bool set_range(lip_options *options, const lip_flag *flag, const char *value, lip_options_error *error)
{
    char from[24];
    const char *to;
    uint64_t first = 0, end = 0;
    bool good = split(value, ':', from, sizeof from, &to) && (from[0] == '\0' || parse_u64(from, &first)) &&
                (to[0] == '\0' || (parse_u64(to, &end) && end > 0)) && first <= INT64_MAX && end <= INT64_MAX &&
                (end == 0 || first < end);
    if (!good)
        return options_refuse(error, "--%s: '%s' is not A:B with A < B (samples A to B - 1, counted from 0)",
                              flag->name, value);
    options->data.first = (int64_t)first;
    options->data.end = (int64_t)end;
    return true;
}

bool set_limit(lip_options *options, const lip_flag *flag, const char *value, lip_options_error *error)
{
    uint64_t limit;
    if (!parse_u64(value, &limit) || limit == 0 || limit > INT64_MAX)
        return options_refuse(error, "--%s: '%s' is not a whole number from 1", flag->name, value);
    options->data.limit = (int64_t)limit;
    return true;
}

static void use_preprocess(lip_options *options)
{
    if (!options->load.preprocess) {
        options->preprocess.scale = options->preprocess.scale > 0.0 ? options->preprocess.scale : 1.0;
        options->load.preprocess = &options->preprocess;
    }
}

bool set_scale(lip_options *options, const lip_flag *flag, const char *value, lip_options_error *error)
{
    double scale;
    if (!parse_number(value, &scale) || scale <= 0.0)
        return options_refuse(error, "--%s: '%s' is not a number > 0, such as 1/255", flag->name, value);
    options->preprocess.scale = scale;
    use_preprocess(options);
    return true;
}

bool set_mean(lip_options *options, const lip_flag *flag, const char *value, lip_options_error *error)
{
    if (!parse_numbers(value, options->mean, OPTIONS_MAX_CHANNELS, &options->preprocess.mean_count))
        return options_refuse(error, "--%s: '%s' is not 1 to %d numbers, such as 0.485,0.456,0.406", flag->name, value,
                              OPTIONS_MAX_CHANNELS);
    options->preprocess.mean = options->mean;
    use_preprocess(options);
    return true;
}

bool set_std(lip_options *options, const lip_flag *flag, const char *value, lip_options_error *error)
{
    bool good = parse_numbers(value, options->std, OPTIONS_MAX_CHANNELS, &options->preprocess.std_count);
    for (size_t i = 0; good && i < options->preprocess.std_count; i++)
        good = options->std[i] > 0.0;
    if (!good)
        return options_refuse(error, "--%s: '%s' is not 1 to %d numbers > 0, such as 0.229,0.224,0.225", flag->name,
                              value, OPTIONS_MAX_CHANNELS);
    options->preprocess.std = options->std;
    use_preprocess(options);
    return true;
}

bool set_radius_space(lip_options *options, const lip_flag *flag, const char *value, lip_options_error *error)
{
    static const char *const word[] = {"data", "model"};
    int found = choose(flag, value, word, COUNT(word), error);
    options->space = found == 0 ? LIP_SPACE_DATA : LIP_SPACE_MODEL;
    return found >= 0;
}

/* Each as it was asked for, beside its value. */
bool set_epsilon(lip_options *options, const lip_flag *flag, const char *value, lip_options_error *error)
{
    for (const char *at = value;;) {
        lip_epsilon epsilon = {0};
        size_t length = strcspn(at, ",");
        bool good = length > 0 && length < sizeof epsilon.text;
        if (good) {
            memcpy(epsilon.text, at, length);
            good = parse_number(epsilon.text, &epsilon.value) && epsilon.value >= 0.0;
        }
        if (!good || options->epsilon_count == OPTIONS_MAX_EPSILON)
            return options_refuse(error, "--%s: '%s' is not 1 to %d radii >= 0, such as 36/255,0.5", flag->name, value,
                                  OPTIONS_MAX_EPSILON);
        options->epsilon[options->epsilon_count++] = epsilon;
        if (at[length] == '\0')
            return true;
        at += length + 1;
    }
}

bool set_deployed(lip_options *options, const lip_flag *flag, const char *value, lip_options_error *error)
{
    static const lip_deployed kind[] = {LIP_DEPLOYED_FLOAT32, LIP_DEPLOYED_FLOAT16, LIP_DEPLOYED_EXACT};
    const char *const word[] = {deployed_text(kind[0]), deployed_text(kind[1]), deployed_text(kind[2])};
    int found = choose(flag, value, word, COUNT(word), error);
    if (found >= 0)
        options->certify.deployed = kind[found];
    return found >= 0;
}

bool set_precision(lip_options *options, const lip_flag *flag, const char *value, lip_options_error *error)
{
    static const lip_precision kind[] = {LIP_PRECISION_AUTO, LIP_PRECISION_FLOAT32, LIP_PRECISION_FLOAT64};
    static const char *const word[] = {"auto", "float32", "float64"};
    int found = choose(flag, value, word, COUNT(word), error);
    if (found >= 0)
        options->certify.precision = kind[found];
    return found >= 0;
}

bool set_local(lip_options *options, const lip_flag *flag, const char *value, lip_options_error *error)
{
    (void)flag, (void)value, (void)error;
    options->certify.local = true;
    return true;
}

bool set_attack(lip_options *options, const lip_flag *flag, const char *value, lip_options_error *error)
{
    static const lip_attack_kind kind[] = {LIP_ATTACK_DEEPFOOL, LIP_ATTACK_PGD, LIP_ATTACK_CW};
    const char *const word[] = {attack_text(kind[0]), attack_text(kind[1]), attack_text(kind[2])};
    int found = choose(flag, value, word, COUNT(word), error);
    options->attacked = found >= 0;
    if (found >= 0)
        options->attack = kind[found];
    return found >= 0;
}

bool set_per_sample(lip_options *options, const lip_flag *flag, const char *value, lip_options_error *error)
{
    if (!rows_file_known(value))
        return options_refuse(error, "--%s: '%s' ends neither in .csv nor in .npz", flag->name, value);
    options->per_sample = value;
    return true;
}

/* "i/n" */
bool set_shard(lip_options *options, const lip_flag *flag, const char *value, lip_options_error *error)
{
    char from[16];
    const char *of;
    int index = 0, count = 0;
    bool good = split(value, '/', from, sizeof from, &of) && parse_int(of, 1, OPTIONS_MAX_SHARDS, &count) &&
                parse_int(from, 1, count, &index);
    if (!good)
        return options_refuse(error, "--%s: '%s' is not I/N with 1 <= I <= N <= %d, such as 2/8", flag->name, value,
                              OPTIONS_MAX_SHARDS);
    options->shard = (lip_shard){index, count};
    return true;
}

bool set_force(lip_options *options, const lip_flag *flag, const char *value, lip_options_error *error)
{
    (void)flag, (void)value, (void)error;
    options->force = true;
    return true;
}
