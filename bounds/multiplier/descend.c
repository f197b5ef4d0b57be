/*
 * descend.c: L-BFGS with backtracking. A point where the matrix is not
 * positive definite has the value +inf, and is stepped back from.
 *
 * The least of the largest eigenvalue lies where several are equal, mostly
 * near where the matrix becomes singular: a sharp objective leads there by
 * tiny steps, a smooth one stops short of it. So the objective is sharpened
 * on the way.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "objective.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

enum { HISTORY = 12, TRIES = 12, WINDOW = 5 };
static const double LONGEST_STEP = 0.5, LONGEST_PLAIN = 3, FIRST_STEP = 0.5; /* of one logarithm */
static const double FLOOR = 0.05; /* of curvatures, of their mean */
static const double SHARPER = 4;  /* power */

typedef struct descent {
    lip_value_at *at;
    void *context;
    const double *curvature; /* plain: NULL will do */
    blasint n;
    double *theta, *gradient, *next, *next_gradient, *direction, *s, *y;
    double rho[HISTORY], alpha[HISTORY];
    int count;   /* pairs stored so far */
    bool plain;  /* variables are not scaled */
    double step; /* the last one */
} descent;

static double dot(const descent *d, const double *a, const double *b) { return cblas_ddot(d->n, a, 1, b, 1); }

/* By what the last step says of the curvature alone. */
static void scale_plainly(descent *d, int kept)
{
    double scale = 0.5 / fmax(1e-300, fabs(d->gradient[cblas_idamax(d->n, d->gradient, 1)]));
    if (kept > 0) {
        int last = (d->count - 1) % HISTORY;
        scale = 1 / (d->rho[last] * dot(d, d->y + last * d->n, d->y + last * d->n));
    }
    cblas_dscal(d->n, -scale, d->direction, 1);
}

/* By the objective's model of its Hessian's diagonal, and what the last step says of it. */
static void scale_direction(descent *d, int kept)
{
    const double *curvature = d->curvature;
    double mean = cblas_dasum(d->n, curvature, 1) / d->n, scale = FIRST_STEP;
    if (!(mean > 0) || !isfinite(mean))
        mean = 1;
    if (kept > 0) {
        int last = (d->count - 1) % HISTORY;
        const double *y = d->y + last * d->n;
        double sum = 0;
        for (blasint i = 0; i < d->n; i++)
            sum += y[i] * y[i] / (curvature[i] + FLOOR * mean);
        scale = 1 / (d->rho[last] * sum);
    }
    for (blasint i = 0; i < d->n; i++)
        d->direction[i] *= -scale / (curvature[i] + FLOOR * mean);
}

static void choose_direction(descent *d)
{
    int kept = d->count < HISTORY ? d->count : HISTORY;
    memcpy(d->direction, d->gradient, (size_t)d->n * sizeof(double));
    for (int i = 0; i < kept; i++) {
        int at = (d->count - 1 - i) % HISTORY;
        d->alpha[at] = d->rho[at] * dot(d, d->s + at * d->n, d->direction);
        cblas_daxpy(d->n, -d->alpha[at], d->y + at * d->n, 1, d->direction, 1);
    }
    if (d->plain)
        scale_plainly(d, kept);
    else
        scale_direction(d, kept);
    for (int i = kept - 1; i >= 0; i--) {
        int at = (d->count - 1 - i) % HISTORY;
        double beta = d->rho[at] * dot(d, d->y + at * d->n, d->direction);
        cblas_daxpy(d->n, -d->alpha[at] - beta, d->s + at * d->n, 1, d->direction, 1);
    }
    double longest = fabs(d->direction[cblas_idamax(d->n, d->direction, 1)]);
    double most = d->plain ? LONGEST_PLAIN : LONGEST_STEP;
    if (longest > most)
        cblas_dscal(d->n, most / longest, d->direction, 1);
}

static void remember(descent *d)
{
    int at = d->count % HISTORY;
    double *s = d->s + at * d->n, *y = d->y + at * d->n;
    for (blasint i = 0; i < d->n; i++) {
        s[i] = d->next[i] - d->theta[i];
        y[i] = d->next_gradient[i] - d->gradient[i];
    }
    double curvature = dot(d, s, y);
    if (curvature > 1e-12 * dot(d, y, y)) {
        d->rho[at] = 1 / curvature;
        d->count++;
    }
}

/* Least of the parabola through the value, the slope and what was found at `step`, not too near to either end. */
static double interpolate(double value, double slope, double found, double step, bool plain)
{
    if (!isfinite(found))
        return (plain ? 0.25 : 0.5) * step;
    double least = -slope * step * step / (2 * (found - value - slope * step));
    return fmin(fmax(least, 0.1 * step), 0.6 * step);
}

/* One step of sufficient decrease along the direction, four times the last one at most; +inf: none was found. */
static double search(descent *d, double value, double deadline)
{
    double slope = dot(d, d->gradient, d->direction), step = fmin(1, 4 * d->step);
    for (int attempt = 0; attempt < TRIES && slope < 0; attempt++) {
        for (blasint i = 0; i < d->n; i++)
            d->next[i] = d->theta[i] + step * d->direction[i];
        double found = d->at(d->context, d->next, d->next_gradient);
        d->step = step;
        if (found <= value + 1e-4 * step * slope)
            return found;
        if (lip_clock() > deadline)
            break;
        step = interpolate(value, slope, found, step, d->plain);
    }
    return (double)INFINITY;
}

/* Whether the descent is worth going on with, after a window of iterations that brought `gain`. */
static bool goes_on(descent *d, const lip_descent *options, double gain, double *value)
{
    if (!options->sharpen || gain >= options->early || !options->sharpen(d->context))
        return gain >= options->tolerance;
    *value = d->at(d->context, d->theta, d->gradient);
    return true;
}

static double iterate(descent *d, const lip_descent *options)
{
    double value = d->at(d->context, d->theta, d->gradient), window = value;
    for (int i = 1; i <= options->iterations && isfinite(value) && lip_clock() < options->deadline; i++) {
        choose_direction(d);
        double found = search(d, value, options->deadline);
        if (!isfinite(found) && d->count == 0)
            break;
        if (!isfinite(found)) { /* forget, and try the gradient */
            d->count = 0;
            d->step = 1;
            continue;
        }
        remember(d);
        memcpy(d->theta, d->next, (size_t)d->n * sizeof(double));
        memcpy(d->gradient, d->next_gradient, (size_t)d->n * sizeof(double));
        value = found;
        if (i % WINDOW == 0) {
            if (!goes_on(d, options, window - value, &value))
                break;
            window = value;
        }
    }
    return value;
}

/* The model of the curvature is one of neurons. With nodes of which only a gain is known it leads straight to where
 * J is not positive definite, and along that boundary. */
static bool has_passes(const lip_system *s)
{
    for (int64_t i = s->inputs; i < s->variables; i++)
        if (s->variable[i].kind != LIP_VAR_SLOPE)
            return true;
    return false;
}

double lip_descend_on(lip_value_at *at, void *context, const double *curvature, int64_t n, const lip_descent *options,
                      lip_memory *memory, double *theta)
{
    double *room = lip_alloc(memory, (4 + 2 * HISTORY) * n, sizeof(double)), value = (double)INFINITY;
    if (room && n > 0) {
        descent d = { .at = at, .context = context, .curvature = curvature, .n = (blasint)n, .theta = theta,
                      .gradient = room, .next = room + n, .next_gradient = room + 2 * n, .direction = room + 3 * n,
                      .s = room + 4 * n, .y = room + (4 + HISTORY) * n, .step = 1, .plain = curvature == NULL };
        value = iterate(&d, options);
    }
    lip_free(memory, room);
    return value;
}

static double system_at(void *objective, const double *theta, double *gradient)
{
    return lip_objective_at(objective, theta, gradient);
}

static bool sharpen(void *context)
{
    lip_objective *objective = context;
    if (objective->goal != LIP_GOAL_NETWORK || objective->power >= objective->sharpest)
        return false;
    objective->power = fmin(SHARPER * objective->power, objective->sharpest);
    return true;
}

double lip_descend(lip_objective *objective, const lip_descent *options, double *theta)
{
    const lip_system *s = objective->form->system;
    double power = objective->power;
    lip_descent with = *options;
    with.sharpen = sharpen;
    double value = lip_descend_on(system_at, objective, has_passes(s) ? NULL : objective->curvature, s->multipliers,
                                  &with, objective->memory, theta);
    objective->power = power;
    return value;
}
