/*
 * norms.c: see norms.h. A sum of n squares in any order is within gamma_{n+1}
 * of the truth, squares that underflow within 2^-1074 each; a NaN or an
 * overflow gives +inf.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "norms.h"
#include "rounding.h"

enum { LANES = 16 };

static double root_of_squares(double squares, int64_t n)
{
    double upper = lip_add_up(lip_mul_up(squares, 1 + lip_gamma((double)n + 4)), (double)n * LIP_TINY);
    return squares == 0 ? lip_up(sqrt((double)n * LIP_TINY)) : isnan(upper) ? (double)INFINITY : lip_sqrt_up(upper);
}

static double norm_of(const double *x, int64_t n)
{
    double sum[LANES] = { 0 }, rest = 0;
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (int k = 0; k < LANES; k++)
            sum[k] += x[i + k] * x[i + k];
    for (; i < n; i++)
        rest += x[i] * x[i];
    for (int k = 0; k < LANES; k++)
        rest += sum[k];
    return root_of_squares(rest, n);
}

void lip_norms_of_samples(lip_norms *norms, const double *samples, int64_t elements, int64_t count, bool rounded)
{
    for (int64_t s = 0; s < count; s++) {
        double norm = norm_of(samples + s * elements, elements);
        double *to = &norms->norms[(size_t)s * norms->plan->value_count + norms->plan->input];
        *to = rounded ? lip_add_up(lip_mul_up(norm, 1 + 0x1p-23), (double)elements * 0x1p-150) : norm;
    }
}

lip_status lip_norms_visit(void *context, lip_batch *batch, const lip_node *node, int64_t count, lip_error *error)
{
    lip_norms *norms = context;
    (void)error;
    for (size_t o = 0; o < node->output_count; o++) {
        const lip_value *value = node->outputs[o];
        int64_t elements;
        if (!value || !norms->plan->is_measured[value->index] || !lip_shape_count(&value->shape, &elements))
            continue;
        for (int64_t s = 0; s < count; s++)
            norms->norms[(size_t)s * norms->plan->value_count + value->index] =
                root_of_squares(lip_batch_square_sum(batch, value, s), elements);
    }
    return LIP_OK;
}
