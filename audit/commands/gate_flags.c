/*
 * gate_flags.c: what the flags about gates set.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "gate_flags.h"
#include "parse.h"

#include <math.h>
#include <string.h>

#define DEFAULT_REGRESSION 0.05

static bool add(lip_options *options, const lip_flag *flag, const lip_gate *gate, lip_options_error *error)
{
    if (options->gates.count == GATES_MOST)
        return options_refuse(error, "--%s: more than %d gates", flag->name, GATES_MOST);
    options->gates.gate[options->gates.count++] = *gate;
    return true;
}

/* The text up to `end`, as a number; with '%' at its end, a hundredth of it. */
static bool parse_part(const char *text, size_t length, double *out, bool *percent)
{
    char part[64];
    if (length == 0 || length >= sizeof part)
        return false;
    memcpy(part, text, length);
    part[length] = '\0';
    *percent = part[length - 1] == '%';
    if (*percent)
        part[length - 1] = '\0';
    if (!parse_number(part, out))
        return false;
    *out = *percent ? *out / 100.0 : *out;
    return true;
}

bool set_min_radius(lip_options *options, const lip_flag *flag, const char *value, lip_options_error *error)
{
    lip_gate gate = {.kind = GATE_MIN_RADIUS, .quantile = -1.0};
    bool percent;
    const char *at = strchr(value, '@');
    size_t length = at ? (size_t)(at - value) : strlen(value);
    if (!parse_part(value, length, &gate.wanted, &percent) || percent || gate.wanted < 0.0 ||
        (at && (!parse_part(at + 1, strlen(at + 1), &gate.quantile, &percent) || gate.quantile < 0.0 ||
                gate.quantile > 1.0)))
        return options_refuse(error, "--%s: '%s' is not a radius, such as 0.1, or 0.1@0.25 with its quantile",
                              flag->name, value);
    return add(options, flag, &gate, error);
}

bool set_quantile(lip_options *options, const lip_flag *flag, const char *value, lip_options_error *error)
{
    bool percent;
    if (parse_part(value, strlen(value), &options->quantile, &percent) && options->quantile >= 0.0 &&
        options->quantile <= 1.0) {
        options->quantile_given = true;
        return true;
    }
    return options_refuse(error, "--%s: '%s' is not a number from 0 to 1, such as 0.25", flag->name, value);
}

/* The radius becomes one that the report states the certified accuracy at. */
static bool want_epsilon(lip_options *options, const lip_flag *flag, const char *text, double value,
                         lip_options_error *error)
{
    for (size_t i = 0; i < options->epsilon_count; i++)
        if (options->epsilon[i].value == value)
            return true;
    if (options->epsilon_count == OPTIONS_MAX_EPSILON)
        return options_refuse(error, "--%s: more than %d radii", flag->name, OPTIONS_MAX_EPSILON);
    lip_epsilon *epsilon = &options->epsilon[options->epsilon_count++];
    epsilon->value = value;
    snprintf(epsilon->text, sizeof epsilon->text, "%s", text);
    return true;
}

bool set_min_certified_accuracy(lip_options *options, const lip_flag *flag, const char *value,
                                lip_options_error *error)
{
    lip_gate gate = {.kind = GATE_MIN_CERTIFIED_ACCURACY};
    bool percent;
    const char *at = strchr(value, '@');
    if (!at || !parse_part(value, (size_t)(at - value), &gate.wanted, &percent) || gate.wanted < 0.0 ||
        gate.wanted > 1.0 || !parse_number(at + 1, &gate.epsilon) || gate.epsilon < 0.0)
        return options_refuse(error, "--%s: '%s' is not SHARE@RADIUS, such as 80%%@36/255", flag->name, value);
    return want_epsilon(options, flag, at + 1, gate.epsilon, error) && add(options, flag, &gate, error);
}

bool set_max_lipschitz(lip_options *options, const lip_flag *flag, const char *value, lip_options_error *error)
{
    lip_gate gate = {.kind = GATE_MAX_LIPSCHITZ};
    if (!parse_number(value, &gate.wanted) || gate.wanted < 0.0)
        return options_refuse(error, "--%s: '%s' is not a number >= 0", flag->name, value);
    return add(options, flag, &gate, error);
}

bool set_max_layer_upper(lip_options *options, const lip_flag *flag, const char *value, lip_options_error *error)
{
    lip_gate gate = {.kind = GATE_MAX_LAYER_UPPER};
    const char *equals = strrchr(value, '=');
    size_t length = equals ? (size_t)(equals - value) : 0;
    if (length == 0 || length >= sizeof gate.pattern || !parse_number(equals + 1, &gate.wanted) || gate.wanted < 0.0)
        return options_refuse(error, "--%s: '%.300s' is not PATTERN=BOUND, such as 'conv*=3'", flag->name, value);
    memcpy(gate.pattern, value, length);
    return add(options, flag, &gate, error);
}

bool set_baseline(lip_options *options, const lip_flag *flag, const char *value, lip_options_error *error)
{
    if (value[0] == '\0')
        return options_refuse(error, "--%s: the file's name is empty", flag->name);
    options->baseline = value;
    return true;
}

/* "5%", "0.1" or "5%+0.1": relative, absolute, both. */
static bool parse_tolerance(const char *value, lip_tolerance *out)
{
    lip_tolerance tolerance = {0};
    bool percent, first = false;
    double number;
    for (int part = 0; part < 2; part++) {
        size_t length = strcspn(value, "+");
        if (!parse_part(value, length, &number, &percent) || number < 0.0 || (part > 0 && percent == first))
            return false;
        first = percent;
        *(percent ? &tolerance.relative : &tolerance.absolute) = number;
        value += length;
        if (*value == '\0') {
            *out = tolerance;
            return true;
        }
        value++;
    }
    return false;
}

static bool set_tolerance(lip_tolerance *tolerance, bool *given, const lip_flag *flag, const char *value,
                          lip_options_error *error)
{
    *given = true;
    return parse_tolerance(value, tolerance) ||
           options_refuse(error, "--%s: '%s' is not a growth, such as 5%% (relative), 0.1 (absolute) or 5%%+0.1",
                          flag->name, value);
}

bool set_max_regression(lip_options *options, const lip_flag *flag, const char *value, lip_options_error *error)
{
    return set_tolerance(&options->regression, &options->regression_given, flag, value, error);
}

bool set_max_layer_regression(lip_options *options, const lip_flag *flag, const char *value,
                              lip_options_error *error)
{
    return set_tolerance(&options->layer_regression, &options->layer_regression_given, flag, value, error);
}

bool set_update_baseline(lip_options *options, const lip_flag *flag, const char *value, lip_options_error *error)
{
    (void)flag, (void)value, (void)error;
    options->update_baseline = true;
    return true;
}

bool set_exit_zero(lip_options *options, const lip_flag *flag, const char *value, lip_options_error *error)
{
    (void)flag, (void)value, (void)error;
    options->exit_zero = true;
    return true;
}

bool set_policy(lip_options *options, const lip_flag *flag, const char *value, lip_options_error *error)
{
    if (value[0] == '\0')
        return options_refuse(error, "--%s: the file's name is empty", flag->name);
    options->policy = value;
    return true;
}

static bool check_baseline(const lip_options *options, lip_options_error *error)
{
    if (options->baseline)
        return true;
    const char *alone = options->regression_given         ? "max-regression"
                        : options->layer_regression_given ? "max-layer-regression"
                        : options->update_baseline        ? "update-baseline"
                                                          : NULL;
    return !alone || options_refuse(error, "--%s wants --baseline FILE too", alone);
}

bool gates_finish(lip_options *options, lip_options_error *error)
{
    lip_gates *gates = &options->gates;
    bool radius = false;
    if (!options->quantile_given)
        options->quantile = 0.5;
    for (size_t i = 0; i < gates->count; i++)
        if (gates->gate[i].kind == GATE_MIN_RADIUS) {
            radius = true;
            if (gates->gate[i].quantile < 0.0)
                gates->gate[i].quantile = options->quantile;
        }
    if (options->quantile_given && !radius)
        return options_refuse(error, "--quantile wants --min-radius R too");
    if (!check_baseline(options, error))
        return false;
    if (!options->regression_given)
        options->regression = (lip_tolerance){DEFAULT_REGRESSION, 0.0};
    if (!options->baseline || options->update_baseline)
        return gates->count > 0 || options->update_baseline ||
               options_refuse(error, "'check' wants a gate, such as --max-lipschitz 20, or --policy FILE");
    static const lip_flag flag = {.name = "baseline"};
    lip_gate gate = {.kind = GATE_BASELINE, .tolerance = options->regression};
    lip_gate layers = {.kind = GATE_BASELINE_LAYERS, .tolerance = options->layer_regression};
    return add(options, &flag, &gate, error) &&
           (!options->layer_regression_given || add(options, &flag, &layers, error));
}
