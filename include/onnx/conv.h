/*
 * conv.h: a convolution's geometry and its two kernels, for onnx/ops (forward
 * and adjoint) and bounds/linear (Lanczos and power iteration).
 *
 * Geometry of the map  R^{c_in x n[0..d)} -> R^{c_out x n_out[0..d)}
 *   y[o, p] = sum_{i, t} w[o, i, t] x[i, p * stride + t * dilation - pad_begin]
 * with x = 0 outside, i over the c_in / groups channels of o's group, and
 * w of shape [c_out, c_in / groups, k...]. pad_begin may be negative (crop).
 * The end padding is implied by n_out. A ConvTranspose is the adjoint of this
 * map with n its *output* and n_out its *input* size, c_in its output and
 * c_out its input channels; its weight [C_in, C_out / groups, k...] is then
 * exactly w.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_ONNX_CONV_H
#define LIP_ONNX_CONV_H

#include "tensor.h"

#define LIP_CONV_DIMS 3

typedef struct lip_conv {
    const lip_tensor *weight;
    bool transposed; /* the node applies the adjoint of the map above */
    int dims;        /* 1 to 3 */
    int64_t batch;   /* independent samples in the node's input */
    int64_t groups, c_in, c_out;
    int64_t n[LIP_CONV_DIMS], n_out[LIP_CONV_DIMS], k[LIP_CONV_DIMS];
    int64_t stride[LIP_CONV_DIMS], dilation[LIP_CONV_DIMS], pad_begin[LIP_CONV_DIMS];
} lip_conv;

/* Elements of x, y and w of one sample; sizes were checked when the geometry was made. */
int64_t lip_conv_input_count(const lip_conv *conv);
int64_t lip_conv_output_count(const lip_conv *conv);
int64_t lip_conv_weight_count(const lip_conv *conv);

/* Doubles of workspace that the kernels need. Cost of each: 2 * output positions * c_out * c_in / groups * prod k
 * flops by GEMM (BLAS), depthwise by direct loops. One sample; single-threaded, safe from several threads. */
int64_t lip_conv_work_count(const lip_conv *conv);
void lip_conv_forward(const lip_conv *conv, const double *w, const double *x, double *y, double *work);
void lip_conv_adjoint(const lip_conv *conv, const double *w, const double *y, double *x, double *work);

#endif
