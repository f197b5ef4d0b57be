/*
 * test_tensor.c: element types and shapes.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "check_model.h"

#define SHAPE(...) \
    (lip_shape){(int)(sizeof((const int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), {__VA_ARGS__}}

static void test_dtypes(void **state)
{
    (void)state;
    assert_string_equal(lip_dtype_name(LIP_DTYPE_BFLOAT16), "bfloat16");
    assert_string_equal(lip_dtype_name(LIP_DTYPE_INT64), "int64");
    assert_string_equal(lip_dtype_name(LIP_DTYPE_FLOAT4E2M1), "float4e2m1");
    assert_string_equal(lip_dtype_name(LIP_DTYPE_INT2), "int2");
    assert_string_equal(lip_dtype_name((lip_dtype)27), "unknown type");
    assert_true(lip_dtype_is_real(LIP_DTYPE_FLOAT16));
    assert_false(lip_dtype_is_real(LIP_DTYPE_INT8));
    assert_int_equal(lip_dtype_storage(LIP_DTYPE_FLOAT16, false), LIP_F32);
    assert_int_equal(lip_dtype_storage(LIP_DTYPE_FLOAT, true), LIP_F64);
    assert_int_equal(lip_dtype_storage(LIP_DTYPE_BOOL, true), LIP_I64);
    assert_int_equal(lip_dtype_storage(LIP_DTYPE_STRING, false), LIP_OPAQUE);
    assert_int_equal(lip_dtype_storage(LIP_DTYPE_FLOAT8E8M0, false), LIP_F32);
    assert_int_equal(lip_dtype_storage((lip_dtype)27, false), LIP_OPAQUE);
}

static void test_counts(void **state)
{
    (void)state;
    int64_t count = -1;
    lip_shape scalar = {0};
    assert_true(lip_shape_count(&scalar, &count));
    assert_int_equal(count, 1);
    assert_true(lip_shape_count(&SHAPE(2, 3, 4), &count));
    assert_int_equal(count, 24);
    assert_true(lip_shape_count(&SHAPE(2, 0, 4), &count));
    assert_int_equal(count, 0);
    assert_false(lip_shape_count(&SHAPE(2, -1), &count));
    assert_false(lip_shape_count(&SHAPE(0, -1), &count));
    assert_false(lip_shape_count(&SHAPE(INT64_C(1) << 40, INT64_C(1) << 40), &count));
    assert_int_equal(count, 0);
}

static void test_broadcast(void **state)
{
    (void)state;
    lip_shape out, a = SHAPE(4, 1, 3), b = SHAPE(2, 1), c = SHAPE(4, 2, 3), d = SHAPE(5, 3), scalar = {0};
    assert_true(lip_shape_broadcast(&a, &b, &out));
    assert_true(lip_shape_equal(&out, &c));
    assert_true(lip_shape_broadcast(&b, &a, &b));
    assert_true(lip_shape_equal(&b, &c));
    assert_true(lip_shape_broadcast(&a, &scalar, &out));
    assert_true(lip_shape_equal(&out, &a));
    assert_false(lip_shape_broadcast(&c, &d, &out));
    assert_false(lip_shape_equal(&c, &d));
    assert_false(lip_shape_equal(&a, &c));
}

static void test_text(void **state)
{
    (void)state;
    char text[16];
    lip_shape_text(&SHAPE(1, 3, 32, 32), text, sizeof text);
    assert_string_equal(text, "1x3x32x32");
    lip_shape scalar = {0};
    lip_shape_text(&scalar, text, sizeof text);
    assert_string_equal(text, "scalar");
    lip_shape_text(&SHAPE(1000000, 1000000, 1000000), text, sizeof text);
    assert_string_equal(text, "1000000x1000000");
}

static void test_elements(void **state)
{
    (void)state;
    const float reals[] = {1.5F, -2};
    const int64_t whole[] = {3, -4};
    double out[2];
    const lip_tensor f = {.storage = LIP_F32, .count = 2, .f32 = reals};
    const lip_tensor i = {.storage = LIP_I64, .count = 2, .i64 = whole};
    lip_tensor_to_real(&f, out);
    assert_true(out[0] == 1.5 && out[1] == -2);
    lip_tensor_to_real(&i, out);
    assert_true(out[0] == 3 && out[1] == -4);
    assert_true(lip_tensor_real(&i, 1) == -4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dtypes),  cmocka_unit_test(test_counts),   cmocka_unit_test(test_broadcast),
        cmocka_unit_test(test_text),    cmocka_unit_test(test_elements),
    };
    return cmocka_run_group_tests_name("tensor", tests, NULL, NULL);
}
