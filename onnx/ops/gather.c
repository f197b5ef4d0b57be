/*
 * gather.c: Gather: slices of an axis by index, y[o, j, i] = x[o, index[j], i].
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "gather.h"

#include "copy.h"
#include "ranges.h"
#include "support.h"

#include <string.h>

typedef struct layout {
    int axis;
    int64_t outer, n, inner, picks;
} layout;

static lip_status layout_of(const lip_node *node, layout *out, lip_error *error)
{
    const lip_shape *x = &node->inputs[0]->shape, *indices = &node->inputs[1]->shape;
    LIP_TRY(lip_check_axis(node, lip_attr_int(node, "axis", 0), x->rank, &out->axis, error));
    out->outer = lip_dims_product(x, 0, out->axis);
    out->n = x->dim[out->axis];
    out->inner = lip_dims_product(x, out->axis + 1, x->rank);
    out->picks = lip_dims_product(indices, 0, indices->rank);
    return LIP_OK;
}

static lip_status shape(const lip_node *node, lip_error *error)
{
    layout at = {0};
    lip_shape y = {0};
    int64_t picked;
    LIP_TRY(lip_check_inputs(node, 2, 2, error));
    LIP_TRY(lip_check_number(node, 0, error));
    LIP_TRY(lip_check_indices(node, error));
    LIP_TRY(layout_of(node, &at, error));
    const lip_shape *x = &node->inputs[0]->shape, *indices = &node->inputs[1]->shape;
    for (int i = 0; i < at.axis; i++) LIP_TRY(lip_push_dim(node, &y, x->dim[i], error));
    for (int i = 0; i < indices->rank; i++) LIP_TRY(lip_push_dim(node, &y, indices->dim[i], error));
    for (int i = at.axis + 1; i < x->rank; i++) LIP_TRY(lip_push_dim(node, &y, x->dim[i], error));
    const lip_tensor *index = lip_node_constant(node, 1);
    for (int64_t j = 0; index && j < index->count; j++)
        LIP_TRY(lip_check_index(node, index->i64[j], at.n, &picked, error));
    return lip_set_output(node, 0, node->inputs[0]->dtype, &y, error);
}

static lip_status forward(const lip_call *call, lip_error *error)
{
    layout at = {0};
    int64_t from = 0;
    if (!call->out[0]) return LIP_OK;
    LIP_TRY(layout_of(call->node, &at, error));
    for (int64_t j = 0; j < at.picks; j++) {
        LIP_TRY(lip_check_index(call->node, call->in[1]->i64[j], at.n, &from, error));
        for (int64_t o = 0; o < at.outer; o++)
            memcpy(call->out[0]->i64_room + (o * at.picks + j) * at.inner,
                   call->in[0]->i64 + (o * at.n + from) * at.inner, (size_t)at.inner * sizeof(int64_t));
    }
    return LIP_OK;
}

static lip_status adjoint(const lip_call *call, lip_error *error)
{
    layout at = {0};
    int64_t to = 0;
    lip_zero_grad(call, 0);
    if (!call->in_grad[0] || !call->out_grad[0]) return LIP_OK;
    LIP_TRY(layout_of(call->node, &at, error));
    for (int64_t j = 0; j < at.picks; j++) {
        LIP_TRY(lip_check_index(call->node, call->in[1]->i64[j], at.n, &to, error));
        for (int64_t o = 0; o < at.outer; o++) {
            const double *g = call->out_grad[0] + (o * at.picks + j) * at.inner;
            double *grad = call->in_grad[0] + (o * at.n + to) * at.inner;
            for (int64_t i = 0; i < at.inner; i++) grad[i] += g[i];
        }
    }
    return LIP_OK;
}

const lip_op lip_op_gather = {
    .name = "Gather",
    .domain = "",
    .opset_first = 1,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_COPY},
    .shape = shape,
    .forward = forward,
    .adjoint = adjoint,
    .describe = lip_gather_describe,
    .range = lip_range_gather,
};
