/*
 * test_baseline.c: a baseline holds what lasts, and nothing else.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "baseline.h"
#include "fields.h"
#include "sample.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const char path[] = "/tmp/lipaudit-baseline-test.json";

static char *read_all(void)
{
    char *text = calloc(1, 1 << 20);
    FILE *file = fopen(path, "r");
    assert_non_null(text);
    assert_non_null(file);
    text[fread(text, 1, (1 << 20) - 1, file)] = '\0';
    fclose(file);
    return text;
}

static void what_lasts(void **unused)
{
    (void)unused;
    static const char *const gone[] = {"seconds", "timing", "peak_memory_bytes", "threads", "gates", "comparison"};
    lip_run_info run = sample_run();
    json_t *report = document_of(&run);
    lip_error error;
    json_object_set_new(report, "gates", json_array());
    json_object_set_new(report, "comparison", json_object());
    json_object_set_new(report, "certification", json_pack("{s:[i], s:i}", "per_sample", 7, "samples", 1));
    json_object_set_new(json_object_get(report, "network"), "levels", json_pack("[{s:f}]", "seconds", 3.5));
    assert_true(baseline_write(path, report));
    char *text = read_all();
    for (size_t i = 0; i < sizeof gone / sizeof *gone; i++)
        if (strstr(text, gone[i]))
            fail_msg("'%s' is in the baseline", gone[i]);
    json_t *read = document_load(path, 0, &error);
    assert_non_null(read);
    assert_true(json_is_null(field(read, "certification.per_sample")));
    assert_int_equal(field_integer(read, "certification.samples"), 1);
    assert_true(json_equal(field(read, "network.lipschitz"), field(report, "network.lipschitz")));
    assert_non_null(field(report, "timing")); /* the report itself is as it was */
    free(text);
    json_decref(read);
    json_decref(report);
    unlink(path);
}

static void no_bound(void **unused)
{
    (void)unused;
    lip_run_info run = sample_unknown_run();
    json_t *report = document_of(&run);
    assert_false(baseline_write(path, report));
    assert_false(baseline_exists(path));
    json_decref(report);
}

static void some_samples(void **unused)
{
    (void)unused;
    lip_run_info run = sample_run();
    json_t *report = document_of(&run), *certification = json_object();
    json_object_set_new(report, "certification", certification);
    json_object_set_new(certification, "partial", json_true());
    assert_false(baseline_write(path, report));
    json_object_set_new(certification, "partial", json_false());
    json_object_set_new(certification, "shard", json_object());
    assert_false(baseline_write(path, report));
    assert_false(baseline_exists(path));
    json_decref(report);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_lasts), cmocka_unit_test(no_bound),
                                       cmocka_unit_test(some_samples)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
