/*
 * gates_table.c: the gates of `check`.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "fields.h"
#include "gates_words.h"
#include "html.h"

void html_gates(const json_t *report, FILE *stream)
{
    const json_t *gates = field(report, "gates"), *gate;
    size_t i;
    if (json_array_size(gates) == 0)
        return;
    fputs("<h2>Gates</h2>\n<div class=\"scroll\"><table cellpadding=\"3\" width=\"100%\"><thead><tr><th></th>"
          "<th>gate</th><th>wanted</th><th>found</th></tr></thead>\n<tbody>\n", stream);
    json_array_foreach((json_t *)gates, i, gate) {
        char wanted[512], found[700];
        const json_t *holds = field(gate, "holds");
        gate_wanted(gate, wanted, sizeof wanted);
        gate_found(gate, found, sizeof found);
        fprintf(stream, "<tr><td class=\"%s\">%s</td><td>",
                json_is_true(holds) ? "good" : json_is_false(holds) ? "bad" : "doubt", gate_outcome(gate));
        html_print(stream, field_text(gate, "name"));
        fputs("</td><td class=\"name\">", stream);
        html_print(stream, wanted);
        fputs("</td><td class=\"name\">", stream);
        html_print(stream, found);
        fputs("</td></tr>\n", stream);
    }
    fputs("</tbody></table></div>\n", stream);
}
