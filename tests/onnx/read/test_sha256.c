/*
 * test_sha256.c: the examples of FIPS 180-2, appendix B, and block borders
 * (digests by coreutils' sha256sum).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "check_model.h"

#include "read/sha256.h"

#include <stdlib.h>

static void check(const char *text, size_t size, const char *digest)
{
    char found[65];
    lip_sha256(text, size, found);
    assert_string_equal(found, digest);
}

static void test_standard_examples(void **state)
{
    (void)state;
    check("", 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    check("abc", 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    check("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56,
          "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

static void test_million_letters(void **state)
{
    (void)state;
    char *text = malloc(1000000);
    assert_non_null(text);
    memset(text, 'a', 1000000);
    check(text, 1000000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    check(text, 55, "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318");
    check(text, 64, "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb");
    check(text, 119, "31eba51c313a5c08226adf18d4a359cfdfd8d2e816b13f4af952f7ea6584dcfb");
    free(text);
}

static void test_pieces(void **state)
{
    (void)state;
    char text[300], whole[65], found[65];
    memset(text, 'b', sizeof text);
    for (size_t size = 0; size < sizeof text; size += 13) {
        lip_sha256(text, size, whole);
        for (size_t piece = 1; piece < 150; piece += 7) {
            lip_digest digest;
            lip_digest_begin(&digest);
            for (size_t at = 0; at < size; at += piece)
                lip_digest_add(&digest, text + at, size - at < piece ? size - at : piece);
            lip_digest_end(&digest, found);
            assert_string_equal(found, whole);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_standard_examples),
        cmocka_unit_test(test_million_letters),
        cmocka_unit_test(test_pieces),
    };
    return cmocka_run_group_tests_name("sha256", tests, NULL, NULL);
}
