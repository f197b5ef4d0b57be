/*
 * report.c: see report.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "report.h"

#include "rounding.h"

#include <stdio.h>
#include <string.h>

typedef struct owned_report { /* the public part first, so that a lip_report is its owner */
    lip_report report;
    lip_arena arena;
} owned_report;

static uint64_t node_parameters(const lip_node *node)
{
    uint64_t parameters = 0;
    for (size_t i = 0; i < node->input_count; i++) {
        const lip_tensor *constant = lip_node_constant(node, i);
        if (constant && lip_dtype_is_real(constant->dtype))
            parameters += (uint64_t)constant->count;
    }
    return parameters;
}

/* Names of the varying inputs. */
static bool list_inputs(lip_layer *layer, const lip_node *node, lip_arena *arena)
{
    const char **names = lip_arena_alloc(arena, (int64_t)node->input_count, sizeof *names);
    for (size_t i = 0; names && i < node->input_count; i++) {
        if (!node->inputs[i] || !node->inputs[i]->varies)
            continue;
        if (layer->input_count == 0)
            layer->input_shape = node->inputs[i]->shape;
        names[layer->input_count++] = node->inputs[i]->name;
    }
    layer->inputs = names;
    return names != NULL;
}

static bool list_folded(lip_layer *layer, const lip_layer_plan *plan, lip_arena *arena)
{
    const char **names = lip_arena_alloc(arena, 2, sizeof *names);
    const lip_layer_plan *scales[] = { plan->before, plan->after };
    for (int i = 0; names && i < 2; i++) {
        if (!scales[i])
            continue;
        names[layer->folded_count++] = scales[i]->node->name;
        layer->parameters += node_parameters(scales[i]->node);
    }
    layer->folded = names;
    return names != NULL;
}

static const char *op_name(const lip_node *node, lip_arena *arena)
{
    char text[256];
    if (node->domain[0] == 0)
        return node->op_type;
    int length = snprintf(text, sizeof text, "%s::%s", node->domain, node->op_type);
    return lip_arena_string(arena, text, length < (int)sizeof text ? (size_t)length : sizeof text - 1);
}

static bool fill_layer(lip_layer *layer, const lip_layer_plan *plan, const lip_layer_gain *gain, lip_arena *arena)
{
    const lip_node *node = plan->node;
    layer->name = node->name;
    layer->op = op_name(node, arena);
    layer->module = node->module ? node->module : "";
    layer->output = node->outputs[0] ? node->outputs[0]->name : "";
    if (node->outputs[0] && node->outputs[0]->shape_known)
        layer->output_shape = node->outputs[0]->shape;
    layer->parameters = node_parameters(node);
    layer->verdict = gain->verdict;
    layer->reason = lip_arena_string(arena, gain->reason, strlen(gain->reason));
    layer->gain = (lip_bound) { gain->lower, gain->upper, lip_tightness(gain->lower, gain->upper), gain->method };
    layer->power_estimate = gain->power_estimate;
    layer->power_error_term = gain->power_error_term;
    layer->power_iterations = gain->power_iterations;
    layer->power_relative_gap = 1 - gain->power_estimate / gain->upper;
    layer->exact_svd = gain->exact_svd;
    layer->exact_svd_reason = gain->exact_svd_reason;
    layer->reshaped = gain->reshaped;
    layer->lmt_bound = gain->lmt_bound;
    layer->won_back_estimate = (double)NAN;
    return list_inputs(layer, node, arena) && list_folded(layer, plan, arena) && layer->op && layer->reason;
}

/* log_share: of the layers with a finite positive gain. */
static void share_logarithms(lip_report *report)
{
    double total = 0;
    for (size_t i = 0; i < report->layer_count; i++) {
        double gain = report->layers[i].gain.upper;
        if (gain > 0 && isfinite(gain))
            total += fabs(log(gain));
    }
    for (size_t i = 0; i < report->layer_count; i++) {
        double gain = report->layers[i].gain.upper;
        report->layers[i].log_share = gain > 0 && isfinite(gain) ? (total > 0 ? log(gain) / total : 0) : (double)NAN;
    }
}

/* The first layer without a finite gain says why the network has none: every layer is on the way to the logits. */
static void judge_network(lip_report *report, const lip_propagation *network)
{
    bool bounded = isfinite(network->network_upper);
    double lower = bounded ? network->network_lower : (double)NAN;
    report->network = (lip_bound) { lower, network->network_upper, (double)NAN, "product" };
    if (!isnan(lower))
        report->network.tightness = lip_tightness(lower, network->network_upper);
    report->product_upper = network->network_upper;
    report->power_product_estimate = network->network_estimate;
    report->verdict = bounded ? LIP_BOUNDED : LIP_UNKNOWN;
    report->reason = bounded ? "" : "the product of the bounds overflows";
    report->reason_node = "";
    for (size_t i = 0; !bounded && i < report->layer_count; i++) {
        const lip_layer *layer = &report->layers[i];
        if (layer->verdict == LIP_BOUNDED)
            continue;
        report->verdict = layer->verdict;
        report->reason = layer->reason;
        report->reason_node = layer->name;
        return;
    }
}

lip_status lip_report_build(const lip_layer_plan *plans, const lip_layer_gain *gains,
                            const double *seconds, size_t count, const lip_propagation *network, lip_memory *memory,
                            lip_report **out, lip_error *error)
{
    owned_report *owned = lip_alloc(memory, 1, sizeof *owned);
    if (!owned)
        return lip_fail(error, LIP_EMEMORY, "the report passes the memory cap");
    lip_report *report = &owned->report;
    lip_arena_init(&owned->arena, memory);
    report->layers = lip_arena_alloc(&owned->arena, (int64_t)count, sizeof *report->layers);
    bool fine = report->layers != NULL;
    for (size_t i = 0; fine && i < count; i++) {
        if (plans[i].folded_away)
            continue;
        lip_layer *layer = &report->layers[report->layer_count];
        layer->index = report->layer_count++;
        layer->cumulative_upper = network->cumulative[i];
        layer->seconds = seconds[i];
        fine = fill_layer(layer, &plans[i], &gains[i], &owned->arena);
    }
    if (!fine) {
        lip_report_free(&report);
        return lip_fail(error, LIP_EMEMORY, "the report passes the memory cap");
    }
    share_logarithms(report);
    judge_network(report, network);
    report->lower_estimate = (double)NAN;
    report->levels_reason = "";
    report->pairwise_method = "";
    report->pairwise_max_upper = (double)NAN;
    report->peak_memory_bytes = atomic_load(&memory->peak);
    *out = report;
    return LIP_OK;
}

lip_arena *lip_report_arena(lip_report *report) { return &((owned_report *)report)->arena; }

void lip_report_set_pairwise(lip_report *report, const lip_pairwise *pairwise)
{
    report->classes = (size_t)pairwise->classes;
    report->pairwise_upper = pairwise->upper;
    report->pairwise_method = pairwise->method;
    report->pairwise_max_upper = pairwise->max_upper;
}

/* The table is the report's own, of as many classes. */
static void take_pairs(lip_report *report, const lip_multiplier_bounds *bounds)
{
    size_t k = report->classes;
    double *upper = (double *)(uintptr_t)report->pairwise_upper, largest = 0;
    const double root = lip_mul_up(lip_sqrt_up(2), 1 + 4 * LIP_UNIT); /* f_t - f_j = (e_t - e_j)'f */
    const double all = lip_mul_up(root, report->network.upper);
    bool gained = false;
    for (size_t i = 0; i < k * k; i++) {
        gained = gained || bounds->pairs[i] < upper[i];
        upper[i] = fmin(fmin(upper[i], bounds->pairs[i]), i % (k + 1) == 0 ? 0 : all);
        largest = fmax(largest, upper[i]);
    }
    if (gained)
        report->pairwise_method = bounds->pairs_method;
    report->pairwise_max_upper = largest;
}

void lip_report_take_multipliers(lip_report *report, const lip_layer_plan *plans, size_t count,
                                 const lip_multiplier_bounds *bounds)
{
    size_t layer = 0;
    for (size_t i = 0; i < count; i++)
        if (!plans[i].folded_away)
            report->layers[layer++].won_back_estimate = bounds->won_estimate ? bounds->won_estimate[i] : (double)NAN;
    if (bounds->network_upper < report->network.upper) {
        report->network.upper = bounds->network_upper;
        report->network.method = bounds->network_method;
        if (!isnan(report->network.lower))
            report->network.tightness = lip_tightness(report->network.lower, report->network.upper);
    }
    if (report->pairwise_upper && bounds->pairs && (size_t)bounds->classes == report->classes)
        take_pairs(report, bounds);
    report->levels_reason = bounds->reason;
    report->stages = bounds->stages;
    report->stage_count = bounds->stage_count;
    lip_level *levels = lip_arena_alloc(lip_report_arena(report), LIP_MULTIPLIER_LEVELS, sizeof *levels);
    if (levels) {
        memcpy(levels, bounds->levels, sizeof bounds->levels);
        report->levels = levels;
        report->level_count = bounds->level_count;
    }
}

void lip_report_free(lip_report **report)
{
    if (!report || !*report)
        return;
    owned_report *owned = (owned_report *)*report;
    lip_memory *memory = owned->arena.memory;
    lip_arena_free(&owned->arena);
    lip_free(memory, owned);
    *report = NULL;
}
