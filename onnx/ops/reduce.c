/*
 * reduce.c: the reductions, each a value of a group and its derivative.
 *
 * Sums are compensated [Kahan 1965]: on elements of one sign the relative
 * error is at most 2 u + O(n u^2), whatever the group's size n.
 * ReduceL2: | |x| - |y| | <= |x - y|: gain 1, attained on rays.
 * ReduceL1: | |x|_1 - |y|_1 | <= |x - y|_1 <= sqrt(n) |x - y|_2 [Cauchy,
 * Schwarz], attained at x = t (1, .., 1). ReduceLogSumExp: its gradient is the
 * softmax p, |p|_2 <= |p|_1 = 1, which p comes close to at (t, 0, .., 0).
 * ReduceMax, ReduceMin: |max x - max y| <= |x - y|_inf: each input element is
 * in one group. The others have slopes without bound.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "reduce.h"

#include "ranges.h"
#include "support.h"

#include <math.h>

static double sum(const double *x, const int64_t *at, int64_t n)
{
    double total = 0, lost = 0;
    for (int64_t i = 0; i < n; i++) {
        double term = x[at[i]] - lost, next = total + term;
        lost = (next - total) - term;
        total = next;
    }
    return total;
}

static double mean(const double *x, const int64_t *at, int64_t n)
{
    return sum(x, at, n) / (double)n;
}

static double max(const double *x, const int64_t *at, int64_t n)
{
    double best = -INFINITY;
    for (int64_t i = 0; i < n; i++) best = x[at[i]] > best || isnan(x[at[i]]) ? x[at[i]] : best;
    return best;
}

static double min(const double *x, const int64_t *at, int64_t n)
{
    double best = INFINITY;
    for (int64_t i = 0; i < n; i++) best = x[at[i]] < best || isnan(x[at[i]]) ? x[at[i]] : best;
    return best;
}

static double prod(const double *x, const int64_t *at, int64_t n)
{
    double product = 1;
    for (int64_t i = 0; i < n; i++) product *= x[at[i]];
    return product;
}

static double l1(const double *x, const int64_t *at, int64_t n)
{
    double total = 0;
    for (int64_t i = 0; i < n; i++) total += fabs(x[at[i]]);
    return total;
}

static double sum_square(const double *x, const int64_t *at, int64_t n)
{
    double total = 0;
    for (int64_t i = 0; i < n; i++) total += x[at[i]] * x[at[i]];
    return total;
}

static double l2(const double *x, const int64_t *at, int64_t n)
{
    return sqrt(sum_square(x, at, n));
}

static double log_sum(const double *x, const int64_t *at, int64_t n)
{
    return log(sum(x, at, n));
}

static double log_sum_exp(const double *x, const int64_t *at, int64_t n)
{
    double top = max(x, at, n), total = 0;
    if (isinf(top)) return top;
    for (int64_t i = 0; i < n; i++) total += exp(x[at[i]] - top);
    return top + log(total);
}

static int64_t whole_sum(const int64_t *x, const int64_t *at, int64_t n)
{
    uint64_t total = 0;
    for (int64_t i = 0; i < n; i++) total += (uint64_t)x[at[i]];
    return (int64_t)total;
}

static int64_t whole_mean(const int64_t *x, const int64_t *at, int64_t n)
{
    return n > 0 ? whole_sum(x, at, n) / n : 0;
}

static int64_t whole_prod(const int64_t *x, const int64_t *at, int64_t n)
{
    uint64_t product = 1;
    for (int64_t i = 0; i < n; i++) product *= (uint64_t)x[at[i]];
    return (int64_t)product;
}

static int64_t whole_max(const int64_t *x, const int64_t *at, int64_t n)
{
    int64_t best = INT64_MIN;
    for (int64_t i = 0; i < n; i++) best = x[at[i]] > best ? x[at[i]] : best;
    return best;
}

static int64_t whole_min(const int64_t *x, const int64_t *at, int64_t n)
{
    int64_t best = INT64_MAX;
    for (int64_t i = 0; i < n; i++) best = x[at[i]] < best ? x[at[i]] : best;
    return best;
}

static void sum_slopes(const double *x, const int64_t *at, int64_t n, double y, double g, double *grad)
{
    (void)x, (void)y;
    for (int64_t i = 0; i < n; i++) grad[at[i]] = g;
}

static void mean_slopes(const double *x, const int64_t *at, int64_t n, double y, double g, double *grad)
{
    sum_slopes(x, at, n, y, g / (double)n, grad);
}

/* The whole gradient goes to the first element that holds the extreme. */
static void extreme_slopes(const double *x, const int64_t *at, int64_t n, double y, double g, double *grad)
{
    for (int64_t i = 0; i < n; i++) {
        if (x[at[i]] != y) continue;
        grad[at[i]] = g;
        return;
    }
}

static void prod_slopes(const double *x, const int64_t *at, int64_t n, double y, double g, double *grad)
{
    (void)y;
    double before = 1, after = 1; /* no division: elements may be zero */
    for (int64_t i = 0; i < n; before *= x[at[i]], i++) grad[at[i]] = g * before;
    for (int64_t i = n - 1; i >= 0; after *= x[at[i]], i--) grad[at[i]] *= after;
}

static void l1_slopes(const double *x, const int64_t *at, int64_t n, double y, double g, double *grad)
{
    (void)y;
    for (int64_t i = 0; i < n; i++) grad[at[i]] = g * ((x[at[i]] > 0) - (x[at[i]] < 0));
}

static void l2_slopes(const double *x, const int64_t *at, int64_t n, double y, double g, double *grad)
{
    for (int64_t i = 0; i < n; i++) grad[at[i]] = y > 0 ? g * x[at[i]] / y : 0;
}

static void sum_square_slopes(const double *x, const int64_t *at, int64_t n, double y, double g, double *grad)
{
    (void)y;
    for (int64_t i = 0; i < n; i++) grad[at[i]] = 2 * g * x[at[i]];
}

static void log_sum_slopes(const double *x, const int64_t *at, int64_t n, double y, double g, double *grad)
{
    sum_slopes(x, at, n, y, g / exp(y), grad);
}

static void log_sum_exp_slopes(const double *x, const int64_t *at, int64_t n, double y, double g, double *grad)
{
    for (int64_t i = 0; i < n; i++) grad[at[i]] = g * exp(x[at[i]] - y);
}

#define REDUCTION(stem, real, whole, slopes)                                            \
    static lip_status stem##_forward(const lip_call *call, lip_error *error)            \
    {                                                                                   \
        return lip_reduce_forward(call, real, whole, error);                            \
    }                                                                                   \
    static lip_status stem##_adjoint(const lip_call *call, lip_error *error)            \
    {                                                                                   \
        return lip_reduce_adjoint(call, slopes, error);                                 \
    }

REDUCTION(l1, l1, NULL, l1_slopes)
REDUCTION(l2, l2, NULL, l2_slopes)
REDUCTION(log_sum, log_sum, NULL, log_sum_slopes)
REDUCTION(log_sum_exp, log_sum_exp, NULL, log_sum_exp_slopes)
REDUCTION(max, max, whole_max, extreme_slopes)
REDUCTION(mean, mean, whole_mean, mean_slopes)
REDUCTION(min, min, whole_min, extreme_slopes)
REDUCTION(prod, prod, whole_prod, prod_slopes)
REDUCTION(sum, sum, whole_sum, sum_slopes)
REDUCTION(sum_square, sum_square, NULL, sum_square_slopes)

static lip_status l1_describe(const lip_node *node, lip_arena *arena, lip_gain *gain, lip_error *error)
{
    (void)arena;
    int64_t n = 1;
    LIP_TRY(lip_reduce_size(node, &n, error));
    double root = sqrt((double)n); /* n < 2^53: correctly rounded */
    bool exact = root == floor(root) && root * root == (double)n;
    gain->lipschitz.upper = exact ? root : nextafter(root, INFINITY);
    gain->lipschitz.lower = exact ? root : nextafter(root, 0);
    return LIP_OK;
}

const lip_op lip_op_reduce_l1 = {
    .name = "ReduceL1",
    .domain = "",
    .opset_first = 1,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_LIPSCHITZ, .lipschitz = {.upper = 1, .lower = 1}},
    .shape = lip_reduce_shape_real,
    .forward = l1_forward,
    .adjoint = l1_adjoint,
    .describe = l1_describe,
    .range = lip_range_reduce_l1,
};

const lip_op lip_op_reduce_l2 = {
    .name = "ReduceL2",
    .domain = "",
    .opset_first = 1,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_LIPSCHITZ, .lipschitz = {.upper = 1, .lower = 1}},
    .shape = lip_reduce_shape_real,
    .forward = l2_forward,
    .adjoint = l2_adjoint,
    .range = lip_range_reduce_l2,
};

const lip_op lip_op_reduce_log_sum = {
    .name = "ReduceLogSum",
    .domain = "",
    .opset_first = 1,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_UNBOUNDED, .reason = "the logarithm of a sum has an unbounded slope near zero"},
    .shape = lip_reduce_shape_real,
    .forward = log_sum_forward,
    .adjoint = log_sum_adjoint,
    .range = lip_range_reduce_log_sum,
};

const lip_op lip_op_reduce_log_sum_exp = {
    .name = "ReduceLogSumExp",
    .domain = "",
    .opset_first = 1,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_LIPSCHITZ, .lipschitz = {.upper = 1, .lower = 1}},
    .shape = lip_reduce_shape_real,
    .forward = log_sum_exp_forward,
    .adjoint = log_sum_exp_adjoint,
    .range = lip_range_reduce_log_sum_exp,
};

const lip_op lip_op_reduce_max = {
    .name = "ReduceMax",
    .domain = "",
    .opset_first = 1,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_SELECT, .select = 1},
    .shape = lip_reduce_shape,
    .forward = max_forward,
    .adjoint = max_adjoint,
    .range = lip_range_monotone,
};

const lip_op lip_op_reduce_mean = {
    .name = "ReduceMean",
    .domain = "",
    .opset_first = 1,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_NONNEGATIVE},
    .shape = lip_reduce_shape,
    .forward = mean_forward,
    .adjoint = mean_adjoint,
    .range = lip_range_weighted,
};

const lip_op lip_op_reduce_min = {
    .name = "ReduceMin",
    .domain = "",
    .opset_first = 1,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_SELECT, .select = 1},
    .shape = lip_reduce_shape,
    .forward = min_forward,
    .adjoint = min_adjoint,
    .range = lip_range_monotone,
};

const lip_op lip_op_reduce_prod = {
    .name = "ReduceProd",
    .domain = "",
    .opset_first = 1,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_UNBOUNDED,
             .reason = "a product of activations: its slope in one is the product of the others"},
    .shape = lip_reduce_shape,
    .forward = prod_forward,
    .adjoint = prod_adjoint,
};

const lip_op lip_op_reduce_sum = {
    .name = "ReduceSum",
    .domain = "",
    .opset_first = 1,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_NONNEGATIVE},
    .shape = lip_reduce_shape,
    .forward = sum_forward,
    .adjoint = sum_adjoint,
    .range = lip_range_weighted,
};

const lip_op lip_op_reduce_sum_square = {
    .name = "ReduceSumSquare",
    .domain = "",
    .opset_first = 1,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_UNBOUNDED, .reason = "its slope 2 x grows without bound"},
    .shape = lip_reduce_shape_real,
    .forward = sum_square_forward,
    .adjoint = sum_square_adjoint,
    .range = lip_range_reduce_sum_square,
};
