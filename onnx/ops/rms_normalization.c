/*
 * rms_normalization.c: RMSNormalization, y = scale x / sqrt(mean(x^2) + eps),
 * and SimplifiedLayerNormalization, the name that onnxruntime gave it before
 * it became standard. Gain: normalize.h, attained at x = 0.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "normalize.h"
#include "ranges.h"
#include "support.h"

static lip_status shape(const lip_node *node, lip_error *error)
{
    lip_normalize n = { 0 };
    LIP_TRY(lip_normalize_over_axes(node, false, &n, error));
    return lip_normalize_set_outputs(node, error);
}

static lip_status forward(const lip_call *call, lip_error *error)
{
    lip_normalize n = { 0 };
    LIP_TRY(lip_normalize_over_axes(call->node, false, &n, error));
    double *inverse = call->node->output_count > 1 && call->out[1] != NULL ? call->out[1]->f64_room : NULL;
    double *y = call->out[0] != NULL ? call->out[0]->f64_room : NULL;
    lip_normalize_forward(&n, call->in[0]->f64, call->in[1]->f64, NULL, y, NULL, inverse);
    return LIP_OK;
}

static lip_status adjoint(const lip_call *call, lip_error *error)
{
    lip_normalize n = { 0 };
    LIP_TRY(lip_normalize_over_axes(call->node, false, &n, error));
    LIP_TRY(lip_normalize_check_adjoint(call, error));
    lip_normalize_adjoint(&n, call->in[0]->f64, call->in[1]->f64, call->out_grad[0], call->in_grad[0]);
    return LIP_OK;
}

static lip_status describe(const lip_node *node, lip_arena *arena, lip_gain *gain, lip_error *error)
{
    (void)arena;
    lip_normalize n = { 0 };
    LIP_TRY(lip_normalize_over_axes(node, false, &n, error));
    lip_normalize_gain(node, &n, gain);
    return LIP_OK;
}

static lip_status range(const lip_range_call *call, lip_error *error)
{
    lip_normalize n = { 0 };
    LIP_TRY(lip_normalize_over_axes(call->node, false, &n, error));
    return lip_range_normalize(call, &n, error);
}

const lip_op lip_op_rms_normalization = {
    .name = "RMSNormalization",
    .domain = "",
    .opset_first = 23,
    .opset_last = LIP_OPSET_LAST,
    .gain = { .kind = LIP_GAIN_LIPSCHITZ },
    .shape = shape,
    .forward = forward,
    .adjoint = adjoint,
    .describe = describe,
    .range = range,
};

const lip_op lip_op_simplified_layer_normalization = {
    .name = "SimplifiedLayerNormalization",
    .domain = "",
    .opset_first = 1,
    .opset_last = LIP_OPSET_LAST,
    .gain = { .kind = LIP_GAIN_LIPSCHITZ },
    .shape = shape,
    .forward = forward,
    .adjoint = adjoint,
    .describe = describe,
    .range = range,
};
