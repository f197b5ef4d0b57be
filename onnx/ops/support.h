/*
 * support.h: what the operators share: checks of a node's inputs and
 * attributes, and setting its outputs. Strided copies are in view.h,
 * elementwise loops and broadcasting in elementwise.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_ONNX_OPS_SUPPORT_H
#define LIP_ONNX_OPS_SUPPORT_H

#include "op.h"

/* Every operator of the table, declared. */
#define LIP_OP(file, symbol) extern const lip_op lip_op_##symbol;
#include "table.def"
#undef LIP_OP

/* The newest opset of the default domain whose meaning was checked. */
#define LIP_OPSET_LAST 28
/* The same of the domain ai.onnx.ml. */
#define LIP_OPSET_ML_LAST 5

/* Hands a failure on to the caller. */
#define LIP_TRY(expression)               \
    do {                                  \
        lip_status try_ = (expression);   \
        if (try_ != LIP_OK) return try_;  \
    } while (0)

/* LIP_EFORMAT unless the first `min` inputs are there and there are at most `max`. */
lip_status lip_check_inputs(const lip_node *node, size_t min, size_t max, lip_error *error);
/* LIP_EUNSUPPORTED unless input `index` (which is there) is floating-point. */
lip_status lip_check_real(const lip_node *node, size_t index, lip_error *error);
/* LIP_EUNSUPPORTED unless input `index` holds numbers: floating-point, integer or bool. */
lip_status lip_check_number(const lip_node *node, size_t index, lip_error *error);

/* An axis in [-rank, rank) as one in [0, rank); LIP_EFORMAT outside. */
lip_status lip_check_axis(const lip_node *node, int64_t axis, int rank, int *out, lip_error *error);
/* mask[i] = whether axis i is listed; LIP_EFORMAT for an axis outside or listed twice. */
lip_status lip_check_axes(const lip_node *node, const int64_t *axes, int64_t count, int rank, bool *mask,
                          lip_error *error);

/* dtype and shape of output `index`; nothing where it is left out. Checks rank, dimensions and element count. */
lip_status lip_set_output(const lip_node *node, size_t index, lip_dtype dtype, const lip_shape *shape,
                          lip_error *error);
/* A whole `shape` function: one floating-point input, output 0 like it. */
lip_status lip_shape_of_map(const lip_node *node, lip_error *error);
/* Adds a dimension to a shape under construction; LIP_EUNSUPPORTED past LIP_MAX_RANK. */
lip_status lip_push_dim(const lip_node *node, lip_shape *shape, int64_t dim, lip_error *error);

/* Constant input `index` (there or not: *out = NULL where left out); LIP_EUNSUPPORTED if it is not constant. */
lip_status lip_need_constant(const lip_node *node, size_t index, const char *what, const lip_tensor **out,
                             lip_error *error);

/* Whole numbers which old opsets keep in attribute `name` and new ones in constant input `index`. */
typedef struct lip_ints {
    const int64_t *value; /* NULL: left out */
    int64_t count;
} lip_ints;
lip_status lip_ints_of_attr(const lip_node *node, const char *name, lip_ints *out, lip_error *error);
lip_status lip_ints_of_input(const lip_node *node, size_t index, const char *what, lip_ints *out, lip_error *error);

/* Product of dim[from .. to) of a checked shape (lip_shape_count bounds the product of the dimensions but 0). */
int64_t lip_dims_product(const lip_shape *shape, int from, int to);
/* Row-major strides in elements. */
void lip_strides(const lip_shape *shape, int64_t *stride);

/* Whether input `index` is there and its value depends on the model's perturbed input. */
bool lip_input_varies(const lip_node *node, size_t index);
/* A gain of kind UNBOUNDED or UNKNOWN with a reason. */
lip_gain lip_gain_none(lip_gain_kind kind, const char *reason);

/* The value an integer type keeps of x: wrapped to its width (bool: x != 0). */
int64_t lip_wrap(int64_t x, lip_dtype dtype);

#endif
