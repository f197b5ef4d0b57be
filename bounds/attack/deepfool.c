/*
 * deepfool.c: DeepFool, see methods.h.
 *
 * With g_j = grad(f_label - f_j) and d_j = (f_label - f_j) / |g_j| at the last
 * point, the nearest face of the linearised classifier is that of the least
 * d_j, in direction -g_j / |g_j|. In a box, elements of g_j that lead out of it
 * are left out.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "methods.h"

#include "gain/box.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

enum { STEPS = 50 };
static const double OVERSHOOT = 0.02;

/* The step from x to the nearest face; all zeros where there is none. */
static bool nearest_face(lip_target *t, const double *x, double *gradient, double *step)
{
    double least = (double)INFINITY, length;
    memset(step, 0, (size_t)t->n * sizeof *step);
    for (int j = 0; j < t->rival_count; j++) {
        if (!lip_target_gradient(t, t->rivals[j], gradient, &length))
            return false;
        if (t->box) {
            lip_box_hold(t->box, &t->model->inputs[0]->shape, x, gradient);
            length = cblas_dnrm2((blasint)t->n, gradient, 1);
        }
        double far = fabs(t->logits[t->label] - t->logits[t->rivals[j]]) / length;
        if (!(far < least) || !isfinite(length))
            continue;
        least = far;
        memcpy(step, gradient, (size_t)t->n * sizeof *step);
        cblas_dscal((blasint)t->n, -far / length, step, 1);
    }
    return true;
}

/* Until the class is another, or no number. */
static bool descend(lip_target *t)
{
    double *moved = t->vector[0], *x = t->vector[1], *gradient = t->vector[2], *step = t->vector[3];
    memset(moved, 0, (size_t)t->n * sizeof *moved);
    for (int i = 0; i < STEPS; i++) {
        memcpy(x, t->sample, (size_t)t->n * sizeof *x);
        cblas_daxpy((blasint)t->n, 1 + OVERSHOOT, moved, 1, x, 1);
        if (!lip_target_try(t, x))
            return false;
        if (!(t->lead >= 0))
            return true;
        if (!nearest_face(t, x, gradient, step))
            return false;
        cblas_daxpy((blasint)t->n, 1, step, 1, moved, 1);
    }
    return true;
}

bool lip_deepfool(lip_target *t, lip_random *random)
{
    (void)random;
    return descend(t) && lip_target_way_back(t);
}
