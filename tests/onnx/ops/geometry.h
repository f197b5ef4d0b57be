/*
 * geometry.h: random windows for the tests of convolutions and pooling, and
 * what they read, in loops written from the standard's text.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_TESTS_GEOMETRY_H
#define LIP_TESTS_GEOMETRY_H

#include "hand_node.h"

enum { GEOMETRY_DIMS = 3 };

/* One node's geometry as the test chose it; axes in the standard's order. */
typedef struct geometry {
    int dims;
    int64_t n[GEOMETRY_DIMS], m[GEOMETRY_DIMS]; /* inputs and outputs */
    int64_t k[GEOMETRY_DIMS], s[GEOMETRY_DIMS], d[GEOMETRY_DIMS];
    int64_t begin[GEOMETRY_DIMS], end[GEOMETRY_DIMS]; /* padding */
    bool ceil_mode;
} geometry;

/* Pads from -1 if `crop`; ceil_mode now and then if `ceil_mode`. m > 0. */
geometry geometry_random(uint64_t *state, bool crop, bool ceil_mode);
/* kernel_shape, strides, dilations, pads and ceil_mode as attributes. */
void geometry_set(hand_node *h, const geometry *g);
/* Input element that tap t of window o reads, or -1. */
int64_t geometry_read(const geometry *g, int64_t o, int64_t t);
/* Is the tap inside the input with its padding? */
bool geometry_in_padded(const geometry *g, int64_t o, int64_t t);
/* [first, second, rest...] */
lip_shape geometry_shape(int64_t first, int64_t second, const int64_t *rest, int dims);

int64_t random_between(uint64_t *state, int64_t low, int64_t high);
int64_t product_of(const int64_t *v, int dims);
void add_random_input(hand_node *h, lip_shape shape, bool varies, uint64_t *state);
void assert_close(double found, double wanted); /* to 1e-12 */

#endif
