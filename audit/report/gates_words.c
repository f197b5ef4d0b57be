/*
 * gates_words.c: the section "gates" as a person reads it.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "gates_words.h"
#include "fields.h"
#include "markdown.h"
#include "table.h"
#include "utf8.h"

#include <math.h>
#include <string.h>

const char *gate_outcome(const json_t *gate)
{
    const json_t *holds = field(gate, "holds");
    return json_is_true(holds) ? "holds" : json_is_false(holds) ? "FAILS" : "NO VERDICT";
}

static bool is_least(const json_t *gate)
{
    return strcmp(field_text(gate, "relation"), ">=") == 0;
}

void gate_wanted(const json_t *gate, char *text, size_t size)
{
    double wanted = field_number(gate, "wanted");
    snprintf(text, size, "%s %s %s", field_text(gate, "what"), field_text(gate, "relation"),
             isnan(wanted) ? "?" : number_nearest(wanted, 6).text);
}

void gate_found(const json_t *gate, char *text, size_t size)
{
    double found = field_number(gate, "found");
    const char *reason = field_text(gate, "reason");
    lip_number number = is_least(gate) ? number_lower(found, 6) : number_upper(found, 6);
    if (isnan(found))
        snprintf(text, size, "not measured: %s", reason);
    else
        snprintf(text, size, "%s%s%s%s", number.text, reason[0] != '\0' ? " (" : "", reason,
                 reason[0] != '\0' ? ")" : "");
}

static const char *paint(const json_t *gate, bool colour)
{
    const json_t *holds = field(gate, "holds");
    return verdict_colour(json_is_true(holds) ? LIP_BOUNDED : json_is_false(holds) ? LIP_UNBOUNDED : LIP_UNKNOWN,
                          colour);
}

void gates_text(const json_t *report, FILE *stream)
{
    const json_t *gate;
    size_t i;
    bool colour = stream_colour(stream);
    fputs("\nGates\n", stream);
    json_array_foreach((json_t *)field(report, "gates"), i, gate) {
        char wanted[512], found[700];
        const char *start = paint(gate, colour);
        gate_wanted(gate, wanted, sizeof wanted);
        gate_found(gate, found, sizeof found);
        fprintf(stream, "  %s%-10s%s  ", start, gate_outcome(gate), start[0] != '\0' ? COLOUR_END : "");
        utf8_print(stream, field_text(gate, "name"));
        fputs(": ", stream);
        utf8_print(stream, wanted);
        fputs("; found ", stream);
        utf8_print(stream, found);
        fputc('\n', stream);
    }
    fputc('\n', stream);
}

void gates_markdown(const json_t *report, FILE *stream)
{
    const json_t *gate;
    size_t i;
    fputs("\n#### Gates\n\n| | gate | wanted | found |\n|---|---|---|---|\n", stream);
    json_array_foreach((json_t *)field(report, "gates"), i, gate) {
        char wanted[512], found[700];
        gate_wanted(gate, wanted, sizeof wanted);
        gate_found(gate, found, sizeof found);
        fprintf(stream, "| %s%s%s | ", json_is_true(field(gate, "holds")) ? "" : "**", gate_outcome(gate),
                json_is_true(field(gate, "holds")) ? "" : "**");
        markdown_print(stream, field_text(gate, "name"));
        fputs(" | ", stream);
        markdown_print(stream, wanted);
        fputs(" | ", stream);
        markdown_print(stream, found);
        fputs(" |\n", stream);
    }
}
