/*
 * pgd.c: projected gradient descent of the lead in L2 balls, see methods.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "methods.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

enum { ROUNDS = 10, DOUBLINGS = 30 };
static const int ATTEMPTS[] = { 20, 40 }; /* steps of each */

/* Into the ball around the sample. */
static void project(const lip_target *t, double limit, double *x)
{
    double distance = lip_target_distance(t, x);
    for (int64_t i = 0; distance > limit && i < t->n; i++)
        x[i] = t->sample[i] + limit / distance * (x[i] - t->sample[i]);
}

static void start(const lip_target *t, double limit, lip_random *random, double *x)
{
    for (int64_t i = 0; i < t->n; i++)
        x[i] = lip_random_normal(random);
    cblas_dscal((blasint)t->n, limit / 2 / cblas_dnrm2((blasint)t->n, x, 1), x, 1);
    cblas_daxpy((blasint)t->n, 1, t->sample, 1, x, 1);
}

/* Long steps in the first half, short ones in the second; until another class, or the gradient, is none. */
static bool descend(lip_target *t, double limit, int steps, lip_random *random)
{
    double *x = t->vector[0], *gradient = t->vector[1], length;
    start(t, limit, random, x);
    for (int k = 0; k <= steps; k++) {
        if (!lip_target_try(t, x))
            return false;
        if (!(t->lead >= 0) || k == steps)
            return true;
        if (!lip_target_gradient(t, t->rival, gradient, &length))
            return false;
        if (!(length > 0) || !isfinite(length))
            return true;
        cblas_daxpy((blasint)t->n, -2.5 * limit / steps * (k < steps / 2 ? 2 : 0.5) / length, gradient, 1, x, 1);
        project(t, limit, x);
    }
    return true;
}

/* *hit: is another class known in the ball now? */
static bool attempt(lip_target *t, double limit, lip_random *random, bool *hit)
{
    *hit = false;
    for (size_t i = 0; !*hit && i < sizeof ATTEMPTS / sizeof *ATTEMPTS; i++) {
        if (!descend(t, limit, ATTEMPTS[i], random))
            return false;
        *hit = t->distance <= limit * (1 + 1e-12); /* the projection's rounding */
    }
    return true;
}

/* A ball to begin with where DeepFool found nothing: the first of doubled radii that succeeds. */
static bool widen(lip_target *t, lip_random *random)
{
    double length;
    bool hit = false;
    memcpy(t->vector[0], t->sample, (size_t)t->n * sizeof(double));
    if (!lip_target_look(t, t->vector[0]) || !lip_target_gradient(t, t->rival, t->vector[1], &length))
        return false;
    double limit = t->lead / length;
    for (int i = 0; i < DOUBLINGS && !hit && limit > 0 && isfinite(limit); i++, limit *= 2)
        if (!attempt(t, limit, random, &hit))
            return false;
    return true;
}

bool lip_pgd(lip_target *t, lip_random *random)
{
    double low = 0;
    bool hit;
    if (!lip_deepfool(t, random) || (!isfinite(t->distance) && !widen(t, random)))
        return false;
    for (int round = 0; round < ROUNDS && isfinite(t->distance) && t->distance > 0; round++) {
        double limit = (low + t->distance) / 2;
        if (!attempt(t, limit, random, &hit))
            return false;
        if (!hit)
            low = limit;
    }
    return lip_target_way_back(t);
}
