/*
 * parse.c: numbers from the command line, strictly.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "parse.h"

#include <math.h>
#include <stdlib.h>
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

/* Reads a decimal number at *text and moves past it: no blanks, no "inf", no hexadecimal. */
static bool read_decimal(const char **text, double *out)
{
    char *end;
    const char *at = *text + strspn(*text, "+-");
    if ((*at < '0' || *at > '9') && *at != '.')
        return false;
    size_t length = strspn(*text, "+-0123456789.eE");
    *out = strtod(*text, &end);
    if (end == *text || end > *text + length || !isfinite(*out))
        return false;
    *text = end;
    return true;
}

/* Reads a number or a fraction. */
static bool read_number(const char **text, double *out)
{
    double above, below = 1.0;
    if (!read_decimal(text, &above))
        return false;
    if (**text == '/') {
        ++*text;
        if (!read_decimal(text, &below) || below == 0.0)
            return false;
    }
    *out = above / below;
    return isfinite(*out);
}

bool parse_number(const char *text, double *out)
{
    double value;
    if (!read_number(&text, &value) || *text != '\0')
        return false;
    *out = value;
    return true;
}

bool parse_numbers(const char *text, double *out, size_t room, size_t *count)
{
    size_t found = 0;
    for (;;) {
        if (found == room || !read_number(&text, &out[found++]))
            return false;
        if (*text == '\0')
            break;
        if (*text++ != ',')
            return false;
    }
    *count = found;
    return true;
}

bool parse_intervals(const char *text, double *lo, double *hi, size_t room, size_t *count)
{
    size_t found = 0;
    for (;; found++) {
        if (found == room || !read_number(&text, &lo[found]) || *text++ != ':' || !read_number(&text, &hi[found]) ||
            lo[found] > hi[found])
            return false;
        if (*text == '\0')
            break;
        if (*text++ != ',')
            return false;
    }
    *count = found + 1;
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
