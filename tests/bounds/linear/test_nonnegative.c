/*
 * test_nonnegative.c: Collatz-Wielandt bounds and counts of copies against
 * the SVD: average pooling, random sparse matrices (reducible, with zero rows
 * and columns), selections.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "linear/nonnegative.h"
#include "oracle.h"
#include "rounding.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static uint64_t state = 23;

typedef struct plain { /* a column-major matrix as an operator */
    double *a;
    int64_t rows, cols;
    int fail_in;
} plain;

static bool forward(void *context, const double *x, double *y)
{
    plain *p = context;
    memset(y, 0, (size_t)p->rows * sizeof *y);
    for (int64_t j = 0; j < p->cols; j++)
        for (int64_t i = 0; i < p->rows; i++)
            y[i] += p->a[j * p->rows + i] * x[j];
    return --p->fail_in != 0;
}

static bool adjoint(void *context, const double *y, double *x)
{
    plain *p = context;
    for (int64_t j = 0; j < p->cols; j++) {
        x[j] = 0;
        for (int64_t i = 0; i < p->rows; i++)
            x[j] += p->a[j * p->rows + i] * y[i];
    }
    return --p->fail_in != 0;
}

static lip_operator operator_of(plain *p)
{
    return (lip_operator) { .rows = p->rows, .cols = p->cols, .context = p, .forward = forward, .adjoint = adjoint };
}

static lip_norm norm_of(plain *p)
{
    lip_operator operator = operator_of(p);
    lip_random random = lip_random_seed(2, 2);
    lip_norm norm;
    uint64_t in_use = oracle_in_use();
    assert_int_equal(lip_nonnegative_norm(&operator, &random, oracle_memory(), &norm, NULL), LIP_OK);
    assert_int_equal(oracle_in_use(), in_use);
    return norm;
}

static void check(plain *p, double truth, double tightness)
{
    lip_norm norm = norm_of(p);
    if (oracle_breaks(norm.lower, norm.upper, truth, 1e-14) != 0 || (truth > 0 && norm.upper > truth * tightness))
        fail_msg("%d x %d: norm %.17g, bounds [%.17g, %.17g]", (int)p->rows, (int)p->cols, truth, norm.lower,
                 norm.upper);
    if (truth > 0) {
        assert_int_equal(oracle_breaks(norm.lower, norm.upper * 0.999 / tightness, truth, 1e-14), 1);
        assert_true(norm.lower >= truth * 0.9);
    } else {
        assert_true(norm.upper < 1e-150);
    }
}

/* Sparse, entries in (0, 1]; often reducible, with zero rows and columns. */
static void check_sparse(void **unused)
{
    (void)unused;
    double a[40 * 40];
    int tight = 0;
    for (int trial = 0; trial < 1500; trial++) {
        plain p = { a, oracle_int(&state, 1, 40), oracle_int(&state, 1, 40), 0 };
        int64_t sparsity = oracle_int(&state, 0, 40);
        for (int64_t i = 0; i < p.rows * p.cols; i++)
            a[i] = oracle_int(&state, 0, sparsity) ? 0 : trial % 2 ? 1 : (double)oracle_int(&state, 1, 9) / 7;
        double truth = oracle_svd(a, p.rows, p.cols);
        check(&p, truth, 1.5);
        tight += norm_of(&p).upper <= truth * (1 + 1e-6) + 1e-150;
    }
    print_message("# %d of 1500 sparse matrices within 1e-6\n", tight);
    assert_true(tight > 1200);
}

/* Blocks of very different norms that do not talk to each other: the largest ratio must not be missed. */
static void check_reducible(void **unused)
{
    (void)unused;
    double a[36] = { 0 };
    plain p = { a, 6, 6, 0 };
    a[0] = a[1] = a[6] = a[7] = 1e-8; /* columns 0, 1 */
    a[14] = a[21] = 1;                /* columns 2, 3: identity */
    a[28] = a[29] = a[34] = a[35] = 1; /* columns 4, 5: ones, norm 2 */
    check(&p, 2, 1 + 1e-10);
    for (int64_t i = 0; i < 36; i++)
        a[i] = i / 6 <= i % 6 ? 1 : 0; /* triangular: A'A is irreducible, A is not */
    check(&p, (double)oracle_jacobi(a, 6, 6), 1 + 1e-9);
    double path[2] = { 3, 4 }; /* one column */
    plain column = { path, 2, 1, 0 }, row = { path, 1, 2, 0 };
    check(&column, 5, 1 + 1e-10);
    check(&row, 5, 1 + 1e-10);
}

/* Average pooling in one dimension, windows of k by steps of s with padding that is not counted. */
static void check_pooling(void **unused)
{
    (void)unused;
    double a[40 * 44];
    for (int64_t n = 2; n <= 40; n += 3)
        for (int64_t k = 1; k <= 5; k++)
            for (int64_t s = 1; s <= 3; s++) {
                int64_t pad = k / 2, outputs = (n + 2 * pad - k) / s + 1;
                if (n + 2 * pad < k || outputs > 44)
                    continue;
                plain p = { a, outputs, n, 0 };
                memset(a, 0, sizeof a);
                for (int64_t o = 0; o < outputs; o++) {
                    int64_t first = o * s - pad, last = first + k, count;
                    first = first < 0 ? 0 : first;
                    last = last > n ? n : last;
                    count = last - first;
                    for (int64_t q = first; q < last; q++)
                        a[q * outputs + o] = 1 / (double)count;
                }
                check(&p, oracle_svd(a, outputs, n), 1.001);
            }
}

static void check_not_finite(void **unused)
{
    (void)unused;
    double a[9] = { 1, 1, 1, 1, 1, 1, 1, 1, 1 };
    for (int at = 0; at < 9; at++)
        for (int kind = 0; kind < 2; kind++) {
            plain p = { a, 3, 3, 0 };
            lip_operator operator = operator_of(&p);
            lip_random random = lip_random_seed(2, 2);
            lip_norm norm;
            a[at] = kind ? (double)INFINITY : (double)NAN;
            lip_status status = lip_nonnegative_norm(&operator, &random, oracle_memory(), &norm, NULL);
            assert_true(status == LIP_EINTERNAL || (status == LIP_OK && isinf(norm.upper)));
            a[at] = 1;
        }
}

/* Every row holds at most one 1. */
static void check_copies(void **unused)
{
    (void)unused;
    double a[50 * 20];
    for (int trial = 0; trial < 300; trial++) {
        plain p = { a, oracle_int(&state, 1, 50), oracle_int(&state, 1, 20), 0 };
        int64_t copies[20] = { 0 }, most = 0;
        memset(a, 0, sizeof a);
        for (int64_t i = 0; i < p.rows; i++) {
            int64_t j = oracle_int(&state, 0, p.cols);
            if (j == p.cols)
                continue;
            a[j * p.rows + i] = 1;
            most = ++copies[j] > most ? copies[j] : most;
        }
        lip_operator operator = operator_of(&p);
        lip_norm norm;
        assert_int_equal(lip_copy_norm(&operator, oracle_memory(), &norm, NULL), LIP_OK);
        long double truth = sqrtl((long double)most);
        assert_true((long double)norm.lower <= truth && (long double)norm.upper >= truth);
        assert_true(norm.upper - norm.lower <= 5e-16 * norm.upper);
        int64_t root = (int64_t)(truth + 0.5L);
        if (root * root == most) /* whole roots are exact: a selection's norm is 1, not nearly 1 */
            assert_true(norm.lower == (double)root && norm.upper == (double)root);
        check(&p, (double)truth, 1 + 1e-10);
    }
}

static void check_failures(void **unused)
{
    (void)unused;
    double a[30];
    for (int i = 0; i < 30; i++)
        a[i] = (double)oracle_int(&state, 0, 5);
    plain p = { a, 5, 6, 1 };
    lip_operator operator = operator_of(&p);
    lip_random random = lip_random_seed(2, 2);
    lip_norm norm;
    uint64_t in_use = oracle_in_use();
    assert_int_equal(lip_copy_norm(&operator, oracle_memory(), &norm, NULL), LIP_EMEMORY);
    for (int fail = 1; fail < 5; fail++) {
        p.fail_in = fail;
        assert_int_equal(lip_nonnegative_norm(&operator, &random, oracle_memory(), &norm, NULL), LIP_EMEMORY);
    }
    p.fail_in = 0;
    for (int k = 1; k < 4; k++) {
        atomic_store(&oracle_memory()->fail_in, k);
        assert_int_equal(lip_nonnegative_norm(&operator, &random, oracle_memory(), &norm, NULL), LIP_EMEMORY);
        atomic_store(&oracle_memory()->fail_in, 0);
    }
    assert_int_equal(oracle_in_use(), in_use);
    plain empty = { a, 0, 3, 0 };
    norm = norm_of(&empty);
    assert_true(norm.lower == 0 && norm.upper == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(check_sparse),     cmocka_unit_test(check_reducible), cmocka_unit_test(check_pooling),
        cmocka_unit_test(check_not_finite), cmocka_unit_test(check_copies),    cmocka_unit_test(check_failures),
    };
    return cmocka_run_group_tests_name("nonnegative", tests, NULL, NULL);
}
