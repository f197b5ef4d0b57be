/*
 * test_certificate.c: the proof says yes only to what is true, whatever the
 * multipliers, and no to 0.999 of the truth where the truth is known.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "multiplier/certificate.h"
#include "networks.h"
#include "oracle.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static uint64_t state = 71;
static networks net;

/* What the certificate proves with these multipliers; +inf: nothing. Its two faces agree. */
static double proved_by(lip_form *form, const double *multipliers, double *pair01)
{
    lip_certificate_of certificate;
    bool proved;
    double upper = (double)INFINITY;
    *pair01 = upper;
    assert_int_equal(lip_certificate_open(form, multipliers, true, &net.g.model.memory, &certificate, &proved, NULL),
                     LIP_OK);
    if (proved) {
        upper = lip_certificate_network_upper(&certificate);
        *pair01 = lip_certificate_pair_upper(&certificate, 0, 1);
        assert_true(isinf(upper) || lip_certificate_network(&certificate, upper));
        assert_true(isinf(upper) || !lip_certificate_network(&certificate, upper * 0.999));
        assert_false(lip_certificate_network(&certificate, (double)NAN));
        assert_false(lip_certificate_network(&certificate, -1));
        assert_true(isinf(*pair01) || lip_certificate_pair(&certificate, 0, 1, *pair01));
        assert_true(isinf(*pair01) || !lip_certificate_pair(&certificate, 0, 1, *pair01 * 0.999));
        assert_false(lip_certificate_pair(&certificate, 0, 1, (double)NAN));
    }
    lip_certificate_close(&certificate);
    return upper;
}

static void random_multipliers(double *t, int64_t count, double spread, double level)
{
    for (int64_t i = 0; i < count; i++)
        t[i] = exp(level + spread * oracle_normal(&state));
}

/* Wrong multipliers prove less or nothing, never too much: any slopes in the range stay below. */
static void check_any_multipliers(void **unused)
{
    (void)unused;
    static const double ranges[][2] = { { 0, 1 }, { 0.1, 1 }, { -0.13, 1.13 }, { -1, 1 }, { 0, 0.25 }, { 0.2, 0.5 } };
    int proofs = 0;
    double tightest = (double)INFINITY;
    for (int trial = 0; trial < 300; trial++) {
        int widths[5], layers = (int)oracle_int(&state, 1, 4);
        for (int k = 0; k <= 4; k++)
            widths[k] = trial % 2 ? 5 : (int)oracle_int(&state, 2, 12);
        const double *range = ranges[trial % 6];
        net_chain(&net, &state, layers, widths, NET_NORMAL, range[0], range[1], trial % 3 == 0);
        lip_system system;
        lip_form form;
        net_system(&net, &system, &form);
        double multipliers[100], truth = 0, pair = 0;
        for (int sample = 0; sample < 60; sample++) {
            truth = fmax(truth, net_sampled_norm(&net, &state, -1, -1));
            pair = fmax(pair, net_sampled_norm(&net, &state, 0, 1));
        }
        for (int choice = 0; choice < 12; choice++) {
            double pair_upper;
            random_multipliers(multipliers, system.multipliers, 0.3 * (choice % 4), -6 + choice);
            double upper = proved_by(&form, multipliers, &pair_upper);
            assert_true(upper >= truth * (1 - 1e-12) && pair_upper >= pair * (1 - 1e-12));
            proofs += isfinite(upper);
            tightest = fmin(tightest, upper / truth);
        }
        lip_form_close(&form);
        net_end(&net);
    }
    assert_true(proofs > 300 && tightest < 1.5);
}

static void check_nonsense(void **unused)
{
    (void)unused;
    static const double nonsense[] = { 0, -1, (double)NAN, (double)INFINITY, 1e-320, 1e300 };
    const int widths[] = { 6, 5, 4 };
    double multipliers[5], pair;
    lip_system system;
    lip_form form;
    net_chain(&net, &state, 2, widths, NET_NORMAL, 0, 1, false);
    net_system(&net, &system, &form);
    assert_int_equal(system.multipliers, 5);
    for (int i = 0; i < 6; i++) {
        random_multipliers(multipliers, 5, 0, -6);
        assert_true(isfinite(proved_by(&form, multipliers, &pair)));
        multipliers[oracle_int(&state, 0, 4)] = nonsense[i];
        assert_true(isinf(proved_by(&form, multipliers, &pair)) && isinf(pair));
    }
    lip_form_close(&form);
    net_end(&net);
}

/* Without activations the bound is the norm of the product, to the rounding of the proof. */
static void check_affine(void **unused)
{
    (void)unused;
    for (int trial = 0; trial < 60; trial++) {
        int widths[5];
        for (int k = 0; k <= 4; k++)
            widths[k] = (int)oracle_int(&state, 2, 20);
        lip_system system;
        lip_form form;
        double pair, none[1] = { 1 };
        net_chain(&net, &state, 1 + trial % 4, widths, NET_NORMAL, 1, 1, trial % 2);
        net_system(&net, &system, &form);
        double truth = net_linear_norm(&net), upper = proved_by(&form, none, &pair);
        assert_int_equal(oracle_breaks(0, upper, truth, 1e-13), 0);
        assert_int_equal(oracle_breaks(0, upper * 0.999, truth, 1e-13), 1);
        assert_true(upper <= truth * (1 + 1e-9));
        lip_form_close(&form);
        net_end(&net);
    }
}

/* One activation in each of many lines: with T = 1 / w^2 of the line's first weight the bound is exact. */
static void check_diagonal(void **unused)
{
    (void)unused;
    const int widths[] = { 8, 8, 8 };
    for (int trial = 0; trial < 40; trial++) {
        lip_system system;
        lip_form form;
        double multipliers[8], truth = 0, pair;
        net_chain(&net, &state, 2, widths, NET_DIAGONAL, 0, 1, false);
        net_system(&net, &system, &form);
        for (int i = 0; i < 8; i++) {
            double w = net.weights[0][i * 9];
            multipliers[i] = 1 / (w * w);
            truth = fmax(truth, fabs(w * net.weights[1][i * 9]));
        }
        double upper = proved_by(&form, multipliers, &pair);
        assert_int_equal(oracle_breaks(0, upper, truth, 1e-13), 0);
        assert_int_equal(oracle_breaks(0, upper * 0.999, truth, 1e-13), 1);
        assert_true(upper <= truth * (1 + 1e-7));
        lip_form_close(&form);
        net_end(&net);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(check_any_multipliers),
        cmocka_unit_test(check_nonsense),
        cmocka_unit_test(check_affine),
        cmocka_unit_test(check_diagonal),
    };
    return cmocka_run_group_tests_name("certificate", tests, NULL, NULL);
}
