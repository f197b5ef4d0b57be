/*
 * lanczos.c: the largest singular value from products with A and A'.
 *
 * M = A'A (or AA' if that is smaller) is projected on the Krylov space of a
 * Gaussian vector: M V = V T + beta v e', T tridiagonal. Each new vector is
 * orthogonalised twice against the whole basis, so the Ritz values do not
 * repeat. The largest Ritz value theta and the last component s of its
 * eigenvector in T give the residual beta |s|, and with the next Ritz value
 * theta_2 the usual estimate residual^2 / (theta - theta_2) of what is missing.
 * All of this is an estimate; only the last step is a proof:
 *
 *   ||A|| >= ||A v|| / ||v|| >= (||w|| - product_error ||v||) / ||v||, w = fl(A v).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "operator.h"
#include "rounding.h"

#include <cblas.h>
#include <lapacke.h>
#include <string.h>

enum { CHECK_EVERY = 4, MAX_STEPS = 400, MIN_STEPS = 8 };

static const double SMALL_RESIDUAL = 1e-7;

typedef struct krylov {
    const lip_operator *operator;
    bool on_rows;       /* M = A A' */
    int64_t n;          /* order of M */
    double *basis;      /* max_steps + 1 vectors of n */
    double *other;      /* a vector on the other side */
    double *alpha, *beta, *eigen_work, *coefficient;
    int max_steps, steps;
} krylov;

static bool gram_product(const krylov *k, const double *x, double *y)
{
    const lip_operator *a = k->operator;
    if (k->on_rows)
        return a->adjoint(a->context, x, k->other) && a->forward(a->context, k->other, y);
    return a->forward(a->context, x, k->other) && a->adjoint(a->context, k->other, y);
}

static double normalise(double *x, int64_t n)
{
    double norm = cblas_dnrm2((blasint)n, x, 1);
    if (norm > 0 && isfinite(norm))
        cblas_dscal((blasint)n, 1 / norm, x, 1);
    return norm;
}

static void fill_normal(double *x, int64_t n, lip_random *random)
{
    for (int64_t i = 0; i < n; i++)
        x[i] = lip_random_normal(random);
}

/* Removes from w its part in the first `count` basis vectors, twice. */
static void orthogonalise(krylov *k, double *w, int count)
{
    for (int pass = 0; pass < 2; pass++) {
        cblas_dgemv(CblasColMajor, CblasTrans, (blasint)k->n, count, 1, k->basis, (blasint)k->n, w, 1, 0,
                    k->coefficient, 1);
        cblas_dgemv(CblasColMajor, CblasNoTrans, (blasint)k->n, count, -1, k->basis, (blasint)k->n, k->coefficient, 1,
                    1, w, 1);
    }
}

/* Largest eigenvalue of T (steps x steps) with its vector in k->coefficient, an estimate of its relative error and its
 * relative residual. */
static bool largest_ritz(krylov *k, double *theta, double *relative_error, double *relative_residual)
{
    lapack_int m = k->steps, found = 0;
    int want = m > 1 ? 2 : 1;
    double *d = k->eigen_work, *e = d + MAX_STEPS + 1, *z = e + MAX_STEPS + 1, *values = z + 2 * (MAX_STEPS + 1);
    lapack_int fail[2];
    memcpy(d, k->alpha, (size_t)m * sizeof *d);
    memcpy(e, k->beta, (size_t)m * sizeof *e);
    if (m == 1) {
        *theta = d[0];
        k->coefficient[0] = 1;
        *relative_error = *relative_residual = d[0] > 0 ? k->beta[0] / d[0] : 0;
        return true;
    }
    lapack_int info = LAPACKE_dstevx(LAPACK_COL_MAJOR, 'V', 'I', m, d, e, 0, 0, m - want + 1, m, 0, &found, values, z,
                                     m, fail);
    if (info != 0 || found < want)
        return false;
    double residual = k->beta[m - 1] * fabs(z[m + m - 1]);
    double gap = values[1] - values[0];
    *theta = values[1];
    *relative_error = *theta > 0 ? fmin(residual, gap > 0 ? residual * residual / gap : residual) / *theta : 0;
    *relative_residual = *theta > 0 ? residual / *theta : 0;
    memcpy(k->coefficient, z + m, (size_t)m * sizeof *z);
    return true;
}

static lip_status iterate(krylov *k, double target, lip_random *random, double *theta, double *relative_error,
                          lip_error *error)
{
    fill_normal(k->basis, k->n, random);
    normalise(k->basis, k->n);
    for (k->steps = 0; k->steps < k->max_steps;) {
        int j = k->steps;
        double *v = k->basis + (int64_t)j * k->n, *w = v + k->n;
        if (!gram_product(k, v, w))
            return lip_fail(error, LIP_EMEMORY, "out of memory in a product with a linear operator");
        k->alpha[j] = cblas_ddot((blasint)k->n, v, 1, w, 1);
        orthogonalise(k, w, j + 1);
        k->beta[j] = normalise(w, k->n);
        k->steps = j + 1;
        if (!isfinite(k->alpha[j]) || !isfinite(k->beta[j]))
            return lip_fail(error, LIP_EINTERNAL, "a product with a linear operator is not finite");
        bool exhausted = k->steps == k->n || k->beta[j] <= 1e-15 * fabs(k->alpha[0]) || k->steps == k->max_steps;
        if (!exhausted && (k->steps < MIN_STEPS || k->steps % CHECK_EVERY != 0))
            continue;
        double residual;
        if (!largest_ritz(k, theta, relative_error, &residual))
            return lip_fail(error, LIP_EINTERNAL, "LAPACK dstevx failed on a tridiagonal matrix");
        /* A close pair can look converged before its members separate; a small residual says that they have. */
        if (exhausted || (*relative_error < target && residual < SMALL_RESIDUAL))
            return LIP_OK;
    }
    return LIP_OK;
}

/* The Ritz vector in the domain of A into `vector` (cols), and the proved bound from it; `image` has room for rows. */
static lip_status finish(krylov *k, double *vector, double *image, lip_singular *out, lip_error *error)
{
    const lip_operator *a = k->operator;
    double *ritz = k->on_rows ? image : vector;
    cblas_dgemv(CblasColMajor, CblasNoTrans, (blasint)k->n, k->steps, 1, k->basis, (blasint)k->n, k->coefficient, 1, 0,
                ritz, 1);
    if (k->on_rows && !a->adjoint(a->context, ritz, vector))
        return lip_fail(error, LIP_EMEMORY, "out of memory in a product with a linear operator");
    if (normalise(vector, a->cols) == 0)
        return LIP_OK; /* A = 0 as far as the start vector sees: lower stays 0 */
    if (!a->forward(a->context, vector, image))
        return lip_fail(error, LIP_EMEMORY, "out of memory in a product with a linear operator");
    double length = lip_norm_upper(vector, a->cols);
    double image_length = lip_norm_lower(image, a->rows);
    double proved = lip_sub_down(image_length, lip_mul_up(a->product_error, length));
    out->lower = proved > 0 ? lip_div_down(proved, length) : 0;
    return LIP_OK;
}

static int affordable_steps(const lip_lanczos_options *options, int64_t n)
{
    uint64_t bytes = options->basis_bytes ? options->basis_bytes : UINT64_C(256) << 20;
    int64_t steps = options->max_steps ? options->max_steps : MAX_STEPS;
    int64_t fit = (int64_t)(bytes / (sizeof(double) * (uint64_t)n)) - 1;
    steps = fit < steps ? fit : steps;
    steps = steps < 16 ? 16 : steps;
    steps = steps > MAX_STEPS ? MAX_STEPS : steps;
    return (int)(n < steps ? n : steps);
}

lip_status lip_lanczos(const lip_operator *operator, const lip_lanczos_options *options, lip_random *random,
                       lip_memory *memory, double *vector, lip_singular *out, lip_error *error)
{
    static const lip_lanczos_options plain = { 0 };
    options = options ? options : &plain;
    krylov k = { .operator = operator, .on_rows = operator->rows < operator->cols };
    *out = (lip_singular) { 0 };
    k.n = k.on_rows ? operator->rows : operator->cols;
    if (k.n == 0)
        return LIP_OK;
    if (k.n > INT32_MAX)
        return lip_fail(error, LIP_EUNSUPPORTED, "a linear operator of order %lld is too large", (long long)k.n);
    k.max_steps = affordable_steps(options, k.n);
    int64_t other = k.on_rows ? operator->cols : operator->rows;
    lip_status status = LIP_OK;
    double *image = NULL, *own_vector = NULL;
    k.basis = lip_alloc(memory, (int64_t)(k.max_steps + 1) * k.n, sizeof(double));
    k.other = lip_alloc(memory, other, sizeof(double));
    k.alpha = lip_alloc(memory, 2 * (MAX_STEPS + 1) + 7 * (MAX_STEPS + 1), sizeof(double));
    image = lip_alloc(memory, operator->rows, sizeof(double));
    own_vector = vector ? NULL : lip_alloc(memory, operator->cols, sizeof(double));
    if (!k.basis || !k.other || !k.alpha || !image || (!vector && !own_vector)) {
        status = lip_fail(error, LIP_EMEMORY, "a Krylov basis of %d vectors of length %lld passes the memory cap",
                          k.max_steps + 1, (long long)k.n);
    } else {
        k.beta = k.alpha + MAX_STEPS + 1;
        k.coefficient = k.beta + MAX_STEPS + 1;
        k.eigen_work = k.coefficient + MAX_STEPS + 1;
        double theta = 0, relative_error = 0;
        double target = options->relative_target > 0 ? options->relative_target : 1e-13;
        status = iterate(&k, 2 * target, random, &theta, &relative_error, error);
        if (status == LIP_OK)
            status = finish(&k, vector ? vector : own_vector, image, out, error);
        out->estimate = sqrt(fmax(0, theta));
        out->error_estimate = relative_error / 2;
        out->steps = k.steps;
    }
    lip_free(memory, own_vector);
    lip_free(memory, image);
    lip_free(memory, k.alpha);
    lip_free(memory, k.other);
    lip_free(memory, k.basis);
    return status;
}

double lip_power_error_term(double r, double r_before, int64_t order, double estimate)
{
    double f = fabs(r - r_before) * (double)order;
    return fmax(0, sqrt(r + (f + sqrt(f * (4 * r + f))) / 2) - estimate);
}

lip_status lip_power_iteration(const lip_operator *operator, int iterations, lip_random *random, lip_memory *memory,
                               lip_power *out, lip_error *error)
{
    double *u = lip_alloc(memory, operator->cols, sizeof(double));
    double *v = lip_alloc(memory, operator->rows, sizeof(double));
    bool fine = u && v;
    double norm = 0, before = 0;
    if (fine) {
        fill_normal(u, operator->cols, random);
        norm = normalise(u, operator->cols);
    }
    for (int i = 0; i < iterations && fine && norm > 0; i++) {
        fine = operator->forward(operator->context, u, v) && operator->adjoint(operator->context, v, u);
        before = i > 0 ? norm : 0;
        norm = fine ? normalise(u, operator->cols) : 0;
    }
    if (fine && norm > 0)
        fine = operator->forward(operator->context, u, v);
    out->estimate = norm > 0 && fine ? cblas_dnrm2((blasint)operator->rows, v, 1) : 0;
    out->error_term = norm > 0 ? lip_power_error_term(norm, before, operator->cols, out->estimate) : 0;
    lip_free(memory, v);
    lip_free(memory, u);
    return fine ? LIP_OK : lip_fail(error, LIP_EMEMORY, "out of memory in power iteration");
}

lip_status lip_operator_form(const lip_operator *operator, double *matrix, lip_memory *memory, lip_error *error)
{
    double *unit = lip_alloc(memory, operator->cols, sizeof(double));
    bool fine = unit != NULL;
    for (int64_t j = 0; fine && j < operator->cols; j++) {
        unit[j] = 1;
        fine = operator->forward(operator->context, unit, matrix + j * operator->rows);
        unit[j] = 0;
    }
    lip_free(memory, unit);
    return fine ? LIP_OK : lip_fail(error, LIP_EMEMORY, "out of memory while forming a linear operator");
}
