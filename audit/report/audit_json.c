/*
 * audit_json.c: the report other tools read, schema "lipaudit.report/1". Names
 * and meanings are stable; fields may be added, never renamed. What a later
 * command fills (certification, gates ...) is absent here.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "json.h"
#include "layers.h"

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
    json_put(object, &complete, "seconds", json_number(layer->seconds));
    return json_whole(object, complete);
}

static json_t *all_layers(const lip_report *report)
{
    bool complete = true;
    json_t *array = json_array();
    for (size_t i = 0; i < report->layer_count; i++)
        json_push(array, &complete, one_layer(&report->layers[i]));
    return json_whole(array, complete);
}

static json_t *network(const lip_run_info *run)
{
    bool complete = true;
    const lip_report *report = run->report;
    json_t *object = json_object();
    json_put(object, &complete, "lipschitz", bound(&report->network));
    json_put(object, &complete, "product_upper", json_number(report->product_upper));
    json_put(object, &complete, "power_iteration_product", json_number(report->power_product_estimate));
    json_put(object, &complete, "pairwise_max_upper", json_null());
    json_put(object, &complete, "output", json_text(run->logits.name));
    json_put(object, &complete, "verdict", json_text(verdict_text(report->verdict)));
    json_put(object, &complete, "reason", json_optional(report->reason));
    json_put(object, &complete, "reason_node", json_optional(report->reason_node));
    return json_whole(object, complete);
}

/* `input` is the one perturbed input; where several are perturbed jointly, `inputs` lists them all. */
static json_t *threat_model(const lip_run_info *run)
{
    bool complete = true;
    json_t *object = json_object(), *inputs = json_array();
    for (size_t i = 0; i < run->info.input_count; i++)
        json_push(inputs, &complete, json_tensor(&run->inputs[i]));
    json_put(object, &complete, "norm", json_text("l2"));
    json_put(object, &complete, "space", json_text("model"));
    json_put(object, &complete, "input", run->info.input_count > 0 ? json_tensor(&run->inputs[0]) : json_null());
    json_put(object, &complete, "inputs", inputs);
    json_put(object, &complete, "scale", json_null());
    json_put(object, &complete, "mean", json_null());
    json_put(object, &complete, "std", json_null());
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

static bool render(const lip_run_info *run, FILE *stream)
{
    bool complete = true;
    json_t *root = json_object();
    json_put(root, &complete, "schema", json_text("lipaudit.report/1"));
    json_put(root, &complete, "tool", json_tool(run));
    json_put(root, &complete, "command", json_text(run->command));
    json_put(root, &complete, "model", json_model(&run->info));
    json_put(root, &complete, "threat_model", threat_model(run));
    json_put(root, &complete, "layers", all_layers(run->report));
    json_put(root, &complete, "network", network(run));
    json_put(root, &complete, "timing", timing(run));
    json_put(root, &complete, "peak_memory_bytes", json_count(run->report->peak_memory_bytes));
    return json_write(json_whole(root, complete), stream);
}

const lip_format format_audit_json = {"json", ".json", render};
