/*
 * ops_text.c: the operator table, one row a line.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "fields.h"
#include "format.h"

#include <inttypes.h>
#include <string.h>

static int widest_name(const json_t *operators)
{
    const json_t *op;
    size_t i, widest = strlen("operator");
    json_array_foreach((json_t *)operators, i, op) {
        size_t length = strlen(field_text(op, "name"));
        widest = length > widest ? length : widest;
    }
    return (int)widest;
}

static bool render(const json_t *document, FILE *stream)
{
    const json_t *operators = field(document, "operators"), *op;
    size_t i;
    int width = widest_name(operators);
    fprintf(stream, "%-*s %-14s %-6s  gain\n", width, "operator", "domain", "opsets");
    json_array_foreach((json_t *)operators, i, op) {
        char opsets[48];
        snprintf(opsets, sizeof opsets, "%" PRId64 "-%" PRId64, field_integer(op, "opset_first"),
                 field_integer(op, "opset_last"));
        fprintf(stream, "%-*s %-14s %-6s  %s\n", width, field_text(op, "name"), field_text(op, "domain"), opsets,
                field_text(op, "gain"));
    }
    return true;
}

const lip_format format_ops_text = {"text", ".txt", render};
