/*
 * batch_normalization.c: BatchNormalization with inference statistics,
 *   y = factor[c] (x - mean[c]) + B[c],  factor = scale / sqrt(var + epsilon),
 * channels on axis 1.
 *
 * The factor in float64: with u = 2^-53 the sum, the root and the quotient
 * round once each, and the root halves the sum's error: factor (1 + d), where
 * |d| <= 2.5 u + O(u^2) <= 4 u, if the quotient does not underflow (checked).
 * epsilon is the float32 attribute's exact value.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "ranges.h"
#include "support.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>

typedef struct layout {
    int64_t batch, channels, positions;
} layout;

static lip_status check_inference(const lip_node *node, lip_error *error)
{
    if (lip_attr_int(node, "training_mode", 0) != 0)
        return lip_fail_node(error, LIP_EUNSUPPORTED, node, "training_mode is 1: the statistics depend on the batch");
    if (node->opset < 9 && lip_attr_int(node, "spatial", 1) == 0)
        return lip_fail_node(error, LIP_EUNSUPPORTED, node, "spatial is 0: statistics for each position");
    return LIP_OK;
}

static lip_status read(const lip_node *node, layout *out, lip_error *error)
{
    LIP_TRY(lip_check_inputs(node, 5, 5, error));
    LIP_TRY(check_inference(node, error));
    const lip_shape *x = &node->inputs[0]->shape;
    layout l = { .batch = 1, .channels = 1, .positions = 1 };
    if (x->rank < 1)
        return lip_fail_node(error, LIP_EFORMAT, node, "its input is a scalar");
    l.batch = x->dim[0];
    if (x->rank > 1)
        l.channels = x->dim[1];
    l.positions = lip_dims_product(x, 2, x->rank);
    if (lip_dims_product(x, 0, x->rank) == 0)
        l.batch = 0;
    for (size_t i = 0; i < 5; i++) {
        LIP_TRY(lip_check_real(node, i, error));
        int64_t count;
        if (i > 0 && (!lip_shape_count(&node->inputs[i]->shape, &count) || count != l.channels))
            return lip_fail_node(error, LIP_EFORMAT, node,
                                 "its input '%s' does not have one element for each of %" PRId64 " channels",
                                 node->inputs[i]->name, l.channels);
    }
    *out = l;
    return LIP_OK;
}

static lip_status factor_of(const lip_node *node, const lip_tensor *scale, const lip_tensor *var, int64_t channel,
                            double *out, lip_error *error)
{
    const double eps = lip_attr_float(node, "epsilon", 1e-5F);
    const double sum = lip_tensor_real(var, channel) + eps, gamma = lip_tensor_real(scale, channel);
    const double factor = gamma / sqrt(sum);
    if (!(sum > 0) || !isfinite(factor) || (gamma != 0 && fabs(factor) < DBL_MIN))
        return lip_fail_node(error, LIP_EFORMAT, node,
                             "channel %" PRId64 ": scale %g, variance %g and epsilon %g give no finite factor", channel,
                             gamma, lip_tensor_real(var, channel), eps);
    *out = factor;
    return LIP_OK;
}

static lip_status shape(const lip_node *node, lip_error *error)
{
    layout l = { 0 };
    LIP_TRY(read(node, &l, error));
    const lip_tensor *scale = lip_node_constant(node, 1), *var = lip_node_constant(node, 4);
    double factor;
    for (int64_t c = 0; scale != NULL && var != NULL && scale->data != NULL && var->data != NULL && c < l.channels; c++)
        LIP_TRY(factor_of(node, scale, var, c, &factor, error));
    return lip_set_output(node, 0, node->inputs[0]->dtype, &node->inputs[0]->shape, error);
}

static lip_status forward(const lip_call *call, lip_error *error)
{
    layout l = { 0 };
    LIP_TRY(read(call->node, &l, error));
    for (int64_t c = 0; c < l.channels; c++) {
        double factor = 0, shift = call->in[2]->f64[c];
        LIP_TRY(factor_of(call->node, call->in[1], call->in[4], c, &factor, error));
        const double mean = call->linear_part ? 0 : call->in[3]->f64[c];
        if (call->linear_part)
            shift = 0;
        for (int64_t n = 0; n < l.batch; n++) {
            const double *x = call->in[0]->f64 + (n * l.channels + c) * l.positions;
            double *y = call->out[0]->f64_room + (n * l.channels + c) * l.positions;
            for (int64_t i = 0; i < l.positions; i++)
                y[i] = (x[i] - mean) * factor + shift;
        }
    }
    return LIP_OK;
}

static lip_status adjoint(const lip_call *call, lip_error *error)
{
    layout l = { 0 };
    LIP_TRY(read(call->node, &l, error));
    for (size_t i = 1; i < 5; i++)
        if (call->in_grad[i] != NULL)
            return lip_fail_node(error, LIP_EUNSUPPORTED, call->node, "its '%s' depends on the input",
                                 call->node->inputs[i]->name);
    for (int64_t c = 0; call->in_grad[0] != NULL && c < l.channels; c++) {
        double factor = 0;
        LIP_TRY(factor_of(call->node, call->in[1], call->in[4], c, &factor, error));
        for (int64_t n = 0; n < l.batch; n++) {
            const int64_t at = (n * l.channels + c) * l.positions;
            for (int64_t i = 0; i < l.positions; i++)
                call->in_grad[0][at + i] = call->out_grad[0][at + i] * factor;
        }
    }
    return LIP_OK;
}

static lip_status describe(const lip_node *node, lip_arena *arena, lip_gain *gain, lip_error *error)
{
    layout l = { 0 };
    LIP_TRY(read(node, &l, error));
    const lip_tensor *scale = lip_node_constant(node, 1), *var = lip_node_constant(node, 4);
    for (size_t i = 1; i < 5; i++)
        if (lip_input_varies(node, i) || scale == NULL || var == NULL) {
            *gain = lip_gain_none(LIP_GAIN_UNKNOWN, "its scale or statistics are not constant");
            return LIP_OK;
        }
    double *factor = lip_arena_alloc(arena, l.channels, sizeof *factor);
    if (factor == NULL)
        return lip_fail_memory(error, node, "its factors");
    for (int64_t c = 0; c < l.channels; c++)
        LIP_TRY(factor_of(node, scale, var, c, &factor[c], error));
    *gain = (lip_gain){ .kind = LIP_GAIN_SCALE,
                        .scale = { .factor = factor,
                                   .count = l.channels,
                                   .axis = node->inputs[0]->shape.rank > 1 ? 1 : -1,
                                   .relative_error = 0x1p-51,
                                   .multiplicity = 1 } };
    return LIP_OK;
}

const lip_op lip_op_batch_normalization = {
    .name = "BatchNormalization",
    .domain = "",
    .opset_first = 1,
    .opset_last = LIP_OPSET_LAST,
    .gain = { .kind = LIP_GAIN_SCALE },
    .shape = shape,
    .forward = forward,
    .adjoint = adjoint,
    .describe = describe,
    .range = lip_range_batch_normalization,
};
