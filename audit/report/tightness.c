/*
 * tightness.c: the section "tightness" of a report, and its words.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tightness.h"
#include "fields.h"
#include "markdown.h"
#include "paragraph.h"
#include "utf8.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

const char *attack_text(lip_attack_kind kind)
{
    switch (kind) {
    case LIP_ATTACK_PGD:
        return "pgd";
    case LIP_ATTACK_CW:
        return "cw";
    case LIP_ATTACK_DEEPFOOL:
        break;
    }
    return "deepfool";
}

typedef double lip_distance(const lip_row *row, double steepest);

static double above_0(double value) { return value > 0.0 ? value : 0.0; }
static double over_all(const lip_row *row, double steepest) { return above_0(row->margin / steepest); }
static double around(const lip_row *row, double unused) { return (void)unused, above_0(row->margin / row->gradient); }
static double certified(const lip_row *row, double unused) { return (void)unused, above_0(row->sqrt2); }
static double attacked(const lip_row *row, double unused) { return (void)unused, row->attack; }
static double radius(const lip_row *row, double unused) { return (void)unused, above_0(row->radius); }

static bool counts(const lip_row *row)
{
    return row->attacked && row_is_right(row);
}

/* NULL without memory. */
static json_t *median(const lip_rows *rows, lip_distance *distance, double steepest)
{
    size_t count = 0;
    double *values = calloc(rows->count + 1, sizeof *values);
    if (!values)
        return NULL;
    for (size_t i = 0; i < rows->count; i++)
        if (counts(&rows->row[i]))
            values[count++] = distance(&rows->row[i], steepest);
    json_t *found = count > 0 ? json_number(quantiles_of(values, count).median) : json_null();
    free(values);
    return found;
}

json_t *tightness_json(const lip_rows *rows, const char *method)
{
    bool complete = true;
    size_t samples = 0, found = 0;
    double steepest = 0.0;
    for (size_t i = 0; i < rows->count; i++)
        if (counts(&rows->row[i])) {
            samples++;
            found += isfinite(rows->row[i].attack) ? 1 : 0;
            steepest = fmax(steepest, rows->row[i].gradient);
        }
    json_t *object = json_object();
    json_put(object, &complete, "method", json_text(method));
    json_put(object, &complete, "samples", json_count(samples));
    json_put(object, &complete, "found", json_count(found));
    json_put(object, &complete, "gradient", json_number(steepest));
    json_put(object, &complete, "certified", median(rows, certified, steepest));
    json_put(object, &complete, "global", median(rows, over_all, steepest));
    json_put(object, &complete, "local", median(rows, around, steepest));
    json_put(object, &complete, "attack", median(rows, attacked, steepest));
    json_put(object, &complete, "radius", median(rows, radius, steepest));
    return json_whole(object, complete);
}

static const struct {
    const char *key, *title;
    lip_number_style *style; /* a proved one is rounded down */
} quantities[TIGHTNESS_ROWS] = {
    {"certified", "(A) margin / (sqrt(2) L_F)", number_lower},
    {"global", "(B) margin / steepest gradient, all samples", number_nearest},
    {"local", "(C) margin / steepest gradient, the sample's", number_nearest},
    {"attack", "(D) attack", number_upper},
};

lip_tightness_row tightness_row(const json_t *report, size_t i)
{
    const json_t *section = field(report, "tightness");
    double here = field_number(section, quantities[i].key);
    double next = i + 1 < TIGHTNESS_ROWS ? field_number(section, quantities[i + 1].key) : NAN;
    return (lip_tightness_row){
        .title = quantities[i].title,
        .median = isnan(here) ? (lip_number){"-"} : quantities[i].style(here, 6),
        .step = isnan(next / here) ? (lip_number){""} : number_nearest(next / here, 3),
    };
}

void tightness_print_words(const json_t *report, FILE *stream)
{
    const json_t *section = field(report, "tightness");
    uint64_t samples = field_count(section, "samples"), found = field_count(section, "found");
    double attack = field_number(section, "attack"), radius_median = field_number(section, "radius");
    fprintf(stream, "Medians over the %s samples that are right; the attack (", number_count(samples).text);
    utf8_print(stream, field_text(section, "method"));
    fprintf(stream, ", L2, in float64) found another class for %s of them.", number_count(found).text);
    if (isfinite(attack / radius_median))
        fprintf(stream, " The median certified radius, by all rules, is %s there: the attack's distance is %s times"
                " that.", number_lower(radius_median, 4).text, number_nearest(attack / radius_median, 3).text);
    fputs(" (A) is proved; (D) is a distance at which the class is another; (B) and (C) are estimates, from gradients"
          " at the samples and at random points at distance 1 (after --scale).", stream);
}

void tightness_text(const json_t *report, FILE *stream)
{
    fprintf(stream, "\n%-46s%12s%12s\n", "tightness [Tsuzuku 2018, (5)]", "median", "to the next");
    for (size_t i = 0; i < TIGHTNESS_ROWS; i++) {
        lip_tightness_row row = tightness_row(report, i);
        fprintf(stream, "%-46s%12s%12s\n", row.title, row.median.text, row.step.text);
    }
    fputc('\n', stream);
    paragraph_print(report, tightness_print_words, stream);
}

void tightness_markdown(const json_t *report, FILE *stream)
{
    fputs("\n| tightness | median | to the next |\n|---|--:|--:|\n", stream);
    for (size_t i = 0; i < TIGHTNESS_ROWS; i++) {
        lip_tightness_row row = tightness_row(report, i);
        fprintf(stream, "| %s | %s | %s |\n", row.title, row.median.text, row.step.text);
    }
    fputs("\n- ", stream);
    markdown_said(report, tightness_print_words, stream);
    fputc('\n', stream);
}
