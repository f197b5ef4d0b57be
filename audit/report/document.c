/*
 * document.c: one run as a JSON document.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "document.h"
#include "sources.h"

static const char *verdict_text(lip_verdict verdict)
{
    return verdict == LIP_BOUNDED ? "bounded" : verdict == LIP_UNBOUNDED ? "unbounded" : "unknown";
}

static json_t *bound(const lip_bound *b)
{
    bool complete = true;
    json_t *object = json_object();
    json_put(object, &complete, "lower", json_number(b->lower));
    json_put(object, &complete, "upper", json_number(b->upper));
    json_put(object, &complete, "tightness", json_number(b->tightness));
    json_put(object, &complete, "method", json_optional(b->method));
    return json_whole(object, complete);
}

static json_t *power_iteration(const lip_layer *layer)
{
    bool complete = true;
    json_t *object = json_object();
    json_put(object, &complete, "value", json_number(layer->power_estimate));
    json_put(object, &complete, "error_term", json_number(layer->power_error_term));
    json_put(object, &complete, "iterations", json_integer(layer->power_iterations));
    json_put(object, &complete, "relative_gap", json_number(layer->power_relative_gap));
    return json_whole(object, complete);
}

static void put_identity(json_t *object, bool *complete, const lip_layer *layer)
{
    json_put(object, complete, "index", json_count(layer->index));
    json_put(object, complete, "name", json_text(layer->name));
    json_put(object, complete, "op", json_text(layer->op));
    json_put(object, complete, "module", json_optional(layer->module));
    json_put(object, complete, "inputs", json_names(layer->inputs, layer->input_count));
    json_put(object, complete, "output", json_text(layer->output));
    json_put(object, complete, "input_shape", json_shape(&layer->input_shape, true));
    json_put(object, complete, "output_shape", json_shape(&layer->output_shape, true));
    json_put(object, complete, "folded", json_names(layer->folded, layer->folded_count));
    json_put(object, complete, "parameters", json_count(layer->parameters));
}

static json_t *one_layer(const lip_layer *layer)
{
    bool complete = true;
    json_t *object = json_object();
    put_identity(object, &complete, layer);
    json_put(object, &complete, "verdict", json_text(verdict_text(layer->verdict)));
    json_put(object, &complete, "reason", json_optional(layer->reason));
    json_put(object, &complete, "gain", bound(&layer->gain));
    json_put(object, &complete, "power_iteration", power_iteration(layer));
    json_put(object, &complete, "exact_svd", json_number(layer->exact_svd));
    json_put(object, &complete, "exact_svd_reason", json_optional(layer->exact_svd_reason));
    json_put(object, &complete, "reshaped", json_number(layer->reshaped));
    json_put(object, &complete, "lmt_bound", json_number(layer->lmt_bound));
    json_put(object, &complete, "cumulative_upper", json_number(layer->cumulative_upper));
    json_put(object, &complete, "log_share", json_number(layer->log_share));
    json_put(object, &complete, "won_back_estimate", json_number(layer->won_back_estimate));
    json_put(object, &complete, "seconds", json_number(layer->seconds));
    return json_whole(object, complete);
}

static json_t *layers(const lip_run_info *run)
{
    bool complete = true;
    json_t *array = json_array();
    for (size_t i = 0; i < run->report->layer_count; i++)
        json_push(array, &complete, one_layer(&run->report->layers[i]));
    return json_whole(array, complete && sources_add(array, run));
}

/* {input: [lo, hi]}, or a list of such pairs, one a channel. NULL without memory. */
static json_t *input_range(const lip_report *report)
{
    const lip_input_range *range = &report->range;
    bool complete = true;
    json_t *object = json_object();
    for (size_t i = 0; i < report->range_input_count; i++) {
        json_t *all = json_array(), *name = json_text(report->range_inputs[i]);
        for (size_t c = 0; c < range->count; c++)
            json_push(all, &complete, json_pack("[o, o]", json_number(range->lo[c]), json_number(range->hi[c])));
        json_t *value = range->count == 1 ? json_incref(json_array_get(all, 0)) : json_incref(all);
        json_decref(all);
        if (name)
            json_put(object, &complete, json_string_value(name), value);
        complete = complete && name;
        json_decref(name);
    }
    return json_whole(object, complete);
}

static json_t *levels(const lip_report *report)
{
    bool complete = true;
    json_t *array = json_array();
    for (size_t i = 0; i < report->level_count; i++) {
        const lip_level *level = &report->levels[i];
        json_t *object = json_object();
        json_put(object, &complete, "method", json_optional(level->method));
        json_put(object, &complete, "upper", json_number(level->network_upper));
        json_put(object, &complete, "own_upper", json_number(level->own_upper));
        json_put(object, &complete, "pairs_mean_upper", json_number(level->pairs_mean_upper));
        json_put(object, &complete, "seconds", json_number(level->seconds));
        json_push(array, &complete, object);
    }
    return json_whole(array, complete);
}

static json_t *stages(const lip_report *report)
{
    bool complete = true;
    json_t *array = json_array();
    for (size_t i = 0; i < report->stage_count; i++) {
        const lip_stage *stage = &report->stages[i];
        json_t *object = json_object();
        json_put(object, &complete, "first", json_text(stage->first));
        json_put(object, &complete, "last", json_text(stage->last));
        json_put(object, &complete, "method", json_text(stage->method));
        json_put(object, &complete, "upper", json_number(stage->upper));
        json_put(object, &complete, "product_upper", json_number(stage->product_upper));
        json_put(object, &complete, "reason", json_optional(stage->reason));
        json_put(object, &complete, "seconds", json_number(stage->seconds));
        json_push(array, &complete, object);
    }
    return json_whole(array, complete);
}

static json_t *network(const lip_run_info *run)
{
    bool complete = true;
    const lip_report *report = run->report;
    json_t *object = json_object();
    json_put(object, &complete, "lipschitz", bound(&report->network));
    json_put(object, &complete, "product_upper", json_number(report->product_upper));
    json_put(object, &complete, "levels", levels(report));
    json_put(object, &complete, "levels_reason", json_optional(report->levels_reason));
    json_put(object, &complete, "stages", stages(report));
    json_put(object, &complete, "lower_estimate", json_number(report->lower_estimate));
    if (run->start_count > 0)
        json_put(object, &complete, "lower_estimate_samples", json_count(run->start_count));
    json_put(object, &complete, "power_iteration_product", json_number(report->power_product_estimate));
    json_put(object, &complete, "pairwise_max_upper", json_number(report->pairwise_max_upper));
    json_put(object, &complete, "output", json_text(run->logits.name));
    json_put(object, &complete, "output_shape", json_shape(&run->logits.shape, run->logits.shape_known));
    if (report->range.count > 0)
        json_put(object, &complete, "range", input_range(report));
    json_put(object, &complete, "verdict", json_text(verdict_text(report->verdict)));
    json_put(object, &complete, "reason", json_optional(report->reason));
    json_put(object, &complete, "reason_node", json_optional(report->reason_node));
    return json_whole(object, complete);
}

/* `input` is the one perturbed input; where several are perturbed jointly, `inputs` lists them all. */
static json_t *threat_model(const lip_run_info *run)
{
    bool complete = true;
    const lip_preprocess *data = run->preprocess;
    json_t *object = json_object(), *inputs = json_array();
    for (size_t i = 0; i < run->info.input_count; i++)
        json_push(inputs, &complete, json_tensor(&run->inputs[i]));
    json_put(object, &complete, "norm", json_text("l2"));
    json_put(object, &complete, "space", json_text(data ? "data" : "model"));
    json_put(object, &complete, "input", run->info.input_count > 0 ? json_tensor(&run->inputs[0]) : json_null());
    json_put(object, &complete, "inputs", inputs);
    json_put(object, &complete, "scale", data ? json_number(data->scale) : json_null());
    json_put(object, &complete, "mean", data ? json_doubles(data->mean, data->mean_count) : json_null());
    json_put(object, &complete, "std", data ? json_doubles(data->std, data->std_count) : json_null());
    json_put(object, &complete, "normalises", json_optional(run->info.normalises));
    return json_whole(object, complete);
}

static json_t *timing(const lip_run_info *run)
{
    bool complete = true;
    json_t *object = json_object();
    json_put(object, &complete, "load", json_number(run->load_seconds));
    json_put(object, &complete, "bounds", json_number(run->report->bounds_seconds));
    json_put(object, &complete, "data", json_null());
    json_put(object, &complete, "total", json_number(run->total_seconds));
    return json_whole(object, complete);
}

static json_t *model(const lip_run_info *run)
{
    return json_model(&run->info);
}

static json_t *peak_memory(const lip_run_info *run)
{
    return json_count(run->report->peak_memory_bytes);
}

/* In the order of the file. */
static const struct section {
    const char *key;
    json_t *(*build)(const lip_run_info *run);
} sections[] = {
    {"tool", json_tool},     {"command", json_command}, {"model", model},   {"threat_model", threat_model},
    {"layers", layers},      {"network", network},      {"timing", timing}, {"peak_memory_bytes", peak_memory},
};

json_t *document_of(const lip_run_info *run)
{
    json_t *document = json_object();
    document_put(&document, "schema", json_text(DOCUMENT_SCHEMA));
    for (size_t i = 0; i < sizeof sections / sizeof *sections; i++)
        document_put(&document, sections[i].key, sections[i].build(run));
    return document;
}

void document_put(json_t **document, const char *key, json_t *value)
{
    if (json_object_set_new(*document, key, value) == 0)
        return;
    json_decref(*document);
    *document = NULL;
}
