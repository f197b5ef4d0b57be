/*
 * element.c: stored numbers to doubles.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "element.h"

#include <math.h>
#include <string.h>

static const struct kind {
    char kind;
    int size;
    const char *name;
} kinds[] = {
    {'b', 1, "bool"},    {'u', 1, "uint8"},   {'u', 2, "uint16"},  {'u', 4, "uint32"},
    {'u', 8, "uint64"},  {'i', 1, "int8"},    {'i', 2, "int16"},   {'i', 4, "int32"},
    {'i', 8, "int64"},   {'f', 2, "float16"}, {'f', 4, "float32"}, {'f', 8, "float64"},
};

static const struct kind *find(char kind, int size)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (kinds[i].kind == kind && kinds[i].size == size)
            return &kinds[i];
    return NULL;
}

const char *element_name(lip_element element)
{
    const struct kind *kind = find(element.kind, element.size);
    return kind ? kind->name : "";
}

bool element_parse(const char *descr, lip_element *out)
{
    if (strlen(descr) != 3 || !strchr("<>|=", descr[0]) || !find(descr[1], descr[2] - '0'))
        return false;
    if (descr[0] == '|' && descr[2] != '1') /* "no order" is for single bytes */
        return false;
    *out = (lip_element){descr[1], descr[2] - '0', descr[0] == '>'};
    return true;
}

static inline uint64_t load(const unsigned char *bytes, int size, bool big)
{
    uint64_t value = 0;
    for (int i = 0; i < size; i++)
        value |= (uint64_t)bytes[i] << 8 * (big ? size - 1 - i : i);
    return value;
}

/* Whether the odd part has at most 53 bits. */
static double whole(uint64_t magnitude, bool negative)
{
    if (magnitude != 0 && magnitude / (magnitude & (0 - magnitude)) >= UINT64_C(1) << 53)
        return (double)NAN;
    return negative ? -(double)magnitude : (double)magnitude;
}

/* IEEE 754 binary16. */
static double half(unsigned bits)
{
    int exponent = (int)(bits >> 10 & 31);
    double fraction = bits & 1023, value;
    if (exponent == 31)
        value = fraction != 0 ? (double)NAN : (double)INFINITY;
    else
        value = exponent == 0 ? ldexp(fraction, -24) : ldexp(fraction + 1024, exponent - 25);
    return bits >> 15 ? -value : value;
}

static double single(uint64_t bits)
{
    uint32_t low = (uint32_t)bits;
    float value;
    memcpy(&value, &low, sizeof value);
    return (double)value;
}

static double real(uint64_t bits, int size)
{
    double value;
    if (size == 2)
        return half((unsigned)bits);
    if (size == 4)
        return single(bits);
    memcpy(&value, &bits, sizeof value);
    return value;
}

static double number(lip_element element, uint64_t bits)
{
    uint64_t sign = UINT64_C(1) << (8 * element.size - 1);
    switch (element.kind) {
    case 'b':
        return bits != 0;
    case 'u':
        return whole(bits, false);
    case 'i':
        return bits & sign ? whole(element.size == 8 ? 0 - bits : (sign << 1) - bits, true) : whole(bits, false);
    default:
        return real(bits, element.size);
    }
}

void element_decode(lip_element element, const unsigned char *bytes, int64_t count, double *to)
{
    if (element.kind == 'u' && element.size == 1) {
        for (int64_t i = 0; i < count; i++)
            to[i] = bytes[i];
    } else if (element.kind == 'f' && element.size == 4) {
        for (int64_t i = 0; i < count; i++)
            to[i] = single(load(bytes + 4 * i, 4, element.big));
    } else {
        for (int64_t i = 0; i < count; i++)
            to[i] = number(element, load(bytes + i * element.size, element.size, element.big));
    }
}
