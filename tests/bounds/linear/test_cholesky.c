/*
 * test_cholesky.c: lip_gram_below and its complex twin on matrices whose
 * largest eigenvalue is known exactly: it must never accept less, must accept
 * a little more, and must refuse whatever holds a NaN or an infinity.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "linear/cholesky.h"
#include "oracle.h"
#include "rounding.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { LARGEST = 64 };

static uint64_t state = 3;

typedef struct sample {
    int64_t n;
    double gram[LARGEST * LARGEST], diagonal[LARGEST], norm; /* norm: largest eigenvalue, exact */
} sample;

static int parity(int64_t bits)
{
    int odd = 0;
    for (; bits; bits &= bits - 1)
        odd ^= 1;
    return odd;
}

/* H diag(d) H / n with H a Hadamard matrix and whole d: exact in doubles, with eigenvalues d. */
static sample hadamard(int64_t n, int64_t most)
{
    static int64_t d[LARGEST];
    sample s = { .n = n };
    for (int64_t k = 0; k < n; k++) {
        d[k] = oracle_int(&state, 0, most);
        s.norm = fmax(s.norm, (double)d[k]);
    }
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++) {
            int64_t sum = 0;
            for (int64_t k = 0; k < n; k++)
                sum += parity((i & k) ^ (j & k)) ? -d[k] : d[k];
            s.gram[j * n + i] = (double)sum / (double)n;
        }
    for (int64_t i = 0; i < n; i++)
        s.diagonal[i] = s.gram[i * n + i];
    return s;
}

static bool below(const sample *s, double mu_squared, double error)
{
    static double copy[LARGEST * LARGEST];
    memcpy(copy, s->gram, sizeof copy);
    return lip_gram_below(copy, s->diagonal, s->n, mu_squared, error);
}

/* The same matrix as P G P*, P = diag(i^j): Hermitian with the same eigenvalues, still exact. */
static bool below_complex(const sample *s, double mu_squared, double error)
{
    static double complex copy[LARGEST * LARGEST];
    static const double re[] = { 1, 0, -1, 0 }, im[] = { 0, 1, 0, -1 };
    for (int64_t j = 0; j < s->n; j++)
        for (int64_t i = 0; i < s->n; i++) {
            double *to = (double *)&copy[j * s->n + i], g = s->gram[j * s->n + i];
            to[0] = g * re[(i - j) & 3];
            to[1] = g * im[(i - j) & 3];
        }
    return lip_gram_below_complex(copy, s->diagonal, s->n, mu_squared, error);
}

static void check_exact(bool (*proves)(const sample *, double, double))
{
    for (int64_t n = 1; n <= LARGEST; n *= 2)
        for (int trial = 0; trial < 20; trial++) {
            sample s = hadamard(n, trial < 10 ? 3 : 1000);
            if (s.norm == 0)
                continue;
            assert_false(proves(&s, s.norm * 0.999, 0));
            assert_false(proves(&s, s.norm * (1 - 1e-10), 0));
            for (int ulps = 0; ulps < 50; ulps++)
                assert_false(proves(&s, s.norm * (1 - ulps * 0x1p-53), 0));
            assert_true(proves(&s, s.norm * (1 + 1e-9), 0));
            double error = s.norm / 64; /* exact, and so is the sum */
            assert_false(proves(&s, s.norm + error * 0.99, error));
            assert_false(proves(&s, s.norm + error, error));
            assert_true(proves(&s, s.norm + error * 1.001, error));
        }
}

static void check_real(void **unused) { (void)unused; check_exact(below); }
static void check_complex(void **unused) { (void)unused; check_exact(below_complex); }

/* Whole Gram matrices of small whole matrices; truth in long double, mu^2 moved ulp by ulp across it. */
static void check_crossing(void **unused)
{
    (void)unused;
    int accepted = 0;
    for (int trial = 0; trial < 400; trial++) {
        int64_t n = oracle_int(&state, 2, 8), m = n + oracle_int(&state, 0, 4);
        double a[12 * 8];
        for (int64_t i = 0; i < m * n; i++)
            a[i] = (double)oracle_int(&state, -9, 9);
        sample s = { .n = n };
        for (int64_t i = 0; i < n; i++)
            for (int64_t j = 0; j < n; j++)
                for (int64_t k = 0; k < m; k++)
                    s.gram[j * n + i] += a[i * m + k] * a[j * m + k];
        for (int64_t i = 0; i < n; i++)
            s.diagonal[i] = s.gram[i * n + i];
        long double sigma = oracle_jacobi(a, m, n), truth = sigma * sigma;
        for (int step = -200; step <= 200 && truth > 0; step++) {
            double mu_squared = (double)truth * (1 + step * 0x1p-52);
            bool proved = below(&s, mu_squared, 0), proved_complex = below_complex(&s, mu_squared, 0);
            if (proved || proved_complex)
                assert_true((long double)mu_squared >= truth * (1 - 1e-17L));
            accepted += proved;
        }
    }
    assert_in_range(accepted, 20000, 80200); /* the crossing is near the middle, so the test can fail */
}

static void check_scales(void **unused)
{
    (void)unused;
    for (int exponent = -1074; exponent < 1000; exponent += 3) {
        sample s = hadamard(8, 5);
        double unit = ldexp(1, exponent), most = s.norm * unit;
        for (int64_t i = 0; i < 64; i++)
            if (s.gram[i] != ldexp(s.gram[i] * unit, -exponent))
                unit = 0;
        if (unit == 0 || s.norm == 0)
            continue; /* not exact any more */
        for (int64_t i = 0; i < 64; i++)
            s.gram[i] *= unit;
        for (int64_t i = 0; i < 8; i++)
            s.diagonal[i] *= unit;
        assert_false(below(&s, most * 0.999, 0) || below_complex(&s, most * 0.999, 0));
        assert_false(below(&s, most, 0) || below_complex(&s, most, 0));
        if (exponent > -960)
            assert_true(below(&s, most * (1 + 1e-9), 0) && below_complex(&s, most * (1 + 1e-9), 0));
    }
}

static void check_not_finite(void **unused)
{
    (void)unused;
    const double bad[] = { (double)NAN, (double)INFINITY, -(double)INFINITY };
    for (int b = 0; b < 3; b++)
        for (int64_t n = 1; n <= 8; n++)
            for (int64_t j = 0; j < n; j++)
                for (int64_t i = 0; i <= j; i++) {
                    sample s = { .n = n };
                    for (int64_t k = 0; k < n; k++)
                        s.gram[k * n + k] = s.diagonal[k] = 1;
                    assert_true(below(&s, 2, 0) && below_complex(&s, 2, 0));
                    s.gram[j * n + i] = bad[b];
                    if (i == j)
                        s.diagonal[i] = bad[b];
                    if (i == j && b == 2) /* -inf below mu^2 needs no finite proof, but none is given */
                        assert_false(below(&s, 2, 0));
                    else
                        assert_false(below(&s, 2, 0) || below_complex(&s, 2, 0));
                }
    sample s = hadamard(4, 3);
    for (int b = 0; b < 3; b++) {
        assert_false(below(&s, bad[b], 0) || below_complex(&s, bad[b], 0));
        if (b < 2)
            assert_false(below(&s, 1e9, bad[b]) || below_complex(&s, 1e9, bad[b]));
    }
    assert_false(below(&s, 0, 0) || below(&s, -1, 0) || below_complex(&s, -1, 0));
}

static void check_slack(void **unused)
{
    (void)unused;
    for (int64_t n = 1; n < 5000; n = n * 3 / 2 + 1) {
        double sum = 0;
        for (int64_t j = 0; j < n; j++)
            sum += ((double)j + 6) * LIP_UNIT;
        assert_true(lip_cholesky_slack(n) >= sum && lip_cholesky_slack(n) < sum * 1.5);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(check_real),   cmocka_unit_test(check_complex),    cmocka_unit_test(check_crossing),
        cmocka_unit_test(check_scales), cmocka_unit_test(check_not_finite), cmocka_unit_test(check_slack),
    };
    return cmocka_run_group_tests_name("cholesky", tests, NULL, NULL);
}
