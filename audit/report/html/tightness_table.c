/*
 * tightness_table.c: proof beside attack.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "fields.h"
#include "html.h"
#include "tightness.h"

void html_tightness(const json_t *report, FILE *stream)
{
    if (!json_is_object(field(report, "tightness")))
        return;
    fputs("<h2>Proof and attack</h2>\n<div class=\"scroll\"><table cellpadding=\"3\"><thead><tr><th></th>"
          "<th class=\"n\">median</th><th class=\"n\">to the next</th></tr></thead>\n<tbody>\n", stream);
    for (size_t i = 0; i < TIGHTNESS_ROWS; i++) {
        lip_tightness_row row = tightness_row(report, i);
        fprintf(stream, "<tr><td>%s</td><td class=\"n\">%s</td><td class=\"n\">%s</td></tr>\n", row.title,
                row.median.text, row.step.text);
    }
    fputs("</tbody></table></div>\n<p>", stream);
    html_said(stream, report, tightness_print_words);
    fputs("</p>\n", stream);
}
