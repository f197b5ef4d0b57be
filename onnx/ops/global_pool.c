/*
 * global_pool.c: GlobalAveragePool and GlobalMaxPool: one window over all
 * spatial positions of a channel.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "ranges.h"
#include "support.h"

#include <string.h>

typedef struct layout {
    int64_t channels, positions;
} layout;

static lip_status shape(const lip_node *node, lip_error *error)
{
    LIP_TRY(lip_check_inputs(node, 1, 1, error));
    LIP_TRY(lip_check_real(node, 0, error));
    lip_shape y = node->inputs[0]->shape;
    if (y.rank < 3)
        return lip_fail_node(error, LIP_EFORMAT, node, "its input has %d dimensions, at least 3 are needed", y.rank);
    if (lip_dims_product(&y, 2, y.rank) == 0)
        return lip_fail_node(error, LIP_EFORMAT, node, "its input has no spatial positions");
    for (int i = 2; i < y.rank; i++)
        y.dim[i] = 1;
    return lip_set_output(node, 0, node->inputs[0]->dtype, &y, error);
}

static layout layout_of(const lip_call *call)
{
    const lip_shape *x = &call->in[0]->shape;
    return (layout){ x->dim[0] * x->dim[1], lip_dims_product(x, 2, x->rank) };
}

static lip_status forward_average(const lip_call *call, lip_error *error)
{
    (void)error;
    const layout l = layout_of(call);
    for (int64_t c = 0; c < l.channels; c++) {
        const double *x = call->in[0]->f64 + c * l.positions;
        double sum = 0;
        for (int64_t i = 0; i < l.positions; i++)
            sum += x[i];
        call->out[0]->f64_room[c] = sum / (double)l.positions;
    }
    return LIP_OK;
}

static lip_status adjoint_average(const lip_call *call, lip_error *error)
{
    (void)error;
    const layout l = layout_of(call);
    for (int64_t c = 0; c < l.channels; c++) {
        const double part = call->out_grad[0][c] / (double)l.positions;
        for (int64_t i = 0; i < l.positions; i++)
            call->in_grad[0][c * l.positions + i] = part;
    }
    return LIP_OK;
}

static int64_t largest(const double *x, int64_t count)
{
    int64_t best = 0;
    for (int64_t i = 1; i < count; i++)
        if (x[i] > x[best])
            best = i;
    return best;
}

static lip_status forward_max(const lip_call *call, lip_error *error)
{
    (void)error;
    const layout l = layout_of(call);
    for (int64_t c = 0; c < l.channels; c++) {
        const double *x = call->in[0]->f64 + c * l.positions;
        call->out[0]->f64_room[c] = x[largest(x, l.positions)];
    }
    return LIP_OK;
}

static lip_status adjoint_max(const lip_call *call, lip_error *error)
{
    (void)error;
    const layout l = layout_of(call);
    memset(call->in_grad[0], 0, (size_t)call->in[0]->count * sizeof(double));
    for (int64_t c = 0; c < l.channels; c++) {
        const int64_t best = largest(call->in[0]->f64 + c * l.positions, l.positions);
        call->in_grad[0][c * l.positions + best] = call->out_grad[0][c];
    }
    return LIP_OK;
}

const lip_op lip_op_global_average_pool = {
    .name = "GlobalAveragePool",
    .domain = "",
    .opset_first = 1,
    .opset_last = LIP_OPSET_LAST,
    .gain = { .kind = LIP_GAIN_NONNEGATIVE },
    .shape = shape,
    .forward = forward_average,
    .adjoint = adjoint_average,
    .range = lip_range_weighted,
};

const lip_op lip_op_global_max_pool = {
    .name = "GlobalMaxPool",
    .domain = "",
    .opset_first = 1,
    .opset_last = LIP_OPSET_LAST,
    .gain = { .kind = LIP_GAIN_SELECT, .select = 1 },
    .shape = shape,
    .forward = forward_max,
    .adjoint = adjoint_max,
    .range = lip_range_monotone,
};
