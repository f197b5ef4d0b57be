/*
 * gather_nd.c: GatherND: tuples of indices into the leading axes of the
 * data, after batch_dims common ones.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "copy.h"
#include "gather.h"
#include "ranges.h"
#include "support.h"

#include <string.h>

static lip_status gather_shape(const lip_node *node, lip_error *error)
{
    lip_tuples at = {0};
    lip_shape y;
    LIP_TRY(lip_check_inputs(node, 2, 2, error));
    LIP_TRY(lip_check_number(node, 0, error));
    LIP_TRY(lip_check_indices(node, error));
    LIP_TRY(lip_tuples_read(node, &at, error));
    LIP_TRY(lip_tuples_shape(node, &at, &y, error));
    LIP_TRY(lip_tuples_check(node, &at, error));
    return lip_set_output(node, 0, node->inputs[0]->dtype, &y, error);
}

static lip_status gather_forward(const lip_call *call, lip_error *error)
{
    lip_tuples at = {0};
    int64_t from = 0;
    if (!call->out[0]) return LIP_OK;
    LIP_TRY(lip_tuples_read(call->node, &at, error));
    for (int64_t b = 0; b < at.batch; b++) {
        for (int64_t t = 0; t < at.tuples; t++) {
            LIP_TRY(lip_tuple_target(call->node, &at, call->in[1]->i64, b, t, &from, error));
            memcpy(call->out[0]->i64_room + (b * at.tuples + t) * at.block, call->in[0]->i64 + from,
                   (size_t)at.block * sizeof(int64_t));
        }
    }
    return LIP_OK;
}

static lip_status gather_adjoint(const lip_call *call, lip_error *error)
{
    lip_tuples at = {0};
    int64_t to = 0;
    lip_zero_grad(call, 0);
    if (!call->in_grad[0] || !call->out_grad[0]) return LIP_OK;
    LIP_TRY(lip_tuples_read(call->node, &at, error));
    for (int64_t b = 0; b < at.batch; b++) {
        for (int64_t t = 0; t < at.tuples; t++) {
            LIP_TRY(lip_tuple_target(call->node, &at, call->in[1]->i64, b, t, &to, error));
            const double *g = call->out_grad[0] + (b * at.tuples + t) * at.block;
            for (int64_t i = 0; i < at.block; i++) call->in_grad[0][to + i] += g[i];
        }
    }
    return LIP_OK;
}

const lip_op lip_op_gather_nd = {
    .name = "GatherND",
    .domain = "",
    .opset_first = 11,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_COPY},
    .shape = gather_shape,
    .forward = gather_forward,
    .adjoint = gather_adjoint,
    .describe = lip_gather_describe,
    .range = lip_range_monotone,
};
