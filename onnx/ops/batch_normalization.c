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
 * In training mode the mean and the variance are the input's own, over the
 * batch and the positions: the values are those of the standard, but a
 * sample's depend on the others, and there is no gain.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "normalize.h"
#include "ranges.h"
#include "support.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#define REASON_TRAINING "training_mode is 1: the statistics depend on the batch"

typedef struct layout {
    int64_t batch, channels, positions;
} layout;

static bool is_training(const lip_node *node)
{
    return lip_attr_int(node, "training_mode", 0) != 0;
}

static lip_status read(const lip_node *node, layout *out, lip_error *error)
{
    LIP_TRY(lip_check_inputs(node, 5, 5, error));
    if (node->opset < 9 && lip_attr_int(node, "spatial", 1) == 0)
        return lip_fail_node(error, LIP_EUNSUPPORTED, node, "spatial is 0: statistics for each position");
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
    const bool known = scale != NULL && var != NULL && scale->data != NULL && var->data != NULL;
    double factor;
    for (int64_t c = 0; known && !is_training(node) && c < l.channels; c++)
        LIP_TRY(factor_of(node, scale, var, c, &factor, error));
    for (size_t i = 1; is_training(node) && i <= 2; i++)
        LIP_TRY(lip_set_output(node, i, node->inputs[2 + i]->dtype, &node->inputs[2 + i]->shape, error));
    return lip_set_output(node, 0, node->inputs[0]->dtype, &node->inputs[0]->shape, error);
}

/* Mean and variance of channel c over the batch and the positions. */
static void statistics(const layout *l, const double *x, int64_t c, double *mean, double *var)
{
    const double count = (double)l->batch * (double)l->positions;
    double sum = 0, squares = 0;
    for (int64_t n = 0; n < l->batch; n++)
        for (int64_t i = 0; i < l->positions; i++)
            sum += x[(n * l->channels + c) * l->positions + i];
    for (int64_t n = 0; n < l->batch; n++)
        for (int64_t i = 0; i < l->positions; i++) {
            const double d = x[(n * l->channels + c) * l->positions + i] - sum / count;
            squares += d * d;
        }
    *mean = sum / count;
    *var = squares / count;
}

/* Its outputs 1 and 2 are the running mean and variance that a trainer goes on with. */
static void forward_training(const lip_call *call, const layout *l)
{
    const double eps = lip_attr_float(call->node, "epsilon", 1e-5F);
    const double momentum = lip_attr_float(call->node, "momentum", 0.9F);
    const double *x = call->in[0]->f64;
    for (int64_t c = 0; l->batch > 0 && c < l->channels; c++) {
        double found[2];
        statistics(l, x, c, &found[0], &found[1]);
        const double factor = call->in[1]->f64[c] / sqrt(found[1] + eps), shift = call->in[2]->f64[c];
        for (size_t k = 0; k < 2; k++)
            if (call->node->output_count > k + 1 && call->out[k + 1] != NULL)
                call->out[k + 1]->f64_room[c] = call->in[3 + k]->f64[c] * momentum + found[k] * (1 - momentum);
        for (int64_t n = 0; call->out[0] != NULL && n < l->batch; n++)
            for (int64_t i = 0; i < l->positions; i++) {
                const int64_t at = (n * l->channels + c) * l->positions + i;
                call->out[0]->f64_room[at] = (x[at] - found[0]) * factor + shift;
            }
    }
}

static lip_status forward(const lip_call *call, lip_error *error)
{
    layout l = { 0 };
    LIP_TRY(read(call->node, &l, error));
    if (is_training(call->node)) {
        forward_training(call, &l);
        return LIP_OK;
    }
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

/* Of output 0, in input 0: with z = (x - mean) / deviation,
 *   dx = scale / deviation (g - mean of g - z mean of g z). */
static void adjoint_training(const lip_call *call, const layout *l)
{
    const double eps = lip_attr_float(call->node, "epsilon", 1e-5F);
    const double *x = call->in[0]->f64, *g = call->out_grad[0];
    if (call->in_grad[0] != NULL && g == NULL)
        memset(call->in_grad[0], 0, (size_t)call->in[0]->count * sizeof(double));
    for (int64_t c = 0; l->batch > 0 && g != NULL && call->in_grad[0] != NULL && c < l->channels; c++) {
        const double count = (double)l->batch * (double)l->positions;
        double mean, var, sum = 0, along = 0;
        statistics(l, x, c, &mean, &var);
        const double inverse = 1 / sqrt(var + eps);
        for (int pass = 0; pass < 2; pass++)
            for (int64_t n = 0; n < l->batch; n++)
                for (int64_t i = 0; i < l->positions; i++) {
                    const int64_t at = (n * l->channels + c) * l->positions + i;
                    const double z = (x[at] - mean) * inverse;
                    if (pass == 0)
                        sum += g[at], along += g[at] * z;
                    else
                        call->in_grad[0][at] = call->in[1]->f64[c] * inverse * (g[at] - (sum + z * along) / count);
                }
    }
}

static lip_status adjoint(const lip_call *call, lip_error *error)
{
    layout l = { 0 };
    LIP_TRY(read(call->node, &l, error));
    LIP_TRY(lip_normalize_check_adjoint(call, error));
    if (is_training(call->node))
        adjoint_training(call, &l);
    for (int64_t c = 0; call->in_grad[0] != NULL && !is_training(call->node) && c < l.channels; c++) {
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
    if (is_training(node)) {
        *gain = lip_gain_none(LIP_GAIN_UNKNOWN, REASON_TRAINING);
        return LIP_OK;
    }
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
