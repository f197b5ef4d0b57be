/*
 * upsample.c: Upsample (opset 7 to 9, deprecated since): output o reads input
 * o / scale, nearest below or linearly between.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "interpolate.h"
#include "ranges.h"
#include "support.h"

#include <string.h>

static lip_status read_scales(const lip_node *node, lip_interpolation *p, lip_error *error)
{
    const lip_tensor *tensor = NULL;
    const lip_attr *attr = lip_attr_find(node, "scales");
    LIP_TRY(lip_need_constant(node, 1, "scales", &tensor, error));
    const int64_t count = tensor != NULL ? tensor->count : attr != NULL ? attr->count : 0;
    if (count != p->in.rank || (tensor == NULL && attr->kind != LIP_ATTR_FLOATS))
        return lip_fail_node(error, LIP_EFORMAT, node, "%lld scales for %d dimensions", (long long)count, p->in.rank);
    for (int i = 0; i < p->in.rank; i++) {
        const double scale = tensor != NULL ? lip_tensor_real(tensor, i) : (double)attr->floats[i];
        LIP_TRY(lip_interpolation_scale(node, p, i, scale, error));
    }
    return LIP_OK;
}

static lip_status read(const lip_node *node, lip_interpolation *out, lip_error *error)
{
    LIP_TRY(lip_check_inputs(node, 1, 2, error));
    LIP_TRY(lip_check_real(node, 0, error));
    const char *mode = lip_attr_string(node, "mode", "nearest");
    lip_interpolation p = { .coordinates = LIP_ASYMMETRIC, .nearest = LIP_FLOOR };
    p.in = p.out = node->inputs[0]->shape;
    if (node->opset < 7)
        return lip_fail_node(error, LIP_EUNSUPPORTED, node, "Upsample before opset 7");
    if (strcmp(mode, "nearest") != 0 && strcmp(mode, "linear") != 0 && strcmp(mode, "bilinear") != 0)
        return lip_fail_node(error, LIP_EFORMAT, node, "mode '%s' is not defined", mode);
    p.mode = strcmp(mode, "nearest") == 0 ? LIP_NEAREST : LIP_LINEAR;
    LIP_TRY(read_scales(node, &p, error));
    *out = p;
    return LIP_OK;
}

static lip_status shape(const lip_node *node, lip_error *error)
{
    lip_interpolation p = { 0 };
    LIP_TRY(read(node, &p, error));
    return lip_set_output(node, 0, node->inputs[0]->dtype, &p.out, error);
}

static lip_status forward(const lip_call *call, lip_error *error)
{
    lip_interpolation p = { 0 };
    LIP_TRY(read(call->node, &p, error));
    return lip_interpolation_forward(call, &p, error);
}

static lip_status adjoint(const lip_call *call, lip_error *error)
{
    lip_interpolation p = { 0 };
    LIP_TRY(read(call->node, &p, error));
    return lip_interpolation_adjoint(call, &p, error);
}

const lip_op lip_op_upsample = {
    .name = "Upsample",
    .domain = "",
    .opset_first = 7,
    .opset_last = 9,
    .gain = { .kind = LIP_GAIN_NONNEGATIVE },
    .shape = shape,
    .forward = forward,
    .adjoint = adjoint,
    .range = lip_range_described,
};
