/*
 * compress.c: Compress (slices of an axis, or elements, where a condition
 * holds) and NonZero (the indices of what is not zero). How large the result
 * is depends on the values, so that these must be constants.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "copy.h"
#include "ranges.h"
#include "support.h"

#include <string.h>

/* Slices o, k, i of the data: k along the axis. Without an axis the data is one axis. */
typedef struct layout {
    int64_t outer, count, inner;
    const lip_tensor *condition;
    int64_t kept;
} layout;

static lip_status read(const lip_node *node, layout *out, int *axis, lip_error *error)
{
    const lip_shape *x = &node->inputs[0]->shape;
    layout at = {.outer = 1, .count = lip_dims_product(x, 0, x->rank), .inner = 1};
    *axis = -1;
    LIP_TRY(lip_need_constant(node, 1, "condition", &at.condition, error));
    if (lip_attr_find(node, "axis")) {
        LIP_TRY(lip_check_axis(node, lip_attr_int(node, "axis", 0), x->rank, axis, error));
        at.outer = lip_dims_product(x, 0, *axis);
        at.count = x->dim[*axis];
        at.inner = lip_dims_product(x, *axis + 1, x->rank);
    }
    if (at.condition->storage != LIP_I64 || at.condition->shape.rank != 1)
        return lip_fail_node(error, LIP_EFORMAT, node, "its condition is not a list of bools");
    for (int64_t k = 0; k < at.condition->count && k < at.count; k++) at.kept += at.condition->i64[k] != 0;
    *out = at;
    return LIP_OK;
}

static lip_status compress_shape(const lip_node *node, lip_error *error)
{
    layout at = {0};
    int axis = -1;
    LIP_TRY(lip_check_inputs(node, 2, 2, error));
    LIP_TRY(lip_check_number(node, 0, error));
    LIP_TRY(read(node, &at, &axis, error));
    lip_shape y = node->inputs[0]->shape;
    if (axis < 0) y = (lip_shape){.rank = 1, .dim = {0}};
    y.dim[axis < 0 ? 0 : axis] = at.kept;
    return lip_set_output(node, 0, node->inputs[0]->dtype, &y, error);
}

static lip_status compress_forward(const lip_call *call, lip_error *error)
{
    layout at = {0};
    int axis = -1;
    LIP_TRY(read(call->node, &at, &axis, error));
    int64_t to = 0;
    for (int64_t o = 0; call->out[0] && o < at.outer; o++) {
        for (int64_t k = 0; k < at.count && k < at.condition->count; k++) {
            if (at.condition->i64[k] == 0) continue;
            memcpy(call->out[0]->i64_room + to, call->in[0]->i64 + (o * at.count + k) * at.inner,
                   (size_t)at.inner * sizeof(int64_t));
            to += at.inner;
        }
    }
    return LIP_OK;
}

static lip_status compress_adjoint(const lip_call *call, lip_error *error)
{
    layout at = {0};
    int axis = -1;
    LIP_TRY(read(call->node, &at, &axis, error));
    lip_zero_grad(call, 0);
    int64_t from = 0;
    for (int64_t o = 0; call->in_grad[0] && call->out_grad[0] && o < at.outer; o++) {
        for (int64_t k = 0; k < at.count && k < at.condition->count; k++) {
            if (at.condition->i64[k] == 0) continue;
            memcpy(call->in_grad[0] + (o * at.count + k) * at.inner, call->out_grad[0] + from,
                   (size_t)at.inner * sizeof(double));
            from += at.inner;
        }
    }
    return LIP_OK;
}

static lip_status non_zero_shape(const lip_node *node, lip_error *error)
{
    const lip_tensor *x = NULL;
    LIP_TRY(lip_check_inputs(node, 1, 1, error));
    LIP_TRY(lip_need_constant(node, 0, "input (how many indices there are depends on it)", &x, error));
    lip_shape y = {.rank = 2, .dim = {x->shape.rank == 0 ? 1 : x->shape.rank, 0}};
    for (int64_t i = 0; i < x->count; i++) y.dim[1] += lip_tensor_real(x, i) != 0;
    return lip_set_output(node, 0, LIP_DTYPE_INT64, &y, error);
}

static lip_status non_zero_forward(const lip_call *call, lip_error *error)
{
    (void)error;
    const lip_tensor *x = call->in[0];
    int64_t stride[LIP_MAX_RANK], at = 0;
    if (!call->out[0]) return LIP_OK;
    lip_strides(&x->shape, stride);
    for (int64_t i = 0; i < x->count; i++) {
        if (lip_tensor_real(x, i) == 0) continue;
        call->out[0]->i64_room[at] = 0; /* of a scalar */
        for (int d = 0; d < x->shape.rank; d++)
            call->out[0]->i64_room[d * call->out[0]->shape.dim[1] + at] = i / stride[d] % x->shape.dim[d];
        at++;
    }
    return LIP_OK;
}

const lip_op lip_op_compress = {
    .name = "Compress",
    .domain = "",
    .opset_first = 9,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_COPY},
    .shape = compress_shape,
    .forward = compress_forward,
    .adjoint = compress_adjoint,
    .range = lip_range_monotone,
};

const lip_op lip_op_non_zero = {
    .name = "NonZero",
    .domain = "",
    .opset_first = 9,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_UNBOUNDED, .reason = "discontinuous: its result are indices"},
    .shape = non_zero_shape,
    .forward = non_zero_forward,
};
