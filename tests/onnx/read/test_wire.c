/*
 * test_wire.c: the walk over the protobuf wire format.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "check_model.h"

#include "read/wire.h"

#define BYTES(...) ((const uint8_t[]){__VA_ARGS__}), sizeof((const uint8_t[]){__VA_ARGS__})

static void accepts(const uint8_t *bytes, size_t size)
{
    lip_error error;
    assert_int_equal(lip_wire_check(bytes, size, LIP_WIRE_MODEL, &error), LIP_OK);
}

static void refuses(const uint8_t *bytes, size_t size, const char *fragment)
{
    lip_error error;
    assert_int_equal(lip_wire_check(bytes, size, LIP_WIRE_MODEL, &error), LIP_EFORMAT);
    check_holds(error.reason, fragment);
}

static void test_check_accepts(void **state)
{
    (void)state;
    accepts(BYTES(0x08, 0x96, 0x01));                                                       /* 1: 150 */
    accepts(BYTES(0x0d, 1, 2, 3, 4, 0x09, 1, 2, 3, 4, 5, 6, 7, 8));                         /* fixed32, fixed64 */
    accepts(BYTES(0x3a, 2, 0x0a, 0));                                                       /* graph { node {} } */
    accepts(BYTES(0x12, 3, 0xff, 0xff, 0xff));                                              /* a string is not walked */
    accepts(BYTES(0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01));       /* 2^64 - 1 */
}

static void test_check_refuses(void **state)
{
    (void)state;
    refuses(BYTES(0x08), "truncated at byte 1: a number is cut off");
    refuses(BYTES(0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02), "more than 64 bits at byte 1");
    refuses(BYTES(0x00, 0x00), "an impossible field number at byte 0");
    refuses(BYTES(0x0b), "a group or an unknown wire type at byte 0");
    refuses(BYTES(0x0e, 0), "a group or an unknown wire type");
    refuses(BYTES(0x09, 1, 2, 3), "claims 8 bytes, 3 are left");
    refuses(BYTES(0x3a, 5, 0x0a), "truncated at byte 2: field 7 (graph) claims 5 bytes, 1 are left");
    /* The node claims more than its graph has, though the file goes on. */
    refuses(BYTES(0x3a, 2, 0x0a, 4, 0x12, 2, 0x61, 0x61), "field 1 (node) claims 4 bytes, 0 are left");
    refuses(BYTES(0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01), "claims 18446744073709551615");
}

static void test_next(void **state)
{
    (void)state;
    const uint8_t bytes[] = {0x08, 0x96, 0x01, 0x12, 0x02, 'h', 'i'};
    lip_wire wire = lip_wire_over(bytes, sizeof bytes);
    lip_wire_field field;
    lip_error error;
    assert_int_equal(lip_wire_next(&wire, &field, &error), LIP_OK);
    assert_int_equal(field.number, 1);
    assert_int_equal(field.type, LIP_WIRE_VARINT);
    assert_int_equal(field.value, 150);
    assert_int_equal(lip_wire_next(&wire, &field, &error), LIP_OK);
    assert_int_equal(field.number, 2);
    assert_int_equal(field.size, 2);
    assert_memory_equal(field.data, "hi", 2);
    assert_ptr_equal(wire.at, wire.end);
}

static void test_select(void **state)
{
    (void)state;
    const uint8_t bytes[] = {0x08, 0x01, 0x12, 0x02, 'h', 'i', 0x08, 0x02};
    lip_memory memory;
    lip_memory_init(&memory, 1 << 20);
    uint8_t *out = NULL;
    size_t size;
    lip_error error;
    assert_int_equal(lip_wire_select(lip_wire_over(bytes, sizeof bytes), 1 << 1, &memory, &out, &size, &error),
                     LIP_OK);
    assert_int_equal(size, 4);
    assert_memory_equal(out, ((const uint8_t[]){0x08, 0x01, 0x08, 0x02}), 4);
    lip_free(&memory, out);
    assert_int_equal(atomic_load(&memory.used), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_check_accepts),
        cmocka_unit_test(test_check_refuses),
        cmocka_unit_test(test_next),
        cmocka_unit_test(test_select),
    };
    return cmocka_run_group_tests_name("wire", tests, NULL, NULL);
}
