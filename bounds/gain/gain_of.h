/*
 * gain_of.h: the gain of one layer. A layer is a node, with the scales
 * (batch-norm, products with constants) that were multiplied into it.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_BOUNDS_GAIN_OF_H
#define LIP_BOUNDS_GAIN_OF_H

#include "gain.h"
#include "op.h"
#include "linear/operator.h"

#include <math.h>

/* What the calculators work on. */
typedef struct lip_layer_task {
    const lip_node *node;
    lip_gain gain;            /* the node's own, as described by its row */
    const lip_scale *before;  /* multiplied into the node's columns and rows; NULL: none */
    const lip_scale *after;
    lip_exact exact, svd;     /* of the proof; of the column beside it */
    int iterations;
    lip_random random;
    lip_memory *memory;
} lip_layer_task;

/* What is known of its gain; NaN: not computed. For several varying inputs, the gain of each by lip_branch_gain. */
typedef struct lip_layer_gain {
    lip_verdict verdict;
    const char *reason;
    double lower, upper;
    const char *method;
    double power_estimate, power_error_term, exact_svd, reshaped, lmt_bound;
    int power_iterations;
    const char *exact_svd_reason;
} lip_layer_gain;

typedef lip_status lip_gain_calculator(lip_layer_task *task, lip_layer_gain *out, lip_error *error);

/* Finds the calculator of the task's kind and runs it. Errors name the node. lower <= upper is checked. */
lip_status lip_gain_of(lip_layer_task *task, lip_layer_gain *out, lip_error *error);

/* Gain of a SUM or JOIN node in its input `index`: coefficient times the root of how often broadcasting repeats an
 * element, rounded up. */
double lip_branch_gain(const lip_node *node, const lip_gain *gain, size_t index);

/* Whether a scale can be multiplied into this gain on that side: one factor a channel of a convolution or a row or
 * column of one dense matrix, or one factor for all. */
bool lip_scale_fits_before(const lip_scale *scale, const lip_gain *gain);
bool lip_scale_fits_after(const lip_scale *scale, const lip_gain *gain);

/* The calculators, one file each. */
lip_gain_calculator lip_gain_dense, lip_gain_convolution, lip_gain_scale, lip_gain_linear, lip_gain_pool;

/* Relative error of a product of a weight with `alpha` and the scales, and the factor itself. */
double lip_fold_error(const lip_layer_task *task, bool has_alpha);
static inline double lip_scale_at(const lip_scale *scale, int64_t index)
{
    return scale == NULL ? 1 : scale->factor[scale->count == 1 ? 0 : index];
}

/* weight * factor, within u of it; NaN, of which no bound is made, where it is too small to have a relative error. */
static inline double lip_fold(double weight, double factor)
{
    double product = weight * factor;
    bool lost = fabs(product) < 0x1p-1022 && weight != 0 && factor != 0 && fabs(factor) != 1;
    return lost ? (double)NAN : product;
}

/*
 * The paper's closed form for overlapping windows [Tsuzuku 2018, section 4]:
 * prod over dimensions of ceil(min(k, n + 2 p - k + 1) / s), whose root bounds
 * what sharing an input among windows can add. Without dilation.
 */
double lip_paper_overlap(int dims, const int64_t *n, const int64_t *k, const int64_t *stride, const int64_t *pad);

/* The same for a MaxPool or AveragePool node: sqrt(overlap), for averages over the root of the window's size. NaN where
 * it does not apply. */
double lip_paper_pooling(const lip_node *node, bool average);

#endif
