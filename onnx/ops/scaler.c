/*
 * scaler.c: ai.onnx.ml's Scaler, y = (x - offset) * scale, offset and scale
 * one number or one per feature (the last dimension).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "support.h"

#include <math.h>

typedef struct scaler {
    const float *offset, *scale;
    int64_t offsets, scales, features;
} scaler;

static lip_status read_list(const lip_node *node, const char *name, int64_t features, const float **list,
                            int64_t *count, lip_error *error)
{
    const lip_attr *attr = lip_attr_find(node, name);
    if (!attr || attr->kind != LIP_ATTR_FLOATS || (attr->count != 1 && attr->count != features))
        return lip_fail_node(error, LIP_EFORMAT, node, "attribute %s is not one number, nor one per feature (%lld)",
                             name, (long long)features);
    for (int64_t i = 0; i < attr->count; i++)
        if (!isfinite(attr->floats[i]))
            return lip_fail_node(error, LIP_EFORMAT, node, "attribute %s is not finite", name);
    *list = attr->floats;
    *count = attr->count;
    return LIP_OK;
}

static lip_status read(const lip_node *node, scaler *out, lip_error *error)
{
    LIP_TRY(lip_check_inputs(node, 1, 1, error));
    LIP_TRY(lip_check_number(node, 0, error));
    const lip_shape *x = &node->inputs[0]->shape;
    scaler s = {.features = x->rank > 0 ? x->dim[x->rank - 1] : 1};
    LIP_TRY(read_list(node, "offset", s.features, &s.offset, &s.offsets, error));
    LIP_TRY(read_list(node, "scale", s.features, &s.scale, &s.scales, error));
    *out = s;
    return LIP_OK;
}

static lip_status shape(const lip_node *node, lip_error *error)
{
    scaler s = {0};
    LIP_TRY(read(node, &s, error));
    return lip_set_output(node, 0, LIP_DTYPE_FLOAT, &node->inputs[0]->shape, error);
}

static lip_status forward(const lip_call *call, lip_error *error)
{
    scaler s = {0};
    LIP_TRY(read(call->node, &s, error));
    for (int64_t i = 0; call->out[0] && i < call->in[0]->count; i++) {
        double offset = call->linear_part ? 0 : (double)s.offset[s.offsets > 1 ? i % s.features : 0];
        call->out[0]->f64_room[i] =
            (lip_tensor_real(call->in[0], i) - offset) * (double)s.scale[s.scales > 1 ? i % s.features : 0];
    }
    return LIP_OK;
}

static lip_status adjoint(const lip_call *call, lip_error *error)
{
    scaler s = {0};
    LIP_TRY(read(call->node, &s, error));
    for (int64_t i = 0; call->in_grad[0] && i < call->in[0]->count; i++)
        call->in_grad[0][i] = call->out_grad[0][i] * (double)s.scale[s.scales > 1 ? i % s.features : 0];
    return LIP_OK;
}

static lip_status describe(const lip_node *node, lip_arena *arena, lip_gain *gain, lip_error *error)
{
    scaler s = {0};
    LIP_TRY(read(node, &s, error));
    double *factor = lip_arena_alloc(arena, s.scales, sizeof *factor);
    if (!factor) return lip_fail_memory(error, node, "its gain");
    for (int64_t i = 0; i < s.scales; i++) factor[i] = (double)s.scale[i];
    *gain = (lip_gain){.kind = LIP_GAIN_SCALE,
                       .scale = {.factor = factor,
                                 .count = s.scales,
                                 .axis = s.scales > 1 ? node->inputs[0]->shape.rank - 1 : -1,
                                 .multiplicity = 1}};
    return LIP_OK;
}

const lip_op lip_op_ml_scaler = {
    .name = "Scaler",
    .domain = "ai.onnx.ml",
    .opset_first = 1,
    .opset_last = LIP_OPSET_ML_LAST,
    .gain = {.kind = LIP_GAIN_SCALE},
    .shape = shape,
    .forward = forward,
    .adjoint = adjoint,
    .describe = describe,
};
