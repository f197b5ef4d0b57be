/*
 * gather.h: indices as the gathering and scattering operators take them.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_ONNX_OPS_GATHER_H
#define LIP_ONNX_OPS_GATHER_H

#include "op.h"

/* Input 1 is there and holds integers. */
lip_status lip_check_indices(const lip_node *node, lip_error *error);

/* An index in [-n, n) as one in [0, n); LIP_EFORMAT outside. */
lip_status lip_check_index(const lip_node *node, int64_t index, int64_t n, int64_t *out, lip_error *error);

/* GatherElements and ScatterElements: the indices fit the data outside of attribute `axis`, and constant ones also
 * there. Then, where in the data element j of the indices points to. */
lip_status lip_check_element_indices(const lip_node *node, lip_error *error);
lip_status lip_element_target(const lip_call *call, int64_t j, int64_t *out, lip_error *error);

/* GatherND and ScatterND: indices [batch, tuples, depth], data [batch, n[0], .., n[depth - 1], block]. */
typedef struct lip_tuples {
    int first, depth; /* axes of the data that a tuple names */
    int64_t batch, tuples, block;
} lip_tuples;
lip_status lip_tuples_read(const lip_node *node, lip_tuples *out, lip_error *error);
/* The shape of what is gathered: [batch, tuples ..., block ...]. */
lip_status lip_tuples_shape(const lip_node *node, const lip_tuples *at, lip_shape *y, lip_error *error);
/* Constant indices lie in the data. */
lip_status lip_tuples_check(const lip_node *node, const lip_tuples *at, lip_error *error);
/* Where in the data the block of tuple t of batch b begins. */
lip_status lip_tuple_target(const lip_node *node, const lip_tuples *at, const int64_t *indices, int64_t b, int64_t t,
                            int64_t *out, lip_error *error);

/* A whole `describe` function of a gathering node, data in input 0 and indices in input 1: COPY with constant indices,
 * otherwise the reason why not. */
lip_status lip_gather_describe(const lip_node *node, lip_arena *arena, lip_gain *gain, lip_error *error);

#endif
