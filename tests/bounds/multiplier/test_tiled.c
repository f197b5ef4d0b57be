/*
 * test_tiled.c: the factor of a sparse matrix in tiles times its transpose is
 * the matrix, solves invert it, and threads change no bit.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "multiplier/tiled.h"
#include "oracle.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { MOST = 70 };
static uint64_t state = 89;
static double a[MOST][MOST];

/* Sparse, symmetric, diagonally dominant or not. */
static void fill(int64_t n, double dominance)
{
    memset(a, 0, sizeof a);
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < i; j++)
            if (oracle_int(&state, 0, 9) == 0)
                a[i][j] = a[j][i] = oracle_normal(&state);
    for (int64_t i = 0; i < n; i++)
        a[i][i] = dominance;
}

static lip_tiled factor(int64_t n, int64_t side, int threads, bool *fine)
{
    lip_tiled t;
    bool wanted[MOST * MOST] = { false };
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j <= i; j++)
            if (a[i][j] != 0)
                wanted[(i / side) * (i / side + 1) / 2 + j / side] = true;
    assert_true(lip_tiled_open(&t, n, side, wanted, threads, oracle_memory()));
    lip_tiled_clear(&t);
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j <= i; j++)
            if (a[i][j] != 0)
                *lip_tiled_element(&t, i, j) = a[i][j];
    *fine = lip_tiled_factor(&t);
    return t;
}

static double element(const lip_tiled *t, int64_t i, int64_t j)
{
    return j <= i && *lip_tiled_at(t, i / t->side, j / t->side) ? *lip_tiled_element(t, i, j) : 0;
}

static void check_factor(void **unused)
{
    (void)unused;
    for (int trial = 0; trial < 60; trial++) {
        int64_t n = oracle_int(&state, 1, MOST), side = oracle_int(&state, 3, 20);
        bool fine, same;
        fill(n, 12);
        lip_tiled t = factor(n, side, 1, &fine), many = factor(n, side, 3, &same);
        assert_true(fine && same && memcmp(t.store, many.store, (size_t)t.store_count * sizeof(double)) == 0);
        for (int64_t i = 0; i < n; i++) {
            int64_t terms = 0;
            for (int64_t j = 0; j <= i; j++) {
                double sum = 0;
                for (int64_t k = 0; k <= j; k++)
                    sum += element(&t, i, k) * element(&t, j, k);
                assert_true(fabs(sum - a[i][j]) < 1e-12);
                terms += element(&t, i, j) != 0;
            }
            assert_true(terms <= lip_tiled_terms(&t, i) && lip_tiled_terms(&t, i) <= i + 1);
        }
        double rows[3 * MOST], solution[3 * MOST];
        oracle_fill(&state, rows, 3 * n);
        memcpy(solution, rows, sizeof rows);
        lip_tiled_append(&t, 3, solution);
        lip_tiled_back(&t, 3, solution);
        for (int64_t r = 0; r < 3; r++)
            for (int64_t j = 0; j < n; j++) {
                double sum = 0;
                for (int64_t k = 0; k < n; k++)
                    sum += solution[k * 3 + r] * a[k][j];
                assert_true(fabs(sum - rows[j * 3 + r]) < 1e-10);
            }
        lip_tiled_close(&t);
        lip_tiled_close(&t);
        lip_tiled_close(&many);
    }
}

static void check_indefinite(void **unused)
{
    (void)unused;
    for (int trial = 0; trial < 20; trial++) {
        bool fine;
        fill(40, 12);
        int64_t at = oracle_int(&state, 0, 39);
        a[at][at] = trial % 2 ? -1 : (double)NAN;
        lip_tiled t = factor(40, 7, 1, &fine);
        assert_false(fine);
        lip_tiled_close(&t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(check_factor), cmocka_unit_test(check_indefinite) };
    return cmocka_run_group_tests_name("tiled", tests, NULL, NULL);
}
