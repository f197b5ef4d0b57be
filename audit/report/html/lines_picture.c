/*
 * lines_picture.c: curves in a frame.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "lines_picture.h"
#include "html.h"
#include "number.h"

void lines_start(const lip_axis *y, const char *title, FILE *stream)
{
    double ticks[AXIS_TICKS];
    size_t count = axis_ticks(y, ticks);
    fprintf(stream, "<svg width=\"100%%\" height=\"%d\" role=\"img\"><title>%s</title>", LINES_HEIGHT, title);
    for (size_t i = 0; i < count; i++) {
        double place = 100.0 - axis_place(y, ticks[i]);
        fprintf(stream, "<line x1=\"0\" x2=\"100%%\" y1=\"%.2f%%\" y2=\"%.2f%%\" stroke=\"currentColor\""
                        " stroke-opacity=\"0.15\"/><text x=\"4\" y=\"%.2f%%\" dy=\"%s\" font-size=\"11\""
                        " fill=\"currentColor\" fill-opacity=\"0.7\">%s</text>",
                place, place, place, place < 10.0 ? "11" : "-3", number_nearest(ticks[i], 3).text);
    }
    fputc('\n', stream);
}

void lines_end(FILE *stream)
{
    fputs("</svg>\n", stream);
}

static void print_piece(lip_point a, lip_point b, const char *colour, FILE *stream)
{
    fprintf(stream, "<line x1=\"%.2f%%\" y1=\"%.2f%%\" x2=\"%.2f%%\" y2=\"%.2f%%\" stroke=\"%s\" stroke-width=\"2\""
                    " stroke-linecap=\"round\"/>", a.x, 100.0 - a.y, b.x, 100.0 - b.y, colour);
}

void lines_print(const lip_point *points, size_t count, bool steps, const char *colour, FILE *stream)
{
    for (size_t i = 0; i + 1 < count; i++) {
        lip_point a = points[i], b = points[i + 1], corner = {b.x, a.y};
        if (a.y < 0.0 || b.y < 0.0)
            continue;
        if (steps)
            print_piece(a, corner, colour, stream);
        print_piece(steps ? corner : a, b, colour, stream);
    }
    fputc('\n', stream);
}
