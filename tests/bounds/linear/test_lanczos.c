/*
 * test_lanczos.c: what products alone tell of a norm: the proved lower bound,
 * the estimates, and the formed operator.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "oracle.h"
#include "rounding.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static uint64_t state = 11;

typedef struct plain { /* a column-major matrix as an operator */
    double *a;
    int64_t rows, cols;
    int fail_in; /* the product that fails; 0: none */
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

/* product_error: gamma times the Frobenius norm. */
static lip_operator operator_of(plain *p)
{
    double longest = (double)(p->rows > p->cols ? p->rows : p->cols);
    return (lip_operator) { .rows = p->rows, .cols = p->cols, .context = p, .forward = forward, .adjoint = adjoint,
                            .product_error = lip_mul_up(lip_gamma(longest + 2),
                                                        lip_norm_upper(p->a, p->rows * p->cols)) };
}

static void check_matrix(plain *p, long double truth, bool separated)
{
    lip_operator operator = operator_of(p);
    lip_random random = lip_random_seed(3, 3);
    lip_singular singular;
    lip_power power;
    double *vector = oracle_alloc(p->cols, sizeof *vector);
    uint64_t in_use = oracle_in_use();
    assert_int_equal(lip_lanczos(&operator, NULL, &random, oracle_memory(), vector, &singular, NULL), LIP_OK);
    assert_int_equal(oracle_in_use(), in_use);
    assert_true((long double)singular.lower <= truth);
    assert_true((long double)singular.estimate <= truth * (1 + 1e-13L));
    if (separated && truth > 0) {
        assert_true((long double)singular.lower >= truth * (1 - 1e-9L));
        assert_false((long double)(singular.lower * 1.001) <= truth);
        assert_true(fabs(lip_norm_upper(vector, p->cols) - 1) < 1e-14);
    }
    for (int iterations = 1; iterations <= 64; iterations *= 4) {
        assert_int_equal(lip_power_iteration(&operator, iterations, &random, oracle_memory(), &power, NULL), LIP_OK);
        assert_true((long double)power.estimate <= truth * (1 + 1e-14L) && (truth == 0 || power.estimate > 0));
        assert_true(power.error_term >= 0);
    }
    oracle_free(vector);
}

/* By hand: f = 1, e = (1 + sqrt(17)) / 2. */
static void the_papers_error_term(void **unused)
{
    (void)unused;
    assert_true(lip_power_error_term(4, 4, 100, 2) == 0);
    assert_true(fabs(lip_power_error_term(4, 3, 1, 2) - (sqrt(4 + (1 + sqrt(17)) / 2) - 2)) < 1e-15);
    assert_true(lip_power_error_term(4, 3, 100, 2) > lip_power_error_term(4, 3.9, 100, 2));
}

static void check_random(void **unused)
{
    (void)unused;
    double a[30 * 30];
    for (int trial = 0; trial < 200; trial++) {
        plain p = { a, oracle_int(&state, 1, 30), oracle_int(&state, 1, 30), 0 };
        oracle_fill(&state, a, p.rows * p.cols);
        check_matrix(&p, oracle_jacobi(a, p.rows, p.cols), true);
    }
}

static void check_tied(void **unused)
{
    (void)unused;
    double a[64 * 64] = { 0 };
    for (int64_t i = 0; i < 64; i++)
        a[i * 64 + i] = i < 20 ? 3 : 1; /* twenty equal ones on top */
    plain p = { a, 64, 64, 0 };
    check_matrix(&p, 3, true);
    for (int64_t i = 0; i < 64; i++)
        a[i * 64 + i] = -2;
    check_matrix(&p, 2, true);
    a[0] = 2 + 1e-12; /* nearly tied */
    check_matrix(&p, 2 + 1e-12L, true);
    memset(a, 0, sizeof a);
    check_matrix(&p, 0, true);
}

/* Against the formed operator: a convolution with many rows, whose spectrum is crowded at the top. */
static void check_convolution(void **unused)
{
    (void)unused;
    for (int trial = 0; trial < 60; trial++) {
        lip_conv conv = oracle_conv(&state, 300);
        int64_t count = lip_conv_weight_count(&conv);
        double *w = oracle_alloc(count, sizeof *w), *work = oracle_alloc(lip_conv_work_count(&conv), sizeof *work);
        oracle_fill(&state, w, count);
        lip_conv_operator context = { &conv, w, work };
        lip_operator operator = lip_conv_as_operator(&context);
        double *matrix = oracle_alloc(operator.rows * operator.cols, sizeof *matrix);
        assert_int_equal(lip_operator_form(&operator, matrix, oracle_memory(), NULL), LIP_OK);
        double truth = oracle_svd(matrix, operator.rows, operator.cols);
        assert_true(fabs(truth - oracle_conv_norm(&conv, w)) <= 1e-13 * truth);
        lip_random random = lip_random_seed(1, (uint64_t)trial);
        lip_singular singular;
        assert_int_equal(lip_lanczos(&operator, NULL, &random, oracle_memory(), NULL, &singular, NULL), LIP_OK);
        assert_int_equal(oracle_breaks(singular.lower, (double)INFINITY, truth, 1e-14), 0);
        assert_true(singular.lower >= truth * (1 - 1e-9));
        assert_true(truth == 0 || oracle_breaks(singular.lower * 1.001, (double)INFINITY, truth, 1e-14) == -1);
        oracle_free(matrix);
        oracle_free(work);
        oracle_free(w);
    }
}

static void check_error_counts(void **unused)
{
    (void)unused;
    double a[] = { 3, 0, 0, 1 };
    plain p = { a, 2, 2, 0 };
    lip_operator operator = operator_of(&p);
    lip_random random = lip_random_seed(1, 1);
    lip_singular singular;
    operator.product_error = 0.5; /* the bound pays for what the products may be wrong by */
    assert_int_equal(lip_lanczos(&operator, NULL, &random, oracle_memory(), NULL, &singular, NULL), LIP_OK);
    assert_true(singular.lower <= 2.5 && singular.lower > 2.499);
    operator.product_error = 4;
    assert_int_equal(lip_lanczos(&operator, NULL, &random, oracle_memory(), NULL, &singular, NULL), LIP_OK);
    assert_true(singular.lower == 0);
    a[3] = (double)NAN;
    lip_status status = lip_lanczos(&operator, NULL, &random, oracle_memory(), NULL, &singular, NULL);
    assert_true(status != LIP_OK || singular.lower == 0);
}

static void check_failures(void **unused)
{
    (void)unused;
    lip_power power;
    double a[400];
    oracle_fill(&state, a, 400);
    lip_singular singular;
    lip_random random = lip_random_seed(1, 1);
    for (int64_t rows = 10; rows <= 40; rows += 30)
        for (int fail = 1; fail < 12; fail++) {
            plain p = { a, rows, 400 / rows, fail };
            lip_operator operator = operator_of(&p);
            uint64_t in_use = oracle_in_use();
            assert_int_equal(lip_lanczos(&operator, NULL, &random, oracle_memory(), NULL, &singular, NULL),
                             LIP_EMEMORY);
            p.fail_in = fail;
            assert_int_equal(lip_power_iteration(&operator, 40, &random, oracle_memory(), &power, NULL),
                             LIP_EMEMORY);
            for (int k = 1; k < 8; k++) {
                atomic_store(&oracle_memory()->fail_in, k);
                lip_status status = lip_lanczos(&operator, NULL, &random, oracle_memory(), NULL, &singular, NULL);
                assert_true(status == LIP_EMEMORY || (k > 5 && status == LIP_OK));
                atomic_store(&oracle_memory()->fail_in, 0);
            }
            assert_int_equal(oracle_in_use(), in_use);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_papers_error_term), cmocka_unit_test(check_random), cmocka_unit_test(check_tied),
        cmocka_unit_test(check_convolution),
        cmocka_unit_test(check_error_counts), cmocka_unit_test(check_failures),
    };
    return cmocka_run_group_tests_name("lanczos", tests, NULL, NULL);
}
