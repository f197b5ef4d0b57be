/*
 * baseline.c: writes a baseline.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "baseline.h"
#include "diagnostics.h"
#include "json.h"
#include "layers.h"
#include "replacement.h"

#include <unistd.h>

bool baseline_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

static bool refuse(const char *message)
{
    diagnose_message(stderr, message);
    return false;
}

/* NULL without memory. */
static json_t *lasting_part(const json_t *report)
{
    static const char *const passing[] = {"timing", "peak_memory_bytes", "gates", "comparison"};
    bool complete = true;
    size_t i;
    json_t *item, *copy = json_deep_copy(report);
    for (i = 0; i < sizeof passing / sizeof *passing; i++)
        json_object_del(copy, passing[i]);
    json_object_del(json_object_get(copy, "tool"), "threads");
    json_array_foreach(json_object_get(copy, "layers"), i, item)
        json_object_del(item, "seconds");
    json_array_foreach(json_object_get(json_object_get(copy, "network"), "levels"), i, item)
        json_object_del(item, "seconds");
    json_array_foreach(json_object_get(json_object_get(copy, "network"), "stages"), i, item)
        json_object_del(item, "seconds");
    json_t *certification = json_object_get(copy, "certification");
    if (certification)
        json_put(certification, &complete, "per_sample", json_null());
    return json_whole(copy, complete);
}

bool baseline_write(const char *path, const json_t *report)
{
    lip_replacement file = {0};
    lip_output_error error;
    if (verdict_of(field(report, "network")) != LIP_BOUNDED)
        return refuse("the baseline is not written: the network has no finite bound");
    if (field_true(report, "certification.partial") || json_is_object(field(report, "certification.shard")))
        return refuse("the baseline is not written: only some of the samples were done");
    json_t *lasting = lasting_part(report);
    if (!lasting)
        return refuse("out of memory");
    bool done = replacement_open(BASELINE_WHAT, path, &file, &error) &&
                (json_write(lasting, file.stream) || !snprintf(error.message, sizeof error.message, "out of memory")) &&
                replacement_commit(&file, &error);
    replacement_discard(&file);
    json_decref(lasting);
    return done || refuse(error.message);
}
