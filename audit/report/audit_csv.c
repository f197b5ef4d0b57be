/*
 * audit_csv.c: one row a layer, RFC 4180. Numbers have 17 significant digits
 * and read back as the very doubles of the report; what was not computed is an
 * empty field.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
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

static void put_names(FILE *stream, const char *const *names, size_t count)
{
    if (count == 1) {
        put_text(stream, names[0]);
        return;
    }
    fputc('"', stream); /* several names: one a line, inside one quoted field */
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            fputc('\n', stream);
        for (const char *c = names[i]; *c != '\0'; c++) {
            if (*c == '"')
                fputc('"', stream);
            fputc(*c, stream);
        }
    }
    fputc('"', stream);
}

static void put_number(FILE *stream, double value)
{
    if (!isnan(value))
        fputs(number_nearest(value, NUMBER_DIGITS).text, stream);
}

static void put_numbers(FILE *stream, const double *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        fputc(',', stream);
        put_number(stream, values[i]);
    }
}

static void put_texts(FILE *stream, const char *const *texts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        fputc(',', stream);
        put_text(stream, texts[i]);
    }
}

static void put_layer(FILE *stream, const lip_layer *layer)
{
    char in[160], out[160];
    shape_text(&layer->input_shape, true, in, sizeof in);
    shape_text(&layer->output_shape, true, out, sizeof out);
    fprintf(stream, "%zu", layer->index);
    put_texts(stream, (const char *const[]){layer->name, layer->op, layer->module}, 3);
    fputc(',', stream);
    put_names(stream, layer->inputs, layer->input_count);
    put_texts(stream, (const char *const[]){layer->output, in, out}, 3);
    fprintf(stream, ",%" PRIu64, layer->parameters);
    put_texts(stream, (const char *const[]){verdict_text(layer->verdict), layer->reason}, 2);
    put_numbers(stream, (const double[]){layer->gain.lower, layer->gain.upper, layer->gain.tightness}, 3);
    put_texts(stream, (const char *const[]){layer->gain.method}, 1);
    put_numbers(stream, (const double[]){layer->power_estimate, layer->power_error_term}, 2);
    fprintf(stream, ",%d", layer->power_iterations);
    put_numbers(stream, (const double[]){layer->power_relative_gap, layer->exact_svd, layer->reshaped, layer->lmt_bound,
                                         layer->cumulative_upper, layer->log_share, layer->seconds}, 7);
    fputs("\r\n", stream);
}

static bool render(const lip_run_info *run, FILE *stream)
{
    fputs("index,name,op,module,inputs,output,input_shape,output_shape,parameters,verdict,reason,"
          "gain_lower,gain_upper,gain_tightness,gain_method,power_iteration,power_error_term,power_iterations,"
          "power_relative_gap,"
          "exact_svd,reshaped,lmt_bound,cumulative_upper,log_share,seconds\r\n", stream);
    for (size_t i = 0; i < run->report->layer_count; i++)
        put_layer(stream, &run->report->layers[i]);
    return true;
}

const lip_format format_audit_csv = {"csv", ".csv", render};
