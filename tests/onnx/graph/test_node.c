/*
 * test_node.c: attributes of every kind through the file, and the getters.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "check_model.h"

#include "graph.h"

static void test_attributes(void **state)
{
    (void)state;
    build *b = build_new(17);
    build_input(b, "x", "1x3");
    build_node(b, "Mystery", "x - x", "y - z");
    build_attr_int(b, "i", -7);
    build_attr_float(b, "f", 0.1F);
    build_attr_string(b, "s", "SAME");
    build_attr_ints(b, "is", 2, (const int64_t[]){3, 4});
    build_attr_ints(b, "none", 0, NULL);
    build_attr_floats(b, "fs", 2, (const float[]){1, 2});
    build_attr_strings(b, "ss", 2, (const char *const[]){"a", "bc"});
    build_attr_tensor(b, "t", build_tensor(b, "", LIP_DTYPE_INT64, "1", (const int64_t[]){5}, 8));
    build_attr_tensor(b, "odd", build_tensor(b, "", LIP_DTYPE_STRING, "1", "", 0));
    build_output(b, "y");
    lip_model *model = check_open(b, NULL);
    const lip_node *node = model->nodes[0];
    int64_t count = -1;
    assert_int_equal(lip_attr_int(node, "i", 1), -7);
    assert_int_equal(lip_attr_int(node, "f", 1), 1); /* of another kind */
    assert_int_equal(lip_attr_int(node, "absent", 9), 9);
    assert_true(lip_attr_float(node, "f", 1) == (double)0.1F);
    assert_true(lip_attr_float(node, "absent", 0.5F) == 0.5);
    assert_string_equal(lip_attr_string(node, "s", "-"), "SAME");
    assert_string_equal(lip_attr_string(node, "absent", "-"), "-");
    assert_int_equal(lip_attr_ints(node, "is", &count)[1], 4);
    assert_int_equal(count, 2);
    assert_non_null(lip_attr_ints(node, "none", &count));
    assert_int_equal(count, 0);
    assert_null(lip_attr_ints(node, "absent", &count));
    assert_true(lip_attr_find(node, "fs")->floats[1] == 2);
    assert_string_equal(lip_attr_find(node, "ss")->strings[1], "bc");
    assert_int_equal(lip_attr_find(node, "t")->tensor->i64[0], 5);
    assert_int_equal(lip_attr_find(node, "odd")->kind, LIP_ATTR_OTHER);

    assert_int_equal(node->input_count, 3);
    assert_non_null(lip_node_input(node, 0));
    assert_null(lip_node_input(node, 1));
    assert_null(lip_node_input(node, 3));
    assert_null(lip_node_output(node, 1));
    assert_null(lip_node_output(node, 99));
    assert_null(lip_node_constant(node, 0));
    assert_int_equal(lip_node_varying(node), -1); /* x varies twice */
    assert_string_equal(lip_model_node_input(model, 0, 1).name, "");
    assert_string_equal(lip_model_node_output(model, 0, 2).name, "z");
    lip_model_free(&model);
    build_free(b);
}

/* IR version 1 files do not store an attribute's kind. */
static void test_kinds_are_guessed(void **state)
{
    (void)state;
    build *b = build_new(17);
    build_input(b, "x", "1x3");
    Onnx__NodeProto *node = build_node(b, "Mystery", "x", "y");
    build_attr_int(b, "i", 3);
    build_attr_ints(b, "is", 1, (const int64_t[]){8});
    build_attr_string(b, "s", "text");
    for (size_t i = 0; i < node->n_attribute; i++)
        node->attribute[i]->has_type = 0;
    build_output(b, "y");
    lip_model *model = check_open(b, NULL);
    int64_t count;
    assert_int_equal(lip_attr_int(model->nodes[0], "i", 1), 3);
    assert_int_equal(lip_attr_ints(model->nodes[0], "is", &count)[0], 8);
    assert_string_equal(lip_attr_string(model->nodes[0], "s", "-"), "text");
    lip_model_free(&model);
    build_free(b);
}

static void test_remarks(void **state)
{
    (void)state;
    build *b = build_new(17);
    build_input(b, "x", "1x3");
    build_node(b, "Relu", "x", "y");
    build_output(b, "y");
    lip_model *model = check_open(b, NULL);
    for (int i = 0; i < 1500; i++)
        lip_model_remark(model, "number %d\n", i);
    assert_int_equal(model->note_count, 1000);
    assert_string_equal(lip_model_note(model, 0), "number 0?");
    assert_string_equal(lip_model_note(model, 999), "number 999?");
    assert_string_equal(lip_model_note(model, 1000), "");
    lip_model_free(&model);
    build_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_attributes),
        cmocka_unit_test(test_kinds_are_guessed),
        cmocka_unit_test(test_remarks),
    };
    return cmocka_run_group_tests_name("node", tests, NULL, NULL);
}
