/*
 * fuse.c: see fuse.h. What only led to a node that was fused is dead, and
 * pruned with the rest.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "fuse.h"

#include "op.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

const lip_node *lip_made_by(const lip_value *value, const char *op)
{
    const lip_node *node = value ? value->producer : NULL;
    bool is = node && node->op && !node->folded && !node->unknown && node->domain[0] == '\0' &&
              node->outputs[0] == value && strcmp(node->op_type, op) == 0 && strcmp(node->op->name, op) == 0;
    return is ? node : NULL;
}

bool lip_is_scalar(const lip_value *value, double *out)
{
    const lip_tensor *constant = value ? value->constant : NULL;
    if (!constant || constant->count != 1 || !lip_dtype_is_real(constant->dtype) || !constant->data)
        return false;
    *out = lip_tensor_real(constant, 0);
    return isfinite(*out);
}

lip_value *lip_draft_reals(lip_draft *draft, const lip_value *like, const double *list, int64_t count)
{
    lip_arena *arena = &draft->model->arena;
    char name[64];
    snprintf(name, sizeof name, "constants#%zu", draft->value_count);
    while (lip_draft_find(draft, name))
        snprintf(name, sizeof name, "constants#%zu#%.20s", draft->value_count, like->name);
    lip_draft_value *made = lip_draft_value_named(draft, name);
    lip_tensor *tensor = lip_arena_alloc(arena, 1, sizeof *tensor);
    double *elements = lip_arena_alloc(arena, count, sizeof *elements);
    if (!made || !tensor || !elements)
        return NULL;
    memcpy(elements, list, (size_t)count * sizeof *elements);
    *tensor = (lip_tensor){.dtype = LIP_DTYPE_DOUBLE, .storage = LIP_F64, .count = count, .f64 = elements};
    tensor->shape = (lip_shape){.rank = 1, .dim = {count}};
    made->defined = made->checked = made->counted = true;
    made->value.dtype = LIP_DTYPE_DOUBLE;
    made->value.shape = tensor->shape;
    made->value.shape_known = true;
    made->value.constant = tensor;
    return &made->value;
}

lip_status lip_fuse_into(lip_draft *draft, lip_node *node, const lip_op *op, lip_value *x, lip_value *constants,
                         const lip_attr *attrs, size_t attr_count, lip_error *error)
{
    lip_arena *arena = &draft->model->arena;
    lip_attr *copy = lip_arena_alloc(arena, (int64_t)attr_count, sizeof *copy);
    lip_value **inputs = lip_arena_alloc(arena, 2, sizeof *inputs);
    if (!constants || !inputs || (!copy && attr_count))
        return lip_fail_memory(error, node, "its parts");
    if (attr_count)
        memcpy(copy, attrs, attr_count * sizeof *copy);
    inputs[0] = x;
    inputs[1] = constants;
    node->inputs = inputs;
    node->input_count = 2;
    node->attrs = copy;
    node->attr_count = attr_count;
    node->op = op;
    node->op_type = op->name;
    return LIP_OK;
}

static bool can_end(const lip_node *node)
{
    return node->op && !node->folded && !node->unknown && node->domain[0] == '\0' && node->input_count == 2 &&
           node->output_count == 1 && node->outputs[0] && node->outputs[0]->varies &&
           lip_dtype_is_real(node->outputs[0]->dtype) && node->inputs[0] && node->inputs[1];
}

lip_status lip_model_fuse(lip_draft *draft, lip_error *error)
{
    lip_model *model = draft->model;
    lip_model_prune(draft); /* for the numbers of consumers */
    for (size_t i = 0; i < model->node_count; i++) {
        lip_node *node = model->nodes[i];
        lip_status status = can_end(node) ? lip_fuse_gate(draft, node, error) : LIP_OK;
        if (!status && can_end(node))
            status = lip_fuse_norm(draft, node, error);
        if (status)
            return status;
    }
    return LIP_OK;
}
