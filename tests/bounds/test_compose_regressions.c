/*
 * test_compose_regressions.c: small networks on which a reported bound was once
 * on the wrong side of the truth, or the audit fell over.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "lipaudit.h"
#include "model_builder.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const float diagonal[] = { 10, 0, 0, 1 }, pair[] = { 1, 2 }, zero = 0, infinite = INFINITY;

typedef struct audited {
    build *b;
    lip_model *model;
    lip_report *report;
} audited;

static audited audit_with(build *b, const lip_load_options *options)
{
    audited a = { b, NULL, NULL };
    lip_error error = { 0 };
    if (build_open(b, options, &a.model, &error) != LIP_OK || lip_audit(a.model, NULL, &a.report, &error) != LIP_OK)
        fail_msg("%s: %s", error.node, error.reason);
    return a;
}

static audited audit(build *b)
{
    build_output(b, "y");
    return audit_with(b, NULL);
}

static void end(audited *a)
{
    lip_report_free(&a->report);
    lip_model_free(&a->model);
    build_free(a->b);
}

static build *begin(int64_t opset, const char *shape)
{
    build *b = build_new(opset);
    build_input(b, "x", shape);
    return b;
}

/* x times diag(10, 1), as "h". */
static build *begin_stretched(int64_t opset)
{
    build *b = begin(opset, "1x2");
    build_floats(b, "w", "2x2", diagonal);
    build_node(b, "MatMul", "x w", "h");
    return b;
}

static void expect_verdict(build *b, lip_verdict verdict)
{
    audited a = audit(b);
    assert_int_equal(a.report->verdict, verdict);
    end(&a);
}

/* ||h|| / ||x|| is 10 for the part left behind, 1 for the part that is the logits. */
static void lower_bounds_end_at_a_part(void **unused)
{
    (void)unused;
    for (int part = 0; part < 2; part++) {
        build *b = begin_stretched(13);
        build_node(b, "Split", "h", part ? "s y" : "y s");
        build_attr_int(b, "axis", 1);
        audited a = audit(b);
        assert_true(a.report->network.upper >= 10);
        assert_false(part && a.report->network.lower > 1);
        end(&a);
    }
}

static void lower_bounds_end_at_a_mask(void **unused)
{
    (void)unused;
    build *b = begin_stretched(9);
    build_node(b, "Dropout", "h", "d y");
    audited a = audit(b);
    assert_false(a.report->network.lower > 0);
    end(&a);
}

static void constants_in_disguise_have_gain_zero(void **unused)
{
    (void)unused;
    build *b = begin_stretched(17);
    build_floats(b, "c", "2", pair);
    build_node(b, "CastLike", "c h", "y");
    audited a = audit(b);
    assert_true(a.report->network.upper == 0 && !(a.report->network.lower > 0));
    end(&a);
    b = begin(13, "");
    build_floats(b, "c", "2", pair);
    build_node(b, "Dropout", "c x", "y");
    a = audit(b);
    assert_true(a.report->network.upper == 0 && !(a.report->network.lower > 0));
    end(&a);
}

/* What a subgraph reads is not among the node's inputs, all of which are constant here. */
static void unknown_nodes_stay_unknown_after_a_factor_of_zero(void **unused)
{
    (void)unused;
    build *b = begin(17, "1x2");
    build_floats(b, "zero", "", &zero);
    build_node(b, "Mul", "x zero", "z");
    build_node(b, "If", "z", "y");
    build_attr_graph(b, "then_branch");
    build_attr_graph(b, "else_branch");
    expect_verdict(b, LIP_UNKNOWN);
}

static void infinity_swallows_its_input(void **unused)
{
    (void)unused;
    build *b = begin(17, "1x2");
    build_floats(b, "c", "", &infinite);
    build_node(b, "Add", "x c", "y");
    audited a = audit(b);
    assert_false(a.report->network.lower > 0);
    end(&a);
}

static void empty_inputs_have_no_lower_bound(void **unused)
{
    (void)unused;
    const lip_input_shape empty = { "x", { 1, { 0 } } };
    const lip_load_options options = { .shapes = &empty, .shape_count = 1 };
    build *b = begin(17, "n");
    build_node(b, "Relu", "x", "y");
    build_output(b, "y");
    audited a = audit_with(b, &options);
    assert_false(a.report->network.lower > 0 || a.report->layers[0].gain.lower > 0);
    end(&a);
}

static void expect_attribute(const char *op, const char *name, float value, lip_status status)
{
    build *b = begin(6, "1x2");
    lip_model *model = NULL;
    lip_error error = { 0 };
    build_node(b, op, "x", "y");
    build_attr_float(b, name, value);
    build_output(b, "y");
    if (build_open(b, NULL, &model, &error) != status)
        fail_msg("%s with %s = %g: %s", op, name, (double)value, error.reason);
    lip_model_free(&model);
    build_free(b);
}

/* fmin and fmax would drop the NaN, and HardSigmoid's gain would be 0. */
static void attributes_are_numbers(void **unused)
{
    (void)unused;
    expect_attribute("LeakyRelu", "alpha", NAN, LIP_EFORMAT);
    expect_attribute("HardSigmoid", "alpha", NAN, LIP_EFORMAT);
    expect_attribute("HardSigmoid", "beta", INFINITY, LIP_EFORMAT);
    expect_attribute("Elu", "alpha", -INFINITY, LIP_EFORMAT);
    expect_attribute("Clip", "max", NAN, LIP_EFORMAT);
    expect_attribute("Clip", "max", INFINITY, LIP_OK);
}

/* In the order of the input, (x1, x2) becomes (x2, x3) where x3 overtakes x1. */
static void unsorted_values_have_no_bound(void **unused)
{
    (void)unused;
    for (int64_t k = 1; k < 3; k++) {
        build *b = begin(13, "1x5");
        build_ints(b, "k", "1", &k);
        build_node(b, "TopK", "x k", "y -");
        build_attr_int(b, "sorted", 0);
        expect_verdict(b, k == 1 ? LIP_BOUNDED : LIP_UNKNOWN);
    }
}

/* onnxruntime crops first and has the gain 2 on a 2 x 2 input, where wrapping before cropping has sqrt(2). */
static void cropping_beside_wrapping_is_ambiguous(void **unused)
{
    (void)unused;
    const int64_t both[] = { 1, 1, -1, 0 }, pads[] = { 1, 1, 1, 0 };
    for (int i = 0; i < 2; i++) {
        build *b = begin(19, "2x2");
        build_ints(b, "p", "4", i ? both : pads);
        build_node(b, "Pad", "x p", "y");
        build_attr_string(b, "mode", "wrap");
        expect_verdict(b, i ? LIP_UNKNOWN : LIP_BOUNDED);
    }
}

static void a_region_of_interest_may_vary(void **unused)
{
    (void)unused;
    const float image[4] = { 1, 2, 3, 4 }, scales[4] = { 1, 1, 2, 2 };
    build *b = begin(13, "8");
    build_floats(b, "image", "1x1x2x2", image);
    build_floats(b, "scales", "4", scales);
    build_node(b, "Resize", "image x scales", "y");
    build_attr_string(b, "mode", "linear");
    expect_verdict(b, LIP_UNKNOWN);
}

/* The paper's closed form read them, unchecked: a division by a stride of 0. */
static void attributes_of_other_operators_are_ignored(void **unused)
{
    (void)unused;
    static const char *const ops[] = { "GlobalAveragePool", "GlobalMaxPool" };
    for (int i = 0; i < 2; i++) {
        build *b = begin(13, "1x1x4x4");
        build_node(b, ops[i], "x", "y");
        build_attr_ints(b, "kernel_shape", 2, (int64_t[]) { 2, 2 });
        build_attr_ints(b, "strides", 1, (int64_t[]) { 0 });
        audited a = audit(b);
        assert_true(isnan(a.report->layers[0].lmt_bound));
        end(&a);
    }
}

/* 5 / 3 = 1 and 6 / 3 = 2: not a scaling by 1/3. */
static void whole_quotients_are_no_scaling(void **unused)
{
    (void)unused;
    const int64_t three = 3;
    build *b = begin(13, "1x2");
    build_ints(b, "c", "", &three);
    build_node(b, "Cast", "x", "i");
    build_attr_int(b, "to", LIP_DTYPE_INT64);
    build_node(b, "Div", "i c", "j");
    build_node(b, "Cast", "j", "y");
    build_attr_int(b, "to", LIP_DTYPE_FLOAT);
    audited a = audit(b);
    assert_int_equal(a.report->layers[1].verdict, LIP_UNKNOWN);
    end(&a);
}

/* Its gain is that of the exact function, and so must its value be, whatever attributes the node has. */
static void the_contributed_gelu_is_exact(void **unused)
{
    (void)unused;
    const double point = 2, *inputs[] = { &point };
    double logits = 0;
    lip_error error = { 0 };
    build *b = begin(17, "1");
    build_domain(b, "com.microsoft", 1);
    build_node_in(b, "com.microsoft", "Gelu", "", "x", "y");
    build_attr_string(b, "approximate", "tanh");
    audited a = audit(b);
    assert_int_equal(lip_model_forward(a.model, inputs, &logits, &error), LIP_OK);
    assert_true(fabs(logits - 1.9544997361036416) < 1e-12);
    end(&a);
}

/* y = 10 relu(x_1): the matrix's columns follow the elements of its input, not the order of the equation's labels. */
static void columns_are_the_elements_of_the_input(void **unused)
{
    static const char *const equations[] = { "kji,ij->k", "ij,kji->k" };
    static const float stretch[] = { 1, 0, 0, 0, 0, 10, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1 }, one[] = { 0, 0, 1, 0 };
    (void)unused;
    for (int i = 0; i < 2; i++) {
        build *b = begin(17, "1x4");
        build_floats(b, "stretch", "4x4", stretch);
        build_floats(b, "w", "1x2x2", one);
        build_ints(b, "square", "2", (int64_t[]){ 2, 2 });
        build_node(b, "MatMul", "x stretch", "h");
        build_node(b, "Relu", "h", "r");
        build_node(b, "Reshape", "r square", "s");
        build_node(b, "Einsum", i == 0 ? "w s" : "s w", "y");
        build_attr_string(b, "equation", equations[i]);
        audited a = audit(b);
        assert_true(a.report->network.upper >= 10 && a.report->network.upper <= 10.001);
        end(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lower_bounds_end_at_a_part),
        cmocka_unit_test(lower_bounds_end_at_a_mask),
        cmocka_unit_test(constants_in_disguise_have_gain_zero),
        cmocka_unit_test(unknown_nodes_stay_unknown_after_a_factor_of_zero),
        cmocka_unit_test(infinity_swallows_its_input),
        cmocka_unit_test(empty_inputs_have_no_lower_bound),
        cmocka_unit_test(attributes_are_numbers),
        cmocka_unit_test(unsorted_values_have_no_bound),
        cmocka_unit_test(cropping_beside_wrapping_is_ambiguous),
        cmocka_unit_test(a_region_of_interest_may_vary),
        cmocka_unit_test(attributes_of_other_operators_are_ignored),
        cmocka_unit_test(whole_quotients_are_no_scaling),
        cmocka_unit_test(the_contributed_gelu_is_exact),
        cmocka_unit_test(columns_are_the_elements_of_the_input),
    };
    return cmocka_run_group_tests_name("compose regressions", tests, NULL, NULL);
}
