/*
 * hand_node.h: one operator's node made by hand, without a file, so that a
 * test can call its shape, forward, adjoint and describe directly.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_TESTS_HAND_NODE_H
#define LIP_TESTS_HAND_NODE_H

#include "op.h"

enum { HAND_INPUTS = 6, HAND_OUTPUTS = 5, HAND_ATTRS = 16 };

typedef struct hand_node {
    lip_node node;
    lip_memory memory;
    lip_arena arena; /* owns everything below */
    lip_value *inputs[HAND_INPUTS], *outputs[HAND_OUTPUTS];
    lip_attr attrs[HAND_ATTRS];
    double *data[HAND_INPUTS];       /* of real inputs */
    lip_tensor out[HAND_OUTPUTS];    /* after hand_forward */
    double *gradient[HAND_INPUTS];   /* after hand_adjoint: of inputs that vary */
    lip_error error;
} hand_node;

void hand_begin(hand_node *h, const lip_op *op, int64_t opset, size_t outputs);
void hand_end(hand_node *h);

/* Inputs in order; data are copied. */
void hand_input(hand_node *h, lip_shape shape, const double *data, bool varies);
void hand_int_input(hand_node *h, lip_shape shape, const int64_t *data);
void hand_no_input(hand_node *h);
void hand_int(hand_node *h, const char *name, int64_t value);
void hand_ints(hand_node *h, const char *name, int64_t count, const int64_t *value);
void hand_float(hand_node *h, const char *name, float value);
void hand_floats(hand_node *h, const char *name, int64_t count, const float *value);
void hand_string(hand_node *h, const char *name, const char *value);

lip_status hand_shape(hand_node *h);   /* and allocates the outputs */
lip_status hand_forward(hand_node *h, bool linear_part);
lip_status hand_adjoint(hand_node *h, const double *grad); /* of output 0; after hand_forward */
lip_status hand_describe(hand_node *h, lip_gain *gain);

/* <A x, u> = <x, A' u> to 1e-12 relative, in input `index`, all else fixed; asserts. */
void hand_check_linear(hand_node *h, size_t index, uint64_t seed);
/* The adjoint in input `index` against central differences along random directions; asserts to `tolerance`. */
void hand_check_derivative(hand_node *h, size_t index, uint64_t seed, double tolerance);
/* |f(x) - f(x')| <= bound |x - x'| for pairs around the node's point at many scales; returns the largest ratio. */
double hand_largest_slope(hand_node *h, size_t index, uint64_t seed);

/* Spectral norm of the Jacobian in input `index` at the node's point: formed by the adjoint, then by power iteration,
 * which ends below the norm. */
double hand_jacobian_norm(hand_node *h, size_t index);
/* Spectral norm of a dense row-major matrix, by power iteration. */
double hand_matrix_norm(const double *a, int64_t rows, int64_t cols);

double hand_random(uint64_t *state); /* in [-1, 1) */

#endif
