/*
 * radii_picture.c: certified radii: their distribution, the certified accuracy
 * as a function of the radius, and the numbers.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "certification_words.h"
#include "fields.h"
#include "html.h"
#include "lines_picture.h"

#include <math.h>
#include <stdlib.h>

#define BINS 30
#define POINTS 61

/* Radii of the single samples; 0 where there is none. */
typedef struct lip_radii {
    double *value;
    bool *right;
    size_t count;
    double most;
} lip_radii;

static bool gather(const json_t *rows, lip_radii *out)
{
    const json_t *row;
    size_t i, count = json_array_size(rows);
    *out = (lip_radii){calloc(count + 1, sizeof *out->value), calloc(count + 1, sizeof *out->right), count, 0.0};
    if (!out->value || !out->right)
        return false;
    json_array_foreach((json_t *)rows, i, row) {
        const json_t *label = field(row, "label"), *predicted = field(row, "predicted");
        double radius = field_number(row, "radius");
        out->value[i] = radius > 0.0 ? radius : 0.0;
        out->right[i] = json_is_integer(predicted) && (!json_is_integer(label) || json_equal(label, predicted));
        if (isfinite(radius) && radius > out->most)
            out->most = radius;
    }
    return true;
}

/* A bar from radius `from` to `to`. */
static void print_bar(const lip_axis *x, const lip_axis *y, double from, double to, size_t count, const char *colour,
                      FILE *stream)
{
    double left = axis_place(x, from), width = axis_place(x, to) - left;
    double height = count > 0 ? axis_place(y, (double)count) : 0.0;
    fprintf(stream, "<rect x=\"%.2f%%\" y=\"%.2f%%\" width=\"%.2f%%\" height=\"%.2f%%\" fill=\"%s\"><title>%zu"
                    "</title></rect>", left, 100.0 - height, 0.9 * width, height, colour, count);
}

static void print_bins(const size_t bin[BINS], size_t none, double most, FILE *stream)
{
    lip_axis x = axis_start(false), y = axis_start(false);
    double width = most > 0.0 ? most / BINS : 1.0 / BINS;
    axis_take(&x, width * BINS);
    axis_take(&x, -4.5 * width); /* for the numbers, and the samples without a radius */
    axis_take(&y, 0.0);
    axis_take(&y, (double)none);
    for (size_t i = 0; i < BINS; i++)
        axis_take(&y, (double)bin[i]);
    axis_finish(&x);
    axis_finish(&y);
    lines_start(&y, "how many samples have which certified radius", stream);
    print_bar(&x, &y, -1.5 * width, -0.5 * width, none, HTML_ALARM, stream);
    for (size_t i = 0; i < BINS; i++)
        print_bar(&x, &y, (double)i * width, (double)(i + 1) * width, bin[i], HTML_PROVED, stream);
    lines_end(stream);
    axis_print(&x, stream);
}

static void print_histogram(const lip_radii *radii, FILE *stream)
{
    size_t bin[BINS] = {0}, none = 0;
    for (size_t i = 0; i < radii->count; i++) {
        double share = radii->most > 0.0 ? radii->value[i] / radii->most : 0.0;
        if (!(radii->value[i] > 0.0))
            none++;
        else
            bin[share < 1.0 ? (size_t)(share * BINS) : BINS - 1]++;
    }
    fputs("<figure>", stream);
    print_bins(bin, none, radii->most, stream);
    fprintf(stream, "<figcaption>How many samples have which certified radius; red: the %zu of radius 0."
                    "</figcaption></figure>\n", none);
}

/* The share of all samples that are right and certified beyond each of POINTS radii. */
static void curve_of(const lip_radii *radii, const lip_axis *x, const lip_axis *y, lip_point points[POINTS])
{
    for (size_t p = 0; p < POINTS; p++) {
        double epsilon = radii->most * (double)p / (POINTS - 1);
        size_t certified = 0;
        for (size_t i = 0; i < radii->count; i++)
            certified += radii->right[i] && radii->value[i] > epsilon;
        points[p] = (lip_point){axis_place(x, epsilon),
                                axis_place(y, 100.0 * (double)certified / (double)radii->count)};
    }
}

/* The same of the baseline, as the comparison has it. */
static void print_old_curve(const json_t *curve, const lip_axis *x, const lip_axis *y, FILE *stream)
{
    const json_t *item;
    size_t i, count = 0;
    lip_point *points = malloc((json_array_size(curve) + 1) * sizeof *points);
    json_array_foreach((json_t *)curve, i, item)
        if (points)
            points[count++] = (lip_point){axis_place(x, field_number(item, "eps")),
                                          axis_place(y, 100.0 * field_number(item, "value"))};
    if (points)
        lines_print(points, count, true, HTML_BASELINE, stream);
    free(points);
}

static void print_curve(const json_t *report, const lip_radii *radii, FILE *stream)
{
    lip_point points[POINTS];
    const json_t *old = field(report, "comparison.radius.curve"), *item;
    size_t i;
    lip_axis x = axis_start(false), y = axis_start(false);
    axis_take(&x, -0.06 * radii->most); /* for the numbers */
    axis_take(&x, radii->most);
    json_array_foreach((json_t *)old, i, item)
        axis_take(&x, field_number(item, "eps"));
    axis_take(&y, 0.0);
    axis_take(&y, 100.0);
    axis_finish(&x);
    axis_finish(&y);
    curve_of(radii, &x, &y, points);
    fputs("<figure>", stream);
    lines_start(&y, "certified accuracy in percent against the radius", stream);
    print_old_curve(old, &x, &y, stream);
    lines_print(points, POINTS, true, HTML_PROVED, stream);
    lines_end(stream);
    axis_print(&x, stream);
    fprintf(stream, "<figcaption>Certified accuracy in %%: the share of all samples that are right and certified"
                    " beyond a radius%s.</figcaption></figure>\n",
            json_array_size(old) > 0 ? "; the baseline is grey" : "");
}

static void print_pictures(const json_t *report, FILE *stream)
{
    lip_radii radii;
    if (gather(field(report, "certification.per_sample"), &radii) && radii.count > 0) {
        fputs("<div class=\"columns\">", stream);
        print_histogram(&radii, stream);
        print_curve(report, &radii, stream);
        fputs("</div>\n", stream);
    }
    free(radii.value);
    free(radii.right);
}

static void print_quantiles(const json_t *certification, FILE *stream)
{
    fputs("<div class=\"scroll\"><table cellpadding=\"3\"><thead><tr><th>certified radius</th>", stream);
    for (size_t i = 0; i < CERTIFICATION_QUANTILES; i++)
        fprintf(stream, "<th class=\"n\">%s</th>", certification_quantiles[i].title);
    fputs("</tr></thead>\n<tbody>\n", stream);
    for (size_t r = 0; r < CERTIFICATION_RULES; r++) {
        const json_t *rule = field(certification, certification_rules[r].key);
        if (!json_is_object(rule))
            continue;
        fputs("<tr><td>", stream);
        html_print(stream, certification_rules[r].title);
        fputs("</td>", stream);
        for (size_t i = 0; i < CERTIFICATION_QUANTILES; i++)
            fprintf(stream, "<td class=\"n\">%s</td>",
                    number_fit(number_lower, field_number(rule, certification_quantiles[i].key), 6, 12).text);
        fputs("</tr>\n", stream);
    }
    fputs("</tbody></table></div>\n", stream);
}

static void print_accuracies(const json_t *certification, FILE *stream)
{
    const json_t *entry, *list = field(certification, "certified_accuracy");
    size_t i;
    if (json_array_size(list) == 0)
        return;
    fputs("<div class=\"scroll\"><table cellpadding=\"3\"><thead><tr><th>radius</th>"
          "<th class=\"n\">certified accuracy</th></tr></thead>\n<tbody>\n", stream);
    json_array_foreach((json_t *)list, i, entry) {
        const char *text = field_text(entry, "text");
        fputs("<tr><td>", stream);
        html_print(stream, text[0] != '\0' ? text : number_nearest(field_number(entry, "eps"), 6).text);
        fprintf(stream, "</td><td class=\"n\">%s</td></tr>\n",
                share_text(field_count(entry, "count"), field_count(certification, "samples")).text);
    }
    fputs("</tbody></table></div>\n", stream);
}

static void print_sentence(const json_t *report, void (*say)(const json_t *report, FILE *stream), FILE *stream)
{
    fputs("<p>", stream);
    html_said(stream, report, say);
    fputs("</p>\n", stream);
}

void html_certification(const json_t *report, FILE *stream)
{
    const json_t *certification = field(report, "certification");
    if (!json_is_object(certification))
        return;
    fputs("<h2>Certified radii</h2>\n", stream);
    print_sentence(report, certification_print_samples, stream);
    print_sentence(report, certification_print_caveats, stream);
    print_pictures(report, stream);
    print_quantiles(certification, stream);
    print_accuracies(certification, stream);
    print_sentence(report, certification_print_space, stream);
    print_sentence(report, certification_print_arithmetic, stream);
}
