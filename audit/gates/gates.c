/*
 * gates.c: whether a report meets its gates.
 *
 * Proved numbers are compared as they are, with no tolerance of their own: an
 * upper bound that is at most what is wanted proves the true value to be.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "gates.h"
#include "fields.h"
#include "json.h"
#include "mismatch.h"
#include "radii.h"

#include <fnmatch.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct lip_judgement {
    const lip_gate *gate;
    const json_t *report;
    bool space_known;
    json_t *section;
    bool complete;
} lip_judgement;

/* One row of the section. */
typedef struct lip_finding {
    char what[320];
    bool least; /* ">=" */
    double wanted, found; /* found NaN: not measured */
    const json_t *layer;
    char reason[512];
} lip_finding;

const char *gate_name(lip_gate_kind kind)
{
    static const char *const name[] = {
        [GATE_MIN_RADIUS] = "min-radius",
        [GATE_MIN_CERTIFIED_ACCURACY] = "min-certified-accuracy",
        [GATE_MAX_LIPSCHITZ] = "max-lipschitz",
        [GATE_MAX_LAYER_UPPER] = "max-layer-upper",
        [GATE_BASELINE] = "baseline",
        [GATE_BASELINE_LAYERS] = "baseline-layers",
    };
    return name[kind];
}

bool gate_needs_data(const lip_gate *gate)
{
    return gate->kind == GATE_MIN_RADIUS || gate->kind == GATE_MIN_CERTIFIED_ACCURACY;
}

static json_t *holds(const lip_finding *f)
{
    if (isnan(f->found))
        return json_null();
    return json_boolean(f->least ? f->found >= f->wanted : f->found <= f->wanted);
}

static void add(lip_judgement *j, const lip_finding *f)
{
    json_t *object = json_object();
    json_put(object, &j->complete, "name", json_text(gate_name(j->gate->kind)));
    json_put(object, &j->complete, "what", json_text(f->what));
    json_put(object, &j->complete, "relation", json_text(f->least ? ">=" : "<="));
    json_put(object, &j->complete, "wanted", json_number(f->wanted));
    json_put(object, &j->complete, "found", json_number(f->found));
    json_put(object, &j->complete, "holds", holds(f));
    json_put(object, &j->complete, "node", f->layer ? json_optional(field_text(f->layer, "name")) : json_null());
    json_put(object, &j->complete, "module", f->layer ? json_optional(field_text(f->layer, "module")) : json_null());
    json_put(object, &j->complete, "reason", json_optional(f->reason));
    json_push(j->section, &j->complete, object);
}

static void because(lip_finding *f, const char *reason)
{
    snprintf(f->reason, sizeof f->reason, "%s", reason);
}

/* Why radii say nothing, or NULL. */
static const char *radii_useless(const lip_judgement *j)
{
    const json_t *certification = field(j->report, "certification");
    if (!json_is_object(certification))
        return "no data: radii are measured on samples (--data)";
    if (field_true(certification, "partial"))
        return "the run ended before all samples were done";
    if (json_is_object(field(certification, "shard")))
        return "this is one shard of the samples: merge them all first";
    if (field_count(certification, "samples") == 0)
        return "there are no samples";
    return j->space_known ? NULL : "whether the data are in the units of the model's input is not known: give --scale,"
                                   " --mean and --std, or say --radius-space data or model";
}

static void judge_radius(lip_judgement *j)
{
    lip_finding f = {.least = true, .wanted = j->gate->wanted, .found = NAN};
    const char *useless = radii_useless(j);
    if (j->gate->quantile == 0.5)
        snprintf(f.what, sizeof f.what, "median certified radius");
    else
        snprintf(f.what, sizeof f.what, "%g quantile of the certified radii", j->gate->quantile);
    if (useless)
        because(&f, useless);
    else if (isnan(f.found = radii_quantile(field(j->report, "certification"), j->gate->quantile)))
        because(&f, "the report holds neither this quantile nor the single samples");
    add(j, &f);
}

static void judge_accuracy(lip_judgement *j)
{
    lip_finding f = {.least = true, .wanted = j->gate->wanted, .found = NAN};
    const char *useless = radii_useless(j);
    snprintf(f.what, sizeof f.what, "certified accuracy at %g", j->gate->epsilon);
    if (useless)
        because(&f, useless);
    else if (isnan(f.found = radii_certified(field(j->report, "certification"), j->gate->epsilon)))
        because(&f, "the report holds neither this radius nor the single samples");
    add(j, &f);
}

static double upper_of(const json_t *object, const char *path)
{
    double upper = field_number(object, path);
    return isnan(upper) ? INFINITY : upper;
}

/* Not bounded is not measured: there may be a finite constant that is not known. */
static void take_network(const lip_judgement *j, lip_finding *f)
{
    f->found = upper_of(j->report, "network.lipschitz.upper");
    if (isfinite(f->found))
        return;
    f->found = NAN;
    snprintf(f->reason, sizeof f->reason, "the network has no finite bound: node '%.120s': %.300s",
             field_text(j->report, "network.reason_node"), field_text(j->report, "network.reason"));
}

static void judge_lipschitz(lip_judgement *j)
{
    lip_finding f = {.what = "L_F", .wanted = j->gate->wanted};
    take_network(j, &f);
    add(j, &f);
}

static bool chosen(const json_t *layer, const char *pattern)
{
    const char *module = field_text(layer, "module");
    return fnmatch(pattern, field_text(layer, "name"), 0) == 0 ||
           (module[0] != '\0' && fnmatch(pattern, module, 0) == 0);
}

static void judge_layers(lip_judgement *j)
{
    const json_t *layer;
    size_t i, count = 0;
    json_array_foreach((json_t *)field(j->report, "layers"), i, layer) {
        lip_finding f = {.wanted = j->gate->wanted, .layer = layer};
        if (!chosen(layer, j->gate->pattern))
            continue;
        count++;
        snprintf(f.what, sizeof f.what, "gain of %.200s", field_text(layer, "name"));
        f.found = upper_of(layer, "gain.upper");
        if (!isfinite(f.found)) {
            f.found = NAN;
            because(&f, field_text(layer, "reason"));
        }
        add(j, &f);
    }
    lip_finding none = {.wanted = j->gate->wanted, .found = NAN};
    snprintf(none.what, sizeof none.what, "gain of the layers %.200s", j->gate->pattern);
    because(&none, "no layer has such a name or module path");
    if (count == 0)
        add(j, &none);
}

static void judge_baseline_radius(lip_judgement *j)
{
    const json_t *radius = field(j->report, "comparison.radius");
    const json_t *older = field(j->report, "comparison.baseline");
    lip_finding f = {.what = "median certified radius against the baseline's", .least = true, .found = NAN};
    double old = field_number(radius, "baseline");
    if (!json_is_object(radius)) {
        f.wanted = field_number(older, "certification.radius.median");
        if (isnan(f.wanted))
            return;
        because(&f, "the baseline has radii, and this run none: give --data");
        add(j, &f);
        return;
    }
    f.wanted = old * (1.0 - j->gate->tolerance.relative) - j->gate->tolerance.absolute;
    const char *useless = radii_useless(j);
    if (useless)
        because(&f, useless);
    else if (mismatch_threat_model(older, j->report) || mismatch_data(older, j->report))
        because(&f, "the baseline was certified on other samples, with other labels, in other units or for another"
                    " arithmetic");
    else
        f.found = field_number(radius, "model");
    add(j, &f);
}

static void judge_baseline(lip_judgement *j)
{
    const json_t *comparison = field(j->report, "comparison");
    lip_finding f = {.what = "L_F against the baseline's"};
    double old = upper_of(comparison, "network.upper");
    f.wanted = tolerance_limit(old, &j->gate->tolerance);
    take_network(j, &f);
    if (!json_is_object(comparison))
        f.found = NAN, because(&f, "there is no baseline");
    else if (mismatch_threat_model(field(comparison, "baseline"), j->report))
        f.found = NAN, because(&f, "the baseline is about another input, other units or another range: make it anew"
                                   " with --update-baseline");
    else if (!isfinite(old))
        f.found = NAN, because(&f, "the baseline has no finite bound, so that any model would pass");
    else if (f.reason[0] == '\0')
        snprintf(f.reason, sizeof f.reason, "%s", field_text(comparison, "network.change"));
    add(j, &f);
    judge_baseline_radius(j);
}

static void judge_baseline_layers(lip_judgement *j)
{
    const json_t *pair;
    size_t i, grown = 0, matched = 0;
    json_array_foreach((json_t *)field(j->report, "comparison.layers"), i, pair) {
        const json_t *layer = json_array_get(field(j->report, "layers"), (size_t)field_integer(pair, "index"));
        const json_t *old = field(pair, "baseline");
        if (!json_is_integer(field(pair, "index")) || !json_is_object(old))
            continue;
        matched++;
        lip_finding f = {.layer = layer, .found = upper_of(layer, "gain.upper")};
        snprintf(f.what, sizeof f.what, "gain of %.200s against the baseline's", field_text(layer, "name"));
        f.wanted = tolerance_limit(upper_of(old, "gain.upper"), &j->gate->tolerance);
        snprintf(f.reason, sizeof f.reason, "%s", comparison_change(upper_of(old, "gain.upper"),
                 field_number(layer, "gain.lower"), f.found, &j->gate->tolerance));
        if (f.found <= f.wanted)
            continue; /* they would bury those that grew */
        grown++;
        add(j, &f);
    }
    lip_finding all = {.what = "how many layers have grown against the baseline", .found = (double)grown};
    if (!json_is_object(field(j->report, "comparison")))
        all.found = NAN, because(&all, "there is no baseline");
    else if (matched == 0)
        all.found = NAN, because(&all, "no layer is one of the baseline's");
    add(j, &all);
}

static void judge(lip_judgement *j)
{
    static void (*const by_kind[])(lip_judgement *) = {
        [GATE_MIN_RADIUS] = judge_radius,
        [GATE_MIN_CERTIFIED_ACCURACY] = judge_accuracy,
        [GATE_MAX_LIPSCHITZ] = judge_lipschitz,
        [GATE_MAX_LAYER_UPPER] = judge_layers,
        [GATE_BASELINE] = judge_baseline,
        [GATE_BASELINE_LAYERS] = judge_baseline_layers,
    };
    by_kind[j->gate->kind](j);
}

json_t *gates_judge(const lip_gates *gates, const json_t *report, bool space_known)
{
    lip_judgement j = {.report = report, .space_known = space_known, .section = json_array(), .complete = true};
    for (size_t i = 0; i < gates->count; i++) {
        j.gate = &gates->gate[i];
        judge(&j);
    }
    return json_whole(j.section, j.complete);
}

lip_outcome gates_outcome(const json_t *section)
{
    const json_t *gate;
    size_t i;
    lip_outcome outcome = json_array_size(section) > 0 ? GATES_HOLD : GATES_NO_VERDICT;
    json_array_foreach((json_t *)section, i, gate) {
        const json_t *verdict = field(gate, "holds");
        if (json_is_false(verdict) && outcome == GATES_HOLD)
            outcome = GATES_FAIL;
        else if (!json_is_boolean(verdict))
            outcome = GATES_NO_VERDICT;
    }
    return outcome;
}
