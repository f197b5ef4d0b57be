/*
 * nonnegative.h: norms of linear maps without negative coefficients.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_BOUNDS_NONNEGATIVE_H
#define LIP_BOUNDS_NONNEGATIVE_H

#include "dense.h"

/*
 * For an operator with coefficients >= 0, each applied with a relative error
 * of at most 8 u: lower <= ||A||_2 <= upper. product_error is not used.
 * Cost: at most 64 products, plus one Lanczos run where those do not settle it.
 */
lip_status lip_nonnegative_norm(const lip_operator *operator, lip_random *random, lip_memory *memory, lip_norm *out,
                                lip_error *error);

/*
 * For an operator whose every row holds at most one 1 and zeros otherwise:
 * A'A is diagonal with the number of copies of each element, and
 * ||A||_2 = sqrt(largest number), exactly. Cost: one product.
 */
lip_status lip_copy_norm(const lip_operator *operator, lip_memory *memory, lip_norm *out, lip_error *error);

#endif
