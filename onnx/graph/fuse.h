/*
 * fuse.h: several nodes that compute one function of one tensor become one
 * node, because the gain of each on its own says nothing: x * Sigmoid(x) is
 * not a product of two activations, and x / sqrt(mean(x^2) + eps) no quotient.
 * Nothing changes in real arithmetic. Private to onnx/graph.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_GRAPH_FUSE_H
#define LIP_GRAPH_FUSE_H

#include "graph/model.h"

/* Is the value an output of a node of the default domain, of this operator, that is understood and not folded? */
const lip_node *lip_made_by(const lip_value *value, const char *op);
/* A constant of one finite real element. */
bool lip_is_scalar(const lip_value *value, double *out);

/* A new constant of `count` float64 elements on the model's arena, with a name of its own beside `like`. */
lip_value *lip_draft_reals(lip_draft *draft, const lip_value *like, const double *list, int64_t count);
/* `node` becomes op(x, constants); its attributes are replaced. Its name and what it is called in reports stay. */
lip_status lip_fuse_into(lip_draft *draft, lip_node *node, const lip_op *op, lip_value *x, lip_value *constants,
                         const lip_attr *attrs, size_t attr_count, lip_error *error);

/* fuse_gate.c: a Mul that is x times a gate of x, a Div that is Softsign. */
lip_status lip_fuse_gate(lip_draft *draft, lip_node *node, lip_error *error);
/* fuse_norm.c: a Div, Mul, Add or Sub that ends a normalisation. */
lip_status lip_fuse_norm(lip_draft *draft, lip_node *node, lip_error *error);

#endif
