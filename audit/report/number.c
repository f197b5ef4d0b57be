/*
 * number.c: outward rounding of printed numbers.
 *
 * Every double is a decimal of at most 767 significant digits, and printf
 * writes all of them on request. Rounding outward is then a matter of text:
 * cut after the wanted digits and, if anything but zeros was cut off, add one
 * to the last digit where that is the direction asked for. No floating-point
 * operation takes part, so there is nothing to get wrong near powers of ten,
 * subnormals or the largest double.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "number.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALL_DIGITS 767

/* value = +-0.d1 d2 d3 ... * 10^(exponent + 1) */
typedef struct lip_decimal {
    char digit[ALL_DIGITS + 1];
    int count, exponent;
    bool negative;
} lip_decimal;

static lip_decimal decimal_of(double value, int count)
{
    char text[ALL_DIGITS + 16];
    lip_decimal d = {.count = 0, .negative = signbit(value) && value != 0.0};
    snprintf(text, sizeof text, "%.*e", count - 1, fabs(value));
    const char *at = text;
    for (; *at != '\0' && *at != 'e'; at++)
        if (*at >= '0' && *at <= '9' && d.count < ALL_DIGITS)
            d.digit[d.count++] = *at;
    d.exponent = *at == 'e' ? (int)strtol(at + 1, NULL, 10) : 0;
    return d;
}

/* Adds one unit of the last digit. */
static void decimal_bump(lip_decimal *d)
{
    int i = d->count - 1;
    while (i >= 0 && d->digit[i] == '9')
        d->digit[i--] = '0';
    if (i >= 0) {
        d->digit[i]++;
        return;
    }
    d->digit[0] = '1'; /* 999 -> 1000: the digits are all zeros by now */
    d->exponent++;
}

static void decimal_cut(lip_decimal *d, int keep, bool away_from_zero)
{
    bool rest = false;
    for (int i = keep; i < d->count; i++)
        rest = rest || d->digit[i] != '0';
    d->count = keep;
    if (rest && away_from_zero)
        decimal_bump(d);
}

static void put(lip_number *out, size_t *length, char c)
{
    if (*length + 1 < sizeof out->text)
        out->text[(*length)++] = c;
}

static void put_digits(lip_number *out, size_t *length, const lip_decimal *d, int from, int to)
{
    for (int i = from; i < to; i++)
        put(out, length, i < d->count ? d->digit[i] : '0');
}

/* As "%.<digits>g" does. */
static lip_number decimal_layout(lip_decimal *d, int digits)
{
    lip_number out = {{0}};
    size_t length = 0;
    while (d->count > 1 && d->digit[d->count - 1] == '0')
        d->count--;
    if (d->negative)
        put(&out, &length, '-');
    bool scientific = d->exponent < -4 || d->exponent >= digits;
    int before = scientific ? 1 : d->exponent + 1; /* digits in front of the point; <= 0: zeros follow it */
    if (before <= 0)
        put(&out, &length, '0');
    put_digits(&out, &length, d, 0, before);
    if (d->count > before)
        put(&out, &length, '.');
    for (int i = before; i < 0; i++)
        put(&out, &length, '0');
    put_digits(&out, &length, d, before > 0 ? before : 0, d->count);
    if (scientific)
        snprintf(out.text + length, sizeof out.text - length, "e%+03d", d->exponent);
    return out;
}

static lip_number special(double value)
{
    lip_number out = {{0}};
    snprintf(out.text, sizeof out.text, "%s", isnan(value) ? "nan" : value > 0 ? "inf" : "-inf");
    return out;
}

static lip_number directed(double value, int digits, bool up)
{
    if (!isfinite(value))
        return special(value);
    lip_decimal d = decimal_of(value, ALL_DIGITS);
    decimal_cut(&d, digits, up != d.negative);
    return decimal_layout(&d, digits);
}

lip_number number_upper(double value, int digits)
{
    return directed(value, digits, true);
}

lip_number number_lower(double value, int digits)
{
    return directed(value, digits, false);
}

lip_number number_nearest(double value, int digits)
{
    if (!isfinite(value))
        return special(value);
    lip_decimal d = decimal_of(value, digits);
    return decimal_layout(&d, digits);
}

lip_number number_fit(lip_number_style *style, double value, int digits, size_t width)
{
    lip_number out = style(value, digits);
    while (digits > 1 && strlen(out.text) > width)
        out = style(value, --digits);
    return out;
}

lip_number number_excess(double tightness)
{
    lip_number out = {"exact"};
    if (tightness == 1.0)
        return out;
    /* The difference is exact up to 2 [Sterbenz 1974]; above, one step makes up for its rounding. */
    double excess = tightness - 1.0;
    return number_upper(tightness <= 2.0 ? excess : nextafter(excess, INFINITY), 2);
}

lip_number number_count(uint64_t count)
{
    char plain[24];
    lip_number out = {{0}};
    size_t length = 0;
    int digits = snprintf(plain, sizeof plain, "%llu", (unsigned long long)count);
    for (int i = 0; i < digits; i++) {
        if (i > 0 && (digits - i) % 3 == 0)
            put(&out, &length, ',');
        put(&out, &length, plain[i]);
    }
    return out;
}

lip_number number_bytes(uint64_t bytes)
{
    static const char *const unit[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
    lip_number out = {{0}};
    size_t u = 0;
    double value = (double)bytes;
    while (value >= 1024.0 && u + 1 < sizeof unit / sizeof *unit) {
        value /= 1024.0;
        u++;
    }
    snprintf(out.text, sizeof out.text, "%.*f %s", u == 0 || value >= 100.0 ? 0 : 1, value, unit[u]);
    return out;
}

lip_number number_seconds(double seconds)
{
    lip_number out = {{0}};
    int places = seconds < 9.995 ? 2 : seconds < 99.95 ? 1 : 0;
    snprintf(out.text, sizeof out.text, "%.*f", places, seconds);
    return out;
}

lip_number number_percent(double share)
{
    lip_number out = {{0}};
    double percent = 100.0 * share;
    snprintf(out.text, sizeof out.text, "%.*f", fabs(percent) < 9.95 ? 1 : 0, percent);
    return out;
}
