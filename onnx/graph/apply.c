/*
 * apply.c: one node as a linear map of its one varying input, see run.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "run.h"

#include "binding.h"

struct lip_apply {
    lip_memory *memory;
    lip_binding binding;
    size_t varying;
    lip_tensor x, y; /* x.data: the caller's, or `zeros` when only the gradient is asked for; y.data: the caller's */
    double *zeros;   /* the point at which the adjoint is taken: any will do */
};

static lip_tensor tensor_of(const lip_value *value, int64_t count)
{
    return (lip_tensor){ .dtype = value->dtype, .storage = LIP_F64, .shape = value->shape, .count = count };
}

/* What makes a node no linear map that can be applied. */
static lip_status refuse(const lip_node *node, lip_error *error)
{
    const int varying = lip_node_varying(node);
    if (node->unknown != NULL)
        return lip_fail_node(error, LIP_EUNSUPPORTED, node, "%s", node->unknown);
    if (node->op == NULL || node->op->forward == NULL || node->op->adjoint == NULL)
        return lip_fail_node(error, LIP_EUNSUPPORTED, node, "the operator has no adjoint");
    if (varying < 0)
        return lip_fail_node(error, LIP_EUNSUPPORTED, node, "not exactly one input varies");
    for (size_t i = 0; i < node->input_count; i++) {
        const lip_value *value = lip_node_input(node, i);
        if (value != NULL && (int)i != varying && value->constant == NULL)
            return lip_fail_node(error, LIP_EUNSUPPORTED, node, "its input '%s' is not a constant", value->name);
    }
    const lip_value *out = lip_node_output(node, 0), *in = lip_node_input(node, (size_t)varying);
    if (out == NULL || !out->shape_known || !in->shape_known)
        return lip_fail_node(error, LIP_EUNSUPPORTED, node, "its shape is not known");
    if (!lip_dtype_is_real(out->dtype) || !lip_dtype_is_real(in->dtype))
        return lip_fail_node(error, LIP_EUNSUPPORTED, node, "it is not a map of real vectors");
    return LIP_OK;
}

static lip_status open_parts(lip_apply *apply, const lip_node *node, lip_error *error)
{
    const lip_value *in = lip_node_input(node, apply->varying), *out = lip_node_output(node, 0);
    int64_t in_count, out_count;
    if (!lip_shape_count(&in->shape, &in_count) || !lip_shape_count(&out->shape, &out_count))
        return lip_fail_node(error, LIP_EUNSUPPORTED, node, "its size overflows");
    apply->x = tensor_of(in, in_count);
    apply->y = tensor_of(out, out_count);
    apply->zeros = lip_alloc(apply->memory, in_count, sizeof *apply->zeros);
    if (apply->zeros == NULL)
        return lip_fail_memory(error, node, "an evaluation");
    const lip_status status =
        lip_binding_open(&apply->binding, apply->memory, node->input_count, node->output_count, error);
    return status != LIP_OK ? status : lip_binding_set(&apply->binding, node, error);
}

lip_status lip_apply_open(const lip_node *node, lip_memory *memory, lip_apply **out, lip_error *error)
{
    lip_status status = refuse(node, error);
    if (status != LIP_OK)
        return status;
    lip_apply *apply = lip_alloc(memory, 1, sizeof *apply);
    if (apply == NULL)
        return lip_fail_memory(error, node, "an evaluation");
    apply->memory = memory;
    apply->varying = (size_t)lip_node_varying(node);
    status = open_parts(apply, node, error);
    if (status == LIP_OK) {
        apply->binding.in[apply->varying] = &apply->x;
        apply->binding.out[0] = &apply->y;
        *out = apply;
    } else {
        lip_apply_free(&apply);
    }
    return status;
}

void lip_apply_free(lip_apply **apply)
{
    if (apply == NULL || *apply == NULL)
        return;
    lip_memory *memory = (*apply)->memory;
    lip_binding_close(&(*apply)->binding);
    lip_free(memory, (*apply)->zeros);
    lip_free(memory, *apply);
    *apply = NULL;
}

int64_t lip_apply_input_count(const lip_apply *apply)
{
    return apply->x.count;
}

int64_t lip_apply_output_count(const lip_apply *apply)
{
    return apply->y.count;
}

lip_status lip_apply_forward(lip_apply *apply, const double *x, double *y, lip_error *error)
{
    apply->x.f64 = x;
    apply->y.f64_room = y;
    apply->binding.out_grad[0] = NULL;
    apply->binding.in_grad[apply->varying] = NULL;
    const lip_call call = lip_binding_call(&apply->binding, true);
    return call.node->op->forward(&call, error);
}

lip_status lip_apply_adjoint(lip_apply *apply, const double *y, double *x, lip_error *error)
{
    apply->x.f64 = apply->zeros;
    apply->y.f64 = y;
    apply->binding.out_grad[0] = y;
    apply->binding.in_grad[apply->varying] = x;
    const lip_call call = lip_binding_call(&apply->binding, true);
    return call.node->op->adjoint(&call, error);
}
