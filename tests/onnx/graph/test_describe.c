/*
 * test_describe.c: what the public API tells about a model.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "check_model.h"

static void test_info(void **state)
{
    (void)state;
    build *b = build_new(17);
    build_domain(b, "com.example", 3);
    build_proto(b)->producer_version = build_text(b, "1.2");
    build_input(b, "x", "1x3");
    build_node_in(b, "com.example", "Odd", "", "x", "h");
    build_node_in(b, "", "Relu", "/act/Relu", "h", "y");
    build_output(b, "y");
    lip_model *model = check_open(b, NULL);
    const lip_model_info info = lip_model_describe(model);
    assert_string_equal(info.path, "test.onnx");
    assert_string_equal(info.producer, "test 1.2");
    assert_int_equal(strlen(info.sha256), 64);
    assert_int_equal(info.ir_version, 8);
    assert_int_equal(info.opset, 17);
    assert_int_equal(info.input_count, 1);
    assert_string_equal(lip_model_input(model, 0).name, "x");
    assert_string_equal(lip_model_input(model, 0).dtype, "float32");
    assert_string_equal(lip_model_input(model, 5).name, "");
    assert_string_equal(lip_model_node(model, 0).name, "#0");
    assert_string_equal(lip_model_node(model, 0).op, "com.example::Odd");
    assert_string_equal(lip_model_node(model, 1).module, "act");
    assert_false(lip_model_logits(model).shape_known);
    assert_string_equal(lip_model_node(model, 7).name, "");
    lip_model_free(&model);
    build_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_info),
    };
    return cmocka_run_group_tests_name("describe", tests, NULL, NULL);
}
