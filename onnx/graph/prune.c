/*
 * prune.c: what the logits depend on stays, and is counted.
 *
 * Nodes are in topological order, so one pass from the last to the first sees
 * every reader of a value before its producer.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "graph/model.h"

/* What a node reads: a folded one needs nothing that is still computed, only the constants it was folded from. */
static bool needs(const lip_node *node, const lip_value *value)
{
    return value && !(node->folded && value->producer && !value->producer->folded);
}

static void count_uses(const lip_node *node)
{
    for (size_t i = 0; i < node->input_count; i++)
        if (needs(node, node->inputs[i]))
            node->inputs[i]->consumers++;
}

static void forget_uses(lip_draft *draft)
{
    const lip_model *model = draft->model;
    for (lip_draft_value *at = draft->first; at; at = at->later)
        at->value.consumers = 0;
    model->logits->consumers = 1;
}

static bool is_read(const lip_node *node)
{
    for (size_t i = 0; i < node->output_count; i++)
        if (node->outputs[i] && node->outputs[i]->consumers > 0)
            return true;
    return false;
}

void lip_model_prune(lip_draft *draft)
{
    lip_model *model = draft->model;
    forget_uses(draft);
    for (size_t i = model->node_count; i-- > 0;) {
        lip_node *node = model->nodes[i];
        lip_draft_of_node(node)->live = is_read(node);
        if (lip_draft_of_node(node)->live)
            count_uses(node);
    }
    size_t kept = 0;
    for (size_t i = 0; i < model->node_count; i++)
        if (lip_draft_of_node(model->nodes[i])->live) {
            model->nodes[kept] = model->nodes[i];
            model->nodes[kept]->index = kept;
            kept++;
        }
    model->node_count = kept;
}

/* Appends where there is room; only counts where `values` is NULL. */
static void take_value(lip_value **values, size_t *count, lip_value *value)
{
    if (values) {
        value->index = *count;
        values[*count] = value;
    }
    (*count)++;
}

static size_t take_values(lip_draft *draft, lip_value **values)
{
    size_t count = 0;
    lip_model *model = draft->model;
    for (size_t i = 0; i < draft->input_count; i++)
        take_value(values, &count, &draft->inputs[i].value->value);
    for (lip_draft_value *at = draft->first; at; at = at->later)
        if (!at->is_input && !at->value.producer && at->value.consumers > 0)
            take_value(values, &count, &at->value);
    for (size_t i = 0; i < model->node_count; i++)
        for (size_t k = 0; k < model->nodes[i]->output_count; k++)
            if (model->nodes[i]->outputs[k])
                take_value(values, &count, model->nodes[i]->outputs[k]);
    return count;
}

/* Weights that were computed count as they are used: folded nodes read none, for this purpose. */
static uint64_t count_parameters(const lip_model *model)
{
    uint64_t count = 0;
    for (size_t i = 0; i < model->node_count; i++) {
        const lip_node *node = model->nodes[i];
        for (size_t k = 0; k < node->input_count && !node->folded; k++) {
            const lip_value *value = node->inputs[k];
            if (!value || !value->constant || !lip_dtype_is_real(value->dtype) || lip_draft_of(value)->counted)
                continue;
            lip_draft_of(value)->counted = true;
            count += (uint64_t)value->constant->count;
        }
    }
    return count;
}

lip_status lip_model_finish(lip_draft *draft, lip_error *error)
{
    lip_model *model = draft->model;
    lip_model_prune(draft);
    model->value_count = take_values(draft, NULL);
    model->values = lip_arena_alloc(&model->arena, (int64_t)model->value_count, sizeof *model->values);
    model->inputs = lip_arena_alloc(&model->arena, (int64_t)draft->input_count, sizeof *model->inputs);
    if (!model->values || !model->inputs)
        return lip_fail_memory(error, NULL, "the list of tensors");
    take_values(draft, model->values);
    lip_node **nodes = lip_arena_alloc(&model->arena, (int64_t)model->node_count, sizeof *nodes);
    if (!nodes)
        return lip_fail_memory(error, NULL, "the list of nodes");
    for (size_t i = 0; i < model->node_count; i++) /* out of the draft's memory */
        nodes[i] = model->nodes[i];
    model->nodes = nodes;
    for (size_t i = 0; i < draft->input_count; i++)
        model->inputs[i] = &draft->inputs[i].value->value;
    model->input_count = draft->input_count;
    model->parameters = count_parameters(model);
    return LIP_OK;
}
