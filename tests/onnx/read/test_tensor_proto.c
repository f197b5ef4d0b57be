/*
 * test_tensor_proto.c: every encoding of a tensor gives the same elements;
 * decode.c is tested through it.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "check_model.h"

#include "read/decode.h"
#include "read/tensor_proto.h"

#include <math.h>

typedef struct setup {
    build *b;
    lip_memory memory;
    lip_arena arena;
} setup;

static int begin(void **state)
{
    static setup s;
    s.b = build_new(0);
    lip_memory_init(&s.memory, 1 << 24);
    lip_arena_init(&s.arena, &s.memory);
    *state = &s;
    return 0;
}

static int end(void **state)
{
    setup *s = *state;
    build_free(s->b);
    lip_arena_free(&s->arena);
    return atomic_load(&s->memory.used) != 0;
}

static lip_status read_tensor(setup *s, const Onnx__TensorProto *proto, lip_tensor *out, lip_error *error)
{
    size_t size = onnx__tensor_proto__get_packed_size(proto);
    uint8_t *bytes = build_memory(s->b, size);
    onnx__tensor_proto__pack(proto, bytes);
    const lip_tensor_reader reader = {&s->arena, NULL};
    const char *name = NULL;
    lip_status status = lip_tensor_read(&reader, bytes, size, out, &name, error);
    if (!status)
        assert_string_equal(name, "t");
    return status;
}

static void expect(setup *s, const Onnx__TensorProto *proto, lip_storage storage, const double *values)
{
    lip_tensor tensor;
    lip_error error;
    if (read_tensor(s, proto, &tensor, &error))
        fail_msg("refused: %s", error.reason);
    assert_int_equal(tensor.storage, storage);
    assert_int_equal(tensor.count, 4);
    assert_int_equal(tensor.shape.rank, 2);
    for (int64_t i = 0; i < 4; i++)
        assert_true(lip_tensor_real(&tensor, i) == values[i]);
}

static Onnx__TensorProto *raw(setup *s, lip_dtype dtype, const void *bytes, size_t size)
{
    return build_tensor(s->b, "t", dtype, "2x2", bytes, 4 * size);
}

static void test_raw(void **state)
{
    setup *s = *state;
    const double reals[] = {1, -2, 0.5, 0}, whole[] = {1, 200, 0, 7}, flags[] = {1, 1, 0, 1};
    expect(s, raw(s, LIP_DTYPE_FLOAT, (const float[]){1, -2, 0.5F, 0}, 4), LIP_F32, reals);
    expect(s, raw(s, LIP_DTYPE_DOUBLE, reals, 8), LIP_F64, reals);
    expect(s, raw(s, LIP_DTYPE_FLOAT16, (const uint16_t[]){0x3c00, 0xc000, 0x3800, 0}, 2), LIP_F32, reals);
    expect(s, raw(s, LIP_DTYPE_BFLOAT16, (const uint16_t[]){0x3f80, 0xc000, 0x3f00, 0}, 2), LIP_F32, reals);
    expect(s, raw(s, LIP_DTYPE_UINT8, (const uint8_t[]){1, 200, 0, 7}, 1), LIP_I64, whole);
    expect(s, raw(s, LIP_DTYPE_UINT16, (const uint16_t[]){1, 200, 0, 7}, 2), LIP_I64, whole);
    expect(s, raw(s, LIP_DTYPE_INT16, (const int16_t[]){1, 200, 0, 7}, 2), LIP_I64, whole);
    expect(s, raw(s, LIP_DTYPE_INT32, (const int32_t[]){1, 200, 0, 7}, 4), LIP_I64, whole);
    expect(s, raw(s, LIP_DTYPE_UINT32, (const uint32_t[]){1, 200, 0, 7}, 4), LIP_I64, whole);
    expect(s, raw(s, LIP_DTYPE_INT64, (const int64_t[]){1, 200, 0, 7}, 8), LIP_I64, whole);
    expect(s, raw(s, LIP_DTYPE_UINT64, (const uint64_t[]){1, 200, 0, 7}, 8), LIP_I64, whole);
    expect(s, raw(s, LIP_DTYPE_INT8, (const int8_t[]){1, -2, 3, -128}, 1), LIP_I64, (const double[]){1, -2, 3, -128});
    expect(s, raw(s, LIP_DTYPE_BOOL, (const uint8_t[]){1, 7, 0, 255}, 1), LIP_I64, flags);
}

static void test_typed_fields(void **state)
{
    setup *s = *state;
    Onnx__TensorProto *t = build_tensor(s->b, "t", LIP_DTYPE_FLOAT, "2x2", NULL, 0);
    t->n_float_data = 4;
    t->float_data = (float[]){1, -2, 0.5F, 0};
    const double reals[] = {1, -2, 0.5, 0};
    expect(s, t, LIP_F32, reals);

    t = build_tensor(s->b, "t", LIP_DTYPE_DOUBLE, "2x2", NULL, 0);
    t->n_double_data = 4;
    t->double_data = (double[]){1, -2, 0.5, 0};
    expect(s, t, LIP_F64, reals);

    t = build_tensor(s->b, "t", LIP_DTYPE_FLOAT16, "2x2", NULL, 0);
    t->n_int32_data = 4;
    t->int32_data = (int32_t[]){0x3c00, 0xc000, 0x3800, 0};
    expect(s, t, LIP_F32, reals);
    t->data_type = LIP_DTYPE_BFLOAT16;
    t->int32_data = (int32_t[]){0x3f80, 0xc000, 0x3f00, 0};
    expect(s, t, LIP_F32, reals);

    t->int32_data = (int32_t[]){1, -2, 3, 0};
    t->data_type = LIP_DTYPE_INT32;
    expect(s, t, LIP_I64, (const double[]){1, -2, 3, 0});
    t->data_type = LIP_DTYPE_INT8;
    expect(s, t, LIP_I64, (const double[]){1, -2, 3, 0});
    t->data_type = LIP_DTYPE_UINT8;
    expect(s, t, LIP_I64, (const double[]){1, 254, 3, 0});
    t->data_type = LIP_DTYPE_BOOL;
    expect(s, t, LIP_I64, (const double[]){1, 1, 1, 0});

    t = build_tensor(s->b, "t", LIP_DTYPE_INT64, "2x2", NULL, 0);
    t->n_int64_data = 4;
    t->int64_data = (int64_t[]){1, -2, INT64_C(1) << 40, 0};
    expect(s, t, LIP_I64, (const double[]){1, -2, 1099511627776.0, 0});

    t = build_tensor(s->b, "t", LIP_DTYPE_FLOAT8E5M2, "2x2", NULL, 0);
    t->n_int32_data = 4;
    t->int32_data = (int32_t[]){0x3c, 0xbd, 0x01, 0x7b};
    expect(s, t, LIP_F32, (const double[]){1, -1.25, 0x1p-16, 57344});
    t = build_tensor(s->b, "t", LIP_DTYPE_FLOAT4E2M1, "2x2", NULL, 0); /* two to a byte, the first in its low half */
    t->n_int32_data = 2;
    t->int32_data = (int32_t[]){0xf1, 0x2c};
    expect(s, t, LIP_F32, (const double[]){0.5, -6, -2, 1});
    t = build_tensor(s->b, "t", LIP_DTYPE_UINT32, "2x2", NULL, 0);
    t->n_uint64_data = 4;
    t->uint64_data = (uint64_t[]){1, 2, 4294967295, 0};
    expect(s, t, LIP_I64, (const double[]){1, 2, 4294967295.0, 0});
}

static void test_not_supported(void **state)
{
    setup *s = *state;
    static const struct {
        int dtype;
        const char *shape, *fragment;
    } cases[] = {
        {LIP_DTYPE_STRING, "2x2", "type string"},
        {LIP_DTYPE_COMPLEX64, "2x2", "type complex64"},
        {27, "2x2", "unknown type (27)"},
        {0, "2x2", "undefined"},
        {LIP_DTYPE_FLOAT, "1x1x1x1x1x1x1x1x4", "9 dimensions"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        lip_tensor tensor;
        lip_error error;
        assert_int_equal(read_tensor(s, build_tensor(s->b, "t", (lip_dtype)cases[i].dtype, cases[i].shape, "", 0),
                                     &tensor, &error), LIP_EUNSUPPORTED);
        check_holds(error.reason, cases[i].fragment);
    }
    lip_tensor tensor;
    lip_error error;
    const uint64_t large[4] = {0, UINT64_C(1) << 63, 0, 0};
    assert_int_equal(read_tensor(s, raw(s, LIP_DTYPE_UINT64, large, 8), &tensor, &error), LIP_EUNSUPPORTED);
}

static void test_empty_and_scalar(void **state)
{
    setup *s = *state;
    lip_tensor tensor;
    lip_error error;
    assert_int_equal(read_tensor(s, build_tensor(s->b, "t", LIP_DTYPE_FLOAT, "0x3", NULL, 0), &tensor, &error),
                     LIP_OK);
    assert_int_equal(tensor.count, 0);
    const float one = 1;
    assert_int_equal(read_tensor(s, build_tensor(s->b, "t", LIP_DTYPE_FLOAT, "", &one, 4), &tensor, &error), LIP_OK);
    assert_int_equal(tensor.count, 1);
    assert_int_equal(tensor.shape.rank, 0);
}

/* Every half-precision pattern, against its definition. */
static void test_halves(void **state)
{
    (void)state;
    for (int bits = 0; bits < 65536; bits++) {
        int exponent = bits >> 10 & 31, fraction = bits & 1023;
        double wanted = exponent ? (1 + fraction / 1024.0) * pow(2, exponent - 15) : fraction / 1024.0 * pow(2, -14);
        if (exponent == 31)
            wanted = fraction ? NAN : INFINITY;
        if (bits & 0x8000)
            wanted = -wanted;
        double found = (double)lip_float_from_half((uint16_t)bits);
        assert_true(isnan(wanted) ? isnan(found) : found == wanted && signbit(found) == signbit(wanted));
    }
}

/* Two or four elements to a byte, from the lowest bit on, in raw data as in int32_data. */
static void test_packed(void **state)
{
    setup *s = *state;
    const double four[] = {1, 15, 8, 2}, whole[] = {1, -1, -8, 2}, two[] = {3, 0, 2, 1}, half[] = {-1, 0, -2, 1};
    const uint8_t nibbles[] = {0xf1, 0x28}, pairs[] = {0x63};
    expect(s, build_tensor(s->b, "t", LIP_DTYPE_UINT4, "2x2", nibbles, 2), LIP_I64, four);
    expect(s, build_tensor(s->b, "t", LIP_DTYPE_INT4, "2x2", nibbles, 2), LIP_I64, whole);
    expect(s, build_tensor(s->b, "t", LIP_DTYPE_UINT2, "2x2", pairs, 1), LIP_I64, two);
    expect(s, build_tensor(s->b, "t", LIP_DTYPE_INT2, "2x2", pairs, 1), LIP_I64, half);
    Onnx__TensorProto *typed = build_tensor(s->b, "t", LIP_DTYPE_INT4, "2x2", "", 0);
    typed->has_raw_data = 0;
    typed->n_int32_data = 2;
    typed->int32_data = build_memory(s->b, 2 * sizeof(int32_t));
    typed->int32_data[0] = 0xf1;
    typed->int32_data[1] = 0x28;
    expect(s, typed, LIP_I64, whole);
    lip_tensor tensor;
    lip_error error;
    assert_int_equal(read_tensor(s, build_tensor(s->b, "t", LIP_DTYPE_INT4, "3", nibbles, 1), &tensor, &error),
                     LIP_EFORMAT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_raw, begin, end),
        cmocka_unit_test_setup_teardown(test_typed_fields, begin, end),
        cmocka_unit_test_setup_teardown(test_not_supported, begin, end),
        cmocka_unit_test_setup_teardown(test_empty_and_scalar, begin, end),
        cmocka_unit_test(test_halves),
        cmocka_unit_test_setup_teardown(test_packed, begin, end),
    };
    return cmocka_run_group_tests_name("tensor_proto", tests, NULL, NULL);
}
