/*
 * ranges.h: range rules (lip_op.range, lip_op.curve) that operators share, and
 * what rules are made of.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_ONNX_OPS_RANGES_H
#define LIP_ONNX_OPS_RANGES_H

#include "normalize.h"
#include "range.h"

typedef lip_status lip_range_rule(const lip_range_call *call, lip_error *error);

/*
 * The operator's own forward on arrays in the place of its inputs (in[i] NULL: its constant, or left out), into out[i]
 * (NULL: not wanted). Whole numbers pass through as such: LIP_EUNSUPPORTED beyond 2^53.
 */
lip_status lip_range_forward(const lip_range_call *call, const double *const *in, double *const *out,
                             lip_error *error);

/* Rules for nodes whose every output element is the largest, least or only one of some input elements, increases with
 * each input and has no rounding: the forward at both ends. */
lip_range_rule lip_range_monotone;
/* The same for sums with coefficients >= 0 (gain kinds NONNEGATIVE and SUM): both ends, widened by
 * gamma_n (sum of |coefficient element|). */
lip_range_rule lip_range_weighted;
/* y = product of inputs 0 and 1 (bilinear) + a multiple of input 2: centre and radius. */
lip_range_rule lip_range_product;
/* Through the operator's curve. */
lip_range_rule lip_range_curve;
/* MONOTONE where `describe` says ISOMETRY, WEIGHTED where it says NONNEGATIVE. */
lip_range_rule lip_range_described;

lip_range_rule lip_range_add, lip_range_sub, lip_range_mul, lip_range_div;
lip_range_rule lip_range_compare, lip_range_where, lip_range_extreme, lip_range_cast, lip_range_gather;
lip_range_rule lip_range_batch_normalization, lip_range_softmax, lip_range_log_softmax, lip_range_lp_normalization;
lip_range_rule lip_range_pow;
lip_range_rule lip_range_reduce_l1, lip_range_reduce_l2, lip_range_reduce_sum_square, lip_range_reduce_log_sum,
    lip_range_reduce_log_sum_exp;

/* z / s of a block of n elements (range_norms.c) into f; returns the largest 1 / s, its gain. */
double lip_range_standardize(const double *lo, const double *hi, int64_t n, bool centred, double eps, double *f_lo,
                             double *f_hi);
/* Output 0 of the layer, instance, group and RMS normalisation. */
lip_status lip_range_normalize(const lip_range_call *call, const lip_normalize *n, lip_error *error);

extern const lip_curve lip_curve_abs, lip_curve_acos, lip_curve_acosh, lip_curve_asin, lip_curve_asinh, lip_curve_atan,
    lip_curve_atanh, lip_curve_celu, lip_curve_clip, lip_curve_cos, lip_curve_cosh, lip_curve_elu, lip_curve_erf,
    lip_curve_exp, lip_curve_gelu, lip_curve_fast_gelu, lip_curve_hard_sigmoid, lip_curve_hard_swish,
    lip_curve_leaky_relu, lip_curve_log, lip_curve_mish, lip_curve_neg, lip_curve_reciprocal, lip_curve_relu,
    lip_curve_selu, lip_curve_sigmoid, lip_curve_sin, lip_curve_sinh, lip_curve_softplus, lip_curve_softsign,
    lip_curve_sqrt, lip_curve_swish, lip_curve_tan, lip_curve_tanh;

/* f(x) = below x for x < 0, above x for x >= 0. */
void lip_curve_two_slopes(lip_interval x, double below, double above, lip_interval *y, lip_interval *slope);
/* x^b for a constant b. */
void lip_curve_power(lip_interval x, double b, lip_interval *y, lip_interval *slope);

#endif
