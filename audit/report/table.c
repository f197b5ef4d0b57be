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

typedef lip_number cell(const lip_layer *layer);

static lip_number power_cell(const lip_layer *layer)
{
    return layer_cell(number_nearest, layer->power_estimate, NUMBER_WIDTH, NUMBER_WIDTH);
}

static lip_number svd_cell(const lip_layer *layer)
{
    return layer_cell(number_nearest, layer->exact_svd, NUMBER_WIDTH, NUMBER_WIDTH);
}

static lip_number lower_cell(const lip_layer *layer)
{
    return layer_cell(number_lower, layer->gain.lower, NUMBER_WIDTH, NUMBER_WIDTH);
}

static lip_number upper_cell(const lip_layer *layer)
{
    lip_number unknown = {"unknown"};
    if (layer->verdict == LIP_UNKNOWN)
        return unknown;
    return layer_cell(number_upper, layer->gain.upper, NUMBER_WIDTH, NUMBER_WIDTH);
}

static lip_number excess_cell(const lip_layer *layer)
{
    lip_number none = {"-"};
    return isnan(layer->gain.tightness) ? none : number_excess(layer->gain.tightness);
}

static lip_number cumulative_cell(const lip_layer *layer)
{
    return layer_cell(number_upper, layer->cumulative_upper, NUMBER_WIDTH, NUMBER_WIDTH);
}

static lip_number share_cell(const lip_layer *layer)
{
    lip_number none = {"-"};
    return isfinite(layer->log_share) ? number_percent(layer->log_share) : none;
}

static lip_number seconds_cell(const lip_layer *layer)
{
    lip_number none = {"-"};
    return isnan(layer->seconds) ? none : number_seconds(layer->seconds);
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
static lip_widths fit_widths(const lip_report *report, int room)
{
    lip_widths w = {5, 8, 8};
    char shapes[400];
    for (size_t i = 0; i < report->layer_count; i++) {
        const lip_layer *layer = &report->layers[i];
        if (layer_rearranges(layer))
            continue;
        layer_shapes(layer, shapes, sizeof shapes);
        w.name = at_least(w.name, utf8_fit(layer_name(layer), UTF8_LABEL_WIDTH, UTF8_KEEP_END).width);
        w.op = at_least(w.op, utf8_fit(layer->op, UTF8_LABEL_WIDTH, UTF8_KEEP_START).width);
        w.shapes = at_least(w.shapes, utf8_fit(shapes, UTF8_LABEL_WIDTH, UTF8_KEEP_START).width);
    }
    int excess = w.name + w.op + w.shapes - room;
    const int floor[] = {10, 18, 12};
    int *const width[] = {&w.op, &w.shapes, &w.name};
    for (size_t i = 0; i < 3 && excess > 0; i++) {
        int give = at_least(0, *width[i] - floor[i]);
        give = give < excess ? give : excess;
        *width[i] -= give;
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

static void print_layer(FILE *stream, const lip_layer *layer, lip_widths w, bool colour)
{
    char shapes[400];
    const char *paint = verdict_colour(layer->verdict, colour);
    layer_shapes(layer, shapes, sizeof shapes);
    print_label(stream, layer_name(layer), w.name, UTF8_KEEP_END);
    print_label(stream, layer->op, w.op, UTF8_KEEP_START);
    print_label(stream, shapes, w.shapes, UTF8_KEEP_START);
    for (size_t i = 0; i < COLUMNS; i++) {
        bool painted = paint[0] != '\0' && column[i].cell == upper_cell;
        fprintf(stream, "%s%*s%s%s", painted ? paint : "", column[i].width, column[i].cell(layer).text,
                painted ? COLOUR_END : "", i + 1 < COLUMNS ? " " : "\n");
    }
}

void table_print_layers(const lip_report *report, int width, bool colour, FILE *stream)
{
    int room = width - 3; /* a space after each text */
    for (size_t i = 0; i < COLUMNS; i++)
        room -= column[i].width + (i > 0 ? 1 : 0);
    lip_widths w = fit_widths(report, room);
    print_titles(stream, w);
    for (size_t i = 0; i < report->layer_count; i++)
        if (!layer_rearranges(&report->layers[i]))
            print_layer(stream, &report->layers[i], w, colour);
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
