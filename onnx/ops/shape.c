/*
 * shape.c: Shape and Size: they use their input's shape, never its values.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "support.h"

static int64_t clamp(int64_t at, int rank)
{
    if (at < 0) at += rank;
    return at < 0 ? 0 : at > rank ? rank : at;
}

static void range(const lip_node *node, int *from, int *to)
{
    int rank = node->inputs[0]->shape.rank;
    *from = (int)clamp(lip_attr_int(node, "start", 0), rank);
    *to = (int)clamp(lip_attr_int(node, "end", rank), rank);
    if (*to < *from) *to = *from;
}

static lip_status shape_shape(const lip_node *node, lip_error *error)
{
    int from, to;
    LIP_TRY(lip_check_inputs(node, 1, 1, error));
    range(node, &from, &to);
    lip_shape y = {.rank = 1, .dim = {to - from}};
    return lip_set_output(node, 0, LIP_DTYPE_INT64, &y, error);
}

static lip_status shape_forward(const lip_call *call, lip_error *error)
{
    (void)error;
    int from, to;
    range(call->node, &from, &to);
    for (int i = from; call->out[0] && i < to; i++) call->out[0]->i64_room[i - from] = call->in[0]->shape.dim[i];
    return LIP_OK;
}

static lip_status size_shape(const lip_node *node, lip_error *error)
{
    lip_shape y = {0};
    LIP_TRY(lip_check_inputs(node, 1, 1, error));
    return lip_set_output(node, 0, LIP_DTYPE_INT64, &y, error);
}

static lip_status size_forward(const lip_call *call, lip_error *error)
{
    (void)error;
    const lip_shape *x = &call->in[0]->shape;
    if (call->out[0]) call->out[0]->i64_room[0] = lip_dims_product(x, 0, x->rank);
    return LIP_OK;
}

const lip_op lip_op_shape = {
    .name = "Shape",
    .domain = "",
    .opset_first = 1,
    .opset_last = LIP_OPSET_LAST,
    .shape_only = true,
    .gain = {.kind = LIP_GAIN_UNKNOWN, .reason = "its result is an integer constant"},
    .shape = shape_shape,
    .forward = shape_forward,
};

const lip_op lip_op_size = {
    .name = "Size",
    .domain = "",
    .opset_first = 1,
    .opset_last = LIP_OPSET_LAST,
    .shape_only = true,
    .gain = {.kind = LIP_GAIN_UNKNOWN, .reason = "its result is an integer constant"},
    .shape = size_shape,
    .forward = size_forward,
};
