/*
 * audit_csv.c: one row a layer, RFC 4180; of certified samples, one a sample. Numbers have 17 significant digits
 * and read back as the very doubles of the report; what was not computed is an
 * empty field.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "certification.h"
#include "format.h"
#include "layers.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

static void put_text(FILE *stream, const char *text)
{
    text = text ? text : "";
    if (!strpbrk(text, ",\"\r\n")) {
        fputs(text, stream);
        return;
    }
    fputc('"', stream);
    for (; *text != '\0'; text++) {
        if (*text == '"')
            fputc('"', stream);
        fputc(*text, stream);
    }
    fputc('"', stream);
}

static void put_names(FILE *stream, const json_t *names)
{
    const json_t *name;
    size_t i;
    if (json_array_size(names) == 1) {
        put_text(stream, json_string_value(json_array_get(names, 0)));
        return;
    }
    fputc('"', stream); /* several names: one a line, inside one quoted field */
    json_array_foreach((json_t *)names, i, name) {
        if (i > 0)
            fputc('\n', stream);
        for (const char *c = json_string_value(name); c && *c != '\0'; c++) {
            if (*c == '"')
                fputc('"', stream);
            fputc(*c, stream);
        }
    }
    fputc('"', stream);
}

static void put_shape(FILE *stream, const json_t *layer, const char *key)
{
    char text[160];
    lip_shape shape = {0};
    bool known = field_shape(layer, key, &shape);
    shape_text(&shape, known, text, sizeof text);
    put_text(stream, text);
}

static void put_value(FILE *stream, const json_t *value)
{
    double number = value_number(value);
    if (json_is_integer(value))
        fprintf(stream, "%" PRId64, (int64_t)json_integer_value(value));
    else if (!isnan(number))
        fputs(number_nearest(number, NUMBER_DIGITS).text, stream);
    else if (json_is_string(value))
        put_text(stream, json_string_value(value));
}

static const struct column {
    const char *title, *path;
} column[] = {
    {"index", "index"},
    {"name", "name"},
    {"op", "op"},
    {"module", "module"},
    {"inputs", "inputs"},
    {"output", "output"},
    {"input_shape", "input_shape"},
    {"output_shape", "output_shape"},
    {"parameters", "parameters"},
    {"verdict", "verdict"},
    {"reason", "reason"},
    {"gain_lower", "gain.lower"},
    {"gain_upper", "gain.upper"},
    {"gain_tightness", "gain.tightness"},
    {"gain_method", "gain.method"},
    {"power_iteration", "power_iteration.value"},
    {"power_error_term", "power_iteration.error_term"},
    {"power_iterations", "power_iteration.iterations"},
    {"power_relative_gap", "power_iteration.relative_gap"},
    {"exact_svd", "exact_svd"},
    {"reshaped", "reshaped"},
    {"lmt_bound", "lmt_bound"},
    {"cumulative_upper", "cumulative_upper"},
    {"log_share", "log_share"},
    {"seconds", "seconds"},
};
#define COLUMNS (sizeof column / sizeof *column)

static void put_layer(FILE *stream, const json_t *layer)
{
    for (size_t i = 0; i < COLUMNS; i++) {
        const char *path = column[i].path;
        if (i > 0)
            fputc(',', stream);
        if (strcmp(path, "inputs") == 0)
            put_names(stream, field(layer, path));
        else if (strcmp(path, "input_shape") == 0 || strcmp(path, "output_shape") == 0)
            put_shape(stream, layer, path);
        else
            put_value(stream, field(layer, path));
    }
    fputs("\r\n", stream);
}

static bool render(const json_t *report, FILE *stream)
{
    const json_t *layer;
    size_t i;
    if (json_is_object(field(report, "certification"))) {
        certification_csv(report, stream);
        return true;
    }
    for (i = 0; i < COLUMNS; i++)
        fprintf(stream, "%s%s", i > 0 ? "," : "", column[i].title);
    fputs("\r\n", stream);
    json_array_foreach((json_t *)report_layers(report), i, layer)
        put_layer(stream, layer);
    return true;
}

const lip_format format_csv = {"csv", ".csv", render};
