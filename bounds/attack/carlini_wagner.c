/*
 * carlini_wagner.c: the L2 attack of Carlini and Wagner, see methods.h.
 *
 * Scales come from DeepFool, so that units of the data do not matter. With d
 * its distance (or lead / |grad lead|), a step of Adam moves each of the n
 * elements by up to d / (10 sqrt(n)), the whole point by up to d / 10, in the
 * end by nothing. At a minimum 2 |d| = c |grad lead| with |grad lead| about
 * lead / d: c = 2 d^2 / lead to begin with.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "methods.h"

#include <math.h>
#include <string.h>

enum { SEARCHES = 8, STEPS = 100 };

typedef struct descent {
    double *x, *gradient, *mean, *square; /* n; mean and square: Adam's moments */
    double rate, constant;
} descent;

/* One step of Adam [Kingma & Ba 2015], number k from 1, with gradient 2 (x - sample) + constant * gradient. */
static void adam(const lip_target *t, descent *d, int k, bool fooled)
{
    const double decay1 = 0.9, decay2 = 0.999, rate = d->rate * (1 - (double)(k - 1) / STEPS);
    const double scale1 = 1 - pow(decay1, k), scale2 = 1 - pow(decay2, k);
    for (int64_t i = 0; i < t->n; i++) {
        double slope = 2 * (d->x[i] - t->sample[i]) + (fooled ? 0 : d->constant * d->gradient[i]);
        d->mean[i] = decay1 * d->mean[i] + (1 - decay1) * slope;
        d->square[i] = decay2 * d->square[i] + (1 - decay2) * slope * slope;
        double root = sqrt(d->square[i] / scale2);
        if (root > 0)
            d->x[i] -= rate * d->mean[i] / scale1 / root;
    }
}

/* *hit: was there another class on the way? */
static bool minimise(lip_target *t, descent *d, bool *hit)
{
    double length;
    *hit = false;
    memcpy(d->x, t->sample, (size_t)t->n * sizeof(double));
    memset(d->mean, 0, (size_t)t->n * sizeof(double));
    memset(d->square, 0, (size_t)t->n * sizeof(double));
    for (int k = 1; k <= STEPS; k++) {
        if (!lip_target_try(t, d->x))
            return false;
        if (isnan(t->lead))
            return true;
        *hit = *hit || t->lead < 0;
        if (t->lead >= 0 && !lip_target_gradient(t, t->rival, d->gradient, &length))
            return false;
        adam(t, d, k, t->lead < 0);
    }
    return true;
}

/* The lead at the sample, and how far it is to another class, if only by the gradient. */
static bool scales(lip_target *t, double *lead, double *distance)
{
    double length;
    memcpy(t->vector[0], t->sample, (size_t)t->n * sizeof(double));
    if (!lip_target_look(t, t->vector[0]) || !lip_target_gradient(t, t->rival, t->vector[1], &length))
        return false;
    *lead = t->lead;
    *distance = isfinite(t->distance) ? t->distance : t->lead / length;
    return true;
}

bool lip_carlini_wagner(lip_target *t, lip_random *random)
{
    descent d = { t->vector[0], t->vector[1], t->vector[2], t->vector[3], 0, 0 };
    double lead, distance, low = 0, high = (double)INFINITY;
    bool hit;
    if (!lip_deepfool(t, random) || !scales(t, &lead, &distance))
        return false;
    d.rate = 0.1 * distance / sqrt((double)t->n);
    d.constant = 2 * distance * distance / lead;
    for (int i = 0; i < SEARCHES && d.constant > 0 && isfinite(d.constant); i++) {
        if (!minimise(t, &d, &hit))
            return false;
        *(hit ? &high : &low) = d.constant;
        d.constant = isfinite(high) ? (low + high) / 2 : 4 * d.constant;
    }
    return lip_target_way_back(t);
}
