/*
 * test_sparse.c: what sparse products, sums and gathers say of their own error
 * holds for true matrices anywhere in the enclosures that went in.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "multiplier/sparse.h"
#include "oracle.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { SIDE = 12 };
static uint64_t state = 97;
static lip_arena arena;

typedef struct dense {
    long double e[SIDE][SIDE];
} dense;

static lip_rows sparse(int64_t density)
{
    lip_rows_builder b;
    assert_true(lip_rows_begin(&b, &arena, SIDE, SIDE));
    for (int i = 0; i < SIDE; i++) {
        for (int j = 0; j < SIDE; j++)
            if (oracle_int(&state, 0, 9) < density)
                assert_true(lip_rows_put(&b, j, oracle_normal(&state)));
        lip_rows_next(&b);
    }
    return b.m;
}

/* A true matrix that the enclosure allows. */
static dense truth(const lip_enclosed *m)
{
    dense t = { { { 0 } } };
    for (int i = 0; i < SIDE; i++) {
        for (int64_t e = m->m.start[i]; e < m->m.start[i + 1]; e++) {
            double sign = oracle_int(&state, 0, 1) ? 1 : -1;
            t.e[i][m->m.col[e]] = (long double)m->m.value[e] * (1 + (long double)(sign * m->relative));
        }
        if (m->absolute)
            t.e[i][oracle_int(&state, 0, SIDE - 1)] += (long double)m->absolute[i];
    }
    return t;
}

/* Whether `t` lies in the enclosure; sets how much of a row's absolute error it takes. */
static bool holds(const lip_enclosed *m, const dense *t)
{
    for (int i = 0; i < SIDE; i++) {
        long double square = 0, computed[SIDE] = { 0 };
        for (int64_t e = m->m.start[i]; e < m->m.start[i + 1]; e++)
            computed[m->m.col[e]] = (long double)m->m.value[e];
        for (int j = 0; j < SIDE; j++) {
            long double off = fabsl(t->e[i][j] - computed[j]) - (long double)m->relative * fabsl(computed[j]);
            square += off > 0 ? off * off : 0;
        }
        long double allowed = m->absolute ? (long double)m->absolute[i] : 0;
        if (sqrtl(square) > allowed * (1 + 1e-6L) + 1e-18L) /* the last bits of `truth` are rounded */
            return false;
    }
    return true;
}

static lip_enclosed enclosed(int64_t density, bool absolute)
{
    lip_enclosed m = { sparse(density), oracle_int(&state, 0, 1) ? 1e-12 : 0, NULL };
    double *errors = lip_arena_alloc(&arena, SIDE, sizeof *errors);
    for (int i = 0; i < SIDE; i++)
        errors[i] = 1e-11 * fabs(oracle_normal(&state));
    m.absolute = absolute ? errors : NULL;
    return m;
}

static void check_product(void **unused)
{
    (void)unused;
    int broken = 0;
    for (int trial = 0; trial < 400; trial++) {
        lip_arena_init(&arena, oracle_memory());
        lip_enclosed a = { sparse(1 + trial % 6), trial % 3 ? 1e-13 : 0, NULL };
        lip_enclosed b = enclosed(1 + trial % 5, trial % 2), c;
        assert_true(lip_enclosed_product(&a.m, a.relative, &b, &arena, &c));
        dense ta = truth(&a), tb = truth(&b), tc = { { { 0 } } };
        for (int i = 0; i < SIDE; i++)
            for (int j = 0; j < SIDE; j++)
                for (int k = 0; k < SIDE; k++)
                    tc.e[i][j] += ta.e[i][k] * tb.e[k][j];
        assert_true(holds(&c, &tc));
        c.relative *= 1e-3;
        double less[SIDE];
        for (int i = 0; i < SIDE; i++)
            less[i] = c.absolute[i] * 1e-3;
        c.absolute = less;
        broken += !holds(&c, &tc);
        lip_arena_free(&arena);
    }
    assert_true(broken > 200); /* a thousandth of what is stated would not hold */
}

static void check_sum_and_gather(void **unused)
{
    (void)unused;
    for (int trial = 0; trial < 200; trial++) {
        lip_arena_init(&arena, oracle_memory());
        lip_enclosed parts[] = { enclosed(3, trial % 2), enclosed(5, trial % 3) }, c;
        double ca = oracle_normal(&state), cb = trial % 4 ? -1 : 0.3;
        assert_true(lip_enclosed_sum(ca, &parts[0], cb, &parts[1], &arena, &c));
        dense ta = truth(&parts[0]), tb = truth(&parts[1]), tc;
        for (int i = 0; i < SIDE; i++)
            for (int j = 0; j < SIDE; j++)
                tc.e[i][j] = (long double)ca * ta.e[i][j] + (long double)cb * tb.e[i][j];
        assert_true(holds(&c, &tc));
        int32_t source[SIDE];
        int64_t index[SIDE];
        for (int i = 0; i < SIDE; i++) {
            source[i] = (int32_t)oracle_int(&state, 0, 1);
            index[i] = oracle_int(&state, 0, SIDE - 1);
            for (int j = 0; j < SIDE; j++)
                tc.e[i][j] = (source[i] ? tb : ta).e[index[i]][j];
        }
        assert_true(lip_enclosed_gather(parts, source, index, SIDE, &arena, &c) && holds(&c, &tc));
        lip_arena_free(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(check_product), cmocka_unit_test(check_sum_and_gather) };
    return cmocka_run_group_tests_name("sparse", tests, NULL, NULL);
}
