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

#define MAX_WORDS 64

/* Splits at spaces; options borrow the words, which live until the next call. */
static bool parse(const lip_command *command, const char *line, lip_options *options, lip_options_error *error)
{
    static char store[512];
    static char *argv[MAX_WORDS + 1];
    int argc = 0;
    memset(argv, 0, sizeof argv);
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

static void data_flags(void **unused)
{
    (void)unused;
    lip_options options;
    lip_options_error error;
    assert_true(parse(&command_certify, "certify m --data d", &options, &error));
    assert_null(options.load.preprocess);
    assert_true(options.shard.count == 0 && options.epsilon_count == 0 && !options.per_sample);
    assert_int_equal(options.certify.deployed, LIP_DEPLOYED_FLOAT32);
    assert_true(parse(&command_certify,
                      "certify m --data d.npz --labels l.npy --layout nhwc --range 10:20 --limit 5 --scale 1/255 "
                      "--mean 0.5,1/4 --std 2,4 --radius-space model --epsilon 8/255,0.5 --epsilon 1 --deployed exact "
                      "--precision float64 --per-sample r.csv --shard 2/8 --force",
                      &options, &error));
    assert_string_equal(options.data.path, "d.npz");
    assert_string_equal(options.data.labels, "l.npy");
    assert_int_equal(options.data.layout, LIP_LAYOUT_NHWC);
    assert_true(options.data.first == 10 && options.data.end == 20 && options.data.limit == 5);
    const lip_preprocess *p = options.load.preprocess;
    assert_true(p && p->scale == 1.0 / 255.0 && p->mean_count == 2 && p->mean[1] == 0.25 && p->std_count == 2 &&
                p->std[1] == 4.0);
    assert_int_equal(options.space, LIP_SPACE_MODEL);
    assert_true(options.epsilon_count == 3 && options.epsilon[0].value == 8.0 / 255.0 &&
                options.epsilon[2].value == 1.0);
    assert_string_equal(options.epsilon[0].text, "8/255");
    assert_int_equal(options.certify.deployed, LIP_DEPLOYED_EXACT);
    assert_int_equal(options.certify.precision, LIP_PRECISION_FLOAT64);
    assert_string_equal(options.per_sample, "r.csv");
    assert_true(options.shard.index == 2 && options.shard.count == 8 && options.force);
    assert_true(parse(&command_certify, "certify m --data d --range 5: --std 2", &options, &error));
    assert_true(options.data.first == 5 && options.data.end == 0 && options.preprocess.scale == 1.0);
    assert_true(parse(&command_merge, "merge b.json a.json -q", &options, &error));
    assert_int_equal(options.file_count, 2);
    assert_string_equal(options.files[1], "a.json");
}

static void data_refusals(void **unused)
{
    (void)unused;
    static const struct {
        const char *flag, *message;
    } row[] = {
        {"--data=", "--data: the file's name is empty"},
        {"--layout chw", "--layout: 'chw' is not nchw or nhwc"},
        {"--range 5", "--range: '5' is not A:B with A < B (samples A to B - 1, counted from 0)"},
        {"--range 5:5", "--range: '5:5' is not A:B with A < B (samples A to B - 1, counted from 0)"},
        {"--range -1:5", "--range: '-1:5' is not A:B with A < B (samples A to B - 1, counted from 0)"},
        {"--limit 0", "--limit: '0' is not a whole number from 1"},
        {"--scale 0", "--scale: '0' is not a number > 0, such as 1/255"},
        {"--scale 1/0", "--scale: '1/0' is not a number > 0, such as 1/255"},
        {"--mean 1;2", "--mean: '1;2' is not 1 to 64 numbers, such as 0.485,0.456,0.406"},
        {"--std 1,0", "--std: '1,0' is not 1 to 64 numbers > 0, such as 0.229,0.224,0.225"},
        {"--epsilon 1,,2", "--epsilon: '1,,2' is not 1 to 32 radii >= 0, such as 36/255,0.5"},
        {"--epsilon -1", "--epsilon: '-1' is not 1 to 32 radii >= 0, such as 36/255,0.5"},
        {"--deployed int8", "--deployed: 'int8' is not float32, float16 or exact"},
        {"--precision half", "--precision: 'half' is not auto, float32 or float64"},
        {"--per-sample r.txt", "--per-sample: 'r.txt' ends neither in .csv nor in .npz"},
        {"--shard 0/8", "--shard: '0/8' is not I/N with 1 <= I <= N <= 1000000, such as 2/8"},
        {"--shard 9/8", "--shard: '9/8' is not I/N with 1 <= I <= N <= 1000000, such as 2/8"},
        {"--shard 3", "--shard: '3' is not I/N with 1 <= I <= N <= 1000000, such as 2/8"},
        {"--radius-space pixels", "--radius-space: 'pixels' is not data or model"},
        {"--force=1", "--force takes no value"},
        {"--shrad 1/2", "'certify' has no flag '--shrad'; did you mean '--shard'?"},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        lip_options options;
        lip_options_error error = {{0}};
        char line[256];
        snprintf(line, sizeof line, "certify m --data d %s", row[i].flag);
        assert_false(parse(&command_certify, line, &options, &error));
        assert_string_equal(error.message, row[i].message);
    }
    lip_options options;
    lip_options_error error;
    assert_false(parse(&command_merge, "merge", &options, &error));
    assert_string_equal(error.message, "'merge' wants SHARD.json ...");
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
         "--format: 'audit' has no format 'xml'; it has: text, json, csv, markdown, html, "
        "junit, sarif, github, gitlab, openmetrics, dot"},
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
        cmocka_unit_test(data_flags),
        cmocka_unit_test(data_refusals),
        cmocka_unit_test(refusals),
        cmocka_unit_test(help_needs_no_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
