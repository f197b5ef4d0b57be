/*
 * group_normalization.c: GroupNormalization: each group of channels of each
 * sample over channels and positions; scale and bias per group in opset 18,
 * per channel from 21 on. Gain: normalize.h.
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
    const int64_t groups = lip_attr_int(node, "num_groups", 0), channels = x->rank > 1 ? x->dim[1] : 0;
    if (groups < 1 || channels < 1 || channels % groups != 0)
        return lip_fail_node(error, LIP_EFORMAT, node, "%" PRId64 " channels do not divide into %" PRId64 " groups",
                             channels, groups);
    const bool per_channel = node->opset >= 21;
    const int64_t positions = lip_dims_product(x, 2, x->rank), wanted = per_channel ? channels : groups;
    lip_normalize n = { .centred = true, .eps = lip_attr_float(node, "epsilon", 1e-5F), .period = groups };
    n.blocks = lip_dims_product(x, 0, x->rank) > 0 ? x->dim[0] * groups : 0;
    n.count = channels / groups * positions;
    n.per_block = per_channel ? channels / groups : 1;
    n.run = per_channel ? positions : n.count;
    for (size_t i = 1; i < 3; i++) {
        int64_t count = 0;
        if (!lip_shape_count(&node->inputs[i]->shape, &count) || count != wanted)
            return lip_fail_node(error, LIP_EFORMAT, node, "its '%s' does not have %" PRId64 " elements",
                                 node->inputs[i]->name, wanted);
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

const lip_op lip_op_group_normalization = {
    .name = "GroupNormalization",
    .domain = "",
    .opset_first = 18,
    .opset_last = LIP_OPSET_LAST,
    .gain = { .kind = LIP_GAIN_LIPSCHITZ },
    .shape = shape,
    .forward = forward,
    .adjoint = adjoint,
    .describe = describe,
    .range = range,
};
