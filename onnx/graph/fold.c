/*
 * fold.c: a node becomes constants by running it once.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "graph/model.h"
#include "op.h"

#include <string.h>

typedef struct folding {
    lip_tensor *in, *out; /* as the operator sees them */
    const lip_tensor **in_list;
    lip_tensor **out_list;
    void **converted; /* float32 constants as float64; NULL where used as they are */
} folding;

static void give_back(lip_memory *memory, folding *fold, size_t inputs)
{
    for (size_t i = 0; fold->converted && i < inputs; i++)
        lip_free(memory, fold->converted[i]);
    lip_free(memory, fold->in);
    lip_free(memory, fold->out);
    lip_free(memory, fold->in_list);
    lip_free(memory, fold->out_list);
    lip_free(memory, fold->converted);
}

static bool take(lip_memory *memory, folding *fold, const lip_node *node)
{
    int64_t inputs = (int64_t)node->input_count, outputs = (int64_t)node->output_count;
    fold->in = lip_alloc(memory, inputs, sizeof *fold->in);
    fold->out = lip_alloc(memory, outputs, sizeof *fold->out);
    fold->in_list = lip_alloc(memory, inputs, sizeof *fold->in_list);
    fold->out_list = lip_alloc(memory, outputs, sizeof *fold->out_list);
    fold->converted = lip_alloc(memory, inputs, sizeof *fold->converted);
    return fold->in && fold->out && fold->in_list && fold->out_list && fold->converted;
}

static lip_status prepare_input(lip_memory *memory, folding *fold, const lip_node *node, size_t i, lip_error *error)
{
    const lip_value *value = node->inputs[i];
    lip_tensor *tensor = &fold->in[i];
    fold->in_list[i] = tensor;
    if (!value->constant) { /* only the shape matters */
        tensor->dtype = value->dtype;
        tensor->storage = lip_dtype_storage(value->dtype, true);
        tensor->shape = value->shape;
        lip_shape_count(&tensor->shape, &tensor->count);
        return LIP_OK;
    }
    *tensor = *value->constant;
    if (tensor->storage != LIP_F32)
        return LIP_OK;
    double *reals = lip_alloc(memory, tensor->count, sizeof *reals);
    if (!reals)
        return lip_fail_memory(error, node, "folding constants");
    lip_tensor_to_real(value->constant, reals);
    fold->converted[i] = reals;
    tensor->storage = LIP_F64;
    tensor->f64 = reals;
    return LIP_OK;
}

static lip_status prepare_output(lip_draft *draft, folding *fold, const lip_node *node, size_t i, lip_error *error)
{
    const lip_value *value = node->outputs[i];
    lip_tensor *tensor = &fold->out[i];
    tensor->dtype = value->dtype;
    tensor->storage = lip_dtype_storage(value->dtype, true);
    tensor->shape = value->shape;
    if (tensor->storage == LIP_OPAQUE || !lip_shape_count(&tensor->shape, &tensor->count))
        return lip_fail_node(error, LIP_EUNSUPPORTED, node, "its output '%s' holds elements of type %s", value->name,
                             lip_dtype_name(value->dtype));
    tensor->room = lip_arena_alloc(&draft->model->arena, tensor->count, lip_storage_size(tensor->storage));
    fold->out_list[i] = tensor;
    return tensor->room ? LIP_OK : lip_fail_memory(error, node, "folding constants");
}

static lip_status prepare(lip_draft *draft, folding *fold, const lip_node *node, lip_error *error)
{
    lip_memory *memory = &draft->model->memory;
    lip_status status = take(memory, fold, node) ? LIP_OK : lip_fail_memory(error, node, "folding constants");
    for (size_t i = 0; i < node->input_count && !status; i++)
        if (node->inputs[i])
            status = prepare_input(memory, fold, node, i, error);
    for (size_t i = 0; i < node->output_count && !status; i++)
        if (node->outputs[i])
            status = prepare_output(draft, fold, node, i, error);
    return status;
}

static lip_status keep(lip_draft *draft, const folding *fold, lip_node *node, lip_error *error)
{
    lip_tensor *kept = lip_arena_alloc(&draft->model->arena, (int64_t)node->output_count, sizeof *kept);
    if (!kept)
        return lip_fail_memory(error, node, "folding constants");
    memcpy(kept, fold->out, node->output_count * sizeof *kept);
    for (size_t i = 0; i < node->output_count; i++)
        if (node->outputs[i])
            node->outputs[i]->constant = &kept[i];
    node->folded = true;
    return LIP_OK;
}

/* Weights are often passed through Identity (shared parameters): no copy. */
static bool is_alias(const lip_node *node)
{
    return node->domain[0] == '\0' && strcmp(node->op_type, "Identity") == 0 && node->input_count == 1 &&
           node->output_count == 1 && node->inputs[0] && node->inputs[0]->constant && node->outputs[0];
}

lip_status lip_node_fold(lip_draft *draft, lip_node *node, lip_error *error)
{
    if (is_alias(node)) {
        node->outputs[0]->constant = node->inputs[0]->constant;
        node->folded = true;
        return LIP_OK;
    }
    folding fold = {0};
    lip_memory *memory = &draft->model->memory;
    lip_status status = prepare(draft, &fold, node, error);
    if (!status) {
        const lip_call call = {
            .node = node, .in = fold.in_list, .out = fold.out_list, .linear_part = false, .memory = memory};
        status = node->op->forward(&call, error);
    }
    if (!status)
        status = keep(draft, &fold, node, error);
    give_back(memory, &fold, node->input_count);
    return status;
}
