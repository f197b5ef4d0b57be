/*
 * svd.c: see svd.h. dgesdd without vectors: 4 m n^2 flops for m >= n (less for
 * m >> n, where it begins with a QR factorisation).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "svd.h"

#include <lapacke.h>
#include <math.h>

static const double AUTO_FLOPS = 1e10; /* about a second */

const char *lip_svd_refusal(int64_t rows, int64_t cols, lip_exact exact, const lip_memory *memory)
{
    double shorter = (double)(rows < cols ? rows : cols), longer = (double)(rows < cols ? cols : rows);
    double bytes = 8 * (shorter * longer + 10 * shorter * (shorter + 1) + 2 * longer);
    uint64_t used = atomic_load(&((lip_memory *)(uintptr_t)memory)->used);
    double free_bytes = memory->cap > used ? (double)(memory->cap - used) : 0;
    if (exact == LIP_EXACT_NEVER)
        return "not asked for";
    if (longer > INT32_MAX || bytes > free_bytes)
        return "forming the operator passes the memory cap";
    if (exact == LIP_EXACT_AUTO && 4 * longer * shorter * shorter > AUTO_FLOPS)
        return "too large to be quick: --exact always computes it";
    return NULL;
}

lip_status lip_svd_largest(double *matrix, int64_t rows, int64_t cols, lip_memory *memory, double *sigma,
                           lip_error *error)
{
    lapack_int m = (lapack_int)rows, n = (lapack_int)cols, shorter = m < n ? m : n;
    double size = 0, nothing = 0;
    *sigma = 0;
    if (shorter == 0)
        return LIP_OK;
    double *values = lip_alloc(memory, shorter, sizeof(double));
    lapack_int *index = lip_alloc(memory, 8 * (int64_t)shorter, sizeof *index);
    double *work = NULL;
    lapack_int info = 0;
    bool fine = values && index;
    if (fine) {
        info = LAPACKE_dgesdd_work(LAPACK_COL_MAJOR, 'N', m, n, matrix, m, values, &nothing, 1, &nothing, 1, &size, -1,
                                   index);
        fine = (work = lip_alloc(memory, (int64_t)size + 1, sizeof(double))) != NULL;
    }
    if (fine && info == 0)
        info = LAPACKE_dgesdd_work(LAPACK_COL_MAJOR, 'N', m, n, matrix, m, values, &nothing, 1, &nothing, 1, work,
                                   (lapack_int)size, index);
    if (fine && info == 0)
        *sigma = values[0];
    lip_free(memory, work);
    lip_free(memory, index);
    lip_free(memory, values);
    if (!fine)
        return lip_fail(error, LIP_EMEMORY, "the SVD of a %lld x %lld matrix passes the memory cap", (long long)rows,
                        (long long)cols);
    return info == 0 ? LIP_OK : lip_fail(error, LIP_EINTERNAL, "LAPACK dgesdd failed with code %d", (int)info);
}

lip_status lip_svd_of_operator(const lip_operator *operator, lip_exact exact, lip_memory *memory, double *sigma,
                               const char **reason, lip_error *error)
{
    *sigma = (double)NAN;
    *reason = lip_svd_refusal(operator->rows, operator->cols, exact, memory);
    if (*reason)
        return LIP_OK;
    int64_t count;
    bool fits = lip_size_mul(operator->rows, operator->cols, &count);
    double *matrix = fits ? lip_alloc(memory, count, sizeof(double)) : NULL;
    if (!matrix) {
        *reason = "forming the operator passes the memory cap";
        return LIP_OK;
    }
    lip_status status = lip_operator_form(operator, matrix, memory, error);
    if (status == LIP_OK)
        status = lip_svd_largest(matrix, operator->rows, operator->cols, memory, sigma, error);
    lip_free(memory, matrix);
    return status;
}
