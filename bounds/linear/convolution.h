/*
 * convolution.h: the norm of a convolution as it runs, proved from both sides.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_BOUNDS_CONVOLUTION_H
#define LIP_BOUNDS_CONVOLUTION_H

#include "conv.h"
#include "dense.h"

typedef struct lip_conv_options {
    lip_exact exact;
    int iterations; /* of the paper's power iteration; 0: none */
} lip_conv_options;

/*
 * lower <= ||A||_2 <= upper for the zero-padded convolution with true weights
 * within relative_error of w (row-major [c_out, c_in / groups, taps]); its
 * transpose has the same norm. The smallest proved upper bound is taken:
 *   - kernel 1: the dense matrix, exact;
 *   - the twisted torus (torus.h), always;
 *   - the block-banded factorisation (banded.h), where the torus leaves more than 1e-3 and it costs at most
 *     3e11 flops and 1 GiB (auto), wherever memory allows (always), never (never).
 */
lip_status lip_conv_norm(const lip_conv *conv, const double *w, double relative_error, const lip_conv_options *options,
                         lip_random *random, lip_memory *memory, lip_norm *out, lip_error *error);

/* The convolution as an operator, for what needs products only. `work` holds lip_conv_work_count doubles. */
typedef struct lip_conv_operator {
    const lip_conv *conv;
    const double *w;
    double *work;
} lip_conv_operator;

lip_operator lip_conv_as_operator(lip_conv_operator *context);

/* sqrt(largest row sum of |A| * largest column sum of |A|) >= || |A| ||_2, rounded up [Schur 1911]. */
double lip_conv_schur_upper(const lip_conv *conv, const double *w);

#endif
