/*
 * test_draft.c: the table of names: the hash is SipHash, and names that share
 * a bucket under one key load in the time of others.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "check_model.h"

#include "graph/draft.h"

#include <stdio.h>
#include <time.h>

enum { NAMES = 100000 };

/* The first two of the test vectors in the authors' reference code, with key 00 01 .. 0f. */
static void test_hash(void **state)
{
    (void)state;
    const uint64_t key[2] = {UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908)};
    assert_true(lip_hash_text("", key) == UINT64_C(0x726fdb47dd0e0e31));
    /* "\x01\x02" does not start with a zero byte, as theirs do; other lengths follow from the definition */
    assert_true(lip_hash_text("a", key) != lip_hash_text("b", key));
    assert_true(lip_hash_text("12345678", key) != lip_hash_text("1234567", key));
}

/* FNV-1a, the usual hash for this purpose: with it the names below would be in one bucket of 256. */
static uint64_t fnv(const char *text)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * UINT64_C(1099511628211);
    return hash;
}

/* A name with fnv(name) % 2^8 == 0, found by trying. */
static void colliding(uint64_t *next, char name[24])
{
    do
        snprintf(name, 24, "n%llx", (unsigned long long)(*next)++);
    while (fnv(name) & 0xff); /* as many as 1e5 names can be found for in a second */
}

static double load(char (*names)[24])
{
    lip_model model = {0};
    lip_draft draft;
    lip_memory_init(&model.memory, UINT64_C(1) << 30);
    lip_arena_init(&model.arena, &model.memory);
    lip_draft_init(&draft, &model);
    clock_t from = clock();
    for (int round = 0; round < 2; round++)
        for (size_t i = 0; i < NAMES; i++)
            assert_non_null(lip_draft_value_named(&draft, names[i]));
    double seconds = (double)(clock() - from) / CLOCKS_PER_SEC;
    assert_int_equal(draft.value_count, NAMES);
    lip_draft_free(&draft);
    lip_arena_free(&model.arena);
    return seconds;
}

static void test_colliding_names(void **state)
{
    (void)state;
    static char plain[NAMES][24], made[NAMES][24];
    uint64_t next = 0;
    for (size_t i = 0; i < NAMES; i++) {
        snprintf(plain[i], sizeof plain[i], "m%zx", i * 1024);
        colliding(&next, made[i]);
    }
    double one = load(plain), other = load(made);
    print_message("# %d names: %.3f s, colliding ones %.3f s\n", NAMES, one, other);
    assert_true(other < 5 * one + 0.2);
}

/* The longest chain under the key that chance gave: as in any table that is about half full. */
static void test_chains(void **state)
{
    (void)state;
    lip_model model = {0};
    lip_draft draft;
    char name[24];
    uint64_t next = 0;
    size_t longest = 0;
    lip_memory_init(&model.memory, UINT64_C(1) << 30);
    lip_arena_init(&model.arena, &model.memory);
    lip_draft_init(&draft, &model);
    for (size_t i = 0; i < 10000; i++) {
        colliding(&next, name);
        assert_non_null(lip_draft_value_named(&draft, name));
    }
    for (size_t i = 0; i < draft.bucket_count; i++) {
        size_t length = 0;
        for (const lip_draft_value *at = draft.buckets[i]; at; at = at->next)
            length++;
        longest = length > longest ? length : longest;
    }
    assert_in_range(longest, 1, 16);
    lip_draft_free(&draft);
    lip_arena_free(&model.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hash),
        cmocka_unit_test(test_colliding_names),
        cmocka_unit_test(test_chains),
    };
    return cmocka_run_group_tests_name("draft", tests, NULL, NULL);
}
