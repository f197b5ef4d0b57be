/*
 * test_utf8.c: hostile names are harmless on a terminal and valid in JSON.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void sizes(void **unused)
{
    (void)unused;
    assert_int_equal(utf8_size("a"), 1);
    assert_int_equal(utf8_size("\xC3\xA9"), 2);
    assert_int_equal(utf8_size("\xE2\x82\xAC"), 3);
    assert_int_equal(utf8_size("\xF0\x9F\x98\x80"), 4);
    static const char *const bad[] = {"\x80", "\xC0\x80", "\xC3", "\xE0\x80\x80", "\xED\xA0\x80", "\xF0\x80\x80\x80",
                                      "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xE2\x82"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(utf8_size(bad[i]), 0);
}

static void assert_printed(const char *text, const char *expected)
{
    char *out = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&out, &size);
    assert_non_null(stream);
    utf8_print(stream, text);
    fclose(stream);
    assert_string_equal(out, expected);
    free(out);
}

static void prints_safely(void **unused)
{
    (void)unused;
    assert_printed("conv1", "conv1");
    assert_printed("\033[31mred\n", "?[31mred?");
    assert_printed("caf\xC3\xA9 \xC2\x9B \xFF", "caf\xC3\xA9 ? ?"); /* U+009B is a control character too */
}

static void repairs(void **unused)
{
    (void)unused;
    char *text = utf8_repair("a\xFF\xC3\xA9\xC3");
    assert_non_null(text);
    assert_string_equal(text, "a\xEF\xBF\xBD\xC3\xA9\xEF\xBF\xBD");
    free(text);
}

static void fits(void **unused)
{
    (void)unused;
    assert_string_equal(utf8_fit("conv1", 10, UTF8_KEEP_END).text, "conv1");
    assert_string_equal(utf8_fit("BatchNormalization", 10, UTF8_KEEP_START).text, "BatchNorm.");
    assert_string_equal(utf8_fit("block2.shortcut", 12, UTF8_KEEP_END).text, "..2.shortcut");
    assert_int_equal(utf8_fit("block2.shortcut", 12, UTF8_KEEP_END).width, 12);
    assert_string_equal(utf8_fit("abcdefgh", 3, UTF8_KEEP_END).text, "fgh");
    assert_string_equal(utf8_fit("abcdefgh", 3, UTF8_KEEP_START).text, "abc");
    assert_int_equal(utf8_fit("\xC3\xA9\xC3\xA9\xC3\xA9", 3, UTF8_KEEP_END).width, 3);
    assert_string_equal(utf8_fit("", 3, UTF8_KEEP_END).text, "");
    char *large = malloc(3000001);
    assert_non_null(large);
    memset(large, 'x', 3000000);
    large[3000000] = '\0';
    assert_int_equal(utf8_fit(large, 1000, UTF8_KEEP_END).width, UTF8_LABEL_WIDTH);
    free(large);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes),
        cmocka_unit_test(prints_safely),
        cmocka_unit_test(repairs),
        cmocka_unit_test(fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
