/*
 * prelu.c: PRelu, y = x for x >= 0, slope x below, slope broadcast to x
 * (before opset 7: one element, or one per channel of axis 1). Its slopes are
 * 1 and the elements of `slope`.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "elementwise.h"
#include "interval.h"
#include "ranges.h"
#include "support.h"

#include <math.h>
#include <string.h>

/* The slope's shape as it broadcasts to x. */
static bool placed(const lip_node *node, lip_shape *slope)
{
    const lip_shape *x = &node->inputs[0]->shape, own = node->inputs[1]->shape;
    lip_shape y;
    *slope = own;
    if (node->opset < 7 && own.rank == 1 && own.dim[0] != 1) {
        *slope = (lip_shape){.rank = x->rank};
        for (int i = 0; i < x->rank; i++) slope->dim[i] = i == 1 ? own.dim[0] : 1;
    }
    return lip_shape_broadcast(x, slope, &y) && lip_shape_equal(x, &y);
}

static lip_status shape(const lip_node *node, lip_error *error)
{
    lip_shape slope;
    LIP_TRY(lip_check_inputs(node, 2, 2, error));
    LIP_TRY(lip_check_real(node, 0, error));
    LIP_TRY(lip_check_real(node, 1, error));
    if (!placed(node, &slope)) return lip_fail_node(error, LIP_EFORMAT, node, "its slope does not broadcast to x");
    return lip_set_output(node, 0, node->inputs[0]->dtype, &node->inputs[0]->shape, error);
}

static lip_broadcast begin(const lip_node *node)
{
    lip_shape slope;
    const lip_shape *operand = &slope;
    (void)placed(node, &slope);
    return lip_broadcast_begin(&node->inputs[0]->shape, &operand, 1);
}

static lip_status forward(const lip_call *call, lip_error *error)
{
    (void)error;
    if (!call->out[0]) return LIP_OK;
    lip_broadcast it = begin(call->node);
    do {
        const double *x = call->in[0]->f64 + it.at, *slope = call->in[1]->f64 + it.offset[0];
        double *y = call->out[0]->f64_room + it.at;
        for (int64_t i = 0; i < it.row; i++) y[i] = x[i] < 0 ? slope[i * it.step[0]] * x[i] : x[i];
    } while (lip_broadcast_next(&it));
    return LIP_OK;
}

static lip_status adjoint(const lip_call *call, lip_error *error)
{
    (void)error;
    for (int k = 0; k < 2; k++) {
        if (call->in_grad[k]) memset(call->in_grad[k], 0, (size_t)call->in[k]->count * sizeof(double));
    }
    if (!call->out_grad[0]) return LIP_OK;
    lip_broadcast it = begin(call->node);
    do {
        const double *x = call->in[0]->f64 + it.at, *slope = call->in[1]->f64 + it.offset[0];
        const double *g = call->out_grad[0] + it.at;
        for (int64_t i = 0; i < it.row; i++) {
            if (call->in_grad[0]) call->in_grad[0][it.at + i] = g[i] * (x[i] < 0 ? slope[i * it.step[0]] : 1);
            if (call->in_grad[1] && x[i] < 0) call->in_grad[1][it.offset[0] + i * it.step[0]] += g[i] * x[i];
        }
    } while (lip_broadcast_next(&it));
    return LIP_OK;
}

static lip_status describe(const lip_node *node, lip_arena *arena, lip_gain *gain, lip_error *error)
{
    (void)arena, (void)error;
    const lip_tensor *slope = lip_node_constant(node, 1);
    if (lip_input_varies(node, 1)) {
        *gain = lip_gain_none(LIP_GAIN_UNBOUNDED, "its slope depends on the input: a product of two activations");
    } else if (!slope || slope->storage == LIP_OPAQUE) {
        *gain = lip_gain_none(LIP_GAIN_UNKNOWN, "its slope is not a constant");
    } else {
        for (int64_t i = 0; i < slope->count; i++) {
            gain->slopes.a = fmin(gain->slopes.a, lip_tensor_real(slope, i));
            gain->slopes.b = fmax(gain->slopes.b, lip_tensor_real(slope, i));
        }
    }
    return LIP_OK;
}

/* Gain in x, and in a slope that varies: the root of what its elements meet. */
static lip_status range(const lip_range_call *call, lip_error *error)
{
    const lip_span *x = &call->in[0], *slope = &call->in[1];
    double largest = 0;
    if (!call->out[0].lo) return LIP_OK;
    if (!slope->constant) return lip_fail(error, LIP_EUNSUPPORTED, "its slope is not a constant");
    lip_broadcast it = begin(call->node);
    do {
        for (int64_t i = 0; i < it.row; i++) {
            lip_interval y, slopes;
            lip_curve_two_slopes((lip_interval){x->lo[it.at + i], x->hi[it.at + i]},
                                 slope->lo[it.offset[0] + i * it.step[0]], 1, &y, &slopes);
            call->out[0].lo[it.at + i] = y.lo;
            call->out[0].hi[it.at + i] = y.hi;
            if (x->lo[it.at + i] != x->hi[it.at + i]) largest = fmax(largest, lip_magnitude(slopes));
        }
    } while (lip_broadcast_next(&it));
    call->gain[0] = *call->gain_lower = largest;
    return LIP_OK;
}

const lip_op lip_op_prelu = {
    .name = "PRelu",
    .domain = "",
    .opset_first = 1,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_SLOPES, .slopes = {.a = 1, .b = 1}},
    .shape = shape,
    .forward = forward,
    .adjoint = adjoint,
    .describe = describe,
    .range = range,
};
