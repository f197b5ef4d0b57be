/*
 * range.h: interval arithmetic over the graph: from a box of inputs, a proved
 * range of every element of every value, and with it what single nodes can
 * amplify there.
 *
 * Let B be a set of inputs and R(v) a product of intervals with v(x) in R(v)
 * for every x in B; a point at which some value is no real number (the root of
 * -1) is no point of B. Then gains that hold on the R(v) compose to a Lipschitz
 * constant on B. Let node f have inputs v_1 .. v_k, and let g_i be a Lipschitz
 * constant of f in its input i on R(v_1) x .. x R(v_k), the others held fixed.
 * For x, y in B, change one input of f at a time:
 *   f(v_1(x), v_2(x), ..) -> f(v_1(y), v_2(x), ..) -> f(v_1(y), v_2(y), ..) ...
 * Every point on the way lies in the product of the R(v_i), so that
 *   |f(v(x)) - f(v(y))| <= sum_i g_i |v_i(x) - v_i(y)| <= (sum_i g_i c(v_i)) |x - y|
 * where c(v_i) is a constant of v_i on B: the recursion of bounds/compose, by
 * induction over the nodes, with no word about derivatives of the network or
 * its points between x and y. Inside one node, R(v_i) is a product of
 * intervals, hence convex: where f is continuous and, on the segment between
 * two points, differentiable but for finitely many points (every operator
 * here; a Relu has its kink), the mean value theorem on the pieces makes
 * sup |derivative| over R(v_i) a Lipschitz constant; the slopes at kinks
 * themselves do not matter. A node that jumps has a gain on the box only where
 * its result is proved to be one and the same on all of it: then 0.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_ONNX_RANGE_H
#define LIP_ONNX_RANGE_H

#include "op.h"

/* The reals in [lo, hi]; an infinite end: no bound on that side. */
typedef struct lip_interval {
    double lo, hi;
} lip_interval;

/* Range of one input of a node, element by element. A constant: lo == hi, the same array. */
typedef struct lip_span {
    lip_dtype dtype;
    lip_shape shape;
    int64_t count;
    const double *lo, *hi; /* NULL: the input is left out */
    bool constant;
    bool stochastic; /* elements >= 0, and along the last axis they add up to 1 */
} lip_span;

/* Range of one output, to be written. */
typedef struct lip_span_room {
    int64_t count;
    double *lo, *hi; /* NULL: nobody reads it */
    bool stochastic;
} lip_span_room;

/*
 * What a range rule works on. `out` starts as everything the type can hold, and stays so where the rule leaves it.
 * gain[i]: the rule may lower it to a proved Lipschitz constant of output 0 (with the other outputs, where they are
 * copies of its input) in input i on the ranges; it starts as +inf. *gain_lower: some slope that is attained on the
 * ranges; starts as 0.
 */
typedef struct lip_range_call {
    const lip_node *node;
    const lip_span *in;
    lip_span_room *out;
    double *gain;
    double *gain_lower;
    lip_memory *memory;
} lip_range_call;

/*
 * An elementwise function of input 0, on intervals: y holds f(x), slope every derivative between two points of x, for
 * x.lo <= x.hi, infinite ends included. An end that is NaN stands for no bound.
 *   parameters: reads p[] once for a node; false: not for this node. May be NULL.
 */
#define LIP_CURVE_PARAMETERS 4
typedef struct lip_curve {
    bool (*parameters)(const lip_node *node, double *p);
    void (*on)(lip_interval x, const double *p, lip_interval *y, lip_interval *slope);
    double attained; /* the largest |slope| is attained but for this relative error */
} lip_curve;

/* Called after each node that is not a constant, in topological order; the ranges of its inputs and outputs can be
 * read, and go when nobody needs them any more. */
typedef lip_status lip_range_visit(void *context, const lip_range_call *call, lip_error *error);

/*
 * Ranges of all values for model inputs in the box: each varying input element in [lo[c], hi[c]], c its channel (see
 * lip_input_range). box NULL: no bound. Inputs that are not perturbed hold whatever their type can. A node without a
 * rule, not understood, or whose ranges pass the memory cap gives ranges without bounds: never a failure. Refuses
 * (LIP_EUSAGE) a box that is empty, not finite, or does not fit an input's channels.
 * Cost: about three evaluations of the network; memory: four doubles for each live element.
 */
lip_status lip_ranges_walk(const lip_model *model, const lip_input_range *box, lip_memory *memory,
                           lip_range_visit *visit, void *context, lip_error *error);

#endif
