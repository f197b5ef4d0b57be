/*
 * tightness_table.c: proof beside attack.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "fields.h"
#include "html.h"
#include "tightness.h"

#include <math.h>

void html_tightness(const json_t *report, FILE *stream)
{
    const json_t *section = field(report, "tightness");
    if (!json_is_object(section))
        return;
    fputs("<h2>Proof and attack</h2>\n<div class=\"scroll\"><table cellpadding=\"3\"><thead><tr><th></th>"
          "<th class=\"n\">median</th><th class=\"n\">to the next</th></tr></thead>\n<tbody>\n", stream);
    for (size_t i = 0; i < TIGHTNESS_ROWS; i++) {
        double value = field_number(section, tightness_rows[i].key);
        fprintf(stream, "<tr><td>%s</td><td class=\"n\">%s</td><td class=\"n\">%s</td></tr>\n",
                tightness_rows[i].title, isnan(value) ? "-" : tightness_rows[i].style(value, 6).text,
                i + 1 < TIGHTNESS_ROWS ? tightness_step(report, i + 1).text : "");
    }
    fputs("</tbody></table></div>\n<p>", stream);
    html_said(stream, report, tightness_print_words);
    fputs("</p>\n", stream);
}
