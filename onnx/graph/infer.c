/*
 * infer.c: shapes, constants and verdicts, node by node in order.
 *
 * A node that cannot be understood is not an error: it gets its reason, and
 * so does every node that needs the shape of one of its outputs.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "graph/model.h"

#include "attention.h"
#include "op.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static lip_status mark_unknown(lip_draft *draft, lip_node *node, lip_error *error, const char *format, ...)
    LIP_PRINTF(4, 5);

static lip_status mark_unknown(lip_draft *draft, lip_node *node, lip_error *error, const char *format, ...)
{
    char text[1024], printable[768];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    lip_copy_printable(printable, sizeof printable, text);
    node->unknown = lip_arena_string(&draft->model->arena, printable, strlen(printable));
    return node->unknown ? LIP_OK : lip_fail_memory(error, node, "a message");
}

/* Reasons that are known before the operator is asked. */
static lip_status check_operator(lip_draft *draft, lip_node *node, lip_error *error)
{
    const lip_op *op = node->op;
    if (node->unknown)
        return LIP_OK;
    if (!op && node->domain[0] == '\0')
        return mark_unknown(draft, node, error, "operator '%s' is not supported", node->op_type);
    if (!op)
        return mark_unknown(draft, node, error, "operator '%s' of domain '%s' is not supported", node->op_type,
                            node->domain);
    if (node->opset > op->opset_last)
        return mark_unknown(draft, node, error, "opset %" PRId64 " is newer than what was checked (%d)", node->opset,
                            op->opset_last);
    if (node->opset < op->opset_first)
        return mark_unknown(draft, node, error, "opset %" PRId64 " is older than what is supported (%d)", node->opset,
                            op->opset_first);
    return LIP_OK;
}

static lip_status check_inputs(lip_draft *draft, lip_node *node, lip_error *error)
{
    for (size_t i = 0; i < node->input_count && !node->unknown; i++) {
        const lip_value *value = node->inputs[i];
        if (!value)
            continue;
        lip_status status = LIP_OK;
        if (lip_draft_of(value)->why)
            status = mark_unknown(draft, node, error, "its input '%s' %s", value->name, lip_draft_of(value)->why);
        else if (!value->shape_known)
            status = mark_unknown(draft, node, error,
                                  "its input '%s' has no known shape, because node '%s' is not understood",
                                  value->name, value->producer ? value->producer->name : "");
        else if (lip_dtype_storage(value->dtype, false) == LIP_OPAQUE)
            status = mark_unknown(draft, node, error, "its input '%s' holds elements of type %s", value->name,
                                  lip_dtype_name(value->dtype));
        if (status)
            return status;
    }
    return LIP_OK;
}

/* An operator's error, made to name the node. */
static lip_status blame(const lip_node *node, lip_status status, lip_error *error)
{
    return lip_fail_node(error, status, node, "%s", error->reason);
}

static lip_status check_outputs(const lip_node *node, lip_error *error)
{
    for (size_t i = 0; i < node->output_count; i++) {
        lip_value *value = node->outputs[i];
        int64_t count, bytes;
        if (!value)
            continue;
        if (!value->shape_known)
            return lip_fail_node(error, LIP_EFORMAT, node, "has more outputs than its operator: '%s' is one too many",
                                 value->name);
        if (!lip_shape_count(&value->shape, &count) || !lip_size_mul(count, sizeof(double), &bytes))
            return lip_fail_node(error, LIP_EFORMAT, node, "the shape of its output '%s' is too large", value->name);
    }
    return LIP_OK;
}

static void forget_shapes(lip_node *node)
{
    for (size_t i = 0; i < node->output_count; i++)
        if (node->outputs[i])
            node->outputs[i]->shape_known = false;
}

/* An operator that could not: its reason becomes the node's. Everything else ends the reading. */
static lip_status settle(lip_draft *draft, lip_node *node, lip_status status, lip_error *error)
{
    if (status != LIP_EUNSUPPORTED)
        return status ? blame(node, status, error) : LIP_OK;
    forget_shapes(node);
    return mark_unknown(draft, node, error, "%s", error->reason);
}

static bool can_fold(const lip_node *node)
{
    if (!node->op->forward || node->output_count == 0)
        return false;
    if (node->op->shape_only)
        return true;
    for (size_t i = 0; i < node->input_count; i++)
        if (node->inputs[i] && !node->inputs[i]->constant)
            return false;
    return true;
}

static void spread(lip_node *node)
{
    bool varies = node->unknown && lip_draft_of_node(node)->has_subgraph;
    for (size_t i = 0; i < node->input_count && !varies; i++)
        varies = node->inputs[i] && node->inputs[i]->varies;
    for (size_t i = 0; i < node->output_count; i++)
        if (node->outputs[i])
            node->outputs[i]->varies = varies && !node->folded;
}

static lip_status infer_node(lip_draft *draft, lip_node *node, lip_error *error)
{
    lip_status status = lip_node_check_attributes(node, error);
    if (!status)
        status = lip_node_check_finite(node, error);
    if (!status)
        status = check_operator(draft, node, error);
    if (!status && !node->unknown)
        status = check_inputs(draft, node, error);
    if (!status && !node->unknown && !lip_draft_of_node(node)->prepended) /* whose constants are of float64 */
        status = settle(draft, node, lip_node_check_types(node, error), error);
    if (status || node->unknown)
        return status;
    status = node->op->shape(node, error);
    if (!status)
        status = check_outputs(node, error);
    status = settle(draft, node, status, error);
    if (status || node->unknown)
        return status;
    status = can_fold(node) ? lip_node_fold(draft, node, error) : lip_node_check_infinite(draft, node, error);
    return settle(draft, node, status, error);
}

/* An If whose condition has become a constant. */
static bool is_decided(const lip_node *node)
{
    const lip_tensor *condition = lip_node_constant(node, 0);
    return node->domain[0] == '\0' && strcmp(node->op_type, "If") == 0 && lip_draft_of_node(node)->branches &&
           condition && condition->storage == LIP_I64 && condition->count == 1;
}

static void reverse(lip_node **nodes, size_t count)
{
    for (size_t i = 0; i + i + 1 < count; i++) {
        lip_node *other = nodes[count - 1 - i];
        nodes[count - 1 - i] = nodes[i];
        nodes[i] = other;
    }
}

/* Puts the nodes from `before` on in the place of node `at`. */
static void replace(lip_model *model, size_t at, size_t before)
{
    lip_node **rest = model->nodes + at + 1;
    const size_t old = before - at - 1, added = model->node_count - before;
    reverse(rest, old); /* three reversals move the new nodes in front of the old ones */
    reverse(rest + old, added);
    reverse(rest, old + added);
    for (size_t i = at; i + 1 < model->node_count; i++)
        model->nodes[i] = model->nodes[i + 1];
    model->node_count--;
}

/* Puts the branch that is taken in the place of node `at`. */
static lip_status decide(lip_draft *draft, size_t at, lip_error *error)
{
    lip_model *model = draft->model;
    const size_t before = model->node_count;
    bool taken = lip_node_constant(model->nodes[at], 0)->i64[0] != 0;
    lip_status status = lip_read_branch(draft, model->nodes[at], taken ? "then_branch" : "else_branch", error);
    if (!status)
        status = lip_model_sort_from(draft, before, error);
    if (!status)
        replace(model, at, before);
    return status;
}

/* The same for an Attention and its parts. What cannot be split stays, and has its reason. */
static lip_status split(lip_draft *draft, size_t at, lip_error *error)
{
    lip_model *model = draft->model;
    const size_t before = model->node_count;
    lip_status status = lip_split_attention(draft, model->nodes[at], error);
    if (status)
        return settle(draft, model->nodes[at], status, error);
    replace(model, at, before);
    return LIP_OK;
}

lip_status lip_model_infer(lip_draft *draft, lip_error *error)
{
    lip_model *model = draft->model;
    for (size_t i = 0; i < model->node_count; i++) {
        while (i < model->node_count && is_decided(model->nodes[i])) {
            lip_status decided = decide(draft, i, error);
            if (decided)
                return decided;
        }
        if (i == model->node_count)
            break;
        lip_status status = lip_is_attention(model->nodes[i]) ? split(draft, i, error) : LIP_OK;
        if (!status)
            status = infer_node(draft, model->nodes[i], error);
        if (status)
            return status;
        spread(model->nodes[i]);
        lip_model_release(model, model->nodes[i]);
    }
    return LIP_OK;
}
