/*
 * table.c: the table of layers as plain text, fitted to a width.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "table.h"
#include "layers.h"
#include "utf8.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define NUMBER_WIDTH 7

typedef lip_number cell(const json_t *layer);

static lip_number power_cell(const json_t *layer)
{
    return layer_cell(number_nearest, field_number(layer, "power_iteration.value"), NUMBER_WIDTH, NUMBER_WIDTH);
}

static lip_number svd_cell(const json_t *layer)
{
    return layer_cell(number_nearest, field_number(layer, "exact_svd"), NUMBER_WIDTH, NUMBER_WIDTH);
}

static lip_number lower_cell(const json_t *layer)
{
    return layer_cell(number_lower, field_number(layer, "gain.lower"), NUMBER_WIDTH, NUMBER_WIDTH);
}

static lip_number upper_cell(const json_t *layer)
{
    lip_number unknown = {"unknown"};
    if (verdict_of(layer) == LIP_UNKNOWN)
        return unknown;
    return layer_cell(number_upper, field_number(layer, "gain.upper"), NUMBER_WIDTH, NUMBER_WIDTH);
}

static lip_number excess_cell(const json_t *layer)
{
    lip_number none = {"-"};
    double tightness = field_number(layer, "gain.tightness");
    return isnan(tightness) ? none : number_excess(tightness);
}

static lip_number cumulative_cell(const json_t *layer)
{
    return layer_cell(number_upper, field_number(layer, "cumulative_upper"), NUMBER_WIDTH, NUMBER_WIDTH);
}

static lip_number share_cell(const json_t *layer)
{
    lip_number none = {"-"};
    double share = field_number(layer, "log_share");
    return isfinite(share) ? number_percent(share) : none;
}

static lip_number seconds_cell(const json_t *layer)
{
    lip_number none = {"-"};
    double seconds = field_number(layer, "seconds");
    return isnan(seconds) ? none : number_seconds(seconds);
}

static const struct column {
    const char *title[2];
    int width;
    cell *cell;
} column[] = {
    {{"power", "iter."}, NUMBER_WIDTH, power_cell},
    {{"exact", "SVD"}, NUMBER_WIDTH, svd_cell},
    {{"proved", "lower"}, NUMBER_WIDTH, lower_cell},
    {{"proved", "upper"}, NUMBER_WIDTH, upper_cell},
    {{"", "tight-1"}, NUMBER_WIDTH, excess_cell},
    {{"cumul.", "L"}, NUMBER_WIDTH, cumulative_cell},
    {{"share", "%"}, 5, share_cell},
    {{"time", "s"}, 4, seconds_cell},
};
#define COLUMNS (sizeof column / sizeof *column)

/* Widths of the three columns of text. */
typedef struct lip_widths {
    int name, op, shapes;
} lip_widths;

static int at_least(int a, int b)
{
    return a > b ? a : b;
}

/* What the text needs, cut to what there is: the operator gives way first, then the shapes, then the name. */
static lip_widths fit_widths(const json_t *report, int room)
{
    lip_widths w = {5, 8, 8};
    char shapes[400];
    const json_t *layer;
    size_t i;
    json_array_foreach((json_t *)report_layers(report), i, layer) {
        if (layer_rearranges(layer))
            continue;
        layer_shapes(layer, shapes, sizeof shapes);
        w.name = at_least(w.name, utf8_fit(layer_name(layer), UTF8_LABEL_WIDTH, UTF8_KEEP_END).width);
        w.op = at_least(w.op, utf8_fit(field_text(layer, "op"), UTF8_LABEL_WIDTH, UTF8_KEEP_START).width);
        w.shapes = at_least(w.shapes, utf8_fit(shapes, UTF8_LABEL_WIDTH, UTF8_KEEP_START).width);
    }
    int excess = w.name + w.op + w.shapes - room;
    const int floor[] = {10, 18, 12};
    int *const width[] = {&w.op, &w.shapes, &w.name};
    for (size_t k = 0; k < 3 && excess > 0; k++) {
        int give = at_least(0, *width[k] - floor[k]);
        give = give < excess ? give : excess;
        *width[k] -= give;
        excess -= give;
    }
    return w;
}

static void print_label(FILE *stream, const char *text, int width, utf8_keep keep)
{
    lip_label label = utf8_fit(text, width, keep);
    fprintf(stream, "%s%*s", label.text, width - label.width + 1, "");
}

static void print_titles(FILE *stream, lip_widths w)
{
    for (int line = 0; line < 2; line++) {
        print_label(stream, line == 0 ? "" : "layer", w.name, UTF8_KEEP_START);
        print_label(stream, line == 0 ? "" : "operator", w.op, UTF8_KEEP_START);
        print_label(stream, line == 0 ? "" : "in->out", w.shapes, UTF8_KEEP_START);
        for (size_t i = 0; i < COLUMNS; i++)
            fprintf(stream, "%*s%s", column[i].width, column[i].title[line], i + 1 < COLUMNS ? " " : "\n");
    }
}

static void print_layer(FILE *stream, const json_t *layer, lip_widths w, bool colour)
{
    char shapes[400];
    const char *paint = verdict_colour(verdict_of(layer), colour);
    layer_shapes(layer, shapes, sizeof shapes);
    print_label(stream, layer_name(layer), w.name, UTF8_KEEP_END);
    print_label(stream, field_text(layer, "op"), w.op, UTF8_KEEP_START);
    print_label(stream, shapes, w.shapes, UTF8_KEEP_START);
    for (size_t i = 0; i < COLUMNS; i++) {
        bool painted = paint[0] != '\0' && column[i].cell == upper_cell;
        fprintf(stream, "%s%*s%s%s", painted ? paint : "", column[i].width, column[i].cell(layer).text,
                painted ? COLOUR_END : "", i + 1 < COLUMNS ? " " : "\n");
    }
}

void table_print_layers(const json_t *report, int width, bool colour, FILE *stream)
{
    int room = width - 3; /* a space after each text */
    for (size_t i = 0; i < COLUMNS; i++)
        room -= column[i].width + (i > 0 ? 1 : 0);
    lip_widths w = fit_widths(report, room);
    print_titles(stream, w);
    const json_t *layer;
    size_t i;
    json_array_foreach((json_t *)report_layers(report), i, layer)
        if (!layer_rearranges(layer))
            print_layer(stream, layer, w, colour);
}

int stream_width(FILE *stream)
{
    struct winsize size;
    if (isatty(fileno(stream)) && ioctl(fileno(stream), TIOCGWINSZ, &size) == 0)
        return at_least(TABLE_WIDTH, size.ws_col);
    return TABLE_WIDTH;
}

bool stream_colour(FILE *stream)
{
    const char *no_colour = getenv("NO_COLOR");
    return isatty(fileno(stream)) && (!no_colour || no_colour[0] == '\0');
}

const char *verdict_colour(lip_verdict verdict, bool colour)
{
    return !colour || verdict == LIP_BOUNDED ? "" : verdict == LIP_UNBOUNDED ? COLOUR_ALARM : COLOUR_DOUBT;
}
