/*
 * sections.c: the table of sections that only some reports have.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "sections.h"
#include "comparison_words.h"
#include "gates_words.h"
#include "certification.h"
#include "tightness.h"

#include <stdbool.h>
#include <stddef.h>

typedef void print(const json_t *report, FILE *stream);

/* One row a section; its functions are called where the report has it. */
static const struct section {
    const char *key;
    print *text, *markdown;
} sections[] = {
    {"certification", certification_text, certification_markdown},
    {"tightness", tightness_text, tightness_markdown},
    {"comparison", comparison_text, comparison_markdown},
    {"gates", gates_text, gates_markdown},
    {NULL, NULL, NULL},
};

static bool has(const json_t *report, const char *key)
{
    const json_t *section = json_object_get(report, key);
    return json_is_object(section) || json_is_array(section);
}

void sections_text(const json_t *report, FILE *stream)
{
    for (size_t i = 0; sections[i].key; i++)
        if (has(report, sections[i].key))
            sections[i].text(report, stream);
}

void sections_markdown(const json_t *report, FILE *stream)
{
    for (size_t i = 0; sections[i].key; i++)
        if (has(report, sections[i].key))
            sections[i].markdown(report, stream);
}
