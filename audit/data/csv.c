/*
 * csv.c: rows of decimal numbers, separated by commas, semicolons or tabs,
 * each perhaps in quotes. Opening goes through the whole text once: it counts
 * rows, checks that all have as many columns, and remembers where every
 * 1024th begins.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "stream.h"
#include "rows.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MAX_FIELD 1024
#define MARK_EVERY 1024
#define MAX_COLUMNS (INT64_C(1) << 31)

typedef struct lip_csv {
    lip_rows base;
    lip_data_memory *memory;
    lip_stream *stream;
    int64_t start;      /* of the first row */
    int64_t start_line;
    int64_t *marks;     /* where row i * MARK_EVERY begins, and its line */
    int64_t mark_count, mark_room;
    char separator;
    int64_t row, line;  /* the next row, and the line that is being read */
    int64_t piece_at;   /* offset of piece[0] */
    size_t next, filled;
    char piece[STREAM_PIECE];
    char field[MAX_FIELD];
} lip_csv;

typedef enum lip_field_end { FIELD_MORE, FIELD_ROW_ENDS, FIELD_NO_ROW } lip_field_end;

static lip_status malformed(const lip_csv *csv, const char *what, lip_error *error)
{
    return data_fail(error, csv->base.path, LIP_EFORMAT, "sample %" PRId64 " (line %" PRId64 ") %s", csv->row,
                     csv->line, what);
}

/* The next character, EOF at the end. */
static lip_status next_char(lip_csv *csv, int *out, lip_error *error)
{
    if (csv->next == csv->filled) {
        size_t got;
        lip_status status = stream_read(csv->stream, csv->piece_at + (int64_t)csv->filled, csv->piece,
                                        sizeof csv->piece, &got, error);
        if (status)
            return status;
        if (got == 0 && stream_cut(csv->stream))
            return malformed(csv, "is cut: the gzip data end early", error);
        csv->piece_at += (int64_t)csv->filled;
        csv->filled = got;
        csv->next = 0;
    }
    *out = csv->next < csv->filled ? (unsigned char)csv->piece[csv->next++] : -1;
    return LIP_OK;
}

static int64_t place(const lip_csv *csv)
{
    return csv->piece_at + (int64_t)csv->next;
}

static void go_to(lip_csv *csv, int64_t offset, int64_t row, int64_t line)
{
    csv->piece_at = offset;
    csv->next = csv->filled = 0;
    csv->row = row;
    csv->line = line;
}

static bool ends_line(int c)
{
    return c == '\n' || c == -1;
}

static bool is_blank(int c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static lip_status add_char(lip_csv *csv, size_t *length, char c, lip_error *error)
{
    if (*length == MAX_FIELD - 1)
        return malformed(csv, "has a field that is too long for a number", error);
    csv->field[(*length)++] = c;
    return LIP_OK;
}

/* Up to the closing quote. */
static lip_status read_quoted(lip_csv *csv, size_t *length, lip_error *error)
{
    for (;;) {
        int c = -1;
        lip_status status = next_char(csv, &c, error);
        if (!status && c == '"')
            return LIP_OK;
        if (!status)
            status = ends_line(c) ? malformed(csv, "has a quote that is not closed on its line", error)
                                  : add_char(csv, length, (char)c, error);
        if (status)
            return status;
    }
}

/* One field without the quotes and the blanks around it into csv->field. */
static lip_status read_field(lip_csv *csv, lip_field_end *end, lip_error *error)
{
    size_t length = 0, trimmed = 0; /* without trailing blanks */
    bool closed = false;
    int c = -1;
    for (;;) {
        lip_status status = next_char(csv, &c, error);
        if (status)
            return status;
        if (c == csv->separator || ends_line(c))
            break;
        if (is_blank(c) && (length == 0 || closed))
            continue;
        if (closed || (c == '"' && length > 0))
            return malformed(csv, "has a quote inside of a field", error);
        closed = c == '"';
        status = closed ? read_quoted(csv, &length, error) : add_char(csv, &length, (char)c, error);
        if (status)
            return status;
        if (closed || !is_blank(c))
            trimmed = length;
    }
    csv->field[trimmed] = '\0';
    *end = c == csv->separator ? FIELD_MORE : c == -1 && !closed && trimmed == 0 ? FIELD_NO_ROW : FIELD_ROW_ENDS;
    return LIP_OK;
}

/* A decimal number; NaN and infinities as their texts say. */
static bool parse_number(const char *text, double *out)
{
    static const char *const special[] = {"nan", "inf", "-inf", "+inf", "-nan", "infinity", "-infinity"};
    char *end;
    for (size_t i = 0; i < sizeof special / sizeof *special; i++)
        if (strcasecmp(text, special[i]) == 0) {
            *out = (double)NAN;
            return true;
        }
    text += strspn(text, " \t"); /* inside of quotes */
    size_t length = strspn(text, "+-.0123456789eE");
    if (length == 0 || text[length + strspn(text + length, " \t")] != '\0')
        return false;
    *out = strtod(text, &end);
    return end == text + length;
}

/* The fields of one row, passed over where `to` is NULL. Blank lines are no rows: *width 0, and *end tells whether the
 * text is over. */
static lip_status read_row(lip_csv *csv, double *to, double *lead, int64_t *width, lip_field_end *end,
                           lip_error *error)
{
    int64_t count = 0, skip = to ? csv->base.lead : 0, room = csv->base.width + skip;
    do {
        double ignored;
        lip_status status = read_field(csv, end, error);
        if (status)
            return status;
        if (count == 0 && csv->field[0] == '\0' && *end != FIELD_MORE)
            break; /* a blank line */
        if (count == MAX_COLUMNS || (to && count == room))
            return malformed(csv, "has too many columns", error);
        double *place_of = !to ? &ignored : count < skip ? lead ? lead : &ignored : to + (count - skip);
        if (to && !parse_number(csv->field, place_of))
            return data_fail(error, csv->base.path, LIP_EFORMAT,
                             "sample %" PRId64 " (line %" PRId64 "), column %" PRId64 ": '%.60s' is no number",
                             csv->row, csv->line, count + 1, csv->field);
        count++;
    } while (*end == FIELD_MORE);
    *width = count;
    csv->line++;
    csv->row += count > 0;
    return LIP_OK;
}

static lip_status read_next_row(lip_csv *csv, double *to, double *lead, lip_error *error)
{
    int64_t width = 0, line = csv->line, row = csv->row;
    lip_field_end end = FIELD_MORE;
    lip_status status = LIP_OK;
    while (!status && width == 0) {
        status = read_row(csv, to, lead, &width, &end, error);
        if (!status && width == 0 && end == FIELD_NO_ROW)
            break;
    }
    if (status || width == csv->base.width + csv->base.lead)
        return status;
    return data_fail(error, csv->base.path, LIP_EFORMAT,
                     "the data end in sample %" PRId64 " (line %" PRId64 "): the file has changed", row, line);
}

static lip_status csv_read(lip_rows *rows, int64_t first, int64_t count, double *to, double *lead, lip_error *error)
{
    lip_csv *csv = (lip_csv *)rows;
    if (first < csv->row || first / MARK_EVERY > csv->row / MARK_EVERY) {
        const int64_t *mark = csv->marks + 2 * (first / MARK_EVERY);
        go_to(csv, mark[0], first / MARK_EVERY * MARK_EVERY, mark[1]);
    }
    lip_status status = LIP_OK;
    while (!status && csv->row < first)
        status = read_next_row(csv, NULL, NULL, error);
    for (int64_t i = 0; !status && i < count; i++)
        status = read_next_row(csv, to + i * rows->width, lead ? lead + i : NULL, error);
    if (status) /* somewhere inside of a row */
        go_to(csv, csv->marks[0], 0, csv->marks[1]);
    return status;
}

static void csv_close(lip_rows *rows)
{
    lip_csv *csv = (lip_csv *)rows;
    stream_close(&csv->stream);
    free(csv->marks);
}

static lip_status mark(lip_csv *csv, lip_error *error)
{
    if (csv->mark_count == csv->mark_room) {
        int64_t room = csv->mark_room ? 2 * csv->mark_room : 64;
        int64_t *marks = data_alloc(csv->memory, 2 * room, sizeof *marks);
        if (!marks)
            return data_no_memory(error, csv->base.path, "the places of its rows");
        if (csv->mark_count)
            memcpy(marks, csv->marks, 2 * (size_t)csv->mark_count * sizeof *marks);
        free(csv->marks);
        csv->marks = marks;
        csv->mark_room = room;
    }
    csv->marks[2 * csv->mark_count] = place(csv);
    csv->marks[2 * csv->mark_count + 1] = csv->line;
    csv->mark_count++;
    return LIP_OK;
}

/* What the first line uses; a file of one column has none. */
static lip_status find_separator(lip_csv *csv, lip_error *error)
{
    int c = -1;
    lip_status status = next_char(csv, &c, error);
    if (status)
        return status;
    csv->next = 0;
    size_t length = 0;
    while (length < csv->filled && csv->piece[length] != '\n')
        length++;
    csv->separator = memchr(csv->piece, ',', length)    ? ','
                     : memchr(csv->piece, ';', length)  ? ';'
                     : memchr(csv->piece, '\t', length) ? '\t'
                                                        : ',';
    if (csv->filled >= 3 && memcmp(csv->piece, "\xEF\xBB\xBF", 3) == 0)
        csv->next = 3; /* the mark of UTF-8 */
    return LIP_OK;
}

/*
 * A first line of names is passed over; its first is no number. Columns may be named by their places, from 0 or 1. A
 * line at least half of which are other numbers is a sample with a damaged first field, and refused as such.
 */
static lip_status skip_header(lip_csv *csv, lip_error *error)
{
    int64_t start = place(csv), fields = 0, numbers = 0;
    bool places = true;
    double value, from = 0.0;
    char first[64];
    lip_field_end end;
    do {
        lip_status status = read_field(csv, &end, error);
        if (status)
            return status;
        bool is_number = parse_number(csv->field, &value);
        if (fields == 0 && (is_number || (csv->field[0] == '\0' && end != FIELD_MORE))) {
            go_to(csv, start, 0, 1);
            return LIP_OK;
        }
        if (fields++ == 0)
            snprintf(first, sizeof first, "%.60s", csv->field);
        if (!is_number)
            continue;
        if (numbers == 0)
            from = value;
        places = places && (from == 0.0 || from == 1.0) && value == from + (double)numbers;
        numbers++;
    } while (end == FIELD_MORE);
    if (!places && 2 * numbers >= fields)
        return data_fail(error, csv->base.path, LIP_EFORMAT,
                         "sample 0 (line 1), column 1: '%s' is no number, while %" PRId64 " of the line's %" PRId64
                         " columns are: neither a sample nor a line of names", first, numbers, fields);
    csv->line = 2;
    return LIP_OK;
}

static lip_status count_rows(lip_csv *csv, int64_t *rows, int64_t *columns, lip_error *error)
{
    lip_field_end end = FIELD_MORE;
    int64_t width = 0;
    for (*rows = *columns = 0; end != FIELD_NO_ROW;) {
        int64_t line = csv->line;
        bool marked = *rows % MARK_EVERY != 0 || csv->mark_count > *rows / MARK_EVERY;
        lip_status status = marked ? LIP_OK : mark(csv, error);
        if (!status)
            status = read_row(csv, NULL, NULL, &width, &end, error);
        if (status)
            return status;
        if (width == 0)
            continue;
        if (*rows > 0 && width != *columns)
            return data_fail(error, csv->base.path, LIP_EFORMAT,
                             "sample %" PRId64 " (line %" PRId64 ") has %" PRId64
                             " columns, those before have %" PRId64,
                             *rows, line, width, *columns);
        *columns = width;
        ++*rows;
    }
    return LIP_OK;
}

lip_status csv_open(const char *path, lip_data_memory *memory, lip_rows **out, lip_error *error)
{
    static const lip_rows_kind kind = {csv_read, NULL, csv_close};
    lip_csv *csv = data_alloc(memory, 1, sizeof *csv);
    if (!csv)
        return data_no_memory(error, path, "a buffer");
    csv->base = (lip_rows){.kind = &kind, .path = path, .format = "CSV", .dtype = "decimal"};
    csv->memory = memory;
    csv->line = 1;
    lip_rows *rows = &csv->base;
    lip_shape shape = {.rank = 2};
    lip_status status = stream_open(path, &csv->stream, error);
    if (!status)
        status = find_separator(csv, error);
    if (!status)
        status = skip_header(csv, error);
    if (!status)
        status = count_rows(csv, &shape.dim[0], &shape.dim[1], error);
    if (!status && shape.dim[0] == 0)
        status = data_fail(error, path, LIP_EFORMAT, "holds no samples: read as CSV, it has no row of numbers");
    if (!status)
        status = rows_set_shape(rows, &shape, error);
    if (status) {
        rows_close(&rows);
        return status;
    }
    rows->parts = 0;
    go_to(csv, csv->marks[0], 0, csv->marks[1]);
    *out = rows;
    return LIP_OK;
}
