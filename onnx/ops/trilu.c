/*
 * trilu.c: Trilu keeps the upper or lower triangle of each matrix, from
 * diagonal k on; the rest is zero.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "copy.h"
#include "ranges.h"
#include "support.h"

static lip_status diagonal(const lip_node *node, int64_t *k, lip_error *error)
{
    lip_ints given;
    LIP_TRY(lip_ints_of_input(node, 1, "diagonal k", &given, error));
    if (given.value && given.count != 1)
        return lip_fail_node(error, LIP_EFORMAT, node, "its diagonal k is not a scalar");
    const lip_shape *x = &node->inputs[0]->shape;
    int64_t rows = x->dim[x->rank - 2], columns = x->dim[x->rank - 1];
    *k = given.value ? given.value[0] : 0;
    /* Beyond the matrix nothing changes: no overflow below. */
    if (*k > columns) *k = columns;
    if (*k < -rows) *k = -rows;
    return LIP_OK;
}

static lip_status shape(const lip_node *node, lip_error *error)
{
    int64_t k;
    LIP_TRY(lip_check_inputs(node, 1, 2, error));
    LIP_TRY(lip_check_number(node, 0, error));
    const lip_shape *x = &node->inputs[0]->shape;
    if (x->rank < 2) return lip_fail_node(error, LIP_EFORMAT, node, "its input has %d dimensions", x->rank);
    LIP_TRY(diagonal(node, &k, error));
    return lip_set_output(node, 0, node->inputs[0]->dtype, x, error);
}

static bool kept(const lip_node *node, int64_t k, int64_t i)
{
    const lip_shape *x = &node->inputs[0]->shape;
    int64_t rows = x->dim[x->rank - 2], columns = x->dim[x->rank - 1];
    int64_t row = i / columns % rows, column = i % columns;
    return lip_attr_int(node, "upper", 1) ? column >= row + k : column <= row + k;
}

static lip_status forward(const lip_call *call, lip_error *error)
{
    int64_t k = 0;
    if (!call->out[0]) return LIP_OK;
    LIP_TRY(diagonal(call->node, &k, error));
    for (int64_t i = 0; i < call->in[0]->count; i++) {
        bool keep = kept(call->node, k, i);
        if (call->in[0]->storage == LIP_F64)
            call->out[0]->f64_room[i] = keep ? call->in[0]->f64[i] : 0;
        else
            call->out[0]->i64_room[i] = keep ? call->in[0]->i64[i] : 0;
    }
    return LIP_OK;
}

static lip_status adjoint(const lip_call *call, lip_error *error)
{
    int64_t k = 0;
    lip_zero_grad(call, 0);
    if (!call->in_grad[0] || !call->out_grad[0]) return LIP_OK;
    LIP_TRY(diagonal(call->node, &k, error));
    for (int64_t i = 0; i < call->in[0]->count; i++) {
        if (kept(call->node, k, i)) call->in_grad[0][i] = call->out_grad[0][i];
    }
    return LIP_OK;
}

const lip_op lip_op_trilu = {
    .name = "Trilu",
    .domain = "",
    .opset_first = 14,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_COPY},
    .shape = shape,
    .forward = forward,
    .adjoint = adjoint,
    .range = lip_range_monotone,
};
