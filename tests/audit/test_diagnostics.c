/*
 * test_diagnostics.c: every diagnostic names file, node, module and operator,
 * as far as they are known, and is safe to print.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "diagnostics.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void assert_diagnosed(const lip_error *error, const char *expected)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    assert_non_null(stream);
    diagnose_error(stream, error);
    fclose(stream);
    assert_string_equal(text, expected);
    free(text);
}

static void names_what_is_known(void **unused)
{
    (void)unused;
    lip_error full = {LIP_EFORMAT, "m.onnx", "/conv1/Conv", "conv1", "Conv", "the kernel is empty"};
    assert_diagnosed(&full, "lipaudit: m.onnx: node '/conv1/Conv' (module conv1, Conv): the kernel is empty\n");
    lip_error no_module = {LIP_EFORMAT, "m.onnx", "#12", "", "Conv", "the kernel is empty"};
    assert_diagnosed(&no_module, "lipaudit: m.onnx: node '#12' (Conv): the kernel is empty\n");
    lip_error only_node = {LIP_EFORMAT, "m.onnx", "a", "", "", "is on a cycle"};
    assert_diagnosed(&only_node, "lipaudit: m.onnx: node 'a': is on a cycle\n");
    lip_error only_file = {LIP_EIO, "m.onnx", "", "", "", "No such file or directory"};
    assert_diagnosed(&only_file, "lipaudit: m.onnx: No such file or directory\n");
}

static void never_empty(void **unused)
{
    (void)unused;
    lip_error bare = {.status = LIP_EMEMORY};
    assert_diagnosed(&bare, "lipaudit: out of memory or over the memory cap (--max-memory sets the cap)\n");
}

static void safe_to_print(void **unused)
{
    (void)unused;
    lip_error hostile = {LIP_EFORMAT, "m\n.onnx", "\033[2J", "", "", "\xFF"};
    assert_diagnosed(&hostile, "lipaudit: m?.onnx: node '?[2J': ?\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_what_is_known),
        cmocka_unit_test(never_empty),
        cmocka_unit_test(safe_to_print),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
