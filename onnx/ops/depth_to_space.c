/*
 * depth_to_space.c: DepthToSpace and SpaceToDepth, N C H W. Both are one view
 * on the six axes n, block row, block column, c, h, w: channels are ordered
 * (row, column, c), in mode CRD (c, row, column), which SpaceToDepth has since
 * opset 28.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "copy.h"
#include "ranges.h"
#include "support.h"
#include "view.h"

#include <string.h>

static lip_status block_of(const lip_node *node, int64_t *block, lip_error *error)
{
    *block = lip_attr_int(node, "blocksize", 0);
    if (*block < 1 || *block > INT32_MAX)
        return lip_fail_node(error, LIP_EFORMAT, node, "attribute blocksize is %lld", (long long)*block);
    if (node->inputs[0]->shape.rank != 4)
        return lip_fail_node(error, LIP_EFORMAT, node, "its input has %d dimensions, not 4",
                             node->inputs[0]->shape.rank);
    return LIP_OK;
}

static lip_status depth_shape(const lip_node *node, lip_error *error)
{
    int64_t block = 1;
    LIP_TRY(lip_check_inputs(node, 1, 1, error));
    LIP_TRY(lip_check_number(node, 0, error));
    LIP_TRY(block_of(node, &block, error));
    lip_shape y = node->inputs[0]->shape;
    if (y.dim[1] % (block * block) != 0)
        return lip_fail_node(error, LIP_EFORMAT, node, "its %lld channels are no multiple of blocksize squared",
                             (long long)y.dim[1]);
    y.dim[1] /= block * block;
    if (!lip_size_mul(y.dim[2], block, &y.dim[2]) || !lip_size_mul(y.dim[3], block, &y.dim[3]))
        return lip_fail_node(error, LIP_EFORMAT, node, "its output's dimensions overflow");
    return lip_set_output(node, 0, node->inputs[0]->dtype, &y, error);
}

static lip_status space_shape(const lip_node *node, lip_error *error)
{
    int64_t block = 1;
    LIP_TRY(lip_check_inputs(node, 1, 1, error));
    LIP_TRY(lip_check_number(node, 0, error));
    LIP_TRY(block_of(node, &block, error));
    lip_shape y = node->inputs[0]->shape;
    if (y.dim[2] % block != 0 || y.dim[3] % block != 0)
        return lip_fail_node(error, LIP_EFORMAT, node, "its height and width are no multiples of blocksize");
    if (!lip_size_mul(y.dim[1], block * block, &y.dim[1]))
        return lip_fail_node(error, LIP_EFORMAT, node, "its output's channels overflow");
    y.dim[2] /= block;
    y.dim[3] /= block;
    return lip_set_output(node, 0, node->inputs[0]->dtype, &y, error);
}

/* The view from the deep tensor [n, c b b, h, w] (as "in") to the wide one [n, c, h b, w b] (as "out"). */
static lip_view deep_to_wide(const lip_shape *deep, int64_t b, bool channel_first)
{
    int64_t c = deep->dim[1] / (b * b), h = deep->dim[2], w = deep->dim[3];
    int64_t plane = h * w, wide_plane = plane * b * b;
    int64_t row = channel_first ? b * plane : b * c * plane, column = channel_first ? plane : c * plane;
    lip_view view = {0};
    lip_view_push(&view, deep->dim[0], c * b * b * plane, c * wide_plane);
    lip_view_push(&view, c, channel_first ? b * b * plane : plane, wide_plane);
    lip_view_push(&view, h, w, b * w * b);
    lip_view_push(&view, b, row, w * b);
    lip_view_push(&view, w, 1, b);
    lip_view_push(&view, b, column, 1);
    return view;
}

static lip_view reversed(lip_view view)
{
    lip_view back = view;
    memcpy(back.in_stride, view.out_stride, sizeof back.in_stride);
    memcpy(back.out_stride, view.in_stride, sizeof back.out_stride);
    return back;
}

static lip_status plan(const lip_node *node, lip_view *view, lip_error *error)
{
    int64_t block = 1;
    LIP_TRY(block_of(node, &block, error));
    lip_shape deep = node->inputs[0]->shape;
    bool channel_first = strcmp(lip_attr_string(node, "mode", "DCR"), "CRD") == 0;
    if (strcmp(node->op_type, "DepthToSpace") == 0) {
        *view = deep_to_wide(&deep, block, channel_first);
    } else {
        deep.dim[1] *= block * block;
        deep.dim[2] /= block;
        deep.dim[3] /= block;
        *view = reversed(deep_to_wide(&deep, block, node->opset >= 28 && channel_first));
    }
    return LIP_OK;
}

static lip_status forward(const lip_call *call, lip_error *error)
{
    return lip_view_forward(call, plan, error);
}

static lip_status adjoint(const lip_call *call, lip_error *error)
{
    return lip_view_adjoint(call, plan, error);
}

const lip_op lip_op_depth_to_space = {
    .name = "DepthToSpace",
    .domain = "",
    .opset_first = 1,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_ISOMETRY},
    .shape = depth_shape,
    .forward = forward,
    .adjoint = adjoint,
    .range = lip_range_monotone,
};

const lip_op lip_op_space_to_depth = {
    .name = "SpaceToDepth",
    .domain = "",
    .opset_first = 1,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_ISOMETRY},
    .shape = space_shape,
    .forward = forward,
    .adjoint = adjoint,
    .range = lip_range_monotone,
};
