/*
 * test_inputs.c: which inputs vary, and how large they are.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "check_model.h"

#include "graph.h"

static build *relu(const char *shape)
{
    build *b = build_new(17);
    build_input(b, "x", shape);
    build_node(b, "Relu", "x", "y");
    build_output(b, "y");
    return b;
}

static void expect_shape(build *b, const lip_load_options *options, const char *text, const char *note)
{
    lip_model *model = check_open(b, options);
    char found[64];
    const lip_tensor_info logits = lip_model_logits(model);
    lip_shape_text(&logits.shape, found, sizeof found);
    assert_true(logits.shape_known);
    assert_string_equal(found, text);
    assert_int_equal(lip_model_describe(model).note_count, note ? 1 : 0);
    check_holds(lip_model_note(model, 0), note ? note : "");
    lip_model_free(&model);
    build_free(b);
}

static lip_load_options with_shape(const char *name, lip_shape shape)
{
    static lip_input_shape given;
    given = (lip_input_shape){name, shape};
    return (lip_load_options){.shapes = &given, .shape_count = 1};
}

static void test_batch_becomes_one(void **state)
{
    (void)state;
    expect_shape(relu("2x3"), NULL, "2x3", NULL);
    expect_shape(relu("Nx3"), NULL, "1x3", "the batch dimension 'N' was set to 1");
    expect_shape(relu("0x3"), NULL, "1x3", "which has no fixed size, was set to 1");
    expect_shape(relu("-1x3"), NULL, "1x3", "which has no fixed size");
    expect_shape(relu(""), NULL, "scalar", NULL);
}

static void test_given_shapes(void **state)
{
    (void)state;
    const lip_load_options options = with_shape("x", (lip_shape){2, {5, 7}});
    expect_shape(relu("Nx3"), &options, "5x7", NULL);
    expect_shape(relu("NxM"), &options, "5x7", NULL);
    expect_shape(relu(NULL), &options, "5x7", NULL);
}

static void test_refused(void **state)
{
    (void)state;
    check_refused(relu("Nx3xheightx8"), LIP_EUSAGE,
                  "input 'x' has the symbolic dimension 'height' (axis 2): give --input-shape x:1x3x<height>x8");
    check_refused(relu("1x0"), LIP_EUSAGE, "a dimension of no fixed size (axis 1)");
    check_refused(relu(NULL), LIP_EUSAGE, "input 'x' has no shape in the file");
    lip_load_options options = with_shape("z", (lip_shape){2, {5, 7}});
    check_refused_with(relu("Nx3"), &options, LIP_EUSAGE, "no input of that name");
    options = with_shape("x", (lip_shape){3, {5, 7, 1}});
    check_refused_with(relu("Nx3"), &options, LIP_EUSAGE, "has 2 dimensions, the given shape has 3");
    options = with_shape("x", (lip_shape){2, {5, -7}});
    check_refused_with(relu("Nx3"), &options, LIP_EUSAGE, "is not one");
    check_refused(relu("1152921504606846976x64"), LIP_EFORMAT, "too large");
}

static build *two_inputs(void)
{
    build *b = build_new(17);
    build_input(b, "a", "1x3");
    build_input(b, "c", "1x3");
    build_typed_input(b, "unused", LIP_DTYPE_INT64, "NxM");
    build_node(b, "Add", "a c", "y");
    build_output(b, "y");
    return b;
}

static void test_which_vary(void **state)
{
    (void)state;
    build *b = two_inputs();
    lip_model *model = check_open(b, NULL);
    assert_int_equal(model->input_count, 3);
    assert_true(model->inputs[0]->varies && model->inputs[1]->varies && !model->inputs[2]->varies);
    lip_model_free(&model);

    const lip_load_options options = {.input = "c"};
    model = check_open(b, &options);
    assert_true(!model->inputs[0]->varies && model->inputs[1]->varies);
    assert_int_equal(lip_node_varying(model->nodes[0]), 1);
    assert_null(model->inputs[0]->constant);
    lip_model_free(&model);
    build_free(b);
}

static void test_input_option_refused(void **state)
{
    (void)state;
    lip_load_options options = {.input = "z"};
    check_refused_with(two_inputs(), &options, LIP_EUSAGE, "the model has no input 'z'");
    options.input = "y";
    check_refused_with(two_inputs(), &options, LIP_EUSAGE, "is not an input of the model");
    options.input = "unused";
    check_refused_with(two_inputs(), &options, LIP_EUSAGE, "holds int64");
}

static void test_initializer_repeated_as_input(void **state)
{
    (void)state;
    build *b = build_new(8);
    build_input(b, "x", "1x2");
    build_input(b, "w", "1x2");
    build_floats(b, "w", "1x2", (const float[]){1, 2});
    build_node(b, "Add", "x w", "y");
    build_output(b, "y");
    lip_model *model = check_open(b, NULL);
    assert_int_equal(model->input_count, 1);
    assert_non_null(lip_node_constant(model->nodes[0], 1));
    assert_int_equal(lip_model_describe(model).parameters, 2);
    lip_model_free(&model);
    build_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_batch_becomes_one),   cmocka_unit_test(test_given_shapes),
        cmocka_unit_test(test_refused),             cmocka_unit_test(test_which_vary),
        cmocka_unit_test(test_input_option_refused), cmocka_unit_test(test_initializer_repeated_as_input),
    };
    return cmocka_run_group_tests_name("inputs", tests, NULL, NULL);
}
