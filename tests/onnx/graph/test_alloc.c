/*
 * test_alloc.c: the memory account and the arena.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "check_model.h"

static void test_account(void **state)
{
    (void)state;
    lip_memory memory;
    lip_memory_init(&memory, 10000);
    unsigned char *a = lip_alloc(&memory, 100, 10);
    assert_non_null(a);
    assert_int_equal((uintptr_t)a % 64, 0);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(a[i], 0);
    assert_true(atomic_load(&memory.used) >= 1000);
    assert_null(lip_alloc(&memory, 9500, 1));
    void *empty = lip_alloc(&memory, 0, 8);
    assert_non_null(empty);
    lip_free(&memory, empty);
    lip_free(&memory, a);
    lip_free(&memory, NULL);
    assert_int_equal(atomic_load(&memory.used), 0);
    assert_true(atomic_load(&memory.peak) >= 1000);
    void *b = lip_alloc(&memory, 9500, 1);
    assert_non_null(b);
    lip_free(&memory, b);
}

static void test_overflow(void **state)
{
    (void)state;
    lip_memory memory;
    lip_memory_init(&memory, 0);
    assert_true(memory.cap > 0);
    assert_null(lip_alloc(&memory, INT64_MAX, 8));
    assert_null(lip_alloc(&memory, INT64_MAX, 1));
    assert_null(lip_alloc(&memory, -1, 8));
    int64_t out = 7;
    assert_false(lip_size_mul(INT64_MAX / 2, 3, &out));
    assert_false(lip_size_mul(-1, 3, &out));
    assert_false(lip_size_add(INT64_MAX, 1, &out));
    assert_int_equal(out, 7);
    assert_true(lip_size_mul(0, INT64_MAX, &out));
    assert_int_equal(out, 0);
    assert_true(lip_size_add(INT64_MAX - 1, 1, &out));
}

static void test_fail_in(void **state)
{
    (void)state;
    lip_memory memory;
    lip_memory_init(&memory, 1 << 20);
    atomic_store(&memory.fail_in, 2);
    void *a = lip_alloc(&memory, 1, 1);
    assert_non_null(a);
    assert_null(lip_alloc(&memory, 1, 1));
    void *b = lip_alloc(&memory, 1, 1);
    assert_non_null(b);
    lip_free(&memory, a);
    lip_free(&memory, b);
}

static void test_arena(void **state)
{
    (void)state;
    lip_memory memory;
    lip_memory_init(&memory, 64 << 20);
    lip_arena arena;
    lip_arena_init(&arena, &memory);
    unsigned char *blocks[200];
    for (int i = 0; i < 200; i++) {
        int64_t size = i % 10 == 0 ? 100000 : 37;
        blocks[i] = lip_arena_alloc(&arena, size, 1);
        assert_non_null(blocks[i]);
        assert_int_equal((uintptr_t)blocks[i] % 64, 0);
        assert_int_equal(blocks[i][size - 1], 0);
        memset(blocks[i], i, (size_t)size);
        const char *text = lip_arena_string(&arena, "hello", 4);
        assert_string_equal(text, "hell");
    }
    for (int i = 0; i < 200; i++)
        assert_int_equal(blocks[i][36], i);
    assert_null(lip_arena_alloc(&arena, INT64_MAX, 2));
    lip_arena_free(&arena);
    lip_arena_free(&arena);
    assert_int_equal(atomic_load(&memory.used), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_account),
        cmocka_unit_test(test_overflow),
        cmocka_unit_test(test_fail_in),
        cmocka_unit_test(test_arena),
    };
    return cmocka_run_group_tests_name("alloc", tests, NULL, NULL);
}
