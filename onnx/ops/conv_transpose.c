/*
 * conv_transpose.c: ConvTranspose. X [N, C, spatial...], W [C, M / group,
 * kernel...], B [M]: the adjoint of the convolution with weights W that takes
 * the node's output to its input (conv.h).
 *
 * Sizes: out = stride (n - 1) + output_padding + (k - 1) dilation + 1 - pads;
 * with output_shape, or with auto_pad = SAME_* (out = n stride), the pads
 * follow from out; what exceeds the full size is padded at the end.
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
    conv->c_out = x->dim[1];
    conv->groups = lip_attr_int(node, "group", 1);
    if (conv->groups < 1 || conv->c_out < 1 || conv->c_out % conv->groups != 0 || w->dim[1] < 1 ||
        !lip_size_mul(w->dim[1], conv->groups, &conv->c_in))
        return lip_fail_node(error, LIP_EFORMAT, node,
                             "%" PRId64 " input channels, %" PRId64 " groups of %" PRId64 " output channels",
                             conv->c_out, conv->groups, w->dim[1]);
    if (w->dim[0] != conv->c_out)
        return lip_fail_node(error, LIP_EFORMAT, node,
                             "its input has %" PRId64 " channels, its weights take %" PRId64, conv->c_out, w->dim[0]);
    return LIP_OK;
}

/* output_shape as spatial sizes: some exporters write batch and channels too. */
static lip_status read_output_shape(const lip_node *node, int dims, int64_t *size, bool *there, lip_error *error)
{
    lip_ints ints;
    LIP_TRY(lip_ints_of_attr(node, "output_shape", &ints, error));
    *there = ints.value != NULL && ints.count > 0;
    if (!*there)
        return LIP_OK;
    if (ints.count != dims && ints.count != dims + 2)
        return lip_fail_node(error, LIP_EFORMAT, node, "output_shape has %" PRId64 " numbers for %d dimensions",
                             ints.count, dims);
    for (int i = 0; i < dims; i++) {
        size[i] = ints.value[ints.count - dims + i];
        if (size[i] < 1 || size[i] > INT32_MAX)
            return lip_fail_node(error, LIP_EFORMAT, node, "output_shape has %" PRId64, size[i]);
    }
    return LIP_OK;
}

static lip_status read_sizes(const lip_node *node, const lip_window *window, lip_conv *conv, lip_error *error)
{
    lip_auto_pad mode = LIP_PAD_EXPLICIT;
    int64_t extra[3], pads[6], wanted[3];
    bool given;
    LIP_TRY(lip_window_auto_pad(node, &mode, error));
    LIP_TRY(lip_window_attr(node, "output_padding", window->dims, 0, 0, extra, error));
    LIP_TRY(lip_window_attr(node, "pads", 2 * window->dims, -INT32_MAX, 0, pads, error));
    LIP_TRY(read_output_shape(node, window->dims, wanted, &given, error));
    const bool same = mode == LIP_PAD_SAME_UPPER || mode == LIP_PAD_SAME_LOWER;
    for (int i = 0; i < window->dims; i++) {
        const int64_t reach = (window->k[i] - 1) * window->dilation[i] + 1;
        const int64_t full = window->stride[i] * (window->n[i] - 1) + extra[i] + reach;
        const int64_t begin = mode == LIP_PAD_VALID ? 0 : pads[i];
        const int64_t end = mode == LIP_PAD_VALID ? 0 : pads[i + window->dims];
        int64_t size = full - begin - end;
        conv->pad_begin[i] = begin;
        if (given || same) {
            size = given ? wanted[i] : window->n[i] * window->stride[i];
            const int64_t total = full > size ? full - size : 0;
            conv->pad_begin[i] = mode == LIP_PAD_SAME_UPPER ? total / 2 : total - total / 2;
        }
        if (size < 1 || size > INT32_MAX)
            return lip_fail_node(error, LIP_EFORMAT, node,
                                 "its output's size is %" PRId64 ": input %" PRId64 ", kernel %" PRId64
                                 ", stride %" PRId64 ", padding %" PRId64 " and %" PRId64,
                                 size, window->n[i], window->k[i], window->stride[i], begin, end);
        conv->n[i] = size;
        conv->n_out[i] = window->n[i];
    }
    return LIP_OK;
}

lip_status lip_conv_transpose_of_node(const lip_node *node, lip_conv *out, lip_error *error)
{
    lip_conv conv = { .transposed = true };
    lip_window window = { 0 };
    LIP_TRY(lip_check_inputs(node, 2, 3, error));
    for (size_t i = 0; i < node->input_count; i++)
        if (node->inputs[i] != NULL)
            LIP_TRY(lip_check_real(node, i, error));
    LIP_TRY(read_channels(node, &conv, error));
    LIP_TRY(lip_window_read_kernel(node, &node->inputs[0]->shape, &node->inputs[1]->shape.dim[2], &window, error));
    LIP_TRY(read_sizes(node, &window, &conv, error));
    conv.weight = lip_node_constant(node, 1);
    conv.dims = window.dims;
    for (int i = 0; i < window.dims; i++) {
        conv.k[i] = window.k[i];
        conv.stride[i] = window.stride[i];
        conv.dilation[i] = window.dilation[i];
    }
    LIP_TRY(lip_conv_check(node, &conv, error));
    *out = conv;
    return LIP_OK;
}

static lip_status shape(const lip_node *node, lip_error *error)
{
    lip_conv conv = { 0 };
    LIP_TRY(lip_conv_transpose_of_node(node, &conv, error));
    return lip_conv_set_output(node, &conv, error);
}

static lip_status forward(const lip_call *call, lip_error *error)
{
    lip_conv conv = { 0 };
    LIP_TRY(lip_conv_transpose_of_node(call->node, &conv, error));
    return lip_conv_node_forward(call, &conv, error);
}

static lip_status adjoint(const lip_call *call, lip_error *error)
{
    lip_conv conv = { 0 };
    LIP_TRY(lip_conv_transpose_of_node(call->node, &conv, error));
    return lip_conv_node_adjoint(call, &conv, error);
}

static lip_status describe(const lip_node *node, lip_arena *arena, lip_gain *gain, lip_error *error)
{
    (void)arena;
    lip_conv conv = { 0 };
    LIP_TRY(lip_conv_transpose_of_node(node, &conv, error));
    lip_conv_node_gain(node, &conv, gain);
    return LIP_OK;
}

const lip_op lip_op_conv_transpose = {
    .name = "ConvTranspose",
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
