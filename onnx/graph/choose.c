/*
 * choose.c: the tensor taken as the logits.
 *
 * The one the user names, as it is. Otherwise the first floating-point output
 * that depends on a perturbed input; and where a final Softmax or LogSoftmax
 * made it, what goes into that: margins and Lipschitz constants of a
 * classifier are about its logits, not its probabilities.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "graph/model.h"
#include "op.h"

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

/* A step between the Softmax and the output that keeps every element. */
static bool keeps_elements(const lip_node *node)
{
    static const char *const names[] = {"Identity", "Reshape", "Flatten", "Squeeze", "Unsqueeze", NULL};
    static const char *const cast[] = {"Cast", NULL};
    if (is_default(node, cast))
        return lip_dtype_is_real((lip_dtype)lip_attr_int(node, "to", 0));
    return is_default(node, names);
}

/* The Softmax that ends in `value`, or NULL. */
static const lip_node *final_softmax(const lip_value *value)
{
    static const char *const softmax[] = {"Softmax", "LogSoftmax", NULL};
    while (value && value->producer && keeps_elements(value->producer))
        value = lip_node_input(value->producer, 0);
    const lip_node *node = value ? value->producer : NULL;
    return node && is_default(node, softmax) && lip_node_input(node, 0) ? node : NULL;
}

static lip_status named_output(lip_draft *draft, const char *name, lip_error *error)
{
    lip_draft_value *found = lip_draft_find(draft, name);
    if (!found || !found->defined)
        return lip_fail(error, LIP_EUSAGE, "the model has no tensor '%s' to take as the logits", name);
    draft->model->logits = &found->value;
    return LIP_OK;
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
    lip_value *taken = NULL;
    for (size_t i = 0; i < draft->output_count && !taken; i++) {
        lip_value *output = draft->outputs[i];
        if (output->varies && (output->dtype == LIP_DTYPE_UNDEFINED || lip_dtype_is_real(output->dtype)))
            taken = output;
    }
    if (!taken)
        return lip_fail(error, LIP_EUNSUPPORTED, "no floating-point output depends on %s",
                        options->input ? "the chosen input" : "a floating-point input");
    const lip_node *softmax = final_softmax(taken);
    model->logits = softmax ? softmax->inputs[0] : taken;
    if (softmax)
        lip_model_remark(model, "the final %s '%s' is not part of the logits: '%s' was taken", softmax->op_type,
                         softmax->name, model->logits->name);
    remark_others(draft, taken);
    return LIP_OK;
}
