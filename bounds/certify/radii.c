/*
 * radii.c: margins and radii, rounded down.
 *
 * Let z be the logits computed here, |(z_t - z_j) - (f_t - f_j)(x)| <= d_tj (error_run.c at the sample). Then
 * m_tj = (z_t - z_j) - d_tj <= (f_t - f_j)(x), and at every x' with ||x' - x|| <= r the execution f^ has
 *     f^_t - f^_j >= m_tj - L_tj r - (e_tj + s_tj r),
 * e_tj + s_tj r the bound of its error over the ball, L_tj a Lipschitz constant of f_t - f_j. The right side decreases
 * in r and is positive for r < (m_tj - e_tj) / (L_tj + s_tj), so that the execution, too, has no tie there. The radius
 * is the smallest of these over j, and never above the radius within which nothing overflows.
 * sqrt(2) L_F is such a constant for every pair: |a_t - a_j| <= sqrt(2) ||a||.
 *
 * Two logits' errors at the last matrix W, W x + b: e_t - e_j = (W_t - W_j) dx + local_t - local_j (error_plan.h).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "radii.h"
#include "rounding.h"

#include <string.h>

static bool has_rows(const lip_error_plan *plan) { return plan->last != SIZE_MAX; }

/* Errors of all values, and of the logits' rows. False if they are not bounded. */
static bool run(const lip_error_plan *plan, const lip_error_case *which, lip_affine *errors, lip_affine *rows,
                double *most)
{
    const lip_error_step *refused;
    if (!lip_error_run(plan, which, errors, most, &refused))
        return false;
    for (int64_t t = 0; has_rows(plan) && t < plan->classes; t++)
        rows[t] = lip_error_of_row(plan, which, errors, t);
    return true;
}

/* |error of logit t - error of logit j|. */
static lip_affine pair_error(const lip_error_plan *plan, const lip_affine *errors, const lip_affine *rows, int64_t t,
                             int64_t j)
{
    double factor = has_rows(plan) ? plan->pair[t * plan->classes + j] : lip_sqrt_up(2);
    const lip_affine *from = &errors[has_rows(plan) ? plan->steps[plan->last].branches[0].value : plan->logits];
    lip_affine e = { lip_mul_up(factor, from->at0), lip_mul_up(factor, from->slope) };
    if (!has_rows(plan))
        return e;
    e.at0 = lip_add_up(e.at0, lip_add_up(rows[t].at0, rows[j].at0));
    e.slope = lip_add_up(e.slope, lip_add_up(rows[t].slope, rows[j].slope));
    return e;
}

static double margin_to(const lip_radii *r, const double *logits, const lip_radii_work *work, int64_t t, int64_t j)
{
    lip_affine e = pair_error(r->plan, work->own_errors, work->own_rows, t, j);
    return lip_sub_down(lip_sub_down(logits[t], logits[j]), e.at0);
}

/* The smallest margin of t. */
static double margin_of(const lip_radii *r, const double *logits, const lip_radii_work *work, int64_t t)
{
    double margin = (double)INFINITY;
    for (int64_t j = 0; j < r->plan->classes; j++)
        if (j != t)
            margin = fmin(margin, margin_to(r, logits, work, t, j));
    return margin;
}

static int64_t largest(const double *logits, int64_t classes)
{
    int64_t best = 0;
    for (int64_t j = 0; j < classes; j++) {
        if (isnan(logits[j]))
            return -1;
        best = logits[j] > logits[best] ? j : best;
    }
    return best;
}

static double radius_to(lip_affine left, double lipschitz)
{
    return left.at0 > 0 ? lip_div_down(left.at0, lip_add_up(lipschitz, left.slope)) : 0;
}

static void fill_radii(const lip_radii *r, const double *logits, int64_t t, lip_radii_work *work, double most,
                       lip_certificate *out)
{
    const int64_t k = r->plan->classes;
    double network = lip_mul_up(lip_sqrt_up(2), r->network_upper);
    out->sqrt2_radius = most;
    out->pairwise_radius = r->pairwise_upper ? most : (double)NAN;
    for (int64_t j = 0; j < k; j++) {
        if (j == t)
            continue;
        double margin = margin_to(r, logits, work, t, j);
        lip_affine e = { 0, 0 };
        if (!r->deployed_is_exact)
            e = pair_error(r->plan, work->errors, work->rows, t, j);
        work->left[j] = (lip_affine) { lip_sub_down(margin, e.at0), e.slope };
        out->sqrt2_radius = fmin(out->sqrt2_radius, radius_to(work->left[j], network));
        if (r->pairwise_upper)
            out->pairwise_radius = fmin(out->pairwise_radius,
                                        radius_to(work->left[j], r->pairwise_upper[t * k + j]));
    }
    work->most = most;
    bool pairwise = r->pairwise_upper && out->pairwise_radius > out->sqrt2_radius;
    out->radius = pairwise ? out->pairwise_radius : out->sqrt2_radius;
    out->method = !(out->radius > 0) ? "" : pairwise ? "pairwise" : "sqrt2";
}

void lip_radii_drop(lip_certificate *out)
{
    out->radius = out->sqrt2_radius = 0;
    out->local_radius = isnan(out->local_radius) ? (double)NAN : 0;
    out->pairwise_radius = isnan(out->pairwise_radius) ? (double)NAN : 0;
    out->method = "";
}

void lip_radii_of(const lip_radii *r, const double *logits, int64_t label, lip_radii_work *work, lip_certificate *out)
{
    const lip_error_case own = { .precision = &r->own, .norms = work->norms, .converts = r->own_converts,
                                 .growth = r->own_growth };
    double most = (double)INFINITY;
    *out = (lip_certificate) { .predicted = -1, .label = label < 0 ? -1 : label, .margin_lower = -(double)INFINITY,
                               .pairwise_radius = r->pairwise_upper ? 0 : (double)NAN, .local_radius = (double)NAN,
                               .method = "" };
    int64_t best = largest(logits, r->plan->classes);
    if (best < 0 || r->own_refused || !run(r->plan, &own, work->own_errors, work->own_rows, &most) ||
        !(most > 0)) /* what overflowed may have vanished in a later layer */
        return;
    double margin = margin_of(r, logits, work, best);
    out->predicted = margin > 0 ? best : -1;
    out->label = label < 0 ? out->predicted : label;
    out->margin_lower = label < 0 || label == best ? margin : margin_of(r, logits, work, label);
    if (!(out->margin_lower > 0) || r->deployed_refused)
        return;
    const lip_error_case deployed = { .precision = &r->deployed, .norms = work->norms, .own = work->own_errors,
                                      .converts = true, .growth = r->deployed_growth };
    most = (double)INFINITY;
    if (!r->deployed_is_exact && !run(r->plan, &deployed, work->errors, work->rows, &most))
        return;
    fill_radii(r, logits, out->label, work, fmax(0, most), out);
}
