/*
 * levels.c: see levels.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "levels.h"

#include "objective.h"

#include <math.h>

bool lip_bounds_open(lip_multiplier_bounds *bounds, lip_arena *results, size_t count, int64_t classes)
{
    bounds->won_estimate = lip_arena_alloc(results, (int64_t)count, sizeof(double));
    if (!bounds->won_estimate)
        return false;
    for (size_t i = 0; i < count; i++)
        bounds->won_estimate[i] = (double)NAN;
    if (classes < 2 || classes > LIP_MULTIPLIER_PAIRS)
        return true;
    bounds->pairs = lip_arena_alloc(results, classes * classes, sizeof(double));
    if (!bounds->pairs)
        return false;
    for (int64_t i = 0; i < classes * classes; i++)
        bounds->pairs[i] = i % (classes + 1) == 0 ? 0 : (double)INFINITY;
    bounds->classes = classes;
    return true;
}

void lip_bounds_take_upper(lip_multiplier_bounds *bounds, double upper, const char *method)
{
    bounds->own_upper = fmin(bounds->own_upper, upper);
    if (upper < bounds->network_upper) {
        bounds->network_upper = upper;
        bounds->network_method = method;
    }
}

void lip_bounds_take(lip_multiplier_bounds *bounds, const lip_certificate_of *certificate, const char *method)
{
    int64_t k = certificate->classes;
    lip_bounds_take_upper(bounds, lip_certificate_network_upper(certificate), method);
    for (int64_t i = 0; i < k && bounds->pairs; i++)
        for (int64_t j = i + 1; j < k; j++) {
            double bound = lip_certificate_pair_upper(certificate, i, j);
            if (bound < bounds->pairs[i * k + j]) {
                bounds->pairs[i * k + j] = bounds->pairs[j * k + i] = bound;
                bounds->pairs_method = method;
            }
        }
}

static double pairs_mean(const lip_multiplier_bounds *bounds)
{
    int64_t k = bounds->classes;
    double sum = 0;
    for (int64_t i = 0; bounds->pairs && i < k * k; i++)
        sum += bounds->pairs[i];
    return bounds->pairs && k > 1 ? sum / (double)(k * (k - 1)) : (double)NAN;
}

void lip_bounds_end_level(lip_multiplier_bounds *bounds, const char *method, double started)
{
    bounds->levels[bounds->level_count++] = (lip_level) { method, bounds->network_upper, bounds->own_upper,
                                                          pairs_mean(bounds), lip_clock() - started };
    bounds->own_upper = (double)INFINITY;
}
