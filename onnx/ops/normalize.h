/*
 * normalize.h: the core that layer, instance, group and RMS normalisation
 * share, and its Lipschitz constant.
 *
 * On one block of N elements: z = C x (C = I - 11'/N, or I for RMS),
 *   f(x) = z / s,  s = sqrt(|z|^2 / N + eps),  y = gamma f + beta.
 * The derivative of z -> z / s is (I - z z' / (N s^2)) / s: symmetric, 1 / s on
 * the complement of z, and (1 - |z|^2 / (N s^2)) / s = eps / s^3 along z. Since
 * s >= sqrt(eps), both are at most 1 / sqrt(eps), so with |C| <= 1
 *   Lip(y) <= max |gamma| / sqrt(eps).
 * At z = 0 the Jacobian is diag(gamma) C / sqrt(eps), whose norm is at least
 * that of row i: |gamma_i| sqrt(1 - 1/N) / sqrt(eps). With gamma equal over the
 * block, it is |gamma| / sqrt(eps) exactly (N >= 2). With centring and N = 1
 * the output is constant.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_ONNX_OPS_NORMALIZE_H
#define LIP_ONNX_OPS_NORMALIZE_H

#include "op.h"

typedef struct lip_normalize {
    int64_t blocks, count; /* blocks of `count` consecutive elements */
    bool centred;
    double eps;
    /* Element i of block b is scaled by gamma[(b % period) * per_block + i / run]. */
    int64_t period, per_block, run;
} lip_normalize;

/* Reads a node that normalises over all axes from `axis` (default -1) on, with scale (input 1) and shift (input 2, if
 * there) over these axes, or one element. Checks inputs and sizes. */
lip_status lip_normalize_over_axes(const lip_node *node, bool centred, lip_normalize *out, lip_error *error);
/* Sets output 0 like the input, and the others to its shape with 1 for every axis from `axis` on. */
lip_status lip_normalize_set_outputs(const lip_node *node, lip_error *error);

/* `shift` may be NULL, as may mean and inverse deviation (one per block). */
void lip_normalize_forward(const lip_normalize *n, const double *x, const double *gamma, const double *shift, double *y,
                           double *mean, double *inverse);
void lip_normalize_adjoint(const lip_normalize *n, const double *x, const double *gamma, const double *grad,
                           double *dx);
/* LIPSCHITZ as above; UNBOUNDED for eps = 0; UNKNOWN unless gamma (input 1) is constant and later inputs do not
 * vary. */
void lip_normalize_gain(const lip_node *node, const lip_normalize *n, lip_gain *gain);
/* LIP_EFORMAT unless eps >= 0. */
lip_status lip_normalize_check(const lip_node *node, const lip_normalize *n, lip_error *error);
/* An adjoint that knows input 0 only: refuses others, and gradients of outputs beyond 0. */
lip_status lip_normalize_check_adjoint(const lip_call *call, lip_error *error);

#endif
