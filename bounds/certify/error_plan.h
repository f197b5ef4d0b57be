/*
 * error_plan.h: how far an execution of the network in floating point can be
 * from the network in real arithmetic. The derivation is in error_group.c and
 * error_rules.c (what each step adds) and error_run.c (how it travels).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_BOUNDS_ERROR_PLAN_H
#define LIP_BOUNDS_ERROR_PLAN_H

#include "compose/layers.h"

/* |fl(a op b) - a op b| <= unit |a op b| + tiny, as long as the result is at most `largest`. */
typedef struct lip_ieee {
    double unit, tiny, largest;
} lip_ieee;

extern const lip_ieee lip_ieee_float64, lip_ieee_float32, lip_ieee_float16;

/*
 * A step: nodes executed as one, from the values in `branches` to output 0 of `node`. With x_b the executed and
 * v_b the true values of its branches, in 2-norms
 *   error of the output <= sum_b gain_b ||x_b - v_b|| + local,    (root of the sum of squares where `squares`)
 *   local <= g * size + (1 + g) (tiny * (tiny_constant + tiny_gain * sum_b ||x_b||) + sqrt(tiny) * root_tiny),
 *   g     = (1 + unit)^units - 1,
 *   size  = sum_b magnitude_b ||x_b|| + constant,
 * and no number on the way is larger than the largest of size + local and, but for its own rounding,
 * peak * sum_b ||x_b|| + peak_constant and (square_peak * sum_b ||x_b||)^2.
 */
typedef struct lip_error_branch {
    size_t value; /* index in the model */
    double gain, magnitude;
} lip_error_branch;

typedef struct lip_error_step {
    const lip_node *node;
    lip_error_branch *branches;
    size_t branch_count;
    bool squares;
    double units;
    double own_units;         /* of our execution, at most units */
    const lip_node *product;  /* a group's leader, and how many products each of its outputs adds; else NULL */
    double product_terms;
    double constant, tiny_constant, tiny_gain, root_tiny, peak, peak_constant, square_peak;
    const lip_ieee *coarsest; /* the type of its tensors; executions are at least this coarse */
    const char *refusal;      /* NULL; otherwise: why its error is not bounded */
    const char *refusal_half; /* the same for units from 2^-11 up only */
    const char *refusal_deployed; /* the same for executions other than ours */
} lip_error_step;

typedef struct lip_error_plan {
    const lip_layer_plan *plans; /* what it was made of */
    const double *gains;
    size_t plan_count;
    lip_error_step *steps;
    size_t count, value_count;
    size_t input, logits;   /* values */
    double input_tiny;      /* root of the input's element count */
    double *lipschitz;      /* per value at the end of a step (and the input): of the true network up to it */
    bool *is_measured;      /* per value: its norm is needed */

    /*
     * The last rounding step where it is one matrix whose rows are the logits (else `rows` is NULL):
     * |error of logit t - error of logit j| <= pair[t K + j] * (error of the step's input) + local_t + local_j, where
     * local_t <= g (row[t] ||x|| + row_constant[t]) + tiny (terms + row_tiny ||x||).
     */
    size_t last;
    int64_t classes;
    double *pair, *row, *row_constant, terms, row_tiny;
} lip_error_plan;

/*
 * One step for every layer that can be executed on its own. `gains[i]` and `cumulative[i]` belong to plans[i], as in
 * the report. The logits have `classes` elements. Cost: a few products with every matrix. Everything lies in the arena;
 * workspace comes from `memory`.
 */
lip_status lip_error_plan_make(const lip_model *model, const lip_layer_plan *plans, const double *gains,
                               const double *cumulative, size_t count, int64_t classes, lip_arena *arena,
                               lip_memory *memory, lip_error_plan *out, lip_error *error);

/* The same from a report of the model. */
lip_status lip_error_plan_of_report(const lip_model *model, const lip_report *report, int64_t classes, lip_arena *arena,
                                    lip_memory *memory, lip_error_plan *out, lip_error *error);

/* c(r) = at0 + slope r, an upper bound for all r >= 0. */
typedef struct lip_affine {
    double at0, slope;
} lip_affine;

/* What one execution is compared with. */
typedef struct lip_error_case {
    const lip_ieee *precision;
    const double *norms;     /* per value: of the values computed here at the sample */
    const lip_affine *own;   /* per value: how far those are from the true ones. NULL: this execution is ours */
    bool converts;           /* the input's elements are rounded first */
    const double *growth;    /* per step, of lip_error_growths; NULL: computed here */
} lip_error_case;

/*
 * errors[v] >= ||executed - true value v|| at every point within r of the sample (of our execution: at the sample,
 * slope 0). Radii above *most are not covered: a number could overflow there. False, with the step, where a step has
 * no bound.
 */
bool lip_error_run(const lip_error_plan *plan, const lip_error_case *which, lip_affine *errors, double *most,
                   const lip_error_step **refused);

/* Why the step has no bound in this case, or NULL. */
const char *lip_error_refusal(const lip_error_step *step, const lip_error_case *which);

/* |error of logit t - error of logit j| from the errors at the last step's input (see lip_error_plan). */
lip_affine lip_error_of_row(const lip_error_plan *plan, const lip_error_case *which, const lip_affine *errors,
                            int64_t row);

/* growth[i] = g of step i, for many samples of one case (its norms do not matter). */
void lip_error_growths(const lip_error_plan *plan, const lip_error_case *which, double *growth);

/* (1 + unit)^units - 1, rounded up. */
double lip_error_growth(double unit, double units);

#endif
