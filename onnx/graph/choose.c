/*
 * choose.c: the tensor taken as the logits.
 *
 * The one the user names, as it is. Otherwise the first floating-point output
 * that depends on a perturbed input, or the first of any type if there is none;
 * and where a final Softmax, LogSoftmax, ArgMax or the indices of a TopK made
 * it, what goes into that: margins and Lipschitz constants of a classifier are
 * about its logits, not its probabilities or labels.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "graph/model.h"
#include "op.h"

#include <stdio.h>
#include <string.h>

/* Which values depend on a perturbed input, as far as the graph's edges tell. */
static void spread(lip_model *model)
{
    for (size_t i = 0; i < model->node_count; i++) {
        lip_node *node = model->nodes[i];
        bool varies = lip_draft_of_node(node)->has_subgraph;
        for (size_t k = 0; k < node->input_count && !varies; k++)
            varies = node->inputs[k] && node->inputs[k]->varies;
        if (node->op && node->op->shape_only)
            varies = false;
        for (size_t k = 0; k < node->output_count; k++)
            if (node->outputs[k])
                node->outputs[k]->varies = varies;
    }
}

static bool is_default(const lip_node *node, const char *const *names)
{
    if (node->domain[0] != '\0')
        return false;
    for (; *names; names++)
        if (strcmp(node->op_type, *names) == 0)
            return true;
    return false;
}

static bool is_ml(const lip_node *node, const char *name)
{
    return strcmp(node->domain, "ai.onnx.ml") == 0 && strcmp(node->op_type, name) == 0;
}

/* Types of values inside the graph are known only where the file tells them. */
static bool is_score(lip_dtype dtype)
{
    return dtype == LIP_DTYPE_UNDEFINED || lip_dtype_is_real(dtype);
}

/* A step after the Softmax that keeps every element; `labels`: whole numbers may do. */
static bool keeps_elements(const lip_node *node, bool labels)
{
    static const char *const names[] = {"Identity", "Reshape", "Flatten", "Squeeze", "Unsqueeze", NULL};
    static const char *const cast[] = {"Cast", NULL};
    if (is_default(node, cast))
        return labels || lip_dtype_is_real((lip_dtype)lip_attr_int(node, "to", 0));
    return is_default(node, names) || is_ml(node, "ZipMap");
}

static const lip_value *made_from(const lip_value *value, bool labels)
{
    while (value && value->producer && keeps_elements(value->producer, labels))
        value = lip_node_input(value->producer, 0);
    return value;
}

/* The Softmax that ends in `value`, or NULL. */
static const lip_node *final_softmax(const lip_value *value)
{
    static const char *const softmax[] = {"Softmax", "LogSoftmax", NULL}, *const sigmoid[] = {"Sigmoid", NULL};
    value = made_from(value, false);
    const lip_node *node = value ? value->producer : NULL;
    /* Linear classifiers end in probabilities that are divided by their sum, which keeps their order. */
    if (node && is_ml(node, "Normalizer") && strcmp(lip_attr_string(node, "norm", "MAX"), "L1") == 0) {
        value = made_from(lip_node_input(node, 0), false);
        node = value ? value->producer : NULL;
    }
    const lip_value *scores = node ? lip_node_input(node, 0) : NULL;
    if (!scores)
        return NULL;
    bool linear = scores->producer && is_ml(scores->producer, "LinearClassifier");
    return is_default(node, softmax) || (linear && is_default(node, sigmoid)) ? node : NULL;
}

/* The node that picks the largest of real scores, where its indices end in `value`; or NULL. */
static const lip_node *final_labels(const lip_value *value)
{
    static const char *const arg_max[] = {"ArgMax", NULL}, *const top_k[] = {"TopK", NULL};
    value = made_from(value, true);
    const lip_node *node = value ? value->producer : NULL;
    const lip_value *scores = node ? lip_node_input(node, 0) : NULL;
    if (!scores || !is_score(scores->dtype))
        return NULL;
    return is_default(node, arg_max) || (is_default(node, top_k) && value == lip_node_output(node, 1)) ? node : NULL;
}

static lip_status named_output(lip_draft *draft, const char *name, lip_error *error)
{
    lip_draft_value *found = lip_draft_find(draft, name);
    if (!found || !found->defined)
        return lip_fail(error, LIP_EUSAGE, "the model has no tensor '%s' to take as the logits", name);
    draft->model->logits = &found->value;
    return LIP_OK;
}

/* The first output that depends on a perturbed input. */
static lip_value *first_output(const lip_draft *draft, bool any_type)
{
    for (size_t i = 0; i < draft->output_count; i++) {
        lip_value *output = draft->outputs[i];
        if (output->varies && (any_type || is_score(output->dtype)))
            return output;
    }
    return NULL;
}

/* "'x' (int64), 'y' (bool)", cut where the room ends. */
static void list_value(char *text, size_t size, const lip_value *value)
{
    size_t used = strlen(text);
    if (used < size)
        snprintf(text + used, size - used, "%s'%s' (%s)", used ? ", " : "", value->name,
                 value->dtype == LIP_DTYPE_UNDEFINED ? "type not declared" : lip_dtype_name(value->dtype));
}

static lip_status nothing_depends(const lip_draft *draft, const lip_load_options *options, lip_error *error)
{
    char inputs[320] = "", outputs[320] = "";
    for (size_t i = 0; i < draft->input_count; i++)
        list_value(inputs, sizeof inputs, &draft->inputs[i].value->value);
    for (size_t i = 0; i < draft->output_count; i++)
        list_value(outputs, sizeof outputs, draft->outputs[i]);
    return lip_fail(error, LIP_EUNSUPPORTED, "no output depends on %s: the inputs are %s; the outputs %s",
                    options->input ? "the chosen input" : "a floating-point input", inputs[0] ? inputs : "none",
                    outputs[0] ? outputs : "none");
}

static void remark_skipped(lip_model *model, const lip_node *node)
{
    if (node)
        lip_model_remark(model, "the final %s '%s' is not part of the logits: '%s' was taken", node->op_type,
                         node->name, model->logits->name);
}

/* The logits behind an output, with a remark for each node that is left out. */
static void take(lip_model *model, lip_value *output)
{
    const lip_node *labels = final_labels(output);
    lip_value *scores = labels ? labels->inputs[0] : output;
    const lip_node *softmax = final_softmax(scores);
    model->logits = softmax ? softmax->inputs[0] : scores;
    remark_skipped(model, softmax);
    remark_skipped(model, labels);
}

static void remark_others(lip_draft *draft, const lip_value *taken)
{
    for (size_t i = 0; i < draft->output_count; i++)
        if (draft->outputs[i] != taken)
            lip_model_remark(draft->model, "the output '%s' was not audited: the logits are '%s'",
                             draft->outputs[i]->name, draft->model->logits->name);
}

lip_status lip_model_choose(lip_draft *draft, const lip_load_options *options, lip_error *error)
{
    lip_model *model = draft->model;
    spread(model);
    if (options->output)
        return named_output(draft, options->output, error);
    lip_value *taken = first_output(draft, false);
    if (!taken)
        taken = first_output(draft, true);
    if (!taken)
        return nothing_depends(draft, options, error);
    take(model, taken);
    remark_others(draft, taken);
    return LIP_OK;
}
