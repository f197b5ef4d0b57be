/*
 * cumulative_picture.c: the cumulative bound along the network, and that of
 * the baseline where there is one.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "comparison_words.h"
#include "html.h"
#include "layers.h"
#include "lines_picture.h"

#include <math.h>
#include <stdlib.h>

#define MARKS 120 /* more layers than this have no dots */

/* The layers of one of the two networks, in their order. */
static size_t gather(const json_t *report, bool older, double *values)
{
    const json_t *item;
    size_t i, count = 0;
    if (!older) {
        json_array_foreach((json_t *)report_layers(report), i, item)
            if (!layer_rearranges(item))
                values[count++] = field_number(item, "cumulative_upper");
        return count;
    }
    json_array_foreach((json_t *)field(report, "comparison.layers"), i, item)
        if (json_is_object(field(item, "baseline")) && !layer_rearranges(field(item, "baseline")))
            values[count++] = field_number(item, "baseline.cumulative_upper");
    return count;
}

static void print_curve(const lip_axis *axis, const double *values, size_t count, const char *colour, FILE *stream)
{
    lip_point *points = calloc(count + 1, sizeof *points);
    if (!points)
        return;
    for (size_t i = 0; i < count; i++)
        points[i] = (lip_point){count > 1 ? 4.0 + 92.0 * (double)i / (double)(count - 1) : 50.0,
                                isfinite(values[i]) ? axis_place(axis, values[i]) : -1.0};
    lines_print(points, count, false, colour, stream);
    for (size_t i = 0; i < count && count <= MARKS; i++)
        if (points[i].y >= 0.0)
            fprintf(stream, "<circle cx=\"%.2f%%\" cy=\"%.2f%%\" r=\"3\" fill=\"%s\"/>", points[i].x,
                    100.0 - points[i].y, colour);
    free(points);
}

static void print_picture(const json_t *report, const double *values, size_t count, const double *old,
                          size_t old_count, FILE *stream)
{
    lip_axis axis = axis_start(true);
    for (size_t i = 0; i < count; i++)
        axis_take(&axis, values[i]);
    for (size_t i = 0; i < old_count; i++)
        axis_take(&axis, old[i]);
    axis_finish(&axis);
    fputs("<h2>Cumulative L along the network</h2>\n<figure>", stream);
    lines_start(&axis, "cumulative proved bound, layer by layer, on a log axis", stream);
    print_curve(&axis, old, old_count, HTML_BASELINE, stream);
    print_curve(&axis, values, count, HTML_PROVED, stream);
    lines_end(stream);
    fputs("<figcaption>Proved bound from the model's input to each layer's output, in the order of the layers, from ",
          stream);
    const json_t *layers = report_layers(report);
    html_print(stream, layer_name(json_array_get(layers, 0)));
    fputs(" to ", stream);
    html_print(stream, layer_name(json_array_get(layers, json_array_size(layers) - 1)));
    fputs(old_count > 0 ? "; the baseline is grey.</figcaption></figure>\n" : ".</figcaption></figure>\n", stream);
}

void html_cumulative(const json_t *report, FILE *stream)
{
    size_t most = json_array_size(report_layers(report));
    size_t old_most = json_array_size(field(report, "comparison.layers"));
    double *values = malloc((most + 1) * sizeof *values), *old = malloc((old_most + 1) * sizeof *old);
    size_t count = values ? gather(report, false, values) : 0, old_count = old ? gather(report, true, old) : 0;
    if (count > 1)
        print_picture(report, values, count, old, old_count, stream);
    free(values);
    free(old);
}
