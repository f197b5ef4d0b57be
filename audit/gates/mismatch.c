/*
 * mismatch.c: what makes two reports hard to compare.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "mismatch.h"
#include "fields.h"
#include "json.h"

#include <string.h>

static bool differ(const json_t *older, const json_t *report, const char *path)
{
    const json_t *a = field(older, path), *b = field(report, path);
    bool none_a = !a || json_is_null(a), none_b = !b || json_is_null(b);
    return none_a || none_b ? none_a != none_b : !json_equal(a, b);
}

bool mismatch_threat_model(const json_t *older, const json_t *report)
{
    static const char *const paths[] = {"threat_model.norm", "threat_model.space", "threat_model.scale",
                                        "threat_model.mean", "threat_model.std", "threat_model.input.shape",
                                        "network.range"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        if (differ(older, report, paths[i]))
            return true;
    return false;
}

bool mismatch_data(const json_t *older, const json_t *report)
{
    const json_t *a = field(older, "certification.data"), *b = field(report, "certification.data");
    return json_is_object(a) && json_is_object(b) &&
           (differ(older, report, "certification.data.sha256") || differ(older, report, "certification.samples") ||
            differ(older, report, "certification.data.first") ||
            differ(older, report, "certification.data.labels_sha256") ||
            differ(older, report, "certification.deployed"));
}

static void say_if(bool condition, json_t *notes, bool *complete, const char *text, const char *old, const char *new)
{
    char sentence[512];
    if (!condition)
        return;
    snprintf(sentence, sizeof sentence, text, old, new);
    json_push(notes, complete, json_text(sentence));
}

json_t *mismatches(const json_t *older, const json_t *report)
{
    bool complete = true;
    json_t *notes = json_array();
    if (mismatch_threat_model(older, report))
        json_push(notes, &complete, json_text("the threat models differ (input, units or range): the bounds of the"
                                              " whole network and the radii are not comparable"));
    if (mismatch_data(older, report))
        json_push(notes, &complete, json_text("the samples, their labels or the arithmetic that radii hold for are"
                                              " not the same"));
    if (json_is_object(field(older, "certification.data")) && json_is_object(field(report, "certification.data")) &&
        json_is_object(field(older, "certification.local")) != json_is_object(field(report, "certification.local")))
        json_push(notes, &complete, json_text("radii of the one have bounds around each sample (--local), those of the"
                                              " other have not"));
    say_if(differ(older, report, "tool.version"), notes, &complete, "lipaudit %.40s made the baseline, this is %.40s",
           field_text(older, "tool.version"), field_text(report, "tool.version"));
    say_if(differ(older, report, "tool.blas"), notes, &complete,
           "another linear algebra made the baseline (%.80s, now %.80s): the last digits may differ",
           field_text(older, "tool.blas"), field_text(report, "tool.blas"));
    if (!differ(older, report, "model.sha256"))
        json_push(notes, &complete, json_text("the model file is the very same"));
    return json_whole(notes, complete);
}
