/*
 * nonnegative.c: Collatz-Wielandt bounds.
 *
 * If B >= 0 elementwise and p > 0, then rho(B) <= max_i (B p)_i / p_i
 * [Collatz 1942, Wielandt 1950]: with D = diag(p), D^-1 B D >= 0 has these row
 * sums. With B = A'A, rho(B) = ||A||_2^2. Any positive p gives a proof; the
 * Perron vector gives equality. It is approached by plain iteration from p = 1
 * and, if that is slow, from |v| with v a Lanczos vector.
 *
 * Rounding. All terms are >= 0, so nothing cancels: each element of fl(A p) is
 * within a factor 1 +- gamma_{m+9} of the truth, m the number of terms (at most
 * the number of columns; 8 units for the coefficients). Hence
 *     B p <= fl(B p) / ((1 - gamma_{cols+9}) (1 - gamma_{rows+9})).
 * p is kept in [2^-40, 1], far from underflow.
 *
 * Lower bounds: ||A p|| / ||p||, and ||A e_i|| at the i of the largest ratio,
 * which is the norm when A'A is diagonal.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "nonnegative.h"
#include "rounding.h"

#include <string.h>

enum { PLAIN_STEPS = 24, SMOOTHING_STEPS = 6 };
static const double SETTLED = 1 + 1e-11;

typedef struct iteration {
    const lip_operator *operator;
    double *p, *image, *next;
    double gamma; /* relative error of A'(A p) */
    double lower, upper;
} iteration;

/* One step: bounds from p, then p := A'A p scaled into [2^-40, 1]. False if a product failed. */
static bool step(iteration *it)
{
    const lip_operator *a = it->operator;
    if (!a->forward(a->context, it->p, it->image) || !a->adjoint(a->context, it->image, it->next))
        return false;
    double largest = 0, ratio = 0;
    for (int64_t i = 0; i < a->cols; i++) {
        double here = it->next[i] / it->p[i];
        ratio = isnan(here) ? (double)INFINITY : fmax(ratio, here);
        largest = fmax(largest, it->next[i]);
    }
    it->upper = fmin(it->upper, lip_sqrt_up(lip_mul_up(lip_up(ratio), 1 + 3 * it->gamma)));
    double length = lip_norm_upper(it->p, a->cols), image = lip_norm_lower(it->image, a->rows);
    if (length > 0)
        it->lower = fmax(it->lower, lip_mul_down(lip_div_down(image, length), 1 - 2 * it->gamma));
    for (int64_t i = 0; i < a->cols && largest > 0; i++)
        it->p[i] = fmax(it->next[i] / largest, 0x1p-40);
    return true;
}

/* ||A e_i|| for the element whose ratio is largest, after one product with p = 1. */
static bool try_unit_vector(iteration *it)
{
    const lip_operator *a = it->operator;
    int64_t best = 0;
    for (int64_t i = 1; i < a->cols; i++)
        if (it->next[i] > it->next[best])
            best = i;
    memset(it->next, 0, (size_t)a->cols * sizeof *it->next);
    it->next[best] = 1;
    if (!a->forward(a->context, it->next, it->image))
        return false;
    it->lower = fmax(it->lower, lip_mul_down(lip_norm_lower(it->image, a->rows), 1 - 2 * it->gamma));
    return true;
}

static bool settled(const iteration *it) { return it->upper <= it->lower * SETTLED || it->upper == 0; }

static lip_status run(iteration *it, lip_random *random, lip_memory *memory, lip_error *error)
{
    const lip_operator *a = it->operator;
    bool fine = true;
    for (int64_t i = 0; i < a->cols; i++)
        it->p[i] = 1;
    fine = step(it) && try_unit_vector(it);
    for (int i = 1; fine && i < PLAIN_STEPS && !settled(it); i++)
        fine = step(it);
    if (fine && !settled(it)) {
        lip_singular singular;
        lip_status status = lip_lanczos(a, NULL, random, memory, it->p, &singular, error);
        if (status != LIP_OK)
            return status;
        for (int64_t i = 0; i < a->cols; i++)
            it->p[i] = fmax(fabs(it->p[i]), 0x1p-40);
        for (int i = 0; fine && i < SMOOTHING_STEPS && !settled(it); i++)
            fine = step(it);
    }
    return fine ? LIP_OK : lip_fail(error, LIP_EMEMORY, "out of memory in a product with a linear operator");
}

lip_status lip_nonnegative_norm(const lip_operator *operator, lip_random *random, lip_memory *memory, lip_norm *out,
                                lip_error *error)
{
    iteration it = { .operator = operator, .upper = (double)INFINITY };
    lip_status status;
    *out = (lip_norm) { 0, 0, (double)NAN, "empty", 0 };
    if (operator->rows == 0 || operator->cols == 0)
        return LIP_OK;
    it.gamma = lip_gamma((double)operator->rows + (double)operator->cols + 20);
    it.p = lip_alloc(memory, operator->cols, sizeof(double));
    it.next = lip_alloc(memory, operator->cols, sizeof(double));
    it.image = lip_alloc(memory, operator->rows, sizeof(double));
    if (it.p && it.next && it.image)
        status = run(&it, random, memory, error);
    else
        status = lip_fail(error, LIP_EMEMORY, "three vectors of a linear operator pass the memory cap");
    lip_free(memory, it.p);
    lip_free(memory, it.next);
    lip_free(memory, it.image);
    if (status == LIP_OK)
        *out = (lip_norm) { fmin(it.lower, it.upper), it.upper, (double)NAN, "Collatz-Wielandt", 0 };
    return status;
}

lip_status lip_copy_norm(const lip_operator *operator, lip_memory *memory, lip_norm *out, lip_error *error)
{
    double *ones = lip_alloc(memory, operator->rows, sizeof(double));
    double *copies = lip_alloc(memory, operator->cols, sizeof(double));
    bool fine = ones && copies;
    double largest = 0;
    for (int64_t i = 0; fine && i < operator->rows; i++)
        ones[i] = 1;
    fine = fine && operator->adjoint(operator->context, ones, copies);
    for (int64_t i = 0; fine && i < operator->cols; i++)
        largest = fmax(largest, copies[i]);
    lip_free(memory, ones);
    lip_free(memory, copies);
    *out = (lip_norm) { lip_sqrt_down(largest), lip_sqrt_up(largest), (double)NAN, "count of copies", 0 };
    return fine ? LIP_OK : lip_fail(error, LIP_EMEMORY, "two vectors of a linear operator pass the memory cap");
}
