/*
 * failure.c: status texts, and filling a lip_error.
 *
 * What comes from a file (names, mostly) may hold anything: it is made
 * printable on its way into the error.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "failure.h"

#include "graph.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *lip_status_text(lip_status status)
{
    switch (status) {
#define LIP_STATUS_TEXT(name, text) \
    case name:                      \
        return text;
        LIP_STATUS_LIST(LIP_STATUS_TEXT)
#undef LIP_STATUS_TEXT
    }
    return "unknown status";
}

/* Length of the well-formed, printable UTF-8 character at `text` [Unicode, table 3-7]; 0 if there is none. */
static size_t character_length(const unsigned char *text)
{
    unsigned char a = text[0], low = 0x80, high = 0xBF;
    if (a < 0x80)
        return a >= 0x20 && a != 0x7F;
    size_t length = a >= 0xC2 && a <= 0xDF ? 2 : a >= 0xE0 && a <= 0xEF ? 3 : a >= 0xF0 && a <= 0xF4 ? 4 : 0;
    if (a == 0xC2 || a == 0xE0)
        low = 0xA0; /* C2: the control characters U+0080 to U+009F; E0: overlong */
    else if (a == 0xF0)
        low = 0x90;
    if (a == 0xED)
        high = 0x9F;
    else if (a == 0xF4)
        high = 0x8F;
    for (size_t i = 1; i < length; i++) {
        if (text[i] < low || text[i] > high)
            return 0;
        low = 0x80;
        high = 0xBF;
    }
    return length;
}

void lip_copy_printable(char *to, size_t size, const char *text)
{
    size_t used = 0;
    const unsigned char *from = (const unsigned char *)(text ? text : "");
    while (*from) {
        size_t length = character_length(from), needed = length ? length : 1;
        if (used + needed >= size)
            break;
        if (length)
            memcpy(to + used, from, length);
        else
            to[used] = '?';
        used += needed;
        from += needed;
    }
    to[used] = '\0';
}

static void fill(lip_error *error, lip_status status, const char *format, va_list arguments)
{
    char text[2 * sizeof error->reason];
    vsnprintf(text, sizeof text, format, arguments);
    error->status = status;
    error->node[0] = error->module[0] = error->op[0] = '\0';
    lip_copy_printable(error->reason, sizeof error->reason, text);
}

static void name_node(lip_error *error, const lip_node *node)
{
    char op[2 * sizeof error->op];
    const char *domain = node->domain ? node->domain : "", *type = node->op_type ? node->op_type : "";
    snprintf(op, sizeof op, "%.*s%s%.*s", 90, domain, *domain ? "::" : "", 90, type);
    lip_copy_printable(error->node, sizeof error->node, node->name);
    lip_copy_printable(error->module, sizeof error->module, node->module);
    lip_copy_printable(error->op, sizeof error->op, op);
}

lip_status lip_fail(lip_error *error, lip_status status, const char *format, ...)
{
    if (error) {
        va_list arguments;
        va_start(arguments, format);
        fill(error, status, format, arguments);
        va_end(arguments);
    }
    return status;
}

lip_status lip_fail_node(lip_error *error, lip_status status, const lip_node *node, const char *format, ...)
{
    if (error) {
        va_list arguments;
        va_start(arguments, format);
        fill(error, status, format, arguments);
        va_end(arguments);
        if (node)
            name_node(error, node);
    }
    return status;
}

lip_status lip_fail_memory(lip_error *error, const lip_node *node, const char *what)
{
    return lip_fail_node(error, LIP_EMEMORY, node, "out of memory, or over the memory cap: no room for %s", what);
}
