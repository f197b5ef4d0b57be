/*
 * scale.c: the gain of y = s * x, a diagonal operator: max |s|, and the root
 * of how often broadcasting repeats x. The true factors are within
 * relative_error of the stored ones.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "gain_of.h"
#include "rounding.h"

lip_status lip_gain_scale(lip_layer_task *task, lip_layer_gain *out, lip_error *error)
{
    const lip_scale *scale = &task->gain.scale;
    double largest = 0;
    (void)error;
    for (int64_t i = 0; i < scale->count; i++) {
        double factor = fabs(scale->factor[i]);
        largest = isnan(factor) ? (double)INFINITY : fmax(largest, factor);
    }
    double copies = lip_sqrt_up((double)scale->multiplicity);
    bool rounded = scale->relative_error > 0;
    out->upper = lip_mul_up(rounded ? lip_mul_up(largest, 1 + 2 * scale->relative_error) : largest, copies);
    out->lower = rounded ? lip_mul_down(largest, 1 - 2 * scale->relative_error) : largest;
    if (scale->multiplicity > 1 && (scale->axis == -1 || isinf(largest)))
        out->lower = lip_mul_down(out->lower, lip_sqrt_down((double)scale->multiplicity));
    if (isinf(out->upper))
        out->lower = 0;
    out->exact_svd = largest;
    out->exact_svd_reason = "";
    if (scale->multiplicity > 1) {
        out->exact_svd = (double)NAN;
        out->exact_svd_reason = "the input is broadcast";
    }
    out->method = "largest factor";
    return LIP_OK;
}
