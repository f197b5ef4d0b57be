/*
 * view.h: strided copies between two tensors, and their adjoints.
 *
 * A view pairs elements: for every index i below dim,
 *   out[out_offset + sum i_d out_stride_d]  <->  in[in_offset + sum i_d in_stride_d].
 * Operators that only move elements are one view, or one per input or output.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_ONNX_OPS_VIEW_H
#define LIP_ONNX_OPS_VIEW_H

#include "op.h"

#define LIP_VIEW_RANK (2 * LIP_MAX_RANK)

typedef struct lip_view {
    int rank;
    int64_t dim[LIP_VIEW_RANK];
    int64_t in_stride[LIP_VIEW_RANK], out_stride[LIP_VIEW_RANK]; /* may be 0 or negative */
    int64_t in_offset, out_offset;
} lip_view;

/* Appends a dimension on the inside; dimensions of size 1 are left out, those that continue each other merge. */
void lip_view_push(lip_view *view, int64_t dim, int64_t in_stride, int64_t out_stride);

/* out = in on the view. Elements are 8 bytes: LIP_F64 and LIP_I64 alike. */
void lip_view_copy(const lip_view *view, const void *in, void *out);
/* in += out on the view: the adjoint, where in starts at zero. */
void lip_view_add(const lip_view *view, const double *out, double *in);

/* forward and adjoint of an operator whose output 0 is one view of its input 0, which `plan` makes. */
typedef lip_status lip_view_plan(const lip_node *node, lip_view *view, lip_error *error);
lip_status lip_view_forward(const lip_call *call, lip_view_plan *plan, lip_error *error);
lip_status lip_view_adjoint(const lip_call *call, lip_view_plan *plan, lip_error *error);

#endif
