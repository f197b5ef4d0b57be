/*
 * shards.c: the reports of a run that was divided by --shard, joined.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "shards.h"
#include "document.h"
#include "fields.h"
#include "options.h"
#include "tightness.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

LIP_PRINTF(3, 4) static bool refuse(lip_error *error, const char *path, const char *text, ...)
{
    va_list arguments;
    *error = (lip_error){.status = LIP_EUSAGE};
    snprintf(error->file, sizeof error->file, "%s", path);
    va_start(arguments, text);
    vsnprintf(error->reason, sizeof error->reason, text, arguments);
    va_end(arguments);
    return false;
}

static bool no_memory(lip_error *error, const char *path)
{
    refuse(error, path, "out of memory");
    error->status = LIP_EMEMORY;
    return false;
}

/* What has to be the same in all shards. */
static const struct same {
    const char *path, *what;
} same[] = {
    {"tool.version", "version of lipaudit"},
    {"model.sha256", "model"},
    {"threat_model", "threat model"},
    {"certification.data.sha256", "data"},
    {"certification.data.labels_sha256", "labels"},
    {"certification.data.first", "range of samples"},
    {"certification.data.count", "number of samples"},
    {"certification.deployed", "arithmetic (--deployed)"},
    {"certification.shard.count", "number of shards"},
};

static bool differs(const json_t *a, const json_t *b)
{
    return !a || !b || !json_equal((json_t *)a, (json_t *)b);
}

/* What was asked for, whatever was found: the key of every element of the array. */
static bool same_list(const json_t *a, const json_t *b, const char *array, const char *key)
{
    const json_t *x = field(a, array), *y = field(b, array);
    if (json_array_size(x) != json_array_size(y))
        return false;
    for (size_t i = 0; i < json_array_size(x); i++)
        if (differs(field(json_array_get(x, i), key), field(json_array_get(y, i), key)))
            return false;
    return true;
}

static bool check_same(const lip_shards *shards, const json_t *report, const char *path, lip_error *error)
{
    const char *first = shards->paths[0];
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        if (differs(field(report, same[i].path), field(shards->first, same[i].path)))
            return refuse(error, path, "another %s than in %.200s", same[i].what, first);
    if (strcmp(field_text(report, "tightness.method"), field_text(shards->first, "tightness.method")) != 0)
        return refuse(error, path, "another attack (--attack) than in %.200s", first);
    if (json_is_object(field(report, "certification.local")) !=
        json_is_object(field(shards->first, "certification.local")))
        return refuse(error, path, "with or without --local, unlike %.200s", first);
    if (!same_list(report, shards->first, "network.levels", "method"))
        return refuse(error, path, "other levels of bounds (--effort, --max-seconds) than in %.200s", first);
    if (!same_list(report, shards->first, "certification.certified_accuracy", "eps"))
        return refuse(error, path, "other radii (--epsilon) than in %.200s", first);
    return true;
}

static bool check_shard(const json_t *report, const char *path, lip_shard *shard, lip_error *error)
{
    const json_t *section = field(report, "certification");
    *shard = (lip_shard){field_integer(section, "shard.index"), field_integer(section, "shard.count")};
    if (shard->count < 1 || shard->count > OPTIONS_MAX_SHARDS || shard->index < 1 || shard->index > shard->count)
        return refuse(error, path, "not a report of `lipaudit certify --shard`");
    if (field_true(section, "partial"))
        return refuse(error, path, "shard %" PRId64 "/%" PRId64 " ended early, with %" PRIu64 " samples: run it again",
                      shard->index, shard->count, field_count(section, "samples"));
    if (!json_is_array(field(section, "per_sample")))
        return refuse(error, path, "its rows are not in the report: run the shard without --per-sample");
    return true;
}

static bool begin(lip_shards *shards, json_t *report, lip_shard shard, lip_error *error)
{
    shards->count = (size_t)shard.count;
    shards->from = calloc(shards->count, sizeof *shards->from);
    shards->first = json_incref(report);
    shards->remarked = true;
    return shards->from || no_memory(error, shards->paths[0]);
}

/* The shard's rows are its samples, in order. */
static bool take_rows(lip_shards *shards, const json_t *report, lip_shard shard, const char *path, lip_error *error)
{
    size_t i;
    lip_row row;
    int64_t first, count;
    const json_t *element, *section = field(report, "certification"), *rows = field(section, "per_sample");
    shard_range(shard, field_integer(section, "data.count"), &first, &count);
    first += field_integer(section, "data.first");
    if (count < 0 || json_array_size(rows) != (size_t)count)
        return refuse(error, path, "shard %" PRId64 "/%" PRId64 " wants %" PRId64 " samples, and has %zu", shard.index,
                      shard.count, count, json_array_size(rows));
    json_array_foreach(rows, i, element) {
        if (!row_from_json(element, &row) || row.index != first + (int64_t)i)
            return refuse(error, path, "row %zu is not that of sample %" PRId64, i, first + (int64_t)i);
        if (!rows_push(&shards->rows, &row))
            return no_memory(error, path);
    }
    return true;
}

static bool read_one(lip_shards *shards, size_t at, json_t *report, lip_error *error)
{
    lip_shard shard;
    const char *path = shards->paths[at];
    if (!check_shard(report, path, &shard, error) || (at == 0 && !begin(shards, report, shard, error)) ||
        !check_same(shards, report, path, error))
        return false;
    size_t *from = &shards->from[shard.index - 1];
    if (*from > 0)
        return refuse(error, path, "shard %" PRId64 "/%" PRId64 " is in %.200s too", shard.index, shard.count,
                      shards->paths[*from - 1]);
    *from = at + 1;
    shards->remarked = shards->remarked && field_text(report, "certification.remark")[0] != '\0';
    return take_rows(shards, report, shard, path, error);
}


/* To a number of seconds that the first report has. */
static bool add(json_t *into, const json_t *from, const char *key)
{
    double a = field_number(into, key), b = field_number(from, key);
    if (!json_is_number(json_object_get(into, key)))
        return true;
    return json_object_set_new(into, key, json_number(a + b)) == 0;
}

static bool combine_range(json_t *into, const json_t *from)
{
    json_t *range = json_object_get(into, "range");
    const json_t *other = field(from, "range");
    if (json_array_size(range) != 2 || json_array_size(other) != 2)
        return true;
    double low = fmin(value_number(json_array_get(range, 0)), value_number(json_array_get(other, 0)));
    double high = fmax(value_number(json_array_get(range, 1)), value_number(json_array_get(other, 1)));
    return json_array_set_new(range, 0, json_number(low)) == 0 && json_array_set_new(range, 1, json_number(high)) == 0;
}

static bool combine_peak(json_t *into, const json_t *from)
{
    uint64_t a = field_count(into, "peak_memory_bytes"), b = field_count(from, "peak_memory_bytes");
    return json_object_set_new(into, "peak_memory_bytes", json_count(a > b ? a : b)) == 0;
}

/* What the first report says of its own part becomes what holds of all. */
static bool combine_reports(json_t *into, const json_t *from)
{
    static const char *const part[] = {"load", "bounds", "data", "total"};
    json_t *timing = json_object_get(into, "timing"), *section = json_object_get(into, "certification");
    bool done = combine_peak(into, from) &&
                combine_range(json_object_get(section, "data"), field(from, "certification.data"));
    for (size_t i = 0; done && i < sizeof part / sizeof *part; i++)
        done = add(timing, field(from, "timing"), part[i]);
    return done;
}

static bool check_complete(const lip_shards *shards, lip_error *error)
{
    for (size_t i = 0; i < shards->count; i++)
        if (shards->from[i] == 0)
            return refuse(error, "", "shard %zu/%zu is missing", i + 1, shards->count);
    return true;
}

bool shards_read(lip_shards *shards, char **paths, size_t count, lip_error *error)
{
    *shards = (lip_shards){.paths = paths};
    for (size_t i = 0; i < count; i++) {
        json_t *report = document_load(paths[i], 0, error);
        bool read = report && read_one(shards, i, report, error);
        if (read && i > 0 && !combine_reports(shards->first, report))
            read = no_memory(error, paths[i]);
        if (read && i == 0) /* the rows are taken */
            json_object_set_new(json_object_get(report, "certification"), "per_sample", json_null());
        json_decref(report);
        if (!read)
            return false;
    }
    return check_complete(shards, error);
}

void shards_free(lip_shards *shards)
{
    json_decref(shards->first);
    rows_free(&shards->rows);
    free(shards->from);
    *shards = (lip_shards){0};
}

static void read_epsilon(const json_t *section, lip_epsilon *epsilon, size_t count)
{
    const json_t *list = field(section, "certified_accuracy");
    for (size_t i = 0; i < count; i++) {
        const json_t *entry = json_array_get(list, i);
        epsilon[i].value = field_number(entry, "eps");
        snprintf(epsilon[i].text, sizeof epsilon[i].text, "%s", field_text(entry, "text"));
    }
}

json_t *shards_join(lip_shards *shards)
{
    const json_t *section = field(shards->first, "certification");
    size_t count = json_array_size(field(section, "certified_accuracy"));
    lip_epsilon *epsilon = calloc(count > 0 ? count : 1, sizeof *epsilon);
    if (!epsilon)
        return NULL;
    read_epsilon(section, epsilon, count);
    rows_sort(&shards->rows);
    lip_certification certification = {
        .rows = shards->rows,
        .labelled = json_is_integer(field(section, "right")),
        .pairwise = json_is_object(field(section, "pairwise")),
        .local = json_is_object(field(section, "local")),
        .local_reason = field_text(section, "local_reason"),
        .deployed = field_text(section, "deployed"),
        .remark = shards->remarked ? field_text(section, "remark") : "",
        .epsilon = epsilon,
        .epsilon_count = count,
        .data = field(section, "data"),
    };
    const char *method = field_text(shards->first, "tightness.method");
    json_t *joined = certification_json(&certification, true), *document = json_incref(shards->first);
    document_put(&document, "certification", joined);
    if (document)
        document_put(&document, "command", json_text("merge"));
    if (document && method[0] != '\0')
        document_put(&document, "tightness", tightness_json(&shards->rows, method));
    free(epsilon);
    return document;
}
