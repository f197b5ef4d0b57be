/*
 * layers_picture.c: the gain of each layer on a log axis: a bar from 1, which
 * changes nothing, to the proved bound, so that a bar's length is the layer's
 * part of log L_F.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "axis.h"
#include "html.h"
#include "layers.h"

#include <math.h>

static void take_layer(lip_axis *axis, const json_t *layer)
{
    axis_take(axis, field_number(layer, "gain.lower"));
    axis_take(axis, field_number(layer, "gain.upper"));
    axis_take(axis, field_number(layer, "power_iteration.value"));
    axis_take(axis, field_number(layer, "exact_svd"));
}

static void print_bar(const lip_axis *axis, double from, double to, double opacity, FILE *stream)
{
    double a = axis_place(axis, from), b = axis_place(axis, to);
    if (a < 0.0 || b < 0.0)
        return;
    fprintf(stream, "<rect x=\"%.3f%%\" y=\"4\" width=\"%.3f%%\" height=\"14\" fill=\"" HTML_PROVED
                    "\" fill-opacity=\"%g\"/>", a < b ? a : b, fabs(a - b), opacity);
}

static void print_unbounded(FILE *stream)
{
    fputs("<rect x=\"0\" y=\"4\" width=\"100%\" height=\"14\" fill=\"none\" stroke=\"" HTML_ALARM
          "\" stroke-dasharray=\"4 3\"/>", stream);
}

static void print_picture(const lip_axis *axis, const json_t *layer, FILE *stream)
{
    double lower = field_number(layer, "gain.lower"), upper = field_number(layer, "gain.upper");
    double power = axis_place(axis, field_number(layer, "power_iteration.value"));
    double exact = axis_place(axis, field_number(layer, "exact_svd"));
    fputs("<svg width=\"100%\" height=\"22\" role=\"img\"><title>", stream);
    fprintf(stream, "%s &lt;= gain &lt;= %s", layer_cell(number_lower, lower, 6, 20).text,
            layer_cell(number_upper, upper, 6, 20).text);
    fputs("</title>", stream);
    axis_print_grid(axis, stream);
    if (verdict_of(layer) != LIP_BOUNDED || !isfinite(upper)) {
        print_unbounded(stream);
    } else {
        print_bar(axis, 1.0, lower > 0.0 ? lower : upper, lower > 0.0 ? 0.85 : 0.3, stream);
        print_bar(axis, lower > 0.0 ? lower : upper, upper, 0.3, stream);
        fprintf(stream, "<line x1=\"%.3f%%\" x2=\"%.3f%%\" y1=\"1\" y2=\"21\" stroke=\"" HTML_PROVED
                        "\" stroke-width=\"2\"/>", axis_place(axis, upper), axis_place(axis, upper));
    }
    if (exact >= 0.0)
        fprintf(stream, "<circle cx=\"%.3f%%\" cy=\"11\" r=\"4\" fill=\"none\" stroke=\"currentColor\""
                        " stroke-width=\"1.5\"/>", exact);
    if (power >= 0.0)
        fprintf(stream, "<line x1=\"%.3f%%\" x2=\"%.3f%%\" y1=\"3\" y2=\"19\" stroke=\"" HTML_ESTIMATE
                        "\" stroke-width=\"2\"/>", power, power);
    fputs("</svg>", stream);
}

static void print_row(const lip_axis *axis, const json_t *layer, FILE *stream)
{
    char shapes[400];
    double share = field_number(layer, "log_share"), tightness = field_number(layer, "gain.tightness");
    lip_number none = {"-"};
    layer_shapes(layer, shapes, sizeof shapes);
    fputs("<tr><td class=\"name\">", stream);
    html_print(stream, layer_name(layer));
    fputs("</td><td class=\"wide\">", stream);
    html_print(stream, field_text(layer, "op"));
    fputs("</td><td class=\"wide\"><code>", stream);
    html_print(stream, shapes);
    fputs("</code></td><td class=\"plot\" width=\"50%\">", stream);
    print_picture(axis, layer, stream);
    fprintf(stream, "</td><td class=\"n wide\">%s</td><td class=\"n wide\">%s</td><td class=\"n wide\">%s</td>"
                    "<td class=\"n\">%s</td>",
            layer_cell(number_nearest, field_number(layer, "power_iteration.value"), 6, 12).text,
            layer_cell(number_nearest, field_number(layer, "exact_svd"), 6, 12).text,
            layer_cell(number_lower, field_number(layer, "gain.lower"), 6, 12).text,
            verdict_of(layer) == LIP_BOUNDED ? layer_cell(number_upper, field_number(layer, "gain.upper"), 6, 12).text
                                             : verdict_alarm(verdict_of(layer)));
    fprintf(stream, "<td class=\"n wide\">%s</td><td class=\"n\">%s</td></tr>\n",
            isnan(tightness) ? none.text : number_excess(tightness).text,
            isfinite(share) ? number_percent(share).text : none.text);
}

static void print_key(FILE *stream)
{
    fputs("<p class=\"soft\">A bar runs from 1 to the proved bound of the layer's L2 gain, on a log axis: to the right"
          " the layer amplifies, to the left it damps. "
          "<svg width=\"26\" height=\"12\"><rect y=\"1\" width=\"14\" height=\"10\" fill=\"" HTML_PROVED "\"/>"
          "<rect x=\"14\" y=\"1\" width=\"10\" height=\"10\" fill=\"" HTML_PROVED "\" fill-opacity=\"0.3\"/></svg>"
          " up to the proved lower bound, then up to the upper one; "
          "<svg width=\"8\" height=\"12\"><line x1=\"4\" x2=\"4\" y1=\"0\" y2=\"12\" stroke=\"" HTML_ESTIMATE
          "\" stroke-width=\"2\"/></svg> power iteration (an estimate), "
          "<svg width=\"12\" height=\"12\"><circle cx=\"6\" cy=\"6\" r=\"4\" fill=\"none\" stroke=\"currentColor\""
          " stroke-width=\"1.5\"/></svg> exact SVD (not proved).</p>\n", stream);
}

void html_layers(const json_t *report, FILE *stream)
{
    const json_t *layer;
    size_t i;
    lip_axis axis = axis_start(true);
    axis_take(&axis, 1.0);
    json_array_foreach((json_t *)report_layers(report), i, layer)
        if (!layer_rearranges(layer))
            take_layer(&axis, layer);
    axis_finish(&axis);
    fputs("<h2>Layers</h2>\n", stream);
    print_key(stream);
    fputs("<div class=\"scroll\"><table cellpadding=\"3\" width=\"100%\"><thead><tr><th>layer</th>"
          "<th class=\"wide\">operator</th><th class=\"wide\">in &rarr; out</th><th>", stream);
    axis_print(&axis, stream);
    fputs("</th><th class=\"n wide\">power it.</th><th class=\"n wide\">exact SVD</th>"
          "<th class=\"n wide\">lower</th><th class=\"n\">upper</th><th class=\"n wide\">tight - 1</th>"
          "<th class=\"n\">share %</th></tr></thead>\n<tbody>\n", stream);
    json_array_foreach((json_t *)report_layers(report), i, layer)
        if (!layer_rearranges(layer))
            print_row(&axis, layer, stream);
    fputs("</tbody></table></div>\n", stream);
    fputs("<p class=\"soft\">", stream);
    html_said(stream, report, layers_print_rearranged);
    fputs("</p>\n<p class=\"soft\">", stream);
    html_said(stream, report, layers_print_folded);
    fputs("</p>\n", stream);
}
