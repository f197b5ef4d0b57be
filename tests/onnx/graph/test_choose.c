/*
 * test_choose.c: the tensor taken as the logits.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "check_model.h"

#include "graph.h"

#include <stdio.h>

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

/* Labels: x -> h -> Softmax p -> ArgMax -> Squeeze -> Cast y. */
static build *ends_in_labels(lip_dtype type)
{
    build *b = build_new(17);
    build_input(b, "x", "1x4");
    build_node(b, "Relu", "x", "h");
    build_node_in(b, "", "Softmax", "soft", "h", "p");
    build_node_in(b, "", "ArgMax", "pick", "p", "index");
    build_attr_int(b, "axis", 1);
    build_node(b, "Squeeze", "index", "label");
    build_node(b, "Cast", "label", "y");
    build_attr_int(b, "to", type);
    build_typed_output(b, "y", type);
    return b;
}

static void test_final_labels(void **state)
{
    (void)state;
    const lip_dtype types[] = {LIP_DTYPE_INT32, LIP_DTYPE_INT64, LIP_DTYPE_FLOAT};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        build *b = ends_in_labels(types[i]);
        lip_model *model = check_open(b, NULL);
        assert_string_equal(lip_model_describe(model).logits, "h");
        assert_int_equal(lip_model_describe(model).nodes, 1);
        check_holds(lip_model_note(model, 0), "the final Softmax 'soft' is not part of the logits: 'h' was taken");
        check_holds(lip_model_note(model, 1), "the final ArgMax 'pick' is not part of the logits: 'h' was taken");
        lip_model_free(&model);
        const lip_load_options asked = {.output = "y"};
        expect_logits(b, &asked, "y", "");
        build_free(b);
    }
}

static void test_probabilities_before_labels(void **state)
{
    (void)state;
    build *b = ends_in_labels(LIP_DTYPE_INT64);
    build_output(b, "p");
    lip_model *model = check_open(b, NULL);
    assert_string_equal(lip_model_describe(model).logits, "h");
    assert_int_equal(lip_model_describe(model).note_count, 2);
    check_holds(lip_model_note(model, 1), "the output 'y' was not audited: the logits are 'h'");
    lip_model_free(&model);
    build_free(b);
}

static build *ends_in_top_k(const char *output, lip_dtype type)
{
    build *b = build_new(17);
    build_input(b, "x", "1x4");
    build_ints(b, "k", "1", (const int64_t[]){2});
    build_node(b, "Relu", "x", "h");
    build_node_in(b, "", "TopK", "pick", "h k", "values indices");
    build_typed_output(b, output, type);
    return b;
}

static void test_top_k(void **state)
{
    (void)state;
    build *b = ends_in_top_k("indices", LIP_DTYPE_INT64);
    expect_logits(b, NULL, "h", "the final TopK 'pick' is not part of the logits: 'h' was taken");
    build_free(b);
    b = ends_in_top_k("values", LIP_DTYPE_FLOAT);
    expect_logits(b, NULL, "values", "");
    build_free(b);
}

/* Whole numbers that are no labels: the output itself, and the node that makes it jump. */
static void test_other_whole_numbers(void **state)
{
    (void)state;
    build *b = build_new(17);
    build_input(b, "x", "1x4");
    build_node(b, "Softmax", "x", "p");
    build_node(b, "Cast", "p", "y");
    build_attr_int(b, "to", LIP_DTYPE_INT32);
    build_node(b, "ArgMax", "y", "argmax");
    build_typed_output(b, "y", LIP_DTYPE_INT32);
    build_typed_output(b, "argmax", LIP_DTYPE_INT64);
    lip_model *model = check_open(b, NULL);
    assert_string_equal(lip_model_describe(model).logits, "y");
    assert_int_equal(lip_model_describe(model).nodes, 2);
    check_holds(lip_model_note(model, 0), "the output 'argmax' was not audited");
    lip_model_free(&model);
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
    build_typed_output(b, "z", LIP_DTYPE_BOOL);
    build_node(b, "IsInf", "k", "z");
    build_floats(b, "k", "1", (const float[]){1});
    check_refused(b, LIP_EUNSUPPORTED,
                  "no output depends on a floating-point input: the inputs are 'x' (int64); the outputs 'y' (int64), "
                  "'z' (bool)");
}

static void test_nothing_depends_on_the_chosen(void **state)
{
    (void)state;
    build *b = build_new(17);
    build_input(b, "x", "1x4");
    build_input(b, "other", "1x4");
    build_node(b, "Abs", "x", "y");
    build_output(b, "y");
    const lip_load_options options = {.input = "other"};
    check_refused_with(b, &options, LIP_EUNSUPPORTED,
                       "no output depends on the chosen input: the inputs are 'x' (float32), 'other' (float32); "
                       "the outputs 'y' (float32)");
}

/* A list of names that does not fit is cut, not overrun. */
static void test_many_names(void **state)
{
    (void)state;
    char name[64];
    build *b = build_new(17);
    for (int i = 0; i < 40; i++) {
        snprintf(name, sizeof name, "an_input_of_a_rather_long_name_%d", i);
        build_typed_input(b, name, LIP_DTYPE_INT64, "1x4");
    }
    build_node(b, "Abs", "an_input_of_a_rather_long_name_7", "y");
    build_typed_output(b, "y", LIP_DTYPE_INT64);
    check_refused(b, LIP_EUNSUPPORTED, "; the outputs 'y' (int64)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_final_softmax),
        cmocka_unit_test(test_final_labels),
        cmocka_unit_test(test_probabilities_before_labels),
        cmocka_unit_test(test_top_k),
        cmocka_unit_test(test_other_whole_numbers),
        cmocka_unit_test(test_several_outputs),
        cmocka_unit_test(test_nothing_depends),
        cmocka_unit_test(test_nothing_depends_on_the_chosen),
        cmocka_unit_test(test_many_names),
    };
    return cmocka_run_group_tests_name("choose", tests, NULL, NULL);
}
