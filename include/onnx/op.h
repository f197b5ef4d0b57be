/*
 * op.h: one operator = one constant value of this type at the end of its file
 * in onnx/ops/, and one row in onnx/ops/table.def.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_ONNX_OP_H
#define LIP_ONNX_OP_H

#include "failure.h"
#include "gain.h"

/*
 * One evaluation of a node. Reals are LIP_F64, integers and bools LIP_I64.
 * in[i] is NULL where the node leaves input i out. out[i] has its inferred
 * shape and room for its elements, or is NULL where nobody reads it.
 *   forward: writes every out[i].
 *   adjoint: given out_grad[i] (NULL: zero) writes in_grad[i] where not NULL:
 *     the vector-Jacobian product at in[]; in[] and out[] hold the forward values.
 * linear_part: forward leaves out constant terms (bias), so that it is the
 * linear part of an affine node.
 */
typedef struct lip_call {
    const lip_node *node;
    const lip_tensor *const *in;
    lip_tensor *const *out;
    const double *const *out_grad;
    double *const *in_grad;
    bool linear_part;
    lip_memory *memory; /* for workspace; what a function takes it gives back */
} lip_call;

struct lip_range_call;
struct lip_curve;

struct lip_op {
    const char *name;
    const char *domain; /* "" is the default domain */
    int opset_first, opset_last; /* versions of the domain whose meaning this file implements and its tests check */
    bool shape_only;             /* uses its inputs' shapes, not their values (Shape, Size) */
    /* The gain, where it is the same for every node of this operator; `describe` refines it from attributes, shapes
     * and constants. Kind UNKNOWN and no describe: the operator can be evaluated and folded, not bounded. */
    lip_gain gain;

    /*
     * Sets dtype and shape of every output that is not NULL (shape_known = true). Input shapes are known. Constant
     * inputs are at lip_node_constant; a needed one that is not constant is LIP_EUNSUPPORTED (the node becomes
     * UNKNOWN with the reason), a shape or attribute that contradicts the standard is LIP_EFORMAT (the model is
     * refused). Checks everything that forward relies on.
     */
    lip_status (*shape)(const lip_node *node, lip_error *error);
    lip_status (*forward)(const lip_call *call, lip_error *error);
    lip_status (*adjoint)(const lip_call *call, lip_error *error); /* NULL: piecewise constant, or none */
    /* Starts from *gain = op->gain. Memory for factors comes from the arena. NULL: gain is as in the row. */
    lip_status (*describe)(const lip_node *node, lip_arena *arena, lip_gain *gain, lip_error *error);

    /* Ranges on a box of inputs and gains there, see range.h. `curve`: the same for elementwise functions of input 0.
     * Both NULL, or a rule that fails: whatever the type can hold. */
    lip_status (*range)(const struct lip_range_call *call, lip_error *error);
    const struct lip_curve *curve;
};

/* The row for a domain and name, compared in full; NULL if there is none. */
const lip_op *lip_op_find(const char *domain, const char *name);
/* All rows, alphabetical by domain and name. */
const lip_op *lip_op_at(size_t index);

#endif
