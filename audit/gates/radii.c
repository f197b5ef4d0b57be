/*
 * radii.c: radii of a report.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "radii.h"
#include "fields.h"

#include <math.h>
#include <stdlib.h>

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* What is no number promises nothing. */
static double radius_of(const json_t *row)
{
    double radius = field_number(row, "radius");
    return radius > 0.0 ? radius : 0.0;
}

static double quantile_of_rows(const json_t *rows, double quantile)
{
    size_t count = json_array_size(rows), i;
    double *values = count > 0 ? calloc(count, sizeof *values) : NULL;
    const json_t *row;
    if (!values)
        return NAN;
    json_array_foreach((json_t *)rows, i, row)
        values[i] = radius_of(row);
    qsort(values, count, sizeof *values, by_value);
    double below = ceil((double)count * quantile * (1.0 - 0x1p-50)); /* 0.1 * 10 is 1, not a bit more */
    double found = values[below >= 1.0 ? (size_t)below - 1 : 0];
    free(values);
    return found;
}

double radii_quantile(const json_t *certification, double quantile)
{
    static const struct { double quantile; const char *path; } stored[] = {
        {0.0, "radius.min"}, {0.1, "radius.q10"}, {0.25, "radius.q25"}, {0.5, "radius.median"},
        {0.75, "radius.q75"}, {0.9, "radius.q90"}, {1.0, "radius.max"},
    };
    for (size_t i = 0; i < sizeof stored / sizeof *stored; i++)
        if (stored[i].quantile == quantile)
            return field_number(certification, stored[i].path);
    return quantile_of_rows(field(certification, "per_sample"), quantile);
}

static bool is_certified(const json_t *row, double epsilon)
{
    const json_t *label = field(row, "label"), *predicted = field(row, "predicted");
    bool right = json_is_integer(predicted) && (!json_is_integer(label) || json_equal(label, predicted));
    return right && radius_of(row) > epsilon;
}

double radii_certified(const json_t *certification, double epsilon)
{
    const json_t *entry, *row, *rows = field(certification, "per_sample");
    size_t i, certified = 0;
    json_array_foreach((json_t *)field(certification, "certified_accuracy"), i, entry)
        if (field_number(entry, "eps") == epsilon)
            return field_number(entry, "value");
    json_array_foreach((json_t *)rows, i, row)
        certified += is_certified(row, epsilon);
    return json_array_size(rows) > 0 ? (double)certified / (double)json_array_size(rows) : NAN;
}
