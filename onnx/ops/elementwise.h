/*
 * elementwise.h: loops of scalar functions over one tensor, and of functions
 * of two over tensors that broadcast.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_ONNX_OPS_ELEMENTWISE_H
#define LIP_ONNX_OPS_ELEMENTWISE_H

#include "op.h"

/* A scalar function or its derivative; p points to the node's parameters. At a kink the derivative is an element of
 * Clarke's subdifferential. */
typedef double lip_scalar(double x, const double *p);

/* out[0] = f(in[0]), and in_grad[0] = slope(in[0]) * out_grad[0], element by element. */
lip_status lip_map_forward(const lip_call *call, lip_scalar *f, const double *p);
lip_status lip_map_adjoint(const lip_call *call, lip_scalar *slope, const double *p);

/* Both of them for a function without parameters. */
#define LIP_MAP(forward, adjoint, f, slope)                                  \
    static lip_status forward(const lip_call *call, lip_error *error)        \
    {                                                                        \
        (void)error;                                                         \
        return lip_map_forward(call, f, NULL);                               \
    }                                                                        \
    static lip_status adjoint(const lip_call *call, lip_error *error)        \
    {                                                                        \
        (void)error;                                                         \
        return lip_map_adjoint(call, slope, NULL);                           \
    }

/* out[0] = f(in[0]) where in[0] may be real or whole; whole results wrap to the output's type. */
typedef int64_t lip_whole_scalar(int64_t x);
lip_status lip_number_forward(const lip_call *call, lip_scalar *f, lip_whole_scalar *whole);
/* A whole `shape` function: one input of numbers, output 0 like it. */
lip_status lip_shape_of_number(const lip_node *node, lip_error *error);

/* y[i] = f(a[i * a_step], b[i * b_step]), i < n; a step is 0 or 1. */
typedef void lip_real_row(int64_t n, const double *a, int64_t a_step, const double *b, int64_t b_step, double *y);
/* The same on whole numbers; false: it has no value (division by zero). */
typedef bool lip_whole(int64_t a, int64_t b, int64_t *y);
/* Partial derivatives at (a, b). */
typedef void lip_slopes(double a, double b, double *in_a, double *in_b);

/* Shapes of inputs 0 and 1 aligned so that numpy broadcasting applies (before opset 7 the attributes broadcast and
 * axis place the second), and of their result. */
typedef struct lip_pair {
    lip_shape a, b, y;
} lip_pair;
lip_status lip_pair_shapes(const lip_node *node, lip_pair *pair, lip_error *error);
/* A whole `shape` function of a node with two inputs of one type: output 0 has that type, or `dtype` if not 0. */
lip_status lip_pair_shape(const lip_node *node, lip_dtype dtype, lip_error *error);

/* Real or whole by the storage of input 0; `whole` may be NULL where lip_pair_shape was told reals only. */
lip_status lip_pair_forward(const lip_call *call, lip_real_row *row, lip_whole *whole, lip_error *error);
lip_status lip_pair_adjoint(const lip_call *call, lip_slopes *slopes, lip_error *error);

/*
 * Iteration over y's elements row by row, with up to three operands that broadcast to it:
 *   lip_broadcast it = lip_broadcast_begin(&y, operands, n);
 *   do { ... it.row elements: y from it.at, operand k from it.offset[k] with step it.step[k] ... }
 *   while (lip_broadcast_next(&it));
 * A shape without elements gives one row of length 0.
 */
#define LIP_BROADCAST_OPERANDS 3
typedef struct lip_broadcast {
    int64_t row, at;
    int64_t offset[LIP_BROADCAST_OPERANDS], step[LIP_BROADCAST_OPERANDS];
    int operands, rank;
    int64_t index[LIP_MAX_RANK], dim[LIP_MAX_RANK], stride[LIP_BROADCAST_OPERANDS][LIP_MAX_RANK];
    bool empty;
} lip_broadcast;
lip_broadcast lip_broadcast_begin(const lip_shape *y, const lip_shape *const *operand, int operands);
bool lip_broadcast_next(lip_broadcast *it);

#endif
