/*
 * comparison.c: a report beside an older one.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "comparison.h"
#include "json.h"
#include "match.h"
#include "mismatch.h"
#include "fields.h"
#include "radii.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CURVE_POINTS 41

double tolerance_limit(double old, const lip_tolerance *tolerance)
{
    double limit = old * (1.0 + tolerance->relative) + tolerance->absolute;
    return isfinite(limit) && limit > old ? fmax(old, limit * (1.0 - 0x1p-50)) : limit;
}

const char *comparison_change(double old_upper, double lower, double upper, const lip_tolerance *tolerance)
{
    old_upper = isnan(old_upper) ? INFINITY : old_upper;
    upper = isnan(upper) ? INFINITY : upper;
    if (upper == old_upper)
        return "unchanged";
    if (lower > tolerance_limit(old_upper, tolerance))
        return "regressed";
    if (upper > tolerance_limit(old_upper, tolerance))
        return "looser";
    return tolerance_limit(upper, tolerance) < old_upper ? "improved" : "unchanged";
}

static json_t *ratio_json(double upper, double old)
{
    return json_number(isfinite(upper) && isfinite(old) && old > 0.0 ? upper / old : NAN);
}

/* What a table or a picture shows of the older layer. */
static json_t *old_layer(const json_t *layer)
{
    static const char *const keys[] = {"index", "name", "op", "module", "input_shape", "output_shape", "verdict",
                                       "gain", "power_iteration", "exact_svd", "cumulative_upper", "log_share"};
    bool complete = true;
    json_t *object = json_object();
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        json_t *value = json_object_get(layer, keys[i]);
        if (value)
            json_put(object, &complete, keys[i], json_incref(value));
    }
    return json_whole(object, complete);
}

static json_t *pair(const json_t *old, const json_t *layer, size_t index, lip_match_by by,
                    const lip_tolerance *tolerance)
{
    bool complete = true;
    double old_upper = field_number(old, "gain.upper"), upper = field_number(layer, "gain.upper");
    const char *change = !old ? "added" : !layer ? "removed"
                       : comparison_change(old_upper, field_number(layer, "gain.lower"), upper, tolerance);
    json_t *object = json_object();
    json_put(object, &complete, "index", layer ? json_count(index) : json_null());
    json_put(object, &complete, "baseline", old ? old_layer(old) : json_null());
    json_put(object, &complete, "matched_by", by == MATCH_NOT ? json_null() : json_text(match_text(by)));
    json_put(object, &complete, "ratio", ratio_json(upper, old_upper));
    json_put(object, &complete, "change", json_text(change));
    return json_whole(object, complete);
}

/* The new layers in their order, then those that are gone. */
static json_t *pairs(const json_t *older, const json_t *layers, const lip_tolerance *tolerance)
{
    size_t count = json_array_size(layers), old_count = json_array_size(older);
    lip_match *match = match_layers(older, layers);
    bool *taken = calloc(old_count + 1, sizeof *taken), complete = match && taken;
    json_t *array = json_array();
    for (size_t i = 0; complete && i < count; i++) {
        const json_t *old = match[i].by == MATCH_NOT ? NULL : json_array_get(older, match[i].other);
        json_push(array, &complete, pair(old, json_array_get(layers, i), i, match[i].by, tolerance));
        if (old)
            taken[match[i].other] = true;
    }
    for (size_t i = 0; complete && i < old_count; i++)
        if (!taken[i])
            json_push(array, &complete, pair(json_array_get(older, i), NULL, 0, MATCH_NOT, tolerance));
    free(match);
    free(taken);
    return json_whole(array, complete);
}

static json_t *networks(const json_t *older, const json_t *report, const lip_tolerance *tolerance)
{
    bool complete = true;
    const json_t *old = field(older, "network.lipschitz"), *new = field(report, "network.lipschitz");
    double old_upper = field_number(old, "upper"), upper = field_number(new, "upper");
    json_t *object = json_object();
    json_put(object, &complete, "lower", json_number(field_number(old, "lower")));
    json_put(object, &complete, "upper", json_number(old_upper));
    json_put(object, &complete, "ratio", ratio_json(upper, old_upper));
    const char *change = comparison_change(old_upper, field_number(new, "lower"), upper, tolerance);
    json_put(object, &complete, "change", json_text(change));
    return json_whole(object, complete);
}

/* Points of the older report's certified accuracy; null where it has no single samples. */
static json_t *old_curve(const json_t *older)
{
    bool complete = true;
    const json_t *certification = field(older, "certification");
    double most = field_number(certification, "radius.max");
    if (json_array_size(field(certification, "per_sample")) == 0 || !isfinite(most))
        return json_null();
    json_t *array = json_array();
    for (int i = 0; i < CURVE_POINTS; i++) {
        double epsilon = most * i / (CURVE_POINTS - 1);
        json_t *point = json_object();
        json_put(point, &complete, "eps", json_number(epsilon));
        json_put(point, &complete, "value", json_number(radii_certified(certification, epsilon)));
        json_push(array, &complete, point);
    }
    return json_whole(array, complete);
}

/* Radii are proved from below only: a smaller one is a weaker guarantee, never a proved regression. */
static json_t *radii(const json_t *older, const json_t *report, const lip_tolerance *tolerance)
{
    bool complete = true;
    double old = field_number(older, "certification.radius.median");
    double new = field_number(report, "certification.radius.median");
    if (isnan(old) || isnan(new))
        return json_null();
    double least = old * (1.0 - tolerance->relative) - tolerance->absolute;
    json_t *object = json_object();
    json_put(object, &complete, "baseline", json_number(old));
    json_put(object, &complete, "model", json_number(new));
    json_put(object, &complete, "ratio", ratio_json(new, old));
    json_put(object, &complete, "change", json_text(new < least ? "looser" : new > old && new > 2 * old - least
                                                    ? "improved" : "unchanged"));
    json_put(object, &complete, "curve", old_curve(older));
    return json_whole(object, complete);
}

static json_t *certification(const json_t *older)
{
    const json_t *section = field(older, "certification");
    if (!json_is_object(section))
        return json_null();
    json_t *copy = json_copy((json_t *)section);
    if (copy && json_object_set_new(copy, "per_sample", json_null()) != 0) {
        json_decref(copy);
        copy = NULL;
    }
    return copy;
}

static json_t *baseline(const json_t *older, const char *path)
{
    static const char *const keys[] = {"tool", "model", "threat_model", "network"};
    bool complete = true;
    json_t *object = json_object();
    json_put(object, &complete, "path", json_text(path));
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        json_t *value = json_object_get(older, keys[i]);
        json_put(object, &complete, keys[i], value ? json_incref(value) : json_null());
    }
    json_put(object, &complete, "certification", certification(older));
    return json_whole(object, complete);
}

static json_t *tolerance_json(const lip_tolerance *tolerance)
{
    bool complete = true;
    json_t *object = json_object();
    json_put(object, &complete, "relative", json_number(tolerance->relative));
    json_put(object, &complete, "absolute", json_number(tolerance->absolute));
    return json_whole(object, complete);
}

json_t *comparison_of(const json_t *older, const char *path, const json_t *report, const lip_tolerance *tolerance)
{
    bool complete = true;
    json_t *object = json_object();
    json_put(object, &complete, "baseline", baseline(older, path));
    json_put(object, &complete, "tolerance", tolerance_json(tolerance));
    json_put(object, &complete, "network", networks(older, report, tolerance));
    json_put(object, &complete, "layers", pairs(field(older, "layers"), field(report, "layers"), tolerance));
    json_put(object, &complete, "radius", radii(older, report, tolerance));
    json_put(object, &complete, "notes", mismatches(older, report));
    return json_whole(object, complete);
}
