/*
 * gain.h: what an operator's row says about its gain, as data.
 *
 * onnx/ states the kind and the constants; bounds/gain/ has one calculator per
 * kind. A gain is a Lipschitz constant (L2) of the node in one of its inputs,
 * the others held fixed; where several inputs vary, the kind says how the
 * per-input gains combine.
 *
 * COPY: every output element is one element of the varying input, or does not
 * depend on it (Slice, Gather, Pad, Expand ...). NONNEGATIVE: linear with
 * coefficients >= 0 that forward and adjoint apply with a relative error of at
 * most 8 * 2^-53 each (averages, sums, interpolation). Both are bounded
 * through the operator's own forward and adjoint. SUM and JOIN broadcast their
 * inputs to the output's shape elementwise; the parts of a CONCAT (Concat,
 * Scatter) lie side by side.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_ONNX_GAIN_H
#define LIP_ONNX_GAIN_H

#include "conv.h"
#include "graph.h"

/* X(enumerator, words for `lipaudit ops`) */
#define LIP_GAIN_LIST(X)                                                                        \
    X(UNKNOWN, "not known")                                                                     \
    X(ISOMETRY, "1: the same elements in another shape or order, or a translation")             \
    X(COPY, "root of the largest number of copies of one element")                              \
    X(NONNEGATIVE, "linear, coefficients >= 0: Collatz-Wielandt bound")                         \
    X(SCALE, "largest factor")                                                                  \
    X(DENSE, "spectral norm, by a verified Cholesky factorisation")                             \
    X(CONV, "spectral norm of the real operator: twisted torus, or a verified Cholesky factorisation") \
    X(SELECT, "root of the largest number of windows that share an input")                      \
    X(SLOPES, "largest slope")                                                                  \
    X(LIPSCHITZ, "constant with a proof")                                                       \
    X(SUM, "1 per branch; branches add")                                                        \
    X(JOIN, "1 per branch; root of the sum of squares")                                         \
    X(CONCAT, "1 per part; root of the sum of squares")                                         \
    X(UNBOUNDED, "no finite constant")

typedef enum lip_gain_kind {
#define LIP_GAIN_ENUM(name, text) LIP_GAIN_##name,
    LIP_GAIN_LIST(LIP_GAIN_ENUM)
#undef LIP_GAIN_ENUM
} lip_gain_kind;

/*
 * Matrix of a dense node: y = alpha A x on slices of the input, where
 * A[i][j] = weight[base + i * row_stride + j * col_stride] in elements.
 * A batched constant factor is a block-diagonal operator: `batch` matrices,
 * batch_stride apart. `multiplicity`: how many matrices each slice of the
 * input meets (x broadcast over the batch of W), else 1; the operator's norm
 * is at most sqrt(multiplicity) times the largest matrix norm.
 */
typedef struct lip_dense {
    const lip_tensor *weight;
    double alpha;
    int64_t rows, cols;
    int64_t row_stride, col_stride;
    int64_t batch, batch_stride;
    int64_t multiplicity;
    int in_axis, out_axis; /* axes of the varying input and of the output that index cols and rows; -1: none. Where one
                              matrix takes the whole input to the whole output, cols and rows are their elements in
                              row-major order */
} lip_dense;

/*
 * y = s * x elementwise, s broadcast to y's shape, then as a vector over one
 * axis: factor[c] for c < count. axis = -1: one factor for all (count = 1).
 * axis = -2: factors in no single axis; count and factor list them all.
 * |true factor - factor| <= relative_error * |factor|. `multiplicity`: how
 * many elements of y each element of x meets (x broadcast), else 1.
 */
typedef struct lip_scale {
    const double *factor;
    int64_t count;
    int axis; /* of the output */
    double relative_error;
    int64_t multiplicity;
} lip_scale;

typedef struct lip_gain {
    lip_gain_kind kind;
    const char *reason; /* UNBOUNDED, UNKNOWN: why. Others: the source of the constant, may be NULL */
    union {
        struct {
            double a, b;     /* every slope lies in [a, b]; outward rounded */
            double slack;    /* max(|a|, |b|) - slack <= supremum of |slope| <= max(|a|, |b|) */
        } slopes;
        struct {
            double upper, lower; /* lower may be 0: not known */
        } lipschitz;
        int64_t select;    /* SELECT: windows per input element, at most; attained */
        double coefficient; /* SUM: each branch is multiplied by it (1; Mean: 1/n rounded up) */
        lip_dense dense;
        lip_conv conv;
        lip_scale scale;
    };
} lip_gain;

#endif
