/*
 * run.c: evaluates a whole network and its gradient in float64, see run.h.
 *
 * Every value that is not a constant has its own block; the backward pass
 * keeps a gradient block for a value from its first use until its producer
 * has been passed.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "run.h"

#include "binding.h"

#include <math.h>
#include <string.h>

struct lip_run {
    const lip_model *model;
    lip_memory *memory;
    lip_tensor *values; /* one per model value; data is NULL where nothing is computed */
    lip_binding binding;
};

/* The backward pass. */
typedef struct reverse {
    lip_run *run;
    bool *reached; /* per value: depends on the chosen input */
    double **grad; /* per value; NULL: zero so far, or done */
} reverse;

static lip_status refuse(const lip_model *model, lip_error *error)
{
    for (size_t i = 0; i < model->node_count; i++) {
        const lip_node *node = model->nodes[i];
        if (node->folded)
            continue;
        if (node->unknown != NULL)
            return lip_fail_node(error, LIP_EUNSUPPORTED, node, "%s", node->unknown);
        if (node->op == NULL || node->op->forward == NULL)
            return lip_fail_node(error, LIP_EUNSUPPORTED, node, "the operator cannot be evaluated");
    }
    return LIP_OK;
}

static lip_status open_value(lip_run *run, const lip_value *value, bool wanted, lip_error *error)
{
    lip_tensor *tensor = &run->values[value->index];
    *tensor = (lip_tensor){ .dtype = value->dtype, .shape = value->shape };
    if (!wanted || !value->shape_known)
        return LIP_OK;
    tensor->storage = lip_dtype_storage(value->dtype, true);
    if (!lip_shape_count(&value->shape, &tensor->count))
        return lip_fail(error, LIP_EUNSUPPORTED, "the size of '%s' overflows", value->name);
    if (tensor->storage == LIP_OPAQUE)
        return LIP_OK;
    tensor->room = lip_alloc(run->memory, tensor->count, lip_storage_size(tensor->storage));
    return tensor->room != NULL ? LIP_OK : lip_fail_memory(error, value->producer, "its output");
}

/* The model's inputs, and what its nodes compute and somebody reads. */
static lip_status open_values(lip_run *run, lip_error *error)
{
    const lip_model *model = run->model;
    lip_status status = LIP_OK;
    for (size_t i = 0; i < model->input_count && status == LIP_OK; i++)
        status = open_value(run, model->inputs[i], model->inputs[i]->consumers > 0, error);
    for (size_t i = 0; i < model->node_count && status == LIP_OK; i++)
        for (size_t j = 0; j < model->nodes[i]->output_count && status == LIP_OK; j++) {
            const lip_value *value = model->nodes[i]->outputs[j];
            if (value != NULL && value->constant == NULL)
                status = open_value(run, value, value->consumers > 0 || value == model->logits, error);
        }
    const lip_tensor *constant = model->logits->constant;
    if (status != LIP_OK || constant == NULL || !lip_dtype_is_real(constant->dtype) || constant->data == NULL)
        return status;
    run->values[model->logits->index] = lip_tensor_converted(constant, run->memory);
    return run->values[model->logits->index].data != NULL ? LIP_OK : lip_fail_memory(error, NULL, "the logits");
}

static lip_status open_parts(lip_run *run, lip_error *error)
{
    const lip_model *model = run->model;
    size_t inputs = 0, outputs = 0;
    for (size_t i = 0; i < model->node_count; i++) {
        inputs = model->nodes[i]->input_count > inputs ? model->nodes[i]->input_count : inputs;
        outputs = model->nodes[i]->output_count > outputs ? model->nodes[i]->output_count : outputs;
    }
    run->values = lip_alloc(run->memory, (int64_t)model->value_count, sizeof *run->values);
    if (run->values == NULL)
        return lip_fail_memory(error, NULL, "an evaluation");
    const lip_status status = lip_binding_open(&run->binding, run->memory, inputs, outputs, error);
    return status != LIP_OK ? status : open_values(run, error);
}

lip_status lip_run_open(const lip_model *model, lip_run **out, lip_error *error)
{
    lip_status status = refuse(model, error);
    if (status != LIP_OK)
        return status;
    lip_memory *memory = (lip_memory *)&model->memory; /* an account, not part of the model's meaning */
    lip_run *run = lip_alloc(memory, 1, sizeof *run);
    if (run == NULL)
        return lip_fail_memory(error, NULL, "an evaluation");
    run->model = model;
    run->memory = memory;
    status = open_parts(run, error);
    if (status == LIP_OK)
        *out = run;
    else
        lip_run_free(&run);
    return status;
}

void lip_run_free(lip_run **run)
{
    if (run == NULL || *run == NULL)
        return;
    lip_memory *memory = (*run)->memory;
    for (size_t i = 0; (*run)->values != NULL && i < (*run)->model->value_count; i++)
        lip_free(memory, (*run)->values[i].room);
    lip_free(memory, (*run)->values);
    lip_binding_close(&(*run)->binding);
    lip_free(memory, *run);
    *run = NULL;
}

/* The computed tensor of a value; NULL where there is none. */
static lip_tensor *tensor_of(const lip_run *run, const lip_value *value)
{
    if (value == NULL || run->values[value->index].data == NULL)
        return NULL;
    return &run->values[value->index];
}

static lip_status store_input(const lip_value *value, lip_tensor *tensor, const double *from, lip_error *error)
{
    if (value->consumers == 0) /* nobody reads it: it may have no shape */
        return LIP_OK;
    if (tensor->storage == LIP_OPAQUE || !value->shape_known)
        return lip_fail(error, LIP_EUNSUPPORTED, "input '%s' has no numbers for elements", value->name);
    if (tensor->storage == LIP_F64) {
        memcpy(tensor->f64_room, from, (size_t)tensor->count * sizeof *from);
        return LIP_OK;
    }
    for (int64_t i = 0; i < tensor->count; i++) {
        if (!(fabs(from[i]) < 0x1p63) || from[i] != floor(from[i]))
            return lip_fail(error, LIP_EUSAGE, "input '%s' holds integers, and element %lld is %g", value->name,
                            (long long)i, from[i]);
        tensor->i64_room[i] = value->dtype == LIP_DTYPE_BOOL ? from[i] != 0 : (int64_t)from[i];
    }
    return LIP_OK;
}

/* Binds a node's inputs and outputs to their values. */
static lip_status bind(lip_run *run, const lip_node *node, lip_error *error)
{
    const lip_status status = lip_binding_set(&run->binding, node, error);
    if (status != LIP_OK)
        return status;
    lip_model_release(run->model, node); /* float32 constants were converted */
    for (size_t i = 0; i < node->input_count; i++) {
        const lip_value *value = node->inputs[i];
        if (value == NULL || value->constant != NULL)
            continue;
        run->binding.in[i] = tensor_of(run, value);
        if (run->binding.in[i] == NULL && node->op->shape_only)
            run->binding.in[i] = &run->values[value->index];
        if (run->binding.in[i] == NULL)
            return lip_fail_node(error, LIP_EUNSUPPORTED, node, "its input '%s' has no value", value->name);
    }
    for (size_t i = 0; i < node->output_count; i++)
        run->binding.out[i] = tensor_of(run, node->outputs[i]);
    return LIP_OK;
}

lip_status lip_run_forward(lip_run *run, const double *const *inputs, lip_error *error)
{
    const lip_model *model = run->model;
    lip_status status = LIP_OK;
    for (size_t i = 0; i < model->input_count && status == LIP_OK; i++)
        status = store_input(model->inputs[i], &run->values[model->inputs[i]->index], inputs[i], error);
    for (size_t i = 0; i < model->node_count && status == LIP_OK; i++) {
        if (model->nodes[i]->folded)
            continue;
        status = bind(run, model->nodes[i], error);
        if (status == LIP_OK) {
            const lip_call call = lip_binding_call(&run->binding, false);
            status = model->nodes[i]->op->forward(&call, error);
        }
    }
    lip_binding_clear(&run->binding);
    return status;
}

const double *lip_run_real(const lip_run *run, const lip_value *value)
{
    const lip_tensor *tensor = tensor_of(run, value);
    return tensor != NULL && tensor->storage == LIP_F64 ? tensor->f64 : NULL;
}

lip_status lip_run_logits(const lip_run *run, double *logits, lip_error *error)
{
    const lip_value *value = run->model->logits;
    const lip_tensor *tensor = tensor_of(run, value);
    if (tensor == NULL && value->constant != NULL && value->constant->data != NULL)
        tensor = value->constant;
    if (tensor == NULL || tensor->storage == LIP_OPAQUE)
        return lip_fail(error, LIP_EUNSUPPORTED, "the logits '%s' are not numbers", value->name);
    lip_tensor_to_real(tensor, logits);
    return LIP_OK;
}

/* Which values depend on the model's input `input`. */
static void mark_reached(reverse *back, size_t input)
{
    const lip_model *model = back->run->model;
    back->reached[model->inputs[input]->index] = true;
    for (size_t i = 0; i < model->node_count; i++) {
        const lip_node *node = model->nodes[i];
        bool any = false;
        for (size_t j = 0; j < node->input_count; j++)
            any = any || (node->inputs[j] != NULL && back->reached[node->inputs[j]->index]);
        for (size_t j = 0; j < node->output_count; j++)
            if (node->outputs[j] != NULL && !node->folded && !node->op->shape_only)
                back->reached[node->outputs[j]->index] = any;
    }
}

/* Does the gradient pass through this node? Binds its output gradients. */
static bool bind_output_gradients(reverse *back, const lip_node *node)
{
    bool any = false;
    for (size_t i = 0; i < node->output_count; i++) {
        const lip_value *value = node->outputs[i];
        back->run->binding.out_grad[i] = value != NULL ? back->grad[value->index] : NULL;
        any = any || back->run->binding.out_grad[i] != NULL;
    }
    return any;
}

static lip_status open_input_gradients(reverse *back, const lip_node *node, lip_error *error)
{
    lip_run *run = back->run;
    for (size_t i = 0; i < node->input_count; i++) {
        const lip_value *value = node->inputs[i];
        if (value == NULL || !back->reached[value->index] || run->values[value->index].storage != LIP_F64)
            continue;
        run->binding.in_grad[i] = lip_alloc(run->memory, run->values[value->index].count, sizeof(double));
        if (run->binding.in_grad[i] == NULL)
            return lip_fail_memory(error, node, "its gradient");
    }
    return LIP_OK;
}

/* Adds the node's input gradients to their values' if `keep`; they are no longer the binding's. */
static void close_input_gradients(reverse *back, const lip_node *node, bool keep)
{
    lip_run *run = back->run;
    for (size_t i = 0; i < node->input_count; i++) {
        double *part = run->binding.in_grad[i];
        run->binding.in_grad[i] = NULL;
        if (part == NULL)
            continue;
        const size_t index = node->inputs[i]->index;
        if (keep && back->grad[index] == NULL) {
            back->grad[index] = part;
            continue;
        }
        for (int64_t j = 0; keep && j < run->values[index].count; j++)
            back->grad[index][j] += part[j];
        lip_free(run->memory, part);
    }
}

static lip_status reverse_node(reverse *back, const lip_node *node, lip_error *error)
{
    lip_run *run = back->run;
    bool on_the_way = false;
    for (size_t i = 0; i < node->output_count; i++)
        on_the_way = on_the_way || (node->outputs[i] != NULL && back->reached[node->outputs[i]->index] &&
                                    back->grad[node->outputs[i]->index] != NULL);
    if (!on_the_way)
        return LIP_OK;
    if (node->op->adjoint == NULL)
        return lip_fail_node(error, LIP_EUNSUPPORTED, node, "the operator has no gradient");
    lip_status status = bind(run, node, error);
    if (status == LIP_OK && bind_output_gradients(back, node)) {
        status = open_input_gradients(back, node, error);
        const lip_call call = lip_binding_call(&run->binding, false);
        if (status == LIP_OK)
            status = node->op->adjoint(&call, error);
        close_input_gradients(back, node, status == LIP_OK);
    }
    for (size_t i = 0; i < node->output_count; i++)
        if (node->outputs[i] != NULL) {
            lip_free(run->memory, back->grad[node->outputs[i]->index]);
            back->grad[node->outputs[i]->index] = NULL;
        }
    return status;
}

static lip_status reverse_all(reverse *back, const double *seed, size_t input, double *gradient, lip_error *error)
{
    const lip_model *model = back->run->model;
    const lip_tensor *logits = &back->run->values[model->logits->index];
    const lip_value *from = model->inputs[input];
    lip_status status = LIP_OK;
    mark_reached(back, input);
    if (back->reached[model->logits->index]) {
        double *start = lip_alloc(back->run->memory, logits->count, sizeof *start);
        if (start == NULL)
            return lip_fail_memory(error, NULL, "a gradient");
        memcpy(start, seed, (size_t)logits->count * sizeof *start);
        back->grad[model->logits->index] = start;
    }
    for (size_t i = model->node_count; i > 0 && status == LIP_OK; i--)
        if (!model->nodes[i - 1]->folded)
            status = reverse_node(back, model->nodes[i - 1], error);
    if (status != LIP_OK)
        return status;
    const size_t size = (size_t)back->run->values[from->index].count * sizeof *gradient;
    if (back->grad[from->index] != NULL)
        memcpy(gradient, back->grad[from->index], size);
    else
        memset(gradient, 0, size);
    return LIP_OK;
}

lip_status lip_run_gradient(lip_run *run, const double *seed, size_t input, double *gradient, lip_error *error)
{
    const lip_model *model = run->model;
    if (input >= model->input_count || !lip_dtype_is_real(model->inputs[input]->dtype) ||
        run->values[model->logits->index].storage != LIP_F64)
        return lip_fail(error, LIP_EUSAGE, "there is no gradient: the input or the logits are not real numbers");
    reverse back = { .run = run };
    lip_status status = LIP_OK;
    back.reached = lip_alloc(run->memory, (int64_t)model->value_count, sizeof *back.reached);
    back.grad = lip_alloc(run->memory, (int64_t)model->value_count, sizeof *back.grad);
    if (back.reached == NULL || back.grad == NULL)
        status = lip_fail_memory(error, NULL, "a gradient");
    else
        status = reverse_all(&back, seed, input, gradient, error);
    for (size_t i = 0; back.grad != NULL && i < model->value_count; i++)
        lip_free(run->memory, back.grad[i]);
    lip_free(run->memory, back.grad);
    lip_free(run->memory, back.reached);
    lip_binding_clear(&run->binding);
    return status;
}
