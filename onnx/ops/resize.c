/*
 * resize.c: Resize: nearest, linear and cubic, every coordinate mode but
 * tf_crop_and_resize, without antialiasing.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "interpolate.h"
#include "ranges.h"
#include "support.h"

#include <string.h>

/* Position of the attribute's value in `names`; LIP_EUNSUPPORTED if it is not there. */
static lip_status choose(const lip_node *node, const char *attr, const char *const *names, int count, int otherwise,
                         int *out, lip_error *error)
{
    const char *value = lip_attr_string(node, attr, names[otherwise]);
    for (int i = 0; i < count; i++)
        if (strcmp(value, names[i]) == 0) {
            *out = i;
            return LIP_OK;
        }
    return lip_fail_node(error, LIP_EUNSUPPORTED, node, "%s is '%s'", attr, value);
}

static lip_status read_modes(const lip_node *node, lip_interpolation *p, lip_error *error)
{
    static const char *const modes[] = { "nearest", "linear", "cubic" };
    static const char *const nearest[] = { "round_prefer_floor", "round_prefer_ceil", "floor", "ceil" };
    static const char *const coordinates[] = { "half_pixel",    "pytorch_half_pixel",   "asymmetric",
                                               "align_corners", "tf_half_pixel_for_nn", "half_pixel_symmetric" };
    static const char *const policies[] = { "stretch" };
    int mode = 0, rounding = 0, where = 0, policy = 0;
    LIP_TRY(choose(node, "mode", modes, 3, LIP_NEAREST, &mode, error));
    LIP_TRY(choose(node, "keep_aspect_ratio_policy", policies, 1, 0, &policy, error));
    p->mode = (lip_resample)mode;
    p->nearest = LIP_FLOOR;
    p->coordinates = LIP_ASYMMETRIC;
    p->cubic_a = lip_attr_float(node, "cubic_coeff_a", -0.75F);
    p->exclude_outside = lip_attr_int(node, "exclude_outside", 0) != 0;
    if (lip_attr_int(node, "antialias", 0) != 0)
        return lip_fail_node(error, LIP_EUNSUPPORTED, node, "antialias is 1");
    if (node->opset < 11) /* as Upsample */
        return LIP_OK;
    LIP_TRY(choose(node, "nearest_mode", nearest, 4, 0, &rounding, error));
    LIP_TRY(choose(node, "coordinate_transformation_mode", coordinates, 6, 0, &where, error));
    p->nearest = (lip_nearest)rounding;
    p->coordinates = (lip_coordinates)where;
    return LIP_OK;
}

/* The axes that scales or sizes speak of, in their order. */
static lip_status read_axes(const lip_node *node, int rank, int *axis, int64_t *count, lip_error *error)
{
    lip_ints axes = { 0 };
    bool mask[LIP_MAX_RANK];
    LIP_TRY(lip_ints_of_attr(node, "axes", &axes, error));
    *count = rank;
    for (int i = 0; i < rank; i++)
        axis[i] = i;
    if (axes.value == NULL)
        return LIP_OK;
    LIP_TRY(lip_check_axes(node, axes.value, axes.count, rank, mask, error));
    *count = axes.count;
    for (int i = 0; i < (int)axes.count; i++)
        LIP_TRY(lip_check_axis(node, axes.value[i], rank, &axis[i], error));
    return LIP_OK;
}

static lip_status set_size(const lip_node *node, lip_interpolation *p, int axis, int64_t size, lip_error *error)
{
    if (size < 1 || size > INT32_MAX || p->in.dim[axis] < 1)
        return lip_fail_node(error, LIP_EFORMAT, node, "axis %d of size %lld is resized to %lld", axis,
                             (long long)p->in.dim[axis], (long long)size);
    p->out.dim[axis] = size;
    p->scale[axis] = (double)size / (double)p->in.dim[axis];
    return LIP_OK;
}

static lip_status read_target(const lip_node *node, lip_interpolation *p, lip_error *error)
{
    const size_t scales_at = node->opset < 11 ? 1 : 2;
    const lip_tensor *scales = NULL;
    lip_ints sizes = { 0 };
    int axis[LIP_MAX_RANK];
    int64_t count = 0;
    LIP_TRY(read_axes(node, p->in.rank, axis, &count, error));
    LIP_TRY(lip_need_constant(node, scales_at, "scales", &scales, error));
    LIP_TRY(lip_ints_of_input(node, 3, "sizes", &sizes, error));
    const bool by_scale = scales != NULL && scales->count > 0, by_size = sizes.value != NULL && sizes.count > 0;
    if (by_scale == by_size || (by_scale ? scales->count : sizes.count) != count)
        return lip_fail_node(error, LIP_EFORMAT, node, "needs scales or sizes, one for each of %lld axes",
                             (long long)count);
    for (int i = 0; i < p->in.rank; i++)
        p->scale[i] = 1;
    for (int i = 0; i < (int)count; i++)
        if (by_scale)
            LIP_TRY(lip_interpolation_scale(node, p, axis[i], lip_tensor_real(scales, i), error));
        else
            LIP_TRY(set_size(node, p, axis[i], sizes.value[i], error));
    return LIP_OK;
}

static lip_status read(const lip_node *node, lip_interpolation *out, lip_error *error)
{
    lip_interpolation p = { .mode = LIP_NEAREST };
    LIP_TRY(lip_check_inputs(node, 1, 4, error));
    LIP_TRY(lip_check_real(node, 0, error));
    p.in = p.out = node->inputs[0]->shape;
    LIP_TRY(read_modes(node, &p, error));
    LIP_TRY(read_target(node, &p, error));
    *out = p;
    return LIP_OK;
}

static lip_status shape(const lip_node *node, lip_error *error)
{
    lip_interpolation p = { .mode = LIP_NEAREST };
    LIP_TRY(read(node, &p, error));
    return lip_set_output(node, 0, node->inputs[0]->dtype, &p.out, error);
}

static lip_status forward(const lip_call *call, lip_error *error)
{
    lip_interpolation p = { .mode = LIP_NEAREST };
    LIP_TRY(read(call->node, &p, error));
    return lip_interpolation_forward(call, &p, error);
}

static lip_status adjoint(const lip_call *call, lip_error *error)
{
    lip_interpolation p = { .mode = LIP_NEAREST };
    LIP_TRY(read(call->node, &p, error));
    return lip_interpolation_adjoint(call, &p, error);
}

static lip_status describe(const lip_node *node, lip_arena *arena, lip_gain *gain, lip_error *error)
{
    lip_interpolation p = { .mode = LIP_NEAREST };
    LIP_TRY(read(node, &p, error));
    if (lip_input_varies(node, 1)) /* only tf_crop_and_resize, which is not supported, looks at it */
        *gain = lip_gain_none(LIP_GAIN_UNKNOWN, "its roi depends on the input");
    if (p.mode != LIP_CUBIC || gain->kind == LIP_GAIN_UNKNOWN)
        return LIP_OK;
    *gain = (lip_gain){ .kind = LIP_GAIN_LIPSCHITZ };
    gain->reason = "root of the largest row of A'A, in magnitudes, along each axis";
    return lip_interpolation_norm(node, &p, arena, &gain->lipschitz.lower, &gain->lipschitz.upper, error);
}

const lip_op lip_op_resize = {
    .name = "Resize",
    .domain = "",
    .opset_first = 10,
    .opset_last = LIP_OPSET_LAST,
    .gain = { .kind = LIP_GAIN_NONNEGATIVE },
    .shape = shape,
    .forward = forward,
    .adjoint = adjoint,
    .describe = describe,
    .range = lip_range_described,
};
