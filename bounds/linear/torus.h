/*
 * torus.h: an upper bound of a zero-padded convolution's norm from its symbol
 * on a twisted torus.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_BOUNDS_TORUS_H
#define LIP_BOUNDS_TORUS_H

#include "conv.h"
#include "failure.h"

/*
 * ||A||_2 <= *upper for the convolution with weights w (row-major [c_out, c_in / groups, taps], largest element in
 * [1, 2): the caller scales). `lower`: any value <= ||A||_2; only saves time. *upper is +inf if no proof went through.
 * Cost: frequencies * (4 m^2 K + 4 m^3 / 3) flops for each twist, m <= K the sides of the symbol; frequencies that
 * their Frobenius norm settles cost less.
 */
lip_status lip_torus_upper(const lip_conv *conv, const double *w, double lower, lip_memory *memory, double *upper,
                           lip_error *error);

#endif
