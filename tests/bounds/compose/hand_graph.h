/*
 * hand_graph.h: small networks made by hand: values and nodes with the gains
 * that a test gives them, without files or operators.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_TESTS_HAND_GRAPH_H
#define LIP_TESTS_HAND_GRAPH_H

#include "op.h"

enum { HAND_MOST = 40, HAND_INPUTS = 4 };

typedef struct hand_graph {
    lip_model model;
    lip_node nodes[HAND_MOST], *node_list[HAND_MOST];
    lip_value values[HAND_MOST], *value_list[HAND_MOST], *input_list[HAND_MOST];
    lip_value *node_inputs[HAND_MOST][HAND_INPUTS], *node_outputs[HAND_MOST][1];
    lip_gain gains[HAND_MOST];      /* what each node's describe gives */
    lip_status statuses[HAND_MOST]; /* what it returns */
    lip_op op;
} hand_graph;

/* One graph at a time; hand_end_graph releases it. */
void hand_begin_graph(hand_graph *g);
void hand_end_graph(hand_graph *g);

lip_shape hand_dims(int rank, int64_t a, int64_t b, int64_t c, int64_t d);
lip_value *hand_varying(hand_graph *g, lip_shape shape); /* a model input */
lip_value *hand_constant(hand_graph *g, lip_shape shape);
/* A node of `gain`; inputs end at the first NULL. Its output varies if an input does. */
lip_value *hand_add(hand_graph *g, lip_gain gain, lip_shape shape, lip_value *a, lip_value *b, lip_value *c);
void hand_logits(hand_graph *g, lip_value *value);

lip_gain hand_scale(const double *factor, int64_t count, int axis);
lip_gain hand_slopes(double a, double b);
lip_gain hand_lipschitz(double upper, double lower);
lip_gain hand_kind(lip_gain_kind kind); /* SUM with coefficient 1 */
/* Matrix of doubles, row-major, acting on the last axis of rank-2 values. */
lip_gain hand_matrix(hand_graph *g, const double *elements, int64_t rows, int64_t cols);
lip_gain hand_conv(hand_graph *g, const lip_conv *conv, const double *w);

#endif
