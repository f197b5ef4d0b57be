/*
 * window.h: how a kernel slides over the spatial axes: what convolutions and
 * pooling operators have in common.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_ONNX_OPS_WINDOW_H
#define LIP_ONNX_OPS_WINDOW_H

#include "op.h"

/* Output o of axis i sees input o * stride + t * dilation - pad_begin, 0 <= t < k, where that is in [0, n). */
typedef struct lip_window {
    int dims; /* 1 to 3 */
    int64_t n[3], n_out[3], k[3], stride[3], dilation[3], pad_begin[3], pad_end[3];
} lip_window;

/*
 * From the attributes kernel_shape, strides, dilations, pads and auto_pad, for an input [N, C, spatial...]. `kernel`
 * are the weight's spatial sizes, with which kernel_shape must agree; NULL: kernel_shape is required. n_out is
 * rounded up if `ceil_mode`, but no window starts in the end padding. LIP_EFORMAT names the sizes that contradict
 * each other; every size then fits 31 bits and n_out > 0.
 */
lip_status lip_window_read(const lip_node *node, const lip_shape *input, const int64_t *kernel, bool ceil_mode,
                           lip_window *out, lip_error *error);
/* The same without n_out and pads, for ConvTranspose, which has its own rule for them. */
lip_status lip_window_read_kernel(const lip_node *node, const lip_shape *input, const int64_t *kernel, lip_window *out,
                                  lip_error *error);

/* Attribute `name` as one number per axis, each in [low, INT32_MAX]; `otherwise` where absent. */
lip_status lip_window_attr(const lip_node *node, const char *name, int count, int64_t low, int64_t otherwise,
                           int64_t *out, lip_error *error);

typedef enum lip_auto_pad { LIP_PAD_EXPLICIT, LIP_PAD_SAME_UPPER, LIP_PAD_SAME_LOWER, LIP_PAD_VALID } lip_auto_pad;
lip_status lip_window_auto_pad(const lip_node *node, lip_auto_pad *out, lip_error *error);

/* The same window in exactly three dimensions, missing ones in front. */
lip_window lip_window_widen(const lip_window *window);

/* The inputs that output o of axis i sees: first, first + dilation, ...; returns how many. */
int64_t lip_window_span(const lip_window *window, int axis, int64_t o, int64_t *first);

/* What one output position sees, in a widened window: `count` inputs from `first` on, per axis. */
typedef struct lip_box {
    int64_t first[3], count[3];
} lip_box;
lip_box lip_window_box(const lip_window *window, int64_t position);
/* Offset in the plane of the box's element (i, j, 0). */
int64_t lip_window_row(const lip_window *window, const lip_box *box, int64_t i, int64_t j);

/* LIP_EFORMAT if a window sees padding alone. */
lip_status lip_window_check_not_empty(const lip_node *node, const lip_window *window, lip_error *error);

/* The largest number of windows that share an input element. */
int64_t lip_window_overlap(const lip_window *window);

#endif
