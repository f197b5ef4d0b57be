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

void rows_csv_title(lip_row_columns columns, FILE *stream)
{
    fprintf(stream, "index,label,predicted,margin,radius,sqrt2,pairwise,method%s%s\r\n", columns.local ? ",local" : "",
            columns.attack ? ",attack,gradient" : "");
}

static void put_class(int64_t class, FILE *stream)
{
    fputc(',', stream);
    if (class >= 0)
        fprintf(stream, "%" PRId64, class);
}

static void put_number(double number, FILE *stream)
{
    fprintf(stream, ",%s", isnan(number) ? "" : number_nearest(number, NUMBER_DIGITS).text);
}

void rows_csv_line(const lip_row *row, lip_row_columns columns, FILE *stream)
{
    const double number[] = {row->margin, row->radius, row->sqrt2, row->pairwise};
    fprintf(stream, "%" PRId64, row->index);
    put_class(row->label, stream);
    put_class(row->predicted, stream);
    for (size_t i = 0; i < sizeof number / sizeof *number; i++)
        put_number(number[i], stream);
    fprintf(stream, ",%s", row->method);
    if (columns.local)
        put_number(row->around ? row->local : (double)NAN, stream);
    if (columns.attack) {
        put_number(row->attacked ? row->attack : (double)NAN, stream);
        put_number(row->attacked ? row->gradient : (double)NAN, stream);
    }
    fputs("\r\n", stream);
}

void certification_csv(const json_t *report, FILE *stream)
{
    size_t i;
    const json_t *element;
    lip_row row;
    lip_row_columns columns = {.local = json_is_object(field(report, "certification.local")),
                               .attack = json_is_object(field(report, "tightness"))};
    rows_csv_title(columns, stream);
    json_array_foreach(field(report, "certification.per_sample"), i, element)
        if (row_from_json(element, &row))
            rows_csv_line(&row, columns, stream);
}
