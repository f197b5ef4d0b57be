/*
 * number.h: numbers as a person reads them. A proved bound stays proved when
 * it is printed: an upper bound's text is never below the double, a lower
 * bound's never above it, whatever the number of digits.
 *
 * Results are returned by value, so that `printf("%s", number_upper(x, 6).text)`
 * reads well and owns nothing.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_AUDIT_NUMBER_H
#define LIP_AUDIT_NUMBER_H

#include <stddef.h>
#include <stdint.h>

#define NUMBER_DIGITS 17 /* enough for a double to be read back exactly */

typedef struct lip_number {
    char text[40];
} lip_number;

/* A way to print: one of the three below. */
typedef lip_number lip_number_style(double value, int digits);

/* `digits` significant digits (1 to 17), trailing zeros left out, laid out as by "%g"; "inf", "-inf" and "nan".
 * As real numbers: number_lower <= value <= number_upper, by less than one unit of the last digit. */
lip_number number_upper(double value, int digits);
lip_number number_lower(double value, int digits);
lip_number number_nearest(double value, int digits);

/* At most `digits` digits, fewer where the text would be wider than `width`; one digit at the least. */
lip_number number_fit(lip_number_style *style, double value, int digits, size_t width);

/* upper / lower - 1 from a tightness >= 1, rounded up: "exact", "3.2e-10", "0.25", "inf". */
lip_number number_excess(double tightness);

lip_number number_count(uint64_t count);      /* 1,234,567 */
lip_number number_bytes(uint64_t bytes);      /* 12.3 MiB */
lip_number number_seconds(double seconds);    /* 0.01, 12.3, 127 */
lip_number number_percent(double share);      /* 0.123 -> 12 %, without the sign */

#endif
