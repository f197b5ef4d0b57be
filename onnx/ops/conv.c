/*
 * conv.c: Conv. X [N, C, spatial...], W [M, C / group, kernel...], B [M]:
 * cross-correlation in one to three dimensions.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "conv_geometry.h"
#include "ranges.h"
#include "support.h"
#include "window.h"

#include <inttypes.h>

static lip_status read_channels(const lip_node *node, lip_conv *conv, lip_error *error)
{
    const lip_shape *x = &node->inputs[0]->shape, *w = &node->inputs[1]->shape;
    if (w->rank != x->rank || x->rank < 3)
        return lip_fail_node(error, LIP_EFORMAT, node, "its input has %d dimensions, its weights %d", x->rank, w->rank);
    conv->batch = x->dim[0];
    conv->c_in = x->dim[1];
    conv->c_out = w->dim[0];
    conv->groups = lip_attr_int(node, "group", 1);
    if (conv->groups < 1 || conv->c_in < 1 || conv->c_out < 1 || conv->c_in % conv->groups != 0 ||
        conv->c_out % conv->groups != 0)
        return lip_fail_node(error, LIP_EFORMAT, node,
                             "%" PRId64 " input and %" PRId64 " output channels do not divide into %" PRId64 " groups",
                             conv->c_in, conv->c_out, conv->groups);
    if (w->dim[1] != conv->c_in / conv->groups)
        return lip_fail_node(error, LIP_EFORMAT, node,
                             "its input has %" PRId64 " channels in %" PRId64 " groups, its weights take %" PRId64
                             " per group",
                             conv->c_in, conv->groups, w->dim[1]);
    return LIP_OK;
}

lip_status lip_conv_of_node(const lip_node *node, lip_conv *out, lip_error *error)
{
    lip_conv conv = { .transposed = false };
    lip_window window = { 0 };
    LIP_TRY(lip_check_inputs(node, 2, 3, error));
    for (size_t i = 0; i < node->input_count; i++)
        if (node->inputs[i] != NULL)
            LIP_TRY(lip_check_real(node, i, error));
    LIP_TRY(read_channels(node, &conv, error));
    LIP_TRY(lip_window_read(node, &node->inputs[0]->shape, &node->inputs[1]->shape.dim[2], false, &window, error));
    conv.weight = lip_node_constant(node, 1);
    conv.dims = window.dims;
    for (int i = 0; i < window.dims; i++) {
        conv.n[i] = window.n[i];
        conv.n_out[i] = window.n_out[i];
        conv.k[i] = window.k[i];
        conv.stride[i] = window.stride[i];
        conv.dilation[i] = window.dilation[i];
        conv.pad_begin[i] = window.pad_begin[i];
    }
    LIP_TRY(lip_conv_check(node, &conv, error));
    *out = conv;
    return LIP_OK;
}

static lip_status shape(const lip_node *node, lip_error *error)
{
    lip_conv conv = { 0 };
    LIP_TRY(lip_conv_of_node(node, &conv, error));
    return lip_conv_set_output(node, &conv, error);
}

static lip_status forward(const lip_call *call, lip_error *error)
{
    lip_conv conv = { 0 };
    LIP_TRY(lip_conv_of_node(call->node, &conv, error));
    return lip_conv_node_forward(call, &conv, error);
}

static lip_status adjoint(const lip_call *call, lip_error *error)
{
    lip_conv conv = { 0 };
    LIP_TRY(lip_conv_of_node(call->node, &conv, error));
    return lip_conv_node_adjoint(call, &conv, error);
}

static lip_status describe(const lip_node *node, lip_arena *arena, lip_gain *gain, lip_error *error)
{
    (void)arena;
    lip_conv conv = { 0 };
    LIP_TRY(lip_conv_of_node(node, &conv, error));
    lip_conv_node_gain(node, &conv, gain);
    return LIP_OK;
}

const lip_op lip_op_conv = {
    .name = "Conv",
    .domain = "",
    .opset_first = 1,
    .opset_last = LIP_OPSET_LAST,
    .gain = { .kind = LIP_GAIN_CONV },
    .shape = shape,
    .forward = forward,
    .adjoint = adjoint,
    .describe = describe,
    .range = lip_range_product,
};
