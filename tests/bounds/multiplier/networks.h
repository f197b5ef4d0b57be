/*
 * networks.h: small networks for the tests of multipliers, and what any
 * slopes in their ranges make of them.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_TESTS_NETWORKS_H
#define LIP_TESTS_NETWORKS_H

#include "compose/hand_graph.h"
#include "multiplier/form.h"

enum { NET_WIDEST = 24, NET_LAYERS = 6 };

typedef struct networks {
    hand_graph g;
    lip_arena arena;
    lip_layer_plan *plans;
    lip_layer_gain *gains;
    double *cumulative;
    size_t count;
    double weights[NET_LAYERS][NET_WIDEST * NET_WIDEST];
    double product; /* bound of the product */
} networks;

typedef enum net_kind { NET_NORMAL, NET_NONNEGATIVE, NET_DIAGONAL } net_kind;

/* y = W_l phi(... phi(W_1 x)), widths[0..layers]; slopes in [a, b]; a == b == 1: no activation. With `residual`, every
 * matrix between layers of one width adds its input. */
void net_chain(networks *n, uint64_t *state, int layers, const int *widths, net_kind kind, double a, double b,
               bool residual);
void net_plan(networks *n); /* plans and gains of n->g; net_chain has called it */
void net_end(networks *n);

/* Norm of the Jacobian with each slope at random an end of its range, or inside: of the difference of logits i and j,
 * or all (i < 0). */
double net_sampled_norm(const networks *n, uint64_t *state, int i, int j);

/* Of the matrix product with all slopes 1. */
double net_linear_norm(const networks *n);

void net_system(networks *n, lip_system *system, lip_form *form); /* asserts */

#endif
