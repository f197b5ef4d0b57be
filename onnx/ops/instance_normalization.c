/*
 * instance_normalization.c: InstanceNormalization: each channel of each sample
 * over its spatial positions. Gain: normalize.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "normalize.h"
#include "ranges.h"
#include "support.h"

#include <inttypes.h>

static lip_status read(const lip_node *node, lip_normalize *out, lip_error *error)
{
    LIP_TRY(lip_check_inputs(node, 3, 3, error));
    for (size_t i = 0; i < 3; i++)
        LIP_TRY(lip_check_real(node, i, error));
    const lip_shape *x = &node->inputs[0]->shape;
    if (x->rank < 3)
        return lip_fail_node(error, LIP_EFORMAT, node, "its input has %d dimensions, at least 3 are needed", x->rank);
    lip_normalize n = { .centred = true, .eps = lip_attr_float(node, "epsilon", 1e-5F), .per_block = 1 };
    n.period = x->dim[1];
    n.blocks = lip_dims_product(x, 0, x->rank) > 0 ? x->dim[0] * x->dim[1] : 0;
    n.count = lip_dims_product(x, 2, x->rank);
    n.run = n.count;
    for (size_t i = 1; i < 3; i++) {
        int64_t count = 0;
        if (!lip_shape_count(&node->inputs[i]->shape, &count) || count != n.period)
            return lip_fail_node(error, LIP_EFORMAT, node,
                                 "its '%s' does not have one element for each of %" PRId64 " channels",
                                 node->inputs[i]->name, n.period);
    }
    *out = n;
    return lip_normalize_check(node, &n, error);
}

static lip_status shape(const lip_node *node, lip_error *error)
{
    lip_normalize n = { 0 };
    LIP_TRY(read(node, &n, error));
    return lip_set_output(node, 0, node->inputs[0]->dtype, &node->inputs[0]->shape, error);
}

static lip_status forward(const lip_call *call, lip_error *error)
{
    lip_normalize n = { 0 };
    LIP_TRY(read(call->node, &n, error));
    lip_normalize_forward(&n, call->in[0]->f64, call->in[1]->f64, call->in[2]->f64, call->out[0]->f64_room, NULL, NULL);
    return LIP_OK;
}

static lip_status adjoint(const lip_call *call, lip_error *error)
{
    lip_normalize n = { 0 };
    LIP_TRY(read(call->node, &n, error));
    LIP_TRY(lip_normalize_check_adjoint(call, error));
    lip_normalize_adjoint(&n, call->in[0]->f64, call->in[1]->f64, call->out_grad[0], call->in_grad[0]);
    return LIP_OK;
}

static lip_status describe(const lip_node *node, lip_arena *arena, lip_gain *gain, lip_error *error)
{
    (void)arena;
    lip_normalize n = { 0 };
    LIP_TRY(read(node, &n, error));
    lip_normalize_gain(node, &n, gain);
    return LIP_OK;
}

static lip_status range(const lip_range_call *call, lip_error *error)
{
    lip_normalize n = { 0 };
    LIP_TRY(read(call->node, &n, error));
    return lip_range_normalize(call, &n, error);
}

const lip_op lip_op_instance_normalization = {
    .name = "InstanceNormalization",
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
