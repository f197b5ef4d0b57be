/*
 * infinite.c: infinity in constants, as masks before a Softmax have it.
 *
 * An element of a tensor is fixed at infinity if it is infinite for every
 * finite input. Sums, products with constants, selections and rearrangements
 * of such tensors have it at places that do not depend on the input: they are
 * found by one evaluation with zeros for what varies. There a difference of
 * two outputs counts as 0, and Softmax, which is 0 at -infinity, takes it
 * away: its slopes in the other elements are those of a shorter Softmax. An
 * infinite constant that anything else reads is refused; a tensor computed
 * from one makes its reader unknown.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "graph/model.h"

#include "binding.h"
#include "op.h"

#include <math.h>
#include <string.h>

static bool is_infinite(const lip_value *value)
{
    return value && (lip_draft_of(value)->infinite || lip_draft_of(value)->pattern);
}

static bool is_default(const lip_node *node, const char *op)
{
    return node->domain[0] == '\0' && strcmp(node->op_type, op) == 0;
}

/* Whether infinity in its inputs stays where it is, whatever the finite elements are. */
static bool passes_on(const lip_node *node)
{
    switch (node->op->gain.kind) {
    case LIP_GAIN_ISOMETRY:
    case LIP_GAIN_COPY:
    case LIP_GAIN_SUM:
    case LIP_GAIN_JOIN:
    case LIP_GAIN_CONCAT:
        return true;
    default:
        break;
    }
    bool product = is_default(node, "Mul") || is_default(node, "Div");
    return is_default(node, "Clip") ||
           (product && node->input_count == 2 && (lip_node_constant(node, 0) || lip_node_constant(node, 1)));
}

/* Only real-valued inputs may be unknown: where an integer or bool decides, nothing is fixed. */
static bool is_decided(const lip_node *node)
{
    for (size_t i = 0; i < node->input_count; i++) {
        const lip_value *value = node->inputs[i];
        if (value && !value->constant &&
            (!lip_dtype_is_real(value->dtype) || (lip_draft_of(value)->infinite && !lip_draft_of(value)->pattern)))
            return false;
    }
    return true;
}

static lip_status bind_input(lip_draft *draft, lip_binding *binding, lip_tensor *zeros, size_t i, lip_error *error)
{
    const lip_value *value = binding->node->inputs[i];
    if (!value || value->constant)
        return LIP_OK;
    *zeros = (lip_tensor){.dtype = value->dtype, .storage = LIP_F64, .shape = value->shape};
    lip_shape_count(&value->shape, &zeros->count);
    if (!lip_draft_of(value)->pattern)
        zeros->room = lip_arena_alloc(&draft->scratch, zeros->count, sizeof(double));
    binding->in[i] = lip_draft_of(value)->pattern ? lip_draft_of(value)->pattern : zeros;
    return binding->in[i]->data ? LIP_OK : lip_fail_memory(error, binding->node, "where its inputs are infinite");
}

static lip_status run_bound(lip_draft *draft, lip_binding *binding, const lip_node *node, lip_tensor *out,
                            lip_error *error)
{
    lip_status status = lip_binding_set(binding, node, error);
    lip_tensor *zeros = lip_arena_alloc(&draft->scratch, (int64_t)node->input_count, sizeof *zeros);
    if (!status && !zeros)
        status = lip_fail_memory(error, node, "where its inputs are infinite");
    for (size_t i = 0; i < node->input_count && !status; i++)
        status = bind_input(draft, binding, &zeros[i], i, error);
    for (size_t i = 0; i < node->output_count && !status; i++) {
        const lip_value *value = node->outputs[i];
        if (!value || !lip_dtype_is_real(value->dtype))
            continue;
        out[i] = (lip_tensor){.dtype = value->dtype, .storage = LIP_F64, .shape = value->shape};
        lip_shape_count(&value->shape, &out[i].count);
        out[i].room = lip_arena_alloc(&draft->scratch, out[i].count, sizeof(double));
        binding->out[i] = &out[i];
        if (!out[i].room)
            status = lip_fail_memory(error, node, "where its outputs are infinite");
    }
    const lip_call call = lip_binding_call(binding, false);
    return status ? status : node->op->forward(&call, error);
}

/* The node's outputs where every finite varying element is 0. */
static lip_status evaluate(lip_draft *draft, const lip_node *node, lip_tensor **out, lip_error *error)
{
    lip_binding binding = {0};
    lip_memory *memory = &draft->model->memory;
    lip_tensor *made = lip_arena_alloc(&draft->scratch, (int64_t)node->output_count, sizeof *made);
    if (!made)
        return lip_fail_memory(error, node, "where its outputs are infinite");
    lip_status status = lip_binding_open(&binding, memory, node->input_count, node->output_count, error);
    if (!status)
        status = run_bound(draft, &binding, node, made, error);
    lip_binding_close(&binding);
    *out = made;
    return status;
}

static bool any(const lip_tensor *tensor, bool nan)
{
    for (int64_t i = 0; i < tensor->count; i++)
        if (nan ? isnan(tensor->f64[i]) : isinf(tensor->f64[i]))
            return true;
    return false;
}

static lip_status keep_patterns(const lip_node *node, const lip_tensor *out, lip_error *error)
{
    for (size_t i = 0; i < node->output_count; i++) {
        if (!out[i].data)
            continue;
        if (any(&out[i], true))
            return lip_fail_node(error, LIP_EUNSUPPORTED, node,
                                 "infinity in its inputs makes its output '%s' NaN, whatever the input",
                                 node->outputs[i]->name);
        if (any(&out[i], false))
            lip_draft_of(node->outputs[i])->pattern = &out[i];
    }
    return LIP_OK;
}

static lip_status refuse(const lip_node *node, const lip_value *value, lip_error *error)
{
    if (!value->constant)
        return lip_fail_node(error, LIP_EUNSUPPORTED, node,
                             "its input '%s' holds infinity, which only sums, selections and Softmax take",
                             value->name);
    int64_t at = 0;
    while (!isinf(lip_tensor_real(value->constant, at)))
        at++;
    return lip_fail_node(error, LIP_EFORMAT, node, "its constant '%s' holds infinity (element %lld)", value->name,
                         (long long)at);
}

lip_status lip_node_check_infinite(lip_draft *draft, const lip_node *node, lip_error *error)
{
    const lip_value *infinite = NULL;
    bool softmax = is_default(node, "Softmax");
    for (size_t i = 0; i < node->input_count && !node->op->shape_only; i++)
        infinite = is_infinite(node->inputs[i]) ? node->inputs[i] : infinite;
    if (!infinite)
        return LIP_OK;
    bool jumps = node->op->gain.kind == LIP_GAIN_UNBOUNDED; /* a comparison with infinity, say */
    if (!softmax && !jumps && !passes_on(node))
        return refuse(node, infinite, error);
    if (jumps || !is_decided(node)) {
        for (size_t i = 0; i < node->output_count && !softmax; i++)
            if (node->outputs[i])
                lip_draft_of(node->outputs[i])->infinite = lip_dtype_is_real(node->outputs[i]->dtype);
        return LIP_OK;
    }
    lip_tensor *out = NULL;
    lip_status status = evaluate(draft, node, &out, error);
    return status ? status : keep_patterns(node, out, error);
}
