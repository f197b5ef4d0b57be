/*
 * certification_markdown.c: certified samples as GitHub-flavoured Markdown.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "certification.h"
#include "certification_words.h"
#include "fields.h"
#include "markdown.h"
#include "said.h"

#include <stdlib.h>

static void print_radii(const json_t *section, FILE *stream)
{
    if (!json_is_object(field(section, "radius")))
        return;
    fputs("| certified L2 radius |", stream);
    for (size_t i = 0; i < CERTIFICATION_QUANTILES; i++)
        fprintf(stream, " %s |", certification_quantiles[i].title);
    fputs("\n|---|", stream);
    for (size_t i = 0; i < CERTIFICATION_QUANTILES; i++)
        fputs("--:|", stream);
    fputc('\n', stream);
    for (size_t i = 0; i < CERTIFICATION_RULES; i++) {
        const json_t *values = field(section, certification_rules[i].key);
        if (!json_is_object(values))
            continue;
        fprintf(stream, "| %s |", certification_rules[i].title);
        for (size_t k = 0; k < CERTIFICATION_QUANTILES; k++)
            fprintf(stream, " %s |", number_lower(field_number(values, certification_quantiles[k].key), 6).text);
        fputc('\n', stream);
    }
    fputc('\n', stream);
}

static void print_accuracy(const json_t *section, FILE *stream)
{
    size_t i;
    const json_t *entry;
    uint64_t samples = field_count(section, "samples");
    json_array_foreach(field(section, "certified_accuracy"), i, entry) {
        if (i == 0)
            fputs("| certified at | accuracy |\n|--:|--:|\n", stream);
        fputs("| ", stream);
        markdown_print(stream, field_text(entry, "text"));
        fprintf(stream, " | %s |\n", share_text(field_count(entry, "count"), samples).text);
    }
    if (json_array_size(field(section, "certified_accuracy")) > 0)
        fputc('\n', stream);
}

static void print_weakest(const json_t *section, FILE *stream)
{
    size_t i;
    const json_t *row;
    json_array_foreach(field(section, "weakest"), i, row) {
        if (i == 0)
            fputs("| weakest right samples | class | margin | radius | rule |\n|--:|--:|--:|--:|---|\n", stream);
        fprintf(stream, "| %" JSON_INTEGER_FORMAT " | %" JSON_INTEGER_FORMAT " | %s | %s | ",
                json_integer_value(field(row, "index")), json_integer_value(field(row, "predicted")),
                number_lower(field_number(row, "margin"), 4).text, number_lower(field_number(row, "radius"), 4).text);
        markdown_print(stream, field_text(row, "method"));
        fputs(" |\n", stream);
    }
    if (json_array_size(field(section, "weakest")) > 0)
        fputc('\n', stream);
}

/* A sentence that holds names from files: made, then escaped. */
static void print_item(const json_t *report, void (*print)(const json_t *, FILE *), FILE *stream)
{
    char *text = said(report, print);
    if (text && text[0] != '\0') {
        fputs("- ", stream);
        markdown_print(stream, text);
        fputc('\n', stream);
    }
    free(text);
}

void certification_markdown(const json_t *report, FILE *stream)
{
    const json_t *section = field(report, "certification");
    if (!json_is_object(section))
        return;
    print_radii(section, stream);
    print_accuracy(section, stream);
    print_weakest(section, stream);
    print_item(report, certification_print_samples, stream);
    print_item(report, certification_print_space, stream);
    print_item(report, certification_print_arithmetic, stream);
    print_item(report, certification_print_caveats, stream);
}
