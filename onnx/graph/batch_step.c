/*
 * batch_step.c: from a node to the step that does it, and running one.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "batch_parts.h"

#include "copy.h"
#include "support.h"

/* Only output 0 is read. */
static bool has_one_output(const lip_node *node)
{
    for (size_t i = 1; i < node->output_count; i++)
        if (node->outputs[i] != NULL && node->outputs[i]->consumers > 0)
            return false;
    return node->output_count > 0 && node->outputs[0] != NULL;
}

static bool is_real(const lip_value *value)
{
    return lip_dtype_storage(value->dtype, true) == LIP_F64;
}

/* Reshape, Flatten, Identity, Squeeze, Unsqueeze; Dropout without its mask; Cast between floating-point types. */
static bool is_alias(const lip_node *node)
{
    const lip_value *x = lip_node_input(node, 0);
    if (x == NULL || x->constant != NULL || !has_one_output(node) ||
        lip_dtype_storage(x->dtype, true) != lip_dtype_storage(node->outputs[0]->dtype, true))
        return false;
    return node->op->forward == lip_copy_forward || (node->op->adjoint == lip_copy_adjoint && is_real(x));
}

/* Affine in its one varying, real input: then *gain says how. */
static lip_status check_affine(const lip_node *node, lip_arena *arena, lip_gain *gain, bool *affine, lip_error *error)
{
    const int varying = lip_node_varying(node);
    *affine = false;
    *gain = node->op->gain;
    if ((gain->kind != LIP_GAIN_DENSE && gain->kind != LIP_GAIN_CONV) || varying < 0 || !has_one_output(node) ||
        !is_real(node->inputs[varying]) || !is_real(node->outputs[0]))
        return LIP_OK;
    for (size_t i = 0; i < node->input_count; i++)
        if (node->inputs[i] != NULL && (int)i != varying && node->inputs[i]->constant == NULL)
            return LIP_OK;
    const lip_status status = node->op->describe(node, arena, gain, error);
    *affine = status == LIP_OK && (gain->kind == LIP_GAIN_DENSE || (gain->kind == LIP_GAIN_CONV && varying == 0));
    return status == LIP_EMEMORY ? status : LIP_OK;
}

/* This operator on one varying real input, of which only output 0 is read. */
static bool is_plain(const lip_node *node, const lip_op *op)
{
    const lip_value *x = lip_node_input(node, 0);
    return node->op == op && x != NULL && x->constant == NULL && is_real(x) && has_one_output(node);
}

static lip_status open_affine(lip_step *step, const lip_gain *gain, const lip_kernels *kernels, lip_memory *memory,
                              lip_error *error)
{
    step->affine = true;
    if (gain->kind == LIP_GAIN_CONV)
        return lip_batch_conv_open(step->node, &gain->conv, kernels, memory, &step->conv, error);
    return lip_batch_dense_open(step->node, &gain->dense, kernels, memory, &step->dense, error);
}

lip_status lip_step_open(const lip_node *node, const lip_kernels *kernels, lip_memory *memory, lip_step *step,
                         lip_error *error)
{
    lip_arena arena;
    lip_gain gain;
    bool affine = false;
    *step = (lip_step){ .node = node, .kind = LIP_STEP_ALIAS, .relu = LIP_NO_STEP, .before = LIP_NO_STEP };
    if (is_alias(node))
        return LIP_OK;
    step->kind = LIP_STEP_RELU;
    if (is_plain(node, &lip_op_relu))
        return LIP_OK;
    step->kind = LIP_STEP_POOL;
    if (is_plain(node, &lip_op_max_pool))
        return lip_batch_pool_open(node, kernels, memory, &step->pool, error);
    lip_arena_init(&arena, memory);
    lip_status status = check_affine(node, &arena, &gain, &affine, error);
    if (status == LIP_OK && affine)
        status = open_affine(step, &gain, kernels, memory, error);
    step->kind = step->conv != NULL ? LIP_STEP_CONV : step->dense != NULL ? LIP_STEP_DENSE : LIP_STEP_GENERIC;
    if (status == LIP_OK && step->kind == LIP_STEP_GENERIC)
        status = lip_batch_generic_open(node, kernels, memory, &step->generic, error);
    lip_arena_free(&arena);
    return status;
}

void lip_step_free(lip_step *step, lip_memory *memory)
{
    lip_batch_conv_free(step->conv, memory);
    lip_batch_dense_free(step->dense, memory);
    lip_batch_pool_free(step->pool, memory);
    lip_batch_generic_free(step->generic, memory);
    *step = (lip_step){ .node = NULL };
}

int64_t lip_step_terms(const lip_step *step)
{
    return step->conv != NULL ? lip_batch_conv_terms(step->conv)
           : step->dense != NULL ? lip_batch_dense_terms(step->dense) : -1;
}
