/*
 * ops_markdown.c: the operator table as the README shows it.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "fields.h"
#include "format.h"
#include "markdown.h"

#include <inttypes.h>

static bool render(const json_t *document, FILE *stream)
{
    const json_t *op;
    size_t i;
    fputs("| operator | domain | opsets | gain |\n|---|---|---|---|\n", stream);
    json_array_foreach((json_t *)field(document, "operators"), i, op) {
        fputs("| ", stream);
        markdown_print(stream, field_text(op, "name"));
        fputs(" | ", stream);
        markdown_print(stream, field_text(op, "domain"));
        fprintf(stream, " | %" PRId64 "-%" PRId64 " | ", field_integer(op, "opset_first"),
                field_integer(op, "opset_last"));
        markdown_print(stream, field_text(op, "gain"));
        fputs(" |\n", stream);
    }
    return true;
}

const lip_format format_ops_markdown = {"markdown", ".md", render};
