/*
 * gather_elements.c: GatherElements: one index per element, into one axis of
 * the data.
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
    LIP_TRY(lip_check_inputs(node, 2, 2, error));
    LIP_TRY(lip_check_element_indices(node, error));
    return lip_set_output(node, 0, node->inputs[0]->dtype, &node->inputs[1]->shape, error);
}

static lip_status gather_forward(const lip_call *call, lip_error *error)
{
    int64_t from = 0;
    if (!call->out[0]) return LIP_OK;
    for (int64_t j = 0; j < call->in[1]->count; j++) {
        LIP_TRY(lip_element_target(call, j, &from, error));
        memcpy(call->out[0]->i64_room + j, call->in[0]->i64 + from, sizeof(int64_t));
    }
    return LIP_OK;
}

static lip_status gather_adjoint(const lip_call *call, lip_error *error)
{
    int64_t to = 0;
    lip_zero_grad(call, 0);
    if (!call->in_grad[0] || !call->out_grad[0]) return LIP_OK;
    for (int64_t j = 0; j < call->in[1]->count; j++) {
        LIP_TRY(lip_element_target(call, j, &to, error));
        call->in_grad[0][to] += call->out_grad[0][j];
    }
    return LIP_OK;
}

const lip_op lip_op_gather_elements = {
    .name = "GatherElements",
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
