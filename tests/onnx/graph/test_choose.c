/*
 * test_choose.c: the tensor taken as the logits.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "check_model.h"

#include "graph.h"

static void expect_logits(build *b, const lip_load_options *options, const char *logits, const char *note)
{
    lip_model *model = check_open(b, options);
    assert_string_equal(lip_model_describe(model).logits, logits);
    check_holds(lip_model_note(model, 0), note);
    lip_model_free(&model);
}

static build *ends_in(const char *op)
{
    build *b = build_new(17);
    build_input(b, "x", "1x4");
    build_node_in(b, "", "Relu", "", "x", "h");
    build_node_in(b, "", op, "last", "h", "p");
    build_node(b, "Identity", "p", "q");
    build_node(b, "Flatten", "q", "y");
    build_output(b, "y");
    return b;
}

static void test_final_softmax(void **state)
{
    (void)state;
    build *b = ends_in("Softmax");
    expect_logits(b, NULL, "h", "the final Softmax 'last' is not part of the logits: 'h' was taken");
    const lip_load_options asked = {.output = "y"}, inner = {.output = "q"};
    expect_logits(b, &asked, "y", "");
    expect_logits(b, &inner, "q", "");
    const lip_load_options missing = {.output = "zz"};
    check_refused_with(b, &missing, LIP_EUSAGE, "no tensor 'zz'");
    b = ends_in("LogSoftmax");
    expect_logits(b, NULL, "h", "LogSoftmax");
    build_free(b);
    b = ends_in("Sigmoid");
    expect_logits(b, NULL, "y", "");
    build_free(b);
}

static void test_several_outputs(void **state)
{
    (void)state;
    build *b = build_new(17);
    build_input(b, "x", "1x4");
    build_floats(b, "k", "1x4", (const float[]){1, 2, 3, 4});
    build_node(b, "Relu", "k", "constant");
    build_node(b, "Shape", "x", "shape");
    build_node(b, "Relu", "x", "y");
    build_node(b, "Relu", "y", "z");
    build_output(b, "constant");
    build_typed_output(b, "shape", LIP_DTYPE_INT64);
    build_output(b, "y");
    build_output(b, "z");
    lip_model *model = check_open(b, NULL);
    assert_string_equal(lip_model_describe(model).logits, "y");
    assert_int_equal(lip_model_describe(model).nodes, 1);
    assert_int_equal(lip_model_describe(model).nodes_in_file, 4);
    assert_int_equal(lip_model_describe(model).note_count, 3);
    check_holds(lip_model_note(model, 2), "the output 'z' was not audited");
    lip_model_free(&model);
    build_free(b);
}

static void test_nothing_depends(void **state)
{
    (void)state;
    build *b = build_new(17);
    build_typed_input(b, "x", LIP_DTYPE_INT64, "1x4");
    build_node(b, "Abs", "x", "y");
    build_typed_output(b, "y", LIP_DTYPE_INT64);
    check_refused(b, LIP_EUNSUPPORTED, "no floating-point output depends on a floating-point input");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_final_softmax),
        cmocka_unit_test(test_several_outputs),
        cmocka_unit_test(test_nothing_depends),
    };
    return cmocka_run_group_tests_name("choose", tests, NULL, NULL);
}
