/*
 * clip.c: Clip, y = min(max(x, low), high), with the limits as attributes
 * before opset 11, as scalar inputs since. With constant limits the slope is
 * 0 outside and 1 inside.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "elementwise.h"
#include "ranges.h"
#include "support.h"

#include <float.h>
#include <math.h>

static lip_status shape(const lip_node *node, lip_error *error)
{
    LIP_TRY(lip_check_inputs(node, 1, node->opset < 11 ? 1 : 3, error));
    LIP_TRY(lip_check_number(node, 0, error));
    for (size_t k = 1; k < 3; k++) {
        const lip_value *limit = lip_node_input(node, k);
        if (!limit) continue;
        int64_t count;
        if (!lip_shape_count(&limit->shape, &count) || count != 1)
            return lip_fail_node(error, LIP_EFORMAT, node, "its limit '%s' is not a scalar", limit->name);
        if (limit->dtype != node->inputs[0]->dtype)
            return lip_fail_node(error, LIP_EFORMAT, node, "its limit '%s' is of another type", limit->name);
    }
    return lip_set_output(node, 0, node->inputs[0]->dtype, &node->inputs[0]->shape, error);
}

static void limits(const lip_call *call, double p[2])
{
    const lip_node *node = call->node;
    if (node->opset < 11) {
        p[0] = lip_attr_float(node, "min", -FLT_MAX);
        p[1] = lip_attr_float(node, "max", FLT_MAX);
        return;
    }
    p[0] = lip_node_input(node, 1) ? lip_tensor_real(call->in[1], 0) : -INFINITY;
    p[1] = lip_node_input(node, 2) ? lip_tensor_real(call->in[2], 0) : INFINITY;
}

static double value(double x, const double *p)
{
    double y = x < p[0] ? p[0] : x;
    return y > p[1] ? p[1] : y;
}

static double slope(double x, const double *p)
{
    return x > p[0] && x < p[1] ? 1 : 0;
}

static void clip_whole(const lip_call *call)
{
    int64_t low = lip_node_input(call->node, 1) ? call->in[1]->i64[0] : INT64_MIN;
    int64_t high = lip_node_input(call->node, 2) ? call->in[2]->i64[0] : INT64_MAX;
    for (int64_t i = 0; i < call->in[0]->count; i++) {
        int64_t y = call->in[0]->i64[i];
        if (y < low) y = low;
        call->out[0]->i64_room[i] = y > high ? high : y;
    }
}

static lip_status forward(const lip_call *call, lip_error *error)
{
    (void)error;
    double p[2];
    if (!call->out[0]) return LIP_OK;
    if (call->in[0]->storage == LIP_I64) {
        clip_whole(call);
        return LIP_OK;
    }
    limits(call, p);
    return lip_map_forward(call, value, p);
}

/* Gradient in a limit: of all elements that sit on it. */
static void limit_gradient(const lip_call *call, size_t k, const double p[2])
{
    if (k >= call->node->input_count || !call->in_grad[k]) return;
    const double *x = call->in[0]->f64, *g = call->out_grad[0];
    double sum = 0;
    for (int64_t i = 0; g && i < call->in[0]->count; i++) {
        bool high = x[i] >= p[1] || p[0] > p[1], low = !high && x[i] <= p[0];
        if (k == 1 ? low : high) sum += g[i];
    }
    call->in_grad[k][0] = sum;
}

static lip_status adjoint(const lip_call *call, lip_error *error)
{
    (void)error;
    double p[2];
    limits(call, p);
    limit_gradient(call, 1, p);
    limit_gradient(call, 2, p);
    return lip_map_adjoint(call, slope, p);
}

static lip_status describe(const lip_node *node, lip_arena *arena, lip_gain *gain, lip_error *error)
{
    (void)arena, (void)error;
    double low = lip_attr_float(node, "min", -FLT_MAX), high = lip_attr_float(node, "max", FLT_MAX);
    if (node->opset >= 11) {
        const lip_tensor *a = lip_node_constant(node, 1), *b = lip_node_constant(node, 2);
        if ((lip_node_input(node, 1) && !a) || (lip_node_input(node, 2) && !b)) {
            *gain = lip_gain_none(LIP_GAIN_UNKNOWN, "its limits are not constants");
            return LIP_OK;
        }
        low = a ? lip_tensor_real(a, 0) : -INFINITY;
        high = b ? lip_tensor_real(b, 0) : INFINITY;
    }
    if (!(low < high)) gain->slopes.slack = 1; /* a constant function */
    return LIP_OK;
}

const lip_op lip_op_clip = {
    .name = "Clip",
    .domain = "",
    .opset_first = 1,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_SLOPES, .slopes = {.a = 0, .b = 1}},
    .shape = shape,
    .forward = forward,
    .adjoint = adjoint,
    .describe = describe,
    .curve = &lip_curve_clip,
};
