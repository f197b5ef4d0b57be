/*
 * comparison_words.c: the section "comparison" as a person reads it.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "comparison_words.h"
#include "layers.h"
#include "markdown.h"
#include "utf8.h"

#include <math.h>
#include <string.h>

#define NAME_WIDTH 26
#define OP_WIDTH 12
#define NUMBER_WIDTH 8

const json_t *pair_layer(const json_t *report, const json_t *pair)
{
    const json_t *index = field(pair, "index");
    return json_is_integer(index) && json_integer_value(index) >= 0
               ? json_array_get(report_layers(report), (size_t)json_integer_value(index)) : NULL;
}

bool pair_rearranges(const json_t *report, const json_t *pair)
{
    const json_t *layer = pair_layer(report, pair), *old = field(pair, "baseline");
    return (!layer || layer_rearranges(layer)) && (!json_is_object(old) || layer_rearranges(old));
}

static const char *change_text(const json_t *object)
{
    static const char *const words[] = {"regressed", "looser", "improved", "unchanged", "added", "removed"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(field_text(object, "change"), words[i]) == 0)
            return words[i];
    return "?";
}

static lip_number ratio(const json_t *object)
{
    return layer_cell(number_nearest, field_number(object, "ratio"), 4, NUMBER_WIDTH);
}

static lip_number upper(const json_t *object, const char *path)
{
    return layer_cell(number_upper, field_number(object, path), 6, NUMBER_WIDTH);
}

static lip_number share(const json_t *layer)
{
    lip_number none = {"-"};
    double part = field_number(layer, "log_share");
    return isfinite(part) ? number_percent(part) : none;
}

static void print_pair(const json_t *report, const json_t *pair, FILE *stream)
{
    const json_t *layer = pair_layer(report, pair), *old = field(pair, "baseline");
    const json_t *named = layer ? layer : old;
    lip_label name = utf8_fit(layer_name(named), NAME_WIDTH, UTF8_KEEP_END);
    lip_label op = utf8_fit(field_text(named, "op"), OP_WIDTH, UTF8_KEEP_START);
    fprintf(stream, "%s%*s%s%*s%8s %8s %8s %5s %5s %8s %8s  %s\n", name.text, NAME_WIDTH + 1 - name.width, "", op.text,
            OP_WIDTH + 1 - op.width, "", upper(old, "gain.upper").text, upper(layer, "gain.upper").text,
            ratio(pair).text, share(old).text, share(layer).text, upper(old, "cumulative_upper").text,
            upper(layer, "cumulative_upper").text, change_text(pair));
}

static void print_network(const json_t *report, FILE *stream)
{
    const json_t *comparison = field(report, "comparison"), *radius = field(comparison, "radius");
    fprintf(stream, "L_F: baseline <= %s, model <= %s: %s", upper(comparison, "network.upper").text,
            upper(report, "network.lipschitz.upper").text, change_text(field(comparison, "network")));
    if (!isnan(field_number(comparison, "network.ratio")))
        fprintf(stream, " (%s times)", ratio(field(comparison, "network")).text);
    fputc('\n', stream);
    if (json_is_object(radius))
        fprintf(stream, "Median certified radius: baseline %s, model %s: %s\n",
                number_lower(field_number(radius, "baseline"), 6).text,
                number_lower(field_number(radius, "model"), 6).text, change_text(radius));
}

static void print_notes(const json_t *comparison, const char *start, void (*print)(FILE *stream, const char *text),
                        FILE *stream)
{
    const json_t *note;
    size_t i;
    json_array_foreach((json_t *)field(comparison, "notes"), i, note) {
        fputs(start, stream);
        print(stream, json_string_value(note) ? json_string_value(note) : "");
        fputc('\n', stream);
    }
}

void comparison_text(const json_t *report, FILE *stream)
{
    const json_t *comparison = field(report, "comparison"), *pair;
    size_t i;
    fputs("\nBeside the baseline ", stream);
    utf8_print(stream, field_text(comparison, "baseline.path"));
    fprintf(stream, " (proved upper bounds)\n%*s%8s %8s %8s %11s %17s\n", NAME_WIDTH + OP_WIDTH + 2, "", "gain", "gain",
            "", "share %  ", "cumul. L    ");
    fprintf(stream, "%-*s %-*s %8s %8s %8s %5s %5s %8s %8s  %s\n", NAME_WIDTH, "layer", OP_WIDTH, "operator",
            "baseline", "model", "ratio", "base", "model", "baseline", "model", "change");
    json_array_foreach((json_t *)field(comparison, "layers"), i, pair)
        if (!pair_rearranges(report, pair))
            print_pair(report, pair, stream);
    fputc('\n', stream);
    print_network(report, stream);
    print_notes(comparison, "Note: ", utf8_print, stream);
}

static void markdown_pair(const json_t *report, const json_t *pair, FILE *stream)
{
    const json_t *layer = pair_layer(report, pair), *old = field(pair, "baseline");
    fputs("| ", stream);
    markdown_print(stream, layer_name(layer ? layer : old));
    fputs(" | ", stream);
    markdown_print(stream, field_text(layer ? layer : old, "op"));
    fprintf(stream, " | %s | %s | %s | %s | %s | %s | %s | %s |\n", upper(old, "gain.upper").text,
            upper(layer, "gain.upper").text, ratio(pair).text, share(old).text, share(layer).text,
            upper(old, "cumulative_upper").text, upper(layer, "cumulative_upper").text, change_text(pair));
}

void comparison_markdown(const json_t *report, FILE *stream)
{
    const json_t *comparison = field(report, "comparison"), *pair;
    size_t i;
    fputs("\n#### Beside the baseline ", stream);
    markdown_print(stream, field_text(comparison, "baseline.path"));
    fputs("\n\n| layer | operator | baseline gain | gain | ratio | baseline share % | share % | baseline cumulative L "
          "| cumulative L | change |\n|---|---|--:|--:|--:|--:|--:|--:|--:|---|\n", stream);
    json_array_foreach((json_t *)field(comparison, "layers"), i, pair)
        if (!pair_rearranges(report, pair))
            markdown_pair(report, pair, stream);
    fputs("\n- ", stream);
    print_network(report, stream);
    print_notes(comparison, "- ", markdown_print, stream);
}
