/*
 * sort.c: nodes in topological order.
 *
 * Depth first from the nodes in the file's order, with a stack in memory: a
 * node is placed once all its producers are. A file that is sorted already
 * (nearly all are) keeps its order.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "graph/model.h"

enum { NEW = 0, OPEN, PLACED };

typedef struct frame {
    lip_node *node;
    size_t input; /* the next one to look at */
} frame;

static lip_status check_input(const lip_node *node, const lip_value *value, lip_error *error)
{
    if (!value || lip_draft_of(value)->defined)
        return LIP_OK;
    return lip_fail_node(error, LIP_EFORMAT, node,
                         "its input '%s' is written by no node, and is no input of the graph and no initializer",
                         value->name);
}

/* Places `root` and everything it needs; `stack` has room for every node. */
static lip_status visit(lip_node *root, frame *stack, lip_node **sorted, size_t *count, lip_error *error)
{
    size_t depth = 1;
    stack[0] = (frame){root, 0};
    lip_draft_of_node(root)->mark = OPEN;
    while (depth > 0) {
        frame *top = &stack[depth - 1];
        if (top->input == top->node->input_count) {
            lip_draft_of_node(top->node)->mark = PLACED;
            sorted[(*count)++] = top->node;
            depth--;
            continue;
        }
        const lip_value *value = top->node->inputs[top->input++];
        lip_status status = check_input(top->node, value, error);
        if (status)
            return status;
        lip_node *producer = value ? value->producer : NULL;
        if (!producer || lip_draft_of_node(producer)->mark == PLACED)
            continue;
        if (lip_draft_of_node(producer)->mark == OPEN)
            return lip_fail_node(error, LIP_EFORMAT, producer, "depends on its own output '%s': the graph has a cycle",
                                 value->name);
        lip_draft_of_node(producer)->mark = OPEN;
        stack[depth++] = (frame){producer, 0};
    }
    return LIP_OK;
}

lip_status lip_model_sort_from(lip_draft *draft, size_t first, lip_error *error)
{
    lip_model *model = draft->model;
    int64_t room = (int64_t)(model->node_count - first);
    lip_node **sorted = lip_arena_alloc(&draft->scratch, room, sizeof *sorted);
    frame *stack = lip_arena_alloc(&draft->scratch, room, sizeof *stack);
    if (!sorted || !stack)
        return lip_fail_memory(error, NULL, "sorting the nodes");
    size_t count = 0;
    for (size_t i = first; i < model->node_count; i++) {
        if (lip_draft_of_node(model->nodes[i])->mark == PLACED)
            continue;
        lip_status status = visit(model->nodes[i], stack, sorted, &count, error);
        if (status)
            return status;
    }
    for (size_t i = 0; i < count; i++)
        model->nodes[first + i] = sorted[i];
    return LIP_OK;
}

lip_status lip_model_sort(lip_draft *draft, lip_error *error)
{
    lip_status status = lip_model_sort_from(draft, 0, error);
    if (status)
        return status;
    for (size_t i = 0; i < draft->output_count; i++)
        if (!lip_draft_of(draft->outputs[i])->defined)
            return lip_fail(error, LIP_EFORMAT, "the graph's output '%s' is written by no node",
                            draft->outputs[i]->name);
    return LIP_OK;
}
