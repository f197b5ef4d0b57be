/*
 * local_gradient.c: how steep the differences of logits are around a sample,
 * see methods.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "methods.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

bool lip_local_gradient(lip_target *t, int directions, double reach, lip_random *random, double *largest)
{
    double *x = t->vector[0], *gradient = t->vector[1], length;
    *largest = 0;
    for (int k = 0; k <= directions; k++) {
        memset(x, 0, (size_t)t->n * sizeof *x);
        for (int64_t i = 0; k > 0 && i < t->n; i++)
            x[i] = lip_random_normal(random);
        if (k > 0)
            cblas_dscal((blasint)t->n, reach / cblas_dnrm2((blasint)t->n, x, 1), x, 1);
        cblas_daxpy((blasint)t->n, 1, t->sample, 1, x, 1);
        if (!lip_target_look(t, x))
            return false;
        for (int j = 0; j < t->rival_count; j++) {
            if (!lip_target_gradient(t, t->rivals[j], gradient, &length))
                return false;
            if (isfinite(length))
                *largest = fmax(*largest, length);
        }
    }
    return true;
}
