/*
 * github.c: workflow commands that GitHub shows as annotations: at most 10,
 * the worst first, which is how many it shows of a step.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "fields.h"
#include "findings.h"
#include "format.h"
#include "utf8.h"

#include <string.h>

#define MOST_ANNOTATIONS 10

/* As actions/toolkit escapes: '%', CR, LF in a message, ':' and ',' in a property too. */
static void put(FILE *stream, const char *text, bool property)
{
    char character[5];
    while (*text != '\0') {
        size_t size = utf8_size(text);
        size = size > 0 ? size : 1;
        memcpy(character, text, size);
        character[size] = '\0';
        if (*text == '%' || *text == '\r' || *text == '\n' || (property && (*text == ':' || *text == ',')))
            fprintf(stream, "%%%02X", (unsigned)*text);
        else
            utf8_print(stream, character);
        text += size;
    }
}

static const char *command_of(lip_rule_id rule)
{
    const char *level = finding_rules[rule].level;
    return strcmp(level, "note") == 0 ? "notice" : level;
}

static bool render(const json_t *report, FILE *stream)
{
    lip_findings findings;
    bool complete = findings_of(report, &findings);
    for (size_t i = 0; i < findings.count && i < MOST_ANNOTATIONS; i++) {
        const lip_finding_row *row = &findings.row[i];
        fprintf(stream, "::%s file=", command_of(row->rule));
        put(stream, field_text(report, "model.path"), true);
        fputs(",line=1,title=", stream);
        put(stream, finding_rules[row->rule].title, true);
        fputs("::", stream);
        put(stream, row->message, false);
        if (i + 1 == MOST_ANNOTATIONS && findings.count > MOST_ANNOTATIONS)
            fprintf(stream, " (and %zu more)", findings.count - MOST_ANNOTATIONS);
        fputc('\n', stream);
    }
    findings_free(&findings);
    return complete;
}

const lip_format format_github = {"github", ".txt", render};
