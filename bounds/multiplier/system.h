/*
 * system.h: a network as one system of linear relations between variables
 * that are tied by quadratic constraints, whatever its graph looks like.
 *
 * Differences between two evaluations are written d. Variables v are, in
 * topological order:
 *   INPUT  dx, the model's input;
 *   SLOPE  g = dh - a dz for an elementwise h = phi(z) with slopes in [a, a + width] (a neuron each);
 *   PASS   the output du of a node of which only a gain is known: a max-pool with shared windows, a softmax ...;
 *   AUX    one for each input element of such a node, see below.
 * Everything between them is linear, so that the input dz of each neuron, and the logits dy, are linear in v:
 * dz = Z v with Z strictly lower triangular, dy = Y v. Biases cancel. h itself is a dz + g.
 *
 * On an input range each neuron has its own [a, a + width], from what its z can be there (onnx/range.h): the slope of
 * any two of its values, which is all that is used of it. A neuron with width 0 (dead, always active) is linear and
 * no variable.
 *
 * For any multipliers T > 0,
 *   SLOPE  2 T g (width dz - g) >= 0,                      as g / dz lies in [0, width];
 *   PASS   T (gain^2 |dz|^2 - |du|^2) >= 0                 (a group of elements shares one T).
 * So with the quadratic form
 *   J(v) = |dx|^2 - sum 2 T g (width dz - g) - sum T (gain^2 |dz|^2 - |du|^2)  <=  |dx|^2,
 * J >= Y'Y / L^2 proves |dy| <= L |dx| [Fazlyab et al. 2019, LipSDP; here for graphs]. The subtracted Gram matrix of a
 * PASS is moved out by a Schur complement: J - T gain^2 Z'Z >= ... holds if the matrix with rows Z and the diagonal
 * 1 / (T gain^2) appended is positive semidefinite; these rows are the AUX variables. Hence a symmetric matrix that
 * is a diagonal plus sparse rows that depend on T by a factor each:
 *   diagonal: INPUT 1, SLOPE 2 T, PASS T, AUX 1 / (T gain^2);
 *   row i left of the diagonal: SLOPE -width T Z_i, AUX Z_i.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_BOUNDS_SYSTEM_H
#define LIP_BOUNDS_SYSTEM_H

#include "compose/layers.h"
#include "sparse.h"

enum { LIP_SYSTEM_MOST = 10000 }; /* variables where there is to be a factor, of up to 8 n^2 / 2 bytes */

typedef enum lip_variable_kind { LIP_VAR_INPUT, LIP_VAR_SLOPE, LIP_VAR_PASS, LIP_VAR_AUX } lip_variable_kind;

typedef struct lip_variable {
    lip_variable_kind kind;
    int32_t multiplier; /* index of its T; -1: INPUT */
    int32_t plan;       /* the layer it comes from */
    int32_t element;    /* SLOPE: of that layer's input */
    double constant;    /* SLOPE: width; AUX: gain^2; both rounded up */
} lip_variable;

typedef struct lip_system {
    int64_t variables, multipliers, inputs, classes;
    lip_variable *variable;
    lip_enclosed z; /* variables x variables; rows of INPUT and PASS are empty */
    lip_enclosed y; /* classes x variables */
    int64_t *first; /* per plan: its first SLOPE or AUX variable; -1: none */
} lip_system;

/*
 * Reads the graph. *out lives in the arena. LIP_EUNSUPPORTED, with the reason, where there would be more than `most`
 * variables or a node fits none of the above; LIP_EMEMORY.
 */
lip_status lip_system_build(const lip_model *model, const lip_layer_plan *plans, const lip_layer_gain *gains,
                            size_t count, int64_t most, lip_arena *arena, lip_system *out, lip_error *error);

/* A matrix of a linear node's linear part, rows = elements of its output, within `relative` of the true one
 * elementwise. */
lip_status lip_linear_rows(const lip_layer_plan *plan, lip_arena *arena, lip_rows *out, double *relative,
                           lip_error *error);

#endif
