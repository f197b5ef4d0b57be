/*
 * cast.c: Cast and CastLike. Between floating-point types the value is kept
 * (the audited network is the one over the reals), but for those of 8 bits or
 * fewer, to which it is rounded; to an integer it is cut towards zero, to bool
 * it is "not zero": all three jump.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "copy.h"
#include "quantization.h"
#include "ranges.h"
#include "support.h"

#include <math.h>
#include <string.h>

static lip_dtype named(const char *text)
{
    static const struct {
        const char *name;
        lip_dtype dtype;
    } names[] = {{"FLOAT", LIP_DTYPE_FLOAT},     {"DOUBLE", LIP_DTYPE_DOUBLE}, {"FLOAT16", LIP_DTYPE_FLOAT16},
                 {"INT8", LIP_DTYPE_INT8},       {"INT16", LIP_DTYPE_INT16},   {"INT32", LIP_DTYPE_INT32},
                 {"INT64", LIP_DTYPE_INT64},     {"UINT8", LIP_DTYPE_UINT8},   {"UINT16", LIP_DTYPE_UINT16},
                 {"UINT32", LIP_DTYPE_UINT32},   {"UINT64", LIP_DTYPE_UINT64}, {"BOOL", LIP_DTYPE_BOOL}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(names[i].name, text) == 0) return names[i].dtype;
    }
    return LIP_DTYPE_UNDEFINED;
}

static lip_status to_type(const lip_node *node, lip_dtype dtype, lip_error *error)
{
    LIP_TRY(lip_check_number(node, 0, error));
    if (lip_dtype_storage(dtype, true) == LIP_OPAQUE)
        return lip_fail_node(error, LIP_EUNSUPPORTED, node, "converts to %s", lip_dtype_name(dtype));
    return lip_set_output(node, 0, dtype, &node->inputs[0]->shape, error);
}

static lip_status cast_shape(const lip_node *node, lip_error *error)
{
    LIP_TRY(lip_check_inputs(node, 1, 1, error));
    int64_t to = lip_attr_int(node, "to", 0);
    if (node->opset < 6) to = named(lip_attr_string(node, "to", ""));
    if (to <= 0 || to > INT16_MAX) return lip_fail_node(error, LIP_EFORMAT, node, "attribute to is not a type");
    return to_type(node, (lip_dtype)to, error);
}

static lip_status cast_like_shape(const lip_node *node, lip_error *error)
{
    LIP_TRY(lip_check_inputs(node, 2, 2, error));
    return to_type(node, node->inputs[1]->dtype, error);
}

/* The C conversion is undefined outside of the type: there the nearest int64. */
static int64_t cut(double x)
{
    if (isnan(x)) return 0;
    if (x >= 0x1p63) return INT64_MAX;
    return x <= -0x1p63 ? INT64_MIN : (int64_t)x;
}

static lip_status forward(const lip_call *call, lip_error *error)
{
    const lip_tensor *x = call->in[0];
    lip_tensor *y = call->out[0];
    if (!y) return LIP_OK;
    const bool small = lip_dtype_is_small(y->dtype);
    const lip_small_rounding rounding = lip_small_rounding_of(call->node);
    if (x->storage == LIP_F64 && y->storage == LIP_F64 && !small) return lip_copy_forward(call, error);
    for (int64_t i = 0; i < x->count; i++) {
        if (small)
            y->f64_room[i] = lip_small_float_round(y->dtype, lip_tensor_real(x, i), rounding);
        else if (y->storage == LIP_F64)
            y->f64_room[i] = (double)x->i64[i];
        else if (x->storage == LIP_I64)
            y->i64_room[i] = lip_wrap(x->i64[i], y->dtype);
        else if (y->dtype == LIP_DTYPE_BOOL)
            y->i64_room[i] = x->f64[i] != 0;
        else
            y->i64_room[i] = lip_wrap(cut(x->f64[i]), y->dtype);
    }
    return LIP_OK;
}

static lip_status adjoint(const lip_call *call, lip_error *error)
{
    if (!lip_dtype_is_small(call->node->outputs[0]->dtype)) return lip_copy_adjoint(call, error);
    lip_zero_grad(call, 0); /* piecewise constant */
    return LIP_OK;
}

static lip_status cast_like_adjoint(const lip_call *call, lip_error *error)
{
    lip_zero_grad(call, 1); /* of the second input only the type matters */
    return adjoint(call, error);
}

static lip_status describe(const lip_node *node, lip_arena *arena, lip_gain *gain, lip_error *error)
{
    (void)arena, (void)error;
    const lip_value *y = lip_node_output(node, 0);
    bool real = lip_dtype_is_real(node->inputs[0]->dtype) && y && lip_dtype_is_real(y->dtype);
    if (y && lip_dtype_is_small(y->dtype))
        *gain = lip_gain_none(LIP_GAIN_UNBOUNDED, LIP_REASON_SMALL);
    else if (!real)
        *gain = lip_gain_none(LIP_GAIN_UNBOUNDED, "discontinuous: it converts between real and whole numbers");
    return LIP_OK;
}

/* Of the second input only the type matters: it does not depend on the model's input. */
static lip_status cast_like_describe(const lip_node *node, lip_arena *arena, lip_gain *gain, lip_error *error)
{
    if (!lip_input_varies(node, 0)) {
        *gain = (lip_gain){.kind = LIP_GAIN_LIPSCHITZ, .reason = "its result is a constant"};
        return LIP_OK;
    }
    if (lip_input_varies(node, 1)) {
        *gain = lip_gain_none(LIP_GAIN_UNKNOWN, "both of its inputs depend on the model's input");
        return LIP_OK;
    }
    return describe(node, arena, gain, error);
}

const lip_op lip_op_cast = {
    .name = "Cast",
    .domain = "",
    .opset_first = 1,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_ISOMETRY},
    .shape = cast_shape,
    .forward = forward,
    .adjoint = adjoint,
    .describe = describe,
    .range = lip_range_cast,
};

const lip_op lip_op_cast_like = {
    .name = "CastLike",
    .domain = "",
    .opset_first = 15,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_ISOMETRY},
    .shape = cast_like_shape,
    .forward = forward,
    .adjoint = cast_like_adjoint,
    .describe = cast_like_describe,
    .range = lip_range_cast,
};
