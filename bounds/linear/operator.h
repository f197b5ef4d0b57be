/*
 * operator.h: a real linear map given by its two products, and what can be
 * learned from products alone: a proved lower bound of its norm, and estimates.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_BOUNDS_OPERATOR_H
#define LIP_BOUNDS_OPERATOR_H

#include "alloc.h"
#include "failure.h"
#include "random.h"

typedef struct lip_operator {
    int64_t rows, cols;
    void *context;
    /* y = A x and x = A' y. False: failed (out of memory). */
    bool (*forward)(void *context, const double *x, double *y);
    bool (*adjoint)(void *context, const double *y, double *x);
    /*
     * ||fl(A x) - A x||_2 <= product_error ||x||_2 and the same for A', for the products above and the true
     * operator: accumulated rounding, and what the weights' own rounding (folded scales) leaves open.
     */
    double product_error;
} lip_operator;

typedef struct lip_lanczos_options {
    int max_steps;          /* basis vectors kept; 0: as many as `basis_bytes` allow, at most 400 */
    uint64_t basis_bytes;   /* 0: 256 MiB */
    double relative_target; /* stop when the estimated relative error of the norm is below; 0: 1e-13 */
} lip_lanczos_options;

typedef struct lip_singular {
    double lower;    /* proved: lower <= ||A||_2 */
    double estimate; /* Ritz value, not proved */
    double error_estimate; /* estimated relative distance from `estimate` up to ||A||_2, not proved */
    int steps;
} lip_singular;

/*
 * Lanczos with full reorthogonalisation on A'A or AA', whichever is smaller
 * [Golub & Van Loan 2013, section 10.1]. `vector`, if not NULL, receives the
 * unit Ritz vector in the domain of A (room for cols doubles).
 *   lower = (||fl(A v)|| (1 - gamma) - product_error ||v||) / ||v||, rounded down, at the Ritz vector v, or 0.
 * Cost: two products and 4 * steps * min(rows, cols) flops a step.
 */
lip_status lip_lanczos(const lip_operator *operator, const lip_lanczos_options *options, lip_random *random,
                       lip_memory *memory, double *vector, lip_singular *out, lip_error *error);

/* Neither is proved. */
typedef struct lip_power {
    double estimate;   /* ||A u|| at the last u: converges to ||A|| from below */
    double error_term; /* what the paper's code adds to it, see lip_power_error_term */
} lip_power;

/*
 * The paper's power iteration [Tsuzuku 2018, algorithm 1]: from a Gaussian u, `iterations` times
 * v = A u, u = A'v / ||A'v||.
 */
lip_status lip_power_iteration(const lip_operator *operator, int iterations, lip_random *random, lip_memory *memory,
                               lip_power *out, lip_error *error);

/*
 * With r and r_before the last two ||A'A u||, u of `order` elements, the authors' code takes r + e for lambda_max(A'A),
 * e = (f + sqrt(f (4 r + f))) / 2, f = |r - r_before| order. It bounds lambda_max where the start u has at least
 * 1 / order of its square in the top eigenspace, in exact arithmetic: likely for the largest of many starts, for one
 * start more often false than true. As a distance to add to `estimate`.
 */
double lip_power_error_term(double r, double r_before, int64_t order, double estimate);

/* The operator as a dense matrix, cols columns of rows elements each, by products with unit vectors. */
lip_status lip_operator_form(const lip_operator *operator, double *matrix, lip_memory *memory, lip_error *error);

#endif
