/*
 * element.h: stored numbers, each to the double of exactly its value.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_AUDIT_ELEMENT_H
#define LIP_AUDIT_ELEMENT_H

#include "audit.h"

typedef struct lip_element {
    char kind; /* as in numpy: 'b' bool, 'u' and 'i' integers, 'f' reals */
    int size;  /* bytes: 1, 2, 4, 8 */
    bool big;  /* the first byte is the most significant one */
} lip_element;

/* "uint8", "float32" ... */
const char *element_name(lip_element element);

/* Of numpy's "<f4", "|u1", ">i8"; false if it is none of the above. */
bool element_parse(const char *descr, lip_element *out);

/* `count` elements at any alignment; NaN for integers that no double holds. */
void element_decode(lip_element element, const unsigned char *bytes, int64_t count, double *to);

#endif
