/*
 * certification_text.c: certified samples as a person reads them in a
 * terminal.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "certification.h"
#include "certification_words.h"
#include "fields.h"
#include "paragraph.h"
#include "utf8.h"

#include <inttypes.h>
#include <math.h>

#define TITLE 24
#define CELL 9

static void print_rule(const json_t *section, const lip_rule *rule, FILE *stream)
{
    const json_t *values = field(section, rule->key);
    if (!json_is_object(values))
        return;
    fprintf(stream, "%-*s", TITLE, rule->title);
    for (size_t i = 0; i < CERTIFICATION_QUANTILES; i++)
        fprintf(stream, "%*s", CELL,
                number_fit(number_lower, field_number(values, certification_quantiles[i].key), 6, CELL - 1).text);
    fputc('\n', stream);
}

static void print_radii(const json_t *section, FILE *stream)
{
    if (!json_is_object(field(section, "radius")))
        return;
    fprintf(stream, "\n%-*s", TITLE, "certified L2 radius");
    for (size_t i = 0; i < CERTIFICATION_QUANTILES; i++)
        fprintf(stream, "%*s", CELL, certification_quantiles[i].title);
    fputc('\n', stream);
    for (size_t i = 0; i < CERTIFICATION_RULES; i++)
        print_rule(section, &certification_rules[i], stream);
}

static void print_accuracy(const json_t *section, FILE *stream)
{
    size_t i;
    const json_t *entry;
    uint64_t samples = field_count(section, "samples");
    json_array_foreach(field(section, "certified_accuracy"), i, entry)
        fprintf(stream, "%s%-*s%*s   %s\n", i == 0 ? "\n" : "", TITLE,
                i == 0 ? "certified accuracy" : "", CELL,
                utf8_fit(field_text(entry, "text"), UTF8_LABEL_WIDTH, UTF8_KEEP_START).text,
                share_text(field_count(entry, "count"), samples).text);
}

static void print_class(const json_t *class, FILE *stream)
{
    if (json_is_integer(class))
        fprintf(stream, "%*" JSON_INTEGER_FORMAT, CELL, json_integer_value(class));
    else
        fprintf(stream, "%*s", CELL, "-");
}

static void print_weakest(const json_t *section, FILE *stream)
{
    size_t i;
    const json_t *row;
    if (json_array_size(field(section, "weakest")) == 0)
        return;
    fprintf(stream, "\n%-*s%*s%*s%*s%*s   rule\n", TITLE, "weakest right samples", CELL, "sample", CELL, "class", CELL,
            "margin", CELL, "radius");
    json_array_foreach(field(section, "weakest"), i, row) {
        fprintf(stream, "%-*s", TITLE, "");
        print_class(field(row, "index"), stream);
        print_class(field(row, "predicted"), stream);
        fprintf(stream, "%*s%*s", CELL, number_fit(number_lower, field_number(row, "margin"), 4, CELL - 1).text, CELL,
                number_fit(number_lower, field_number(row, "radius"), 4, CELL - 1).text);
        fputs(field_text(row, "method")[0] != '\0' ? "   " : "", stream);
        utf8_print(stream, field_text(row, "method"));
        fputc('\n', stream);
    }
}

void certification_text(const json_t *report, FILE *stream)
{
    const json_t *section = field(report, "certification");
    if (!json_is_object(section))
        return;
    fputc('\n', stream);
    paragraph_print(report, certification_print_samples, stream);
    print_radii(section, stream);
    print_accuracy(section, stream);
    print_weakest(section, stream);
    fputc('\n', stream);
    paragraph_print(report, certification_print_space, stream);
    paragraph_print(report, certification_print_arithmetic, stream);
    paragraph_print(report, certification_print_caveats, stream);
}
