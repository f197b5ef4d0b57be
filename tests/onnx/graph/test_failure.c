/*
 * test_failure.c: errors are filled, cut and made printable.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "check_model.h"

#include "failure.h"
#include "graph.h"

static void printable(const char *text, const char *wanted)
{
    char found[64];
    lip_copy_printable(found, sizeof found, text);
    assert_string_equal(found, wanted);
}

static void test_printable(void **state)
{
    (void)state;
    printable("plain", "plain");
    printable("a\nb\x1b[31mc\x7f", "a?b?[31mc?");
    printable("gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f");
    printable("\xff\xfe", "??");
    printable("\xc3", "?");
    printable("\xe2\x82", "??");
    printable("\xc0\xaf", "??");             /* overlong */
    printable("\xed\xa0\x80", "???");        /* surrogate */
    printable("\xc2\x9b", "??");             /* C1 control */
    printable("\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80");
    printable("\xf4\x90\x80\x80", "????");   /* above U+10FFFF */
    char small[4];
    lip_copy_printable(small, sizeof small, "ab\xc3\xbc");
    assert_string_equal(small, "ab");
    lip_copy_printable(small, sizeof small, NULL);
    assert_string_equal(small, "");
}

static void test_fail(void **state)
{
    (void)state;
    lip_error error = {.file = "f.onnx"};
    const lip_node node = {.name = "n", .op_type = "Gelu", .domain = "com.microsoft", .module = "layer.0"};
    assert_int_equal(lip_fail_node(&error, LIP_EFORMAT, &node, "no %d", 7), LIP_EFORMAT);
    assert_string_equal(error.file, "f.onnx");
    assert_string_equal(error.node, "n");
    assert_string_equal(error.op, "com.microsoft::Gelu");
    assert_string_equal(error.module, "layer.0");
    assert_string_equal(error.reason, "no 7");
    assert_int_equal(lip_fail(&error, LIP_EIO, "%s again", error.reason), LIP_EIO);
    assert_string_equal(error.reason, "no 7 again");
    assert_string_equal(error.node, "");
    assert_int_equal(lip_fail_memory(&error, NULL, "x"), LIP_EMEMORY);
    assert_int_equal(lip_fail(NULL, LIP_EIO, "nothing"), LIP_EIO);
    char longer[2000];
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    lip_fail(&error, LIP_EIO, "%s", longer);
    assert_int_equal(strlen(error.reason), sizeof error.reason - 1);
}

static void test_status_text(void **state)
{
    (void)state;
    assert_string_equal(lip_status_text(LIP_OK), "success");
    assert_string_equal(lip_status_text(LIP_EFORMAT), "malformed file");
    assert_string_equal(lip_status_text((lip_status)99), "unknown status");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_printable),
        cmocka_unit_test(test_fail),
        cmocka_unit_test(test_status_text),
    };
    return cmocka_run_group_tests_name("failure", tests, NULL, NULL);
}
