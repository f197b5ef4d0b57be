/*
 * axis.c: places and ticks.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "axis.h"
#include "number.h"

#include <math.h>

lip_axis axis_start(bool logarithmic)
{
    return (lip_axis){.logarithmic = logarithmic, .empty = true};
}

static double scaled(const lip_axis *axis, double value)
{
    return axis->logarithmic ? log10(value) : value;
}

void axis_take(lip_axis *axis, double value)
{
    if (!isfinite(value) || (axis->logarithmic && value <= 0.0))
        return;
    double at = scaled(axis, value);
    axis->low = axis->empty || at < axis->low ? at : axis->low;
    axis->high = axis->empty || at > axis->high ? at : axis->high;
    axis->empty = false;
}

void axis_finish(lip_axis *axis)
{
    double width = axis->high - axis->low;
    if (axis->empty)
        *axis = (lip_axis){0.0, 1.0, axis->logarithmic, false};
    else if (!(width > 0.0))
        width = axis->logarithmic ? 1.0 : fabs(axis->high) + 1.0;
    double air = 0.04 * width;
    if (axis->logarithmic || axis->low != 0.0)
        axis->low -= air;
    axis->high += air;
}

double axis_place(const lip_axis *axis, double value)
{
    if (isnan(value) || (axis->logarithmic && value < 0.0))
        return -1.0;
    double at = 100.0 * (scaled(axis, value) - axis->low) / (axis->high - axis->low);
    return at < 0.0 ? 0.0 : at > 100.0 ? 100.0 : at;
}

static size_t add_ticks(const lip_axis *axis, double step, double *ticks)
{
    size_t count = 0;
    for (double k = ceil(axis->low / step); k * step <= axis->high && count < AXIS_TICKS; k += 1.0)
        ticks[count++] = axis->logarithmic ? pow(10.0, k * step) : k * step;
    return count;
}

/* On a short log axis 1, 2 and 5 times powers of ten. */
static size_t add_fine_ticks(const lip_axis *axis, double *ticks)
{
    static const double digit[] = {1.0, 2.0, 5.0};
    size_t count = 0;
    for (double decade = floor(axis->low); decade <= axis->high; decade += 1.0)
        for (int d = 0; d < 3; d++) {
            double at = decade + log10(digit[d]);
            if (at >= axis->low && at <= axis->high && count < AXIS_TICKS)
                ticks[count++] = digit[d] * pow(10.0, decade);
        }
    return count;
}

size_t axis_ticks(const lip_axis *axis, double ticks[AXIS_TICKS])
{
    double width = axis->high - axis->low;
    if (axis->logarithmic && width < 1.7)
        return add_fine_ticks(axis, ticks);
    if (axis->logarithmic)
        return add_ticks(axis, ceil(width / (AXIS_TICKS - 1)), ticks);
    double step = pow(10.0, floor(log10(width / AXIS_TICKS)));
    while (width / step >= AXIS_TICKS)
        step *= width / (2.0 * step) < AXIS_TICKS ? 2.0 : width / (5.0 * step) < AXIS_TICKS ? 5.0 : 10.0;
    return add_ticks(axis, step, ticks);
}

void axis_print(const lip_axis *axis, FILE *stream)
{
    double ticks[AXIS_TICKS];
    size_t count = axis_ticks(axis, ticks);
    fputs("<svg width=\"100%\" height=\"18\" role=\"presentation\">", stream);
    for (size_t i = 0; i < count; i++) {
        double place = axis_place(axis, ticks[i]);
        fprintf(stream, "<text x=\"%.2f%%\" y=\"13\" font-size=\"11\" fill=\"currentColor\" text-anchor=\"%s\">%s"
                        "</text>",
                place, place < 5.0 ? "start" : place > 95.0 ? "end" : "middle", number_nearest(ticks[i], 3).text);
    }
    fputs("</svg>", stream);
}

void axis_print_grid(const lip_axis *axis, FILE *stream)
{
    double ticks[AXIS_TICKS];
    size_t count = axis_ticks(axis, ticks);
    for (size_t i = 0; i < count; i++)
        fprintf(stream, "<line x1=\"%.2f%%\" x2=\"%.2f%%\" y1=\"0\" y2=\"100%%\" stroke=\"currentColor\""
                        " stroke-opacity=\"0.15\"/>", axis_place(axis, ticks[i]), axis_place(axis, ticks[i]));
}
