/*
 * certification.c: rows of samples and their order statistics.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "certification.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

bool rows_push(lip_rows *rows, const lip_row *row)
{
    if (rows->count == rows->room) {
        size_t room = rows->room > 0 ? 2 * rows->room : 256;
        lip_row *grown = room <= SIZE_MAX / sizeof *grown ? realloc(rows->row, room * sizeof *grown) : NULL;
        if (!grown)
            return false;
        rows->row = grown;
        rows->room = room;
    }
    rows->row[rows->count++] = *row;
    return true;
}

void rows_free(lip_rows *rows)
{
    free(rows->row);
    *rows = (lip_rows){0};
}

bool row_is_right(const lip_row *row)
{
    return row->predicted >= 0 && (row->label < 0 || row->label == row->predicted);
}

static int by_index(const void *a, const void *b)
{
    int64_t x = ((const lip_row *)a)->index, y = ((const lip_row *)b)->index;
    return (x > y) - (x < y);
}

void rows_sort(lip_rows *rows)
{
    if (rows->count > 1)
        qsort(rows->row, rows->count, sizeof *rows->row, by_index);
}

/* floor(total part / whole) without overflow, 0 <= part <= whole <= 2^31. */
static int64_t share_of(int64_t total, int64_t part, int64_t whole)
{
    return total / whole * part + total % whole * part / whole;
}

void shard_range(lip_shard shard, int64_t total, int64_t *first, int64_t *count)
{
    if (shard.count == 0)
        shard = (lip_shard){1, 1};
    *first = share_of(total, shard.index - 1, shard.count);
    *count = share_of(total, shard.index, shard.count) - *first;
}

const char *deployed_text(lip_deployed deployed)
{
    switch (deployed) {
    case LIP_DEPLOYED_FLOAT16:
        return "float16";
    case LIP_DEPLOYED_EXACT:
        return "exact";
    case LIP_DEPLOYED_FLOAT32:
        break;
    }
    return "float32";
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The largest value that at least a share of 1 - percent / 100 of all reaches. */
static double quantile(const double *sorted, size_t count, size_t percent)
{
    size_t whole = count / 100 * percent, rest = count % 100 * percent; /* count percent / 100 = whole + rest / 100 */
    size_t below = whole + (rest + 99) / 100;
    return sorted[below > 0 ? below - 1 : 0];
}

/* Values are >= 0: each of the count - 1 sums, and the division, is off by a factor of at most 1 + u. */
static double mean_lower(const double *values, size_t count)
{
    double sum = 0.0;
    for (size_t i = 0; i < count; i++)
        sum += values[i];
    double off = 1.0 - ((double)count + 4.0) * DBL_EPSILON;
    return off > 0.0 ? sum / (double)count * off : 0.0;
}

lip_quantiles quantiles_of(double *values, size_t count)
{
    qsort(values, count, sizeof *values, by_value);
    return (lip_quantiles){
        .min = values[0],
        .q10 = quantile(values, count, 10),
        .q25 = quantile(values, count, 25),
        .median = quantile(values, count, 50),
        .q75 = quantile(values, count, 75),
        .q90 = quantile(values, count, 90),
        .max = values[count - 1],
        .mean = mean_lower(values, count),
    };
}
