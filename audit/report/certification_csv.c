/*
 * certification_csv.c: one line a sample, RFC 4180.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "certification.h"
#include "fields.h"
#include "number.h"

#include <inttypes.h>
#include <math.h>

void rows_csv_title(FILE *stream)
{
    fputs("index,label,predicted,margin,radius,sqrt2,pairwise,method\r\n", stream);
}

static void put_class(int64_t class, FILE *stream)
{
    fputc(',', stream);
    if (class >= 0)
        fprintf(stream, "%" PRId64, class);
}

void rows_csv_line(const lip_row *row, FILE *stream)
{
    const double number[] = {row->margin, row->radius, row->sqrt2, row->pairwise};
    fprintf(stream, "%" PRId64, row->index);
    put_class(row->label, stream);
    put_class(row->predicted, stream);
    for (size_t i = 0; i < sizeof number / sizeof *number; i++)
        fprintf(stream, ",%s", isnan(number[i]) ? "" : number_nearest(number[i], NUMBER_DIGITS).text);
    fprintf(stream, ",%s\r\n", row->method);
}

void certification_csv(const json_t *report, FILE *stream)
{
    size_t i;
    const json_t *element;
    lip_row row;
    rows_csv_title(stream);
    json_array_foreach(field(report, "certification.per_sample"), i, element)
        if (row_from_json(element, &row))
            rows_csv_line(&row, stream);
}
