/*
 * certification_words.c: what text and Markdown say alike about certified
 * samples.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "certification_words.h"
#include "fields.h"
#include "layers.h"
#include "utf8.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

const lip_rule certification_rules[CERTIFICATION_RULES] = {
    {"radius", "largest proved"},
    {"local", "bounds around it"},
    {"pairwise", "pairwise bounds"},
    {"sqrt2", "margin / (sqrt(2) L_F)"},
};

const lip_rule certification_quantiles[CERTIFICATION_QUANTILES] = {
    {"min", "min"},   {"q10", "10 %"}, {"q25", "25 %"}, {"median", "median"},
    {"q75", "75 %"}, {"q90", "90 %"}, {"max", "max"},  {"mean", "mean"},
};

lip_number share_text(uint64_t count, uint64_t total)
{
    lip_number text = {"-"};
    if (total == 0 || count > total || total > UINT64_MAX / 10000)
        return text;
    uint64_t hundredths = count * 10000 / total;
    snprintf(text.text, sizeof text.text, "%" PRIu64 ".%02" PRIu64 " %%", hundredths / 100, hundredths % 100);
    return text;
}

/* " (values 0 to 255)" */
static void print_range(const json_t *data, FILE *stream)
{
    const json_t *range = field(data, "range");
    if (json_array_size(range) == 2)
        fprintf(stream, " (values %s to %s)", number_nearest(value_number(json_array_get(range, 0)), 6).text,
                number_nearest(value_number(json_array_get(range, 1)), 6).text);
}

static void print_source(const json_t *data, FILE *stream)
{
    char shape[160];
    lip_shape sample;
    utf8_print(stream, field_text(data, "path"));
    fputs(" (", stream);
    utf8_print(stream, field_text(data, "format"));
    fputs(", ", stream);
    utf8_print(stream, field_text(data, "dtype"));
    if (field_shape(data, "sample_shape", &sample)) {
        shape_text(&sample, true, shape, sizeof shape);
        fprintf(stream, " %s", shape);
    }
    fputc(')', stream);
    if (field_text(data, "labels")[0] != '\0') {
        fputs(", labels ", stream);
        utf8_print(stream, field_text(data, "labels"));
    }
}

void certification_print_samples(const json_t *report, FILE *stream)
{
    const json_t *section = field(report, "certification");
    uint64_t samples = field_count(section, "samples"), certified = field_count(section, "certified");
    fprintf(stream, "%s sample%s of ", number_count(samples).text, samples == 1 ? "" : "s");
    print_source(field(section, "data"), stream);
    fputs(": ", stream);
    if (json_is_integer(field(section, "right"))) {
        uint64_t right = field_count(section, "right");
        fprintf(stream, "%s (%s) right, ", number_count(right).text, share_text(right, samples).text);
    } else {
        fputs("not labelled, ", stream);
    }
    fprintf(stream, "%s (%s) with a certified radius above 0", number_count(certified).text,
            share_text(certified, samples).text);
}

/* The factor between the data and the model's input where it is the same in all channels; otherwise NaN. */
static double one_factor(const json_t *threat)
{
    const json_t *std = field(threat, "std");
    double scale = field_number(threat, "scale");
    if (json_array_size(std) == 0)
        return scale;
    double first = value_number(json_array_get(std, 0));
    for (size_t i = 1; i < json_array_size(std); i++)
        if (value_number(json_array_get(std, i)) != first)
            return NAN;
    return scale / first;
}

/* "multiplied by 0.00392157, the mean subtracted and divided by the deviation" */
static void print_preprocess(const json_t *threat, FILE *stream)
{
    bool mean = json_array_size(field(threat, "mean")) > 0, std = json_array_size(field(threat, "std")) > 0;
    fprintf(stream, "multiplied by %s", number_nearest(field_number(threat, "scale"), 6).text);
    if (mean)
        fputs(std ? ", the mean subtracted" : " and the mean subtracted", stream);
    if (std)
        fputs(" and divided by the deviation", stream);
}

static void print_in_data(const json_t *threat, const json_t *data, FILE *stream)
{
    double factor = one_factor(threat);
    fputs("in the units of the data", stream);
    print_range(data, stream);
    if (!(field_number(threat, "scale") > 0.0))
        return;
    fputs(", before they are ", stream);
    print_preprocess(threat, stream);
    if (factor > 0.0)
        fprintf(stream, "; a distance of 1 there is %s at the model's input", number_nearest(factor, 6).text);
}

static void print_in_model(const json_t *threat, const json_t *data, FILE *stream)
{
    bool preprocessed = field_number(threat, "scale") > 0.0;
    fprintf(stream, "at the model's input, %s the data", preprocessed ? "after" : "which");
    print_range(data, stream);
    if (preprocessed) {
        fputs(" were ", stream);
        print_preprocess(threat, stream);
    } else {
        fputs(" are", stream);
    }
}

void certification_print_space(const json_t *report, FILE *stream)
{
    const json_t *threat = field(report, "threat_model"), *data = field(report, "certification.data");
    const char *node = field_text(threat, "normalises");
    fputs("Radii are L2 distances ", stream);
    if (strcmp(field_text(threat, "space"), "data") == 0)
        print_in_data(threat, data, stream);
    else
        print_in_model(threat, data, stream);
    if (node[0] != '\0') {
        fputs("; the model itself normalises its input, at node '", stream);
        utf8_print(stream, node);
        fputc('\'', stream);
    }
    fputc('.', stream);
    if (json_is_object(field(report, "network.range")))
        fputs(" The bounds hold on --input-range: a change that leaves it is not covered.", stream);
}

void certification_print_arithmetic(const json_t *report, FILE *stream)
{
    const char *deployed = field_text(report, "certification.deployed");
    if (strcmp(deployed, "exact") == 0)
        fputs("Proved for the network in real arithmetic: an execution in floating point may differ.", stream);
    else
        fprintf(stream, "Proved for the network as executed in IEEE %s: rounded to nearest, sums in any order, with or "
                "without fused multiply-add; not Winograd, TF32 or flush-to-zero.",
                utf8_fit(deployed, UTF8_LABEL_WIDTH, UTF8_KEEP_START).text);
}

void certification_print_caveats(const json_t *report, FILE *stream)
{
    const json_t *section = field(report, "certification");
    const char *remark = field_text(section, "remark"), *local = field_text(section, "local_reason"), *space = "";
    if (field_true(section, "partial")) {
        fprintf(stream, "PARTIAL: ended before all %s samples were done.",
                number_count(field_count(section, "data.count")).text);
        space = " ";
    }
    if (field_count(section, "shard.count") > 0) {
        fprintf(stream, "%sShard %" PRIu64 " of %" PRIu64 ".", space, field_count(section, "shard.index"),
                field_count(section, "shard.count"));
        space = " ";
    }
    if (remark[0] != '\0') {
        fprintf(stream, "%sAll radii are 0: ", space);
        utf8_print(stream, remark);
        space = " ";
    }
    if (local[0] != '\0') {
        fprintf(stream, "%sNo bounds around samples (--local): ", space);
        utf8_print(stream, local);
        fputc('.', stream);
    }
}
