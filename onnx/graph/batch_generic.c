/*
 * batch_generic.c: any node over many samples, by its operator's forward on
 * one sample after the other, in float64. Where the batch is in float32 the
 * inputs are converted for each sample, and the results rounded.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "batch_parts.h"

struct lip_batch_generic {
    const lip_node *node;
    const lip_kernels *kernels;
    lip_memory *memory;
    lip_binding binding;
    lip_tensor *in, *out; /* of one sample, for what varies */
    int64_t converted;    /* elements of those tensors in float64 where the batch is in float32; in the scratch */
};

static lip_tensor tensor_of(const lip_value *value)
{
    lip_tensor tensor = { .dtype = value->dtype,
                          .storage = lip_dtype_storage(value->dtype, true),
                          .shape = value->shape };
    lip_shape_count(&value->shape, &tensor.count);
    return tensor;
}

static bool is_converted(const lip_batch_generic *g, const lip_tensor *tensor)
{
    return tensor->storage == LIP_F64 && g->kernels->size != sizeof(double);
}

static bool is_varying(const lip_value *value)
{
    return value != NULL && value->constant == NULL;
}

static bool open_tensor(lip_batch_generic *g, const lip_value *value, lip_tensor *tensor)
{
    if (!is_varying(value))
        return true;
    *tensor = tensor_of(value);
    return !is_converted(g, tensor) || lip_size_add(g->converted, tensor->count, &g->converted);
}

static bool open_tensors(lip_batch_generic *g)
{
    const lip_node *node = g->node;
    bool fits = true;
    for (size_t i = 0; i < node->input_count; i++)
        fits = fits && open_tensor(g, node->inputs[i], &g->in[i]);
    for (size_t i = 0; i < node->output_count; i++)
        fits = fits && open_tensor(g, node->outputs[i], &g->out[i]);
    return fits && g->converted <= INT64_MAX / (int64_t)sizeof(double);
}

static lip_status open_parts(lip_batch_generic *g, lip_error *error)
{
    const lip_node *node = g->node;
    lip_status status = lip_binding_open(&g->binding, g->memory, node->input_count, node->output_count, error);
    if (status == LIP_OK)
        status = lip_binding_set(&g->binding, node, error);
    g->in = lip_alloc(g->memory, (int64_t)node->input_count, sizeof *g->in);
    g->out = lip_alloc(g->memory, (int64_t)node->output_count, sizeof *g->out);
    if (status != LIP_OK)
        return status;
    if (g->in == NULL || g->out == NULL || !open_tensors(g))
        return lip_fail_memory(error, node, "an evaluation");
    return LIP_OK;
}

lip_status lip_batch_generic_open(const lip_node *node, const lip_kernels *kernels, lip_memory *memory,
                                  lip_batch_generic **out, lip_error *error)
{
    lip_batch_generic *g = lip_alloc(memory, 1, sizeof *g);
    if (g == NULL)
        return lip_fail_memory(error, node, "an evaluation");
    g->node = node;
    g->kernels = kernels;
    g->memory = memory;
    const lip_status status = open_parts(g, error);
    if (status == LIP_OK)
        *out = g;
    else
        lip_batch_generic_free(g, memory);
    return status;
}

void lip_batch_generic_free(lip_batch_generic *generic, lip_memory *memory)
{
    if (generic == NULL)
        return;
    lip_binding_close(&generic->binding);
    lip_free(memory, generic->in);
    lip_free(memory, generic->out);
    lip_free(memory, generic);
}

int64_t lip_batch_generic_scratch(const lip_batch_generic *generic)
{
    return generic->converted * (int64_t)sizeof(double);
}

/* Where the sample's elements lie in an array of samples. */
static const char *at_sample(const lip_batch_generic *g, const lip_tensor *tensor, const void *array, int64_t sample)
{
    const size_t size = is_converted(g, tensor) ? g->kernels->size : sizeof(double);
    return (const char *)array + (size_t)(sample * tensor->count) * size;
}

/* Gives where the rest of the scratch begins. */
static double *bind_inputs(lip_batch_generic *g, int64_t sample, const void *const *in, double *scratch)
{
    for (size_t i = 0; i < g->node->input_count; i++) {
        if (in[i] == NULL)
            continue;
        g->in[i].data = at_sample(g, &g->in[i], in[i], sample);
        g->binding.in[i] = &g->in[i];
        if (!is_converted(g, &g->in[i]))
            continue;
        g->kernels->to_f64(g->in[i].count, g->in[i].data, scratch);
        g->in[i].data = scratch;
        scratch += g->in[i].count;
    }
    return scratch;
}

static void bind_outputs(lip_batch_generic *g, int64_t sample, void *const *out, double *scratch)
{
    for (size_t i = 0; i < g->node->output_count; i++) {
        g->binding.out[i] = NULL;
        if (out[i] == NULL)
            continue;
        g->binding.out[i] = &g->out[i];
        g->out[i].data = at_sample(g, &g->out[i], out[i], sample);
        if (!is_converted(g, &g->out[i]))
            continue;
        g->out[i].data = scratch;
        scratch += g->out[i].count;
    }
}

static void store_outputs(lip_batch_generic *g, int64_t sample, void *const *out)
{
    for (size_t i = 0; i < g->node->output_count; i++)
        if (out[i] != NULL && is_converted(g, &g->out[i]))
            g->kernels->from_f64(g->out[i].count, g->out[i].f64,
                                 (char *)out[i] + (size_t)(sample * g->out[i].count) * g->kernels->size);
}

lip_status lip_batch_generic_run(lip_batch_generic *generic, int64_t count, const void *const *in, void *const *out,
                                 void *scratch, lip_error *error)
{
    lip_status status = LIP_OK;
    for (int64_t s = 0; s < count && status == LIP_OK; s++) {
        double *rest = bind_inputs(generic, s, in, scratch);
        bind_outputs(generic, s, out, rest);
        const lip_call call = lip_binding_call(&generic->binding, false);
        status = generic->node->op->forward(&call, error);
        if (status == LIP_OK)
            store_outputs(generic, s, out);
    }
    return status;
}

lip_status lip_affine_shift(const lip_node *node, lip_memory *memory, double *shift, lip_error *error)
{
    const int varying = lip_node_varying(node);
    lip_tensor x = tensor_of(node->inputs[varying]), y = tensor_of(node->outputs[0]);
    lip_binding binding;
    double *zeros = lip_alloc(memory, x.count, sizeof *zeros);
    lip_status status = lip_binding_open(&binding, memory, node->input_count, node->output_count, error);
    if (status == LIP_OK)
        status = zeros != NULL ? lip_binding_set(&binding, node, error) : lip_fail_memory(error, node, "its shift");
    if (status == LIP_OK) {
        x.f64 = zeros;
        y.f64_room = shift;
        binding.in[varying] = &x;
        binding.out[0] = &y;
        const lip_call call = lip_binding_call(&binding, false);
        status = node->op->forward(&call, error);
    }
    lip_binding_close(&binding);
    lip_free(memory, zeros);
    return status;
}
