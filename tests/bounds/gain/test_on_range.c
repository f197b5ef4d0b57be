/*
 * test_on_range.c: what audits on a box say about layers and small networks,
 * where it is known in closed form.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "model_builder.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* One audit of a network in `b`, output y. */
typedef struct audited {
    build *b;
    lip_model *model;
    lip_report *report;
} audited;

static audited audit_on(build *b, const lip_input_range *box)
{
    audited a = {b, NULL, NULL};
    lip_error error = {0};
    const lip_load_options load = {.output = "y"};
    const lip_audit_options options = {.range = box};
    build_output(b, "y");
    if (build_open(b, &load, &a.model, &error) != LIP_OK || lip_audit(a.model, &options, &a.report, &error) != LIP_OK)
        fail_msg("%s: %s", error.node, error.reason);
    return a;
}

static void end(audited *a)
{
    lip_report_free(&a->report);
    lip_model_free(&a->model);
    build_free(a->b);
}

static build *begin(const char *shape)
{
    build *b = build_new(17);
    build_input(b, "x", shape);
    return b;
}

/* A Sigmoid that cannot leave [3, 9]: its gain is sigma'(3), from both sides. */
static void test_sigmoid_from_3_to_9(void **state)
{
    (void)state;
    static const double three = 3, nine = 9;
    build *b = begin("1x4");
    build_node(b, "Sigmoid", "x", "y");
    audited a = audit_on(b, &(lip_input_range){&three, &nine, 1});
    const lip_bound *gain = &a.report->layers[0].gain;
    const double exact = 0.045176659730912138; /* e^-3 / (1 + e^-3)^2 = 0.04517665973091213... */
    assert_true(gain->upper >= exact * (1 - 1e-16) && gain->upper < exact * (1 + 1e-13));
    assert_true(gain->lower <= exact && gain->lower > exact * (1 - 1e-9));
    assert_true(a.report->network.upper == gain->upper);
    assert_string_equal(a.report->layers[0].reason, "holds on the input range");
    end(&a);
    b = begin("1x4");
    build_node(b, "Sigmoid", "x", "y");
    a = audit_on(b, NULL);
    assert_true(a.report->layers[0].gain.upper == 0.25 && a.report->range.count == 0);
    end(&a);
}

/* Relu that is dead, active, and neither. */
static void test_relu(void **state)
{
    (void)state;
    static const double ends[][2] = {{-3, -1}, {1, 2}, {-1, 2}, {-3, 0}};
    static const double gains[] = {0, 1, 1, 0};
    for (size_t i = 0; i < 4; i++) {
        build *b = begin("1x4");
        build_node(b, "Relu", "x", "y");
        audited a = audit_on(b, &(lip_input_range){&ends[i][0], &ends[i][1], 1});
        assert_true(a.report->layers[0].gain.upper == gains[i] && a.report->layers[0].gain.lower == gains[i]);
        assert_true(a.report->network.upper == gains[i]);
        end(&a);
    }
}

/* Factors that are bounded by themselves need no box; those that are not have no bound without one. */
static void test_without_a_box(void **state)
{
    (void)state;
    build *b = begin("1x4");
    build_node(b, "Sigmoid", "x", "s");
    build_node(b, "Tanh", "x", "t");
    build_node(b, "Mul", "s t", "y");
    audited a = audit_on(b, NULL);
    assert_int_equal(a.report->verdict, LIP_BOUNDED); /* 1 * 1 + 1 * 1/4 */
    assert_true(a.report->network.upper >= 1.25 && a.report->network.upper < 1.25 * (1 + 1e-12));
    end(&a);
    b = begin("1x4");
    build_node(b, "Tanh", "x", "t");
    build_node(b, "Mul", "x t", "y");
    a = audit_on(b, NULL);
    assert_int_equal(a.report->verdict, LIP_UNBOUNDED);
    end(&a);
}

/* A box for each channel: of axis 1, of the last axis, or refused. */
static void test_channels(void **state)
{
    (void)state;
    static const double lo[] = {0, -2, 5}, hi[] = {1, -1, 7};
    static const char *const shapes[] = {"1x3x2", "1x2x3", "3"};
    for (size_t i = 0; i < 3; i++) {
        build *b = begin(shapes[i]);
        build_node(b, "Mul", "x x", "y");
        audited a = audit_on(b, &(lip_input_range){lo, hi, 3});
        assert_true(a.report->network.upper >= 14 && a.report->network.upper < 14 * (1 + 1e-12));
        end(&a);
    }
    build *b = begin("1x2x2");
    lip_model *model = NULL;
    lip_report *report = NULL;
    lip_error error = {0};
    build_node(b, "Mul", "x x", "y");
    build_output(b, "y");
    assert_int_equal(build_open(b, NULL, &model, &error), LIP_OK);
    const double bad_lo[] = {1, 0, 0, 0}, bad_hi[] = {0, INFINITY, (double)NAN, 1};
    lip_audit_options options = {.range = &(lip_input_range){lo, hi, 3}};
    assert_int_equal(lip_audit(model, &options, &report, &error), LIP_EUSAGE);
    assert_string_equal(error.reason, "the input range has 3 channels, input 'x' is 1x2x2");
    for (int i = 0; i < 3; i++) {
        options.range = &(lip_input_range){&bad_lo[i], &bad_hi[i], 1};
        assert_int_equal(lip_audit(model, &options, &report, &error), LIP_EUSAGE);
        assert_null(report);
    }
    lip_model_free(&model);
    build_free(b);
}

/* The search for slopes does not see the side of a kink that lies outside of the box, nor a channel without width. */
static void test_estimates(void **state)
{
    (void)state;
    static const double weights[] = {1, 0, 0, 5}, lo[] = {0, 2}, hi[] = {1, 2}, wide[] = {1, 3};
    for (int thin = 0; thin < 2; thin++) {
        build *b = begin("1x2");
        build_reals(b, "w", "2x2", weights);
        build_node(b, "LeakyRelu", "x", "h");
        build_attr_float(b, "alpha", 9.0f);
        build_node(b, "MatMul", "h w", "y");
        audited a = audit_on(b, &(lip_input_range){lo, thin ? hi : wide, 2});
        assert_true(a.report->network.upper >= (thin ? 1 : 5) && a.report->network.upper < 5.001);
        assert_true(!(a.report->lower_estimate > (thin ? 1 : 5)));
        end(&a);
    }
}

/* A channel without width does not move: neither its slope nor its weight is a bound from below. */
static void test_channel_without_width(void **state)
{
    (void)state;
    static const double lo[] = {1, -3}, hi[] = {1, -1}, diagonal[] = {5, 0, 0, 1}, slope = 0.25;
    const lip_input_range box = {lo, hi, 2};
    build *b = begin("1x2");
    build_node(b, "Exp", "x", "y");
    audited a = audit_on(b, &box);
    assert_true(a.report->layers[0].gain.upper >= exp(-1) && a.report->layers[0].gain.upper < exp(-1) * (1 + 1e-13));
    assert_true(a.report->layers[0].gain.lower <= exp(-1));
    end(&a);
    b = begin("1x2");
    build_reals(b, "s", "1", &slope);
    build_node(b, "PRelu", "x s", "y");
    a = audit_on(b, &box);
    assert_true(a.report->layers[0].gain.upper == 0.25 && a.report->layers[0].gain.lower == 0.25);
    end(&a);
    b = begin("1x2");
    build_reals(b, "w", "2x2", diagonal);
    build_node(b, "MatMul", "x w", "y");
    a = audit_on(b, &box);
    assert_true(a.report->network.upper >= 1 && !(a.report->network.lower > 1));
    end(&a);
}

/* sqrt 11, whose nearest double is below it although its square rounds to 11. */
static void test_root_is_rounded_up(void **state)
{
    (void)state;
    static const double zero = 0, one_ = 1;
    build *b = begin("1x1");
    double ones[11];
    for (int i = 0; i < 11; i++) ones[i] = 1;
    build_reals(b, "ones", "1x11", ones);
    build_reals(b, "zero", "1", &zero);
    build_node(b, "GreaterOrEqual", "ones zero", "c");
    build_node(b, "GreaterOrEqual", "x zero", "d");
    build_node(b, "And", "c d", "e");
    build_node(b, "Where", "e x ones", "y");
    audited a = audit_on(b, &(lip_input_range){&zero, &one_, 1});
    const double upper = a.report->network.upper;
    assert_true(fma(upper, upper, -11) >= 0 && upper < 3.3166247903554 * (1 + 1e-14));
    end(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sigmoid_from_3_to_9),   cmocka_unit_test(test_relu),
        cmocka_unit_test(test_without_a_box),         cmocka_unit_test(test_channels),
        cmocka_unit_test(test_channel_without_width), cmocka_unit_test(test_root_is_rounded_up),
        cmocka_unit_test(test_estimates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
