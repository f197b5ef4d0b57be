/*
 * test_options.c: flags into options, and the message of each refusal.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define MAX_WORDS 32

/* Splits at spaces; the words live in `store`. */
static bool parse(const lip_command *command, const char *line, lip_options *options, lip_options_error *error)
{
    static char store[512];
    char *argv[MAX_WORDS + 1] = {NULL};
    int argc = 0;
    snprintf(store, sizeof store, "%s", line);
    for (char *word = strtok(store, " "); word && argc < MAX_WORDS; word = strtok(NULL, " "))
        argv[argc++] = word;
    return options_parse(command, argc, argv, options, error);
}

static void defaults(void **unused)
{
    (void)unused;
    lip_options options;
    lip_options_error error;
    assert_true(parse(&command_audit, "audit m.onnx", &options, &error));
    assert_string_equal(options.model, "m.onnx");
    assert_int_equal(options.report_count, 1);
    assert_string_equal(options.reports[0].format->name, "text");
    assert_null(options.reports[0].path);
    assert_false(options.quiet);
    assert_int_equal(options.load.shape_count, 0);
    assert_int_equal(options.audit.exact, LIP_EXACT_AUTO);
    assert_int_equal(options.audit.iterations, 0);
}

static void every_flag(void **unused)
{
    (void)unused;
    lip_options options;
    lip_options_error error;
    assert_true(parse(&command_audit,
                      "audit --format json -o a.json --report csv=b=c.csv --report markdown=d.md --quiet --no-progress "
                      "--threads 3 --seed 18446744073709551615 --max-memory 4GiB --input x --output y "
                      "--input-shape in:0:1x3x8x8 --iterations 50 --exact never m.onnx",
                      &options, &error));
    assert_int_equal(options.report_count, 3);
    assert_string_equal(options.reports[0].format->name, "json");
    assert_string_equal(options.reports[0].path, "a.json");
    assert_string_equal(options.reports[1].path, "b=c.csv");
    assert_string_equal(options.reports[2].format->extension, ".md");
    assert_true(options.quiet && options.no_progress);
    assert_int_equal(options.audit.threads, 3);
    assert_true(options.audit.seed == UINT64_MAX);
    assert_true(options.load.max_memory == (uint64_t)4 << 30);
    assert_string_equal(options.load.input, "x");
    assert_string_equal(options.load.output, "y");
    assert_int_equal(options.load.shape_count, 1);
    assert_string_equal(options.load.shapes[0].name, "in:0"); /* split at the last colon */
    assert_int_equal(options.load.shapes[0].shape.rank, 4);
    assert_int_equal(options.audit.iterations, 50);
    assert_int_equal(options.audit.exact, LIP_EXACT_NEVER);
}

static void refusals(void **unused)
{
    (void)unused;
    static const struct {
        const lip_command *command;
        const char *line, *message;
    } row[] = {
        {&command_audit, "audit", "'audit' wants a model"},
        {&command_audit, "audit -", "'audit' reads a model from a file, not from standard input"},
        {&command_audit, "audit a b", "'audit' does not know what to do with 'b'"},
        {&command_ops, "ops a", "'ops' does not know what to do with 'a'"},
        {&command_audit, "audit --formt text m", "'audit' has no flag '--formt'; did you mean '--format'?"},
        {&command_audit, "audit --frobnicate=1 m", "'audit' has no flag '--frobnicate'"},
        {&command_audit, "audit -x m", "'audit' has no flag '-x'"},
        {&command_ops, "ops --threads 2", "'ops' has no flag '--threads'"},
        {&command_audit, "audit --quiet=1 m", "--quiet takes no value"},
        {&command_audit, "audit m --seed", "--seed wants a value: N"},
        {&command_audit, "audit m --format xml",
         "--format: 'audit' has no format 'xml'; it has: text, json, csv, markdown"},
        {&command_inspect, "inspect m --format csv", "--format: 'inspect' has no format 'csv'; it has: text, json"},
        {&command_audit, "audit m --report json", "--report: 'json' is not FORMAT=FILE"},
        {&command_audit, "audit m --threads 0", "--threads: '0' is not a whole number from 1 to 4096"},
        {&command_audit, "audit m --threads 2x", "--threads: '2x' is not a whole number from 1 to 4096"},
        {&command_audit, "audit m --iterations 2147483648",
         "--iterations: '2147483648' is not a whole number from 1 to 2147483647"},
        {&command_audit, "audit m --seed -1", "--seed: '-1' is not a whole number from 0 to 18446744073709551615"},
        {&command_audit, "audit m --max-memory lots", "--max-memory: 'lots' is not a size, such as 500M or 4GiB"},
        {&command_audit, "audit m --input-shape 1x3", "--input-shape: '1x3' is not NAME:SHAPE, such as x:1x3x224x224"},
        {&command_audit, "audit m --input-shape x:1 --input-shape x:2", "--input-shape: input 'x' is given twice"},
        {&command_audit, "audit m --exact maybe", "--exact: 'maybe' is not auto, always or never"},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        lip_options options;
        lip_options_error error = {{0}};
        assert_false(parse(row[i].command, row[i].line, &options, &error));
        assert_string_equal(error.message, row[i].message);
    }
}

static void help_needs_no_model(void **unused)
{
    (void)unused;
    lip_options options;
    lip_options_error error;
    assert_true(parse(&command_audit, "audit --help", &options, &error));
    assert_true(options.help);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults),
        cmocka_unit_test(every_flag),
        cmocka_unit_test(refusals),
        cmocka_unit_test(help_needs_no_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
