/*
 * test_shards.c: shards, joined, are the report of one run; what does not fit
 * is refused.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "shards.h"
#include "fields.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define SAMPLES 23
#define FIRST 100 /* index of the first sample: a run with --range */

static char folder[] = "/tmp/lipaudit-test-XXXXXX";
static const lip_epsilon epsilon[] = {{0.25, "1/4"}, {8.0 / 255.0, "8/255"}};

static lip_row sample(int64_t i)
{
    lip_row row = {.index = FIRST + i, .label = i % 3, .predicted = i % 4 == 3 ? i % 3 + 1 : i % 3,
                   .margin = (double)(i * i % 7) - 1.0 / 3.0};
    row.radius = row.pairwise = row.label == row.predicted ? (double)(i * 5 % 11) / 10.0 : 0.0;
    row.sqrt2 = 0.9 * row.radius;
    strcpy(row.method, row.radius > 0.0 ? "pairwise" : "");
    return row;
}

static json_t *data_object(int64_t first, int64_t count)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:i, s:i, s:i, s:[f,f]}", "path", "x.npy", "sha256", "d1", "labels", "y.npy",
                     "labels_sha256", "d2", "stored", 200, "first", FIRST, "count", SAMPLES, "range",
                     first == 0 ? 0.5 : 1.0, first + count == SAMPLES ? 9.0 : 8.0);
}

/* The report of a shard; of all samples where shard.count is 0. */
static json_t *shard_report(lip_shard shard)
{
    int64_t first, count;
    lip_rows rows = {0};
    shard_range(shard, SAMPLES, &first, &count);
    for (int64_t i = first; i < first + count; i++) {
        lip_row row = sample(i);
        assert_true(rows_push(&rows, &row));
    }
    json_t *data = data_object(first, count);
    lip_certification certification = {.rows = rows, .labelled = true, .pairwise = true, .deployed = "float32",
                                       .remark = "", .epsilon = epsilon, .epsilon_count = 2, .shard = shard,
                                       .data = data};
    json_t *report = json_pack(
        "{s:s, s:{s:s}, s:s, s:{s:s}, s:{s:s, s:f}, s:[], s:{s:s, s:{s:f}}, s:{s:f, s:f}, s:i, s:o}",
        "schema", "lipaudit.report/1", "tool", "version", "1.2.3", "command", "certify", "model", "sha256", "m",
        "threat_model", "space", "data", "scale", 0.5, "layers", "network", "verdict", "bounded", "lipschitz", "upper",
        2.0, "timing", "load", 1.0, "total", 2.5, "peak_memory_bytes", (int)(1000 + shard.index), "certification",
        certification_json(&certification, true));
    assert_non_null(report);
    json_decref(data);
    rows_free(&rows);
    return report;
}

static char *path_of(int64_t index)
{
    static char paths[4][256];
    snprintf(paths[index], sizeof paths[index], "%s/%d.json", folder, (int)index);
    return paths[index];
}

static void save(int64_t index, json_t *report)
{
    assert_int_equal(json_dump_file(report, path_of(index), JSON_REAL_PRECISION(17)), 0);
    json_decref(report);
}

static void save_all(void)
{
    for (int64_t i = 1; i <= 3; i++)
        save(i, shard_report((lip_shard){i, 3}));
}

static void joined_is_whole(void **unused)
{
    (void)unused;
    lip_shards shards;
    lip_error error = {0};
    char *paths[] = {path_of(2), path_of(3), path_of(1)}; /* in any order */
    save_all();
    assert_true(shards_read(&shards, paths, 3, &error));
    json_t *joined = shards_join(&shards), *whole = shard_report((lip_shard){0, 0});
    assert_non_null(joined);
    char *a = json_dumps(field(joined, "certification"), JSON_REAL_PRECISION(17));
    char *b = json_dumps(field(whole, "certification"), JSON_REAL_PRECISION(17));
    assert_string_equal(a, b);
    assert_string_equal(field_text(joined, "command"), "merge");
    assert_true(field_number(joined, "timing.total") == 7.5);
    assert_int_equal(field_integer(joined, "peak_memory_bytes"), 1003);
    free(a);
    free(b);
    json_decref(joined);
    json_decref(whole);
    shards_free(&shards);
    shards_free(&shards);
}

static void one_shard(void **unused)
{
    (void)unused;
    lip_shards shards;
    lip_error error = {0};
    char *paths[] = {path_of(0)};
    save(0, shard_report((lip_shard){1, 1}));
    assert_true(shards_read(&shards, paths, 1, &error));
    json_t *joined = shards_join(&shards);
    assert_int_equal(field_count(joined, "certification.samples"), SAMPLES);
    assert_true(json_is_null(field(joined, "certification.shard")));
    json_decref(joined);
    shards_free(&shards);
}

static void assert_refused(char **paths, size_t count, const char *file, const char *reason)
{
    lip_shards shards;
    lip_error error = {0};
    assert_false(shards_read(&shards, paths, count, &error));
    if (!strstr(error.reason, reason) || strcmp(error.file, file) != 0)
        fail_msg("'%s: %s' instead of '%s: ...%s...'", error.file, error.reason, file, reason);
    shards_free(&shards);
}

/* Shard 2 with another value at a place. */
static void assert_difference_refused(const char *object, const char *key, json_t *value, const char *reason)
{
    char *paths[] = {path_of(1), path_of(2), path_of(3)};
    json_t *report = shard_report((lip_shard){2, 3});
    assert_int_equal(json_object_set_new((json_t *)field(report, object), key, value), 0);
    save(2, report);
    assert_refused(paths, 3, path_of(2), reason);
    save(2, shard_report((lip_shard){2, 3}));
}

static void differences(void **unused)
{
    (void)unused;
    save_all();
    assert_difference_refused("tool", "version", json_string("1.2.4"), "another version of lipaudit than in");
    assert_difference_refused("model", "sha256", json_string("n"), "another model than in");
    assert_difference_refused("threat_model", "scale", json_real(1.0), "another threat model than in");
    assert_difference_refused("certification.data", "sha256", json_string("d3"), "another data than in");
    assert_difference_refused("certification.data", "labels_sha256", json_null(), "another labels than in");
    assert_difference_refused("certification.data", "first", json_integer(0), "another range of samples");
    assert_difference_refused("certification.data", "count", json_integer(22), "another number of samples");
    assert_difference_refused("certification", "deployed", json_string("exact"), "another arithmetic (--deployed)");
    assert_difference_refused("certification", "certified_accuracy", json_array(), "other radii (--epsilon)");
    assert_difference_refused("certification.shard", "count", json_integer(4), "another number of shards");
    assert_difference_refused("network", "levels", json_pack("[{s:s}]", "method", "LipLT"),
                              "other levels of bounds (--effort, --max-seconds) than in");
    assert_difference_refused("certification", "partial", json_true(), "shard 2/3 ended early, with 8 samples");
    assert_difference_refused("certification", "per_sample", json_null(), "without --per-sample");
    assert_difference_refused("certification", "shard", json_null(), "not a report of `lipaudit certify --shard`");
    assert_difference_refused("certification.shard", "index", json_integer(4), "not a report of");
    assert_difference_refused("certification.shard", "index", json_integer(1), "is in ");
}

static void rows_that_do_not_fit(void **unused)
{
    (void)unused;
    char *paths[] = {path_of(1), path_of(2), path_of(3)};
    save_all();
    json_t *report = shard_report((lip_shard){2, 3});
    json_array_remove((json_t *)field(report, "certification.per_sample"), 3);
    save(2, report);
    assert_refused(paths, 3, path_of(2), "shard 2/3 wants 8 samples, and has 7");
    report = shard_report((lip_shard){2, 3});
    json_object_set_new(json_array_get(field(report, "certification.per_sample"), 3), "index", json_integer(1));
    save(2, report);
    assert_refused(paths, 3, path_of(2), "row 3 is not that of sample 110");
}

static void missing_and_twice(void **unused)
{
    (void)unused;
    char *two[] = {path_of(1), path_of(3)}, *twice[] = {path_of(1), path_of(2), path_of(1)};
    char *nothing[] = {path_of(0)};
    save_all();
    assert_refused(two, 2, "", "shard 2/3 is missing");
    assert_refused(twice, 3, path_of(1), "shard 1/3 is in ");
    unlink(path_of(0));
    assert_refused(nothing, 1, path_of(0), "No such file");
}

static int make_folder(void **unused)
{
    (void)unused;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **unused)
{
    (void)unused;
    for (int64_t i = 0; i < 4; i++)
        unlink(path_of(i));
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(joined_is_whole),      cmocka_unit_test(one_shard),         cmocka_unit_test(differences),
        cmocka_unit_test(rows_that_do_not_fit), cmocka_unit_test(missing_and_twice),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
