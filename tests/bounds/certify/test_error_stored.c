/*
 * test_error_stored.c: constants that a coarser precision cannot hold, and
 * what is added once more behind the last matrix. Each network has a sample
 * whose class changes, in an execution written out here, within a radius that
 * would hold if storing and adding were exact.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "check_model.h"
#include "graph.h"

#include <math.h>

static double radius_of(build *b, lip_deployed deployed, const double *x)
{
    lip_model *model = check_open(b, NULL);
    lip_report *report = NULL;
    lip_certifier *certifier = NULL;
    lip_certify_options options = { .deployed = deployed };
    lip_certificate out;
    lip_error error = { 0 };
    if (lip_audit(model, NULL, &report, &error) || lip_certifier_open(model, report, &options, &certifier, &error) ||
        lip_certify(certifier, x, NULL, 1, &out, &error))
        fail_msg("%s: %s", error.node, error.reason);
    lip_certifier_free(&certifier);
    lip_report_free(&report);
    lip_model_free(&model);
    build_free(b);
    return out.radius;
}

static build *start(double weight)
{
    build *b = build_new(17);
    build_input(b, "x", "1x2");
    build_reals(b, "w", "2x2", (const double[]) { weight, 0, 0, weight });
    return b;
}

/* W x, its names changed, + c. */
static build *shifted(const char *between, double shift)
{
    build *b = start(1);
    build_reals(b, "c", "1x2", (const double[]) { shift, shift });
    build_node(b, "MatMul", "x w", "a");
    build_node(b, between, "a", "a2");
    build_node(b, "Add", "a2 c", "y");
    build_output(b, "y");
    return b;
}

static void a_shift_behind_the_last_matrix_is_rounded(void **unused)
{
    static const char *const between[] = { "Identity", "Flatten" };
    const double x[2] = { 1, 2 };
    (void)unused;
    assert_true((float)(x[0] + 1e8) == (float)(x[1] + 1e8)); /* a tie */
    for (size_t i = 0; i < 2; i++) {
        assert_true(radius_of(shifted(between[i], 1e8), LIP_DEPLOYED_FLOAT32, x) == 0);
        assert_true(radius_of(shifted(between[i], 1e8), LIP_DEPLOYED_EXACT, x) > 0.7);
        assert_true(radius_of(shifted(between[i], 1e3), LIP_DEPLOYED_FLOAT32, x) > 0.7);
    }
}

static build *matrix(double weight)
{
    build *b = start(weight);
    build_node(b, "MatMul", "x w", "y");
    build_output(b, "y");
    return b;
}

static build *scaled(const char *op, double factor)
{
    build *b = build_new(17);
    build_input(b, "x", "1x2");
    build_reals(b, "c", "1x1", &factor);
    build_node(b, op, "x c", "y");
    build_output(b, "y");
    return b;
}

/* 1e5 and 1e-6 are no normal numbers of half precision, whatever the products with them are. */
static void what_half_precision_cannot_hold_certifies_nothing(void **unused)
{
    const double small[2] = { 1e-4, 3e-4 }, large[2] = { 1, 3 };
    (void)unused;
    assert_true(radius_of(matrix(1e4), LIP_DEPLOYED_FLOAT16, small) > 1e-5);
    assert_true(radius_of(matrix(1e5), LIP_DEPLOYED_FLOAT16, small) == 0);
    assert_true(radius_of(matrix(1e5), LIP_DEPLOYED_FLOAT32, small) > 1e-4);
    assert_true(radius_of(scaled("Mul", 1e4), LIP_DEPLOYED_FLOAT16, small) > 1e-5);
    assert_true(radius_of(scaled("Mul", 1e5), LIP_DEPLOYED_FLOAT16, small) == 0);
    assert_true(radius_of(scaled("Div", 1e-3), LIP_DEPLOYED_FLOAT16, small) > 1e-5);
    assert_true(radius_of(scaled("Div", 1e-6), LIP_DEPLOYED_FLOAT16, small) == 0);
    assert_true(radius_of(scaled("Div", 1e5), LIP_DEPLOYED_FLOAT16, large) == 0);
    assert_true(radius_of(scaled("Div", 1e5), LIP_DEPLOYED_FLOAT32, large) > 1);
}

/* x_0 beside a constant. */
static build *beside(double constant)
{
    build *b = build_new(17);
    build_input(b, "x", "1x1");
    build_reals(b, "c", "1x1", &constant);
    build_node(b, "Concat", "x c", "y");
    build_attr_int(b, "axis", 1);
    build_output(b, "y");
    return b;
}

static build *limited(double low, double high)
{
    build *b = start(1);
    build_reals(b, "low", "", &low);
    build_reals(b, "high", "", &high);
    build_node(b, "MatMul", "x w", "a");
    build_node(b, "Clip", "a low high", "y");
    build_output(b, "y");
    return b;
}

static void chosen_constants_are_stored(void **unused)
{
    const double one[1] = { 1 }, pair[2] = { 1, 3 };
    (void)unused;
    assert_true(radius_of(beside(0.5), LIP_DEPLOYED_FLOAT16, one) > 0.4);
    assert_true(radius_of(beside(0.1F), LIP_DEPLOYED_FLOAT16, one) == 0);
    assert_true(radius_of(beside(0.1F), LIP_DEPLOYED_FLOAT32, one) > 0.8);
    assert_true(radius_of(limited(0, 6), LIP_DEPLOYED_FLOAT16, pair) > 1);
    assert_true(radius_of(limited(-1e6, 1e6), LIP_DEPLOYED_FLOAT16, pair) > 1);
    assert_true(radius_of(limited(0.1F, 6), LIP_DEPLOYED_FLOAT16, pair) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_shift_behind_the_last_matrix_is_rounded),
        cmocka_unit_test(what_half_precision_cannot_hold_certifies_nothing),
        cmocka_unit_test(chosen_constants_are_stored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
