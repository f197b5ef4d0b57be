/*
 * parse.c: numbers from the command line, strictly.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "parse.h"

#include <string.h>

/* Reads the digits at *text and moves past them. */
static bool read_digits(const char **text, uint64_t *out)
{
    uint64_t value = 0;
    const char *at = *text;
    for (; *at >= '0' && *at <= '9'; at++) {
        uint64_t digit = (uint64_t)(*at - '0');
        if (value > (UINT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    if (at == *text)
        return false;
    *text = at;
    *out = value;
    return true;
}

bool parse_u64(const char *text, uint64_t *out)
{
    uint64_t value;
    if (!read_digits(&text, &value) || *text != '\0')
        return false;
    *out = value;
    return true;
}

bool parse_int(const char *text, int low, int high, int *out)
{
    uint64_t value;
    if (!parse_u64(text, &value) || value > (uint64_t)high || value < (uint64_t)low)
        return false;
    *out = (int)value;
    return true;
}

bool parse_size(const char *text, uint64_t *out)
{
    static const char unit[] = "KMGT";
    uint64_t value;
    if (!read_digits(&text, &value) || value == 0)
        return false;
    if (*text != '\0') {
        const char *found = strchr(unit, *text >= 'a' && *text <= 'z' ? *text - 'a' + 'A' : *text);
        if (!found || (strcmp(text + 1, "") != 0 && strcmp(text + 1, "B") != 0 && strcmp(text + 1, "iB") != 0))
            return false;
        int shift = 10 * (int)(found - unit + 1);
        if (value > UINT64_MAX >> shift)
            return false;
        value <<= shift;
    }
    *out = value;
    return true;
}

bool parse_shape(const char *text, lip_shape *out)
{
    lip_shape shape = {0};
    for (;;) {
        uint64_t value;
        if (shape.rank == LIP_MAX_RANK || !read_digits(&text, &value) || value == 0 || value > INT64_MAX)
            return false;
        shape.dim[shape.rank++] = (int64_t)value;
        if (*text == '\0')
            break;
        if (*text++ != 'x')
            return false;
    }
    *out = shape;
    return true;
}
