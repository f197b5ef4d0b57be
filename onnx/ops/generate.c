/*
 * generate.c: tensors made from a shape: ConstantOfShape, EyeLike, Range and
 * OneHot. Only constants come from them, or jumps.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "gather.h"
#include "support.h"

#include <math.h>

static void put(lip_tensor *y, int64_t i, double real, int64_t whole)
{
    if (y->storage == LIP_F64)
        y->f64_room[i] = real;
    else
        y->i64_room[i] = whole;
}

/* Attribute `value`: a tensor of one element; a float32 zero where it is left out. */
static lip_status filling(const lip_node *node, const lip_tensor **out, lip_error *error)
{
    const lip_attr *attr = lip_attr_find(node, "value");
    *out = attr && attr->kind == LIP_ATTR_TENSOR ? attr->tensor : NULL;
    if (attr && (!*out || (*out)->count != 1))
        return lip_fail_node(error, LIP_EFORMAT, node, "attribute value is not one element");
    if (*out && (*out)->storage == LIP_OPAQUE)
        return lip_fail_node(error, LIP_EUNSUPPORTED, node, "attribute value is %s", lip_dtype_name((*out)->dtype));
    return LIP_OK;
}

static lip_status constant_shape(const lip_node *node, lip_error *error)
{
    lip_ints dims;
    lip_shape y = {0};
    const lip_tensor *value = NULL;
    LIP_TRY(lip_check_inputs(node, 1, 1, error));
    LIP_TRY(lip_ints_of_input(node, 0, "shape", &dims, error));
    LIP_TRY(filling(node, &value, error));
    for (int64_t i = 0; i < dims.count; i++) LIP_TRY(lip_push_dim(node, &y, dims.value[i], error));
    return lip_set_output(node, 0, value ? value->dtype : LIP_DTYPE_FLOAT, &y, error);
}

static lip_status constant_forward(const lip_call *call, lip_error *error)
{
    const lip_tensor *value = NULL;
    LIP_TRY(filling(call->node, &value, error));
    double real = value ? lip_tensor_real(value, 0) : 0;
    int64_t whole = value && value->storage == LIP_I64 ? value->i64[0] : 0;
    for (int64_t i = 0; call->out[0] && i < call->out[0]->count; i++) put(call->out[0], i, real, whole);
    return LIP_OK;
}

static lip_status eye_shape(const lip_node *node, lip_error *error)
{
    LIP_TRY(lip_check_inputs(node, 1, 1, error));
    const lip_value *x = node->inputs[0];
    int64_t dtype = lip_attr_int(node, "dtype", x->dtype);
    if (x->shape.rank != 2)
        return lip_fail_node(error, LIP_EFORMAT, node, "its input has %d dimensions, not 2", x->shape.rank);
    if (dtype < 1 || dtype > INT16_MAX || lip_dtype_storage((lip_dtype)dtype, true) == LIP_OPAQUE)
        return lip_fail_node(error, LIP_EUNSUPPORTED, node, "its type %lld holds no numbers", (long long)dtype);
    return lip_set_output(node, 0, (lip_dtype)dtype, &x->shape, error);
}

static lip_status eye_forward(const lip_call *call, lip_error *error)
{
    (void)error;
    if (!call->out[0]) return LIP_OK;
    int64_t k = lip_attr_int(call->node, "k", 0), columns = call->out[0]->shape.dim[1];
    for (int64_t i = 0; i < call->out[0]->count; i++) {
        bool one = i % columns - i / columns == k;
        put(call->out[0], i, one, one);
    }
    return LIP_OK;
}

/* Number of elements of a range; false if it is not finite or far too large. */
static bool range_count(const lip_tensor *start, const lip_tensor *limit, const lip_tensor *delta, int64_t *count)
{
    if (start->storage == LIP_I64 && limit->storage == LIP_I64 && delta->storage == LIP_I64) {
        int64_t a = start->i64[0], b = limit->i64[0], d = delta->i64[0];
        bool empty = d > 0 ? b <= a : b >= a;
        uint64_t span = d > 0 ? (uint64_t)b - (uint64_t)a : (uint64_t)a - (uint64_t)b;
        uint64_t step = d > 0 ? (uint64_t)d : 0 - (uint64_t)d;
        if (d == 0 || (!empty && span > INT64_MAX)) return false;
        *count = empty ? 0 : (int64_t)((span - 1) / step + 1);
        return true;
    }
    double steps = ceil((lip_tensor_real(limit, 0) - lip_tensor_real(start, 0)) / lip_tensor_real(delta, 0));
    if (!(steps < 0x1p53)) return false;
    *count = steps > 0 ? (int64_t)steps : 0;
    return true;
}

static lip_status range_shape(const lip_node *node, lip_error *error)
{
    static const char *const what[] = {"start", "limit", "delta"};
    const lip_tensor *part[3] = {NULL, NULL, NULL};
    lip_shape y = {.rank = 1};
    LIP_TRY(lip_check_inputs(node, 3, 3, error));
    for (size_t k = 0; k < 3; k++) {
        LIP_TRY(lip_need_constant(node, k, what[k], &part[k], error));
        if (part[k]->count != 1 || part[k]->dtype != part[0]->dtype)
            return lip_fail_node(error, LIP_EFORMAT, node, "its %s is not a scalar of the start's type", what[k]);
    }
    if (!range_count(part[0], part[1], part[2], &y.dim[0]))
        return lip_fail_node(error, LIP_EFORMAT, node, "its range is not finite");
    return lip_set_output(node, 0, part[0]->dtype, &y, error);
}

static lip_status range_forward(const lip_call *call, lip_error *error)
{
    (void)error;
    const lip_tensor *start = call->in[0], *delta = call->in[2];
    for (int64_t i = 0; call->out[0] && i < call->out[0]->count; i++) {
        if (start->storage == LIP_F64)
            call->out[0]->f64_room[i] = start->f64[0] + (double)i * delta->f64[0];
        else
            call->out[0]->i64_room[i] = (int64_t)((uint64_t)start->i64[0] + (uint64_t)i * (uint64_t)delta->i64[0]);
    }
    return LIP_OK;
}

static lip_status one_hot_shape(const lip_node *node, lip_error *error)
{
    const lip_tensor *depth = NULL;
    lip_shape y = {0};
    int axis = 0;
    LIP_TRY(lip_check_inputs(node, 3, 3, error));
    for (size_t k = 0; k < 3; k++) LIP_TRY(lip_check_number(node, k, error));
    LIP_TRY(lip_need_constant(node, 1, "depth", &depth, error));
    const lip_shape *x = &node->inputs[0]->shape, *values = &node->inputs[2]->shape;
    if (depth->count != 1 || values->rank != 1 || values->dim[0] != 2)
        return lip_fail_node(error, LIP_EFORMAT, node, "its depth is not a scalar or its values are not two");
    double n = lip_tensor_real(depth, 0);
    if (!(n >= 0 && n < 0x1p53)) return lip_fail_node(error, LIP_EFORMAT, node, "its depth is %g", n);
    LIP_TRY(lip_check_axis(node, lip_attr_int(node, "axis", -1), x->rank + 1, &axis, error));
    for (int i = 0, from = 0; i <= x->rank; i++)
        LIP_TRY(lip_push_dim(node, &y, i == axis ? (int64_t)n : x->dim[from++], error));
    return lip_set_output(node, 0, node->inputs[2]->dtype, &y, error);
}

static lip_status one_hot_forward(const lip_call *call, lip_error *error)
{
    int axis = 0;
    if (!call->out[0]) return LIP_OK;
    const lip_shape *y = &call->out[0]->shape;
    const lip_tensor *values = call->in[2];
    LIP_TRY(lip_check_axis(call->node, lip_attr_int(call->node, "axis", -1), y->rank, &axis, error));
    int64_t depth = y->dim[axis], inner = lip_dims_product(y, axis + 1, y->rank);
    for (int64_t i = 0; i < call->out[0]->count; i++) {
        double index = lip_tensor_real(call->in[0], i / (depth * inner) * inner + i % inner);
        if (index < 0) index += (double)depth;
        int on = index == (double)(i / inner % depth);
        if (values->storage == LIP_F64)
            call->out[0]->f64_room[i] = values->f64[on];
        else
            call->out[0]->i64_room[i] = values->i64[on];
    }
    return LIP_OK;
}

const lip_op lip_op_constant_of_shape = {
    .name = "ConstantOfShape",
    .domain = "",
    .opset_first = 9,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_UNKNOWN, .reason = "its result is a constant"},
    .shape = constant_shape,
    .forward = constant_forward,
};

const lip_op lip_op_eye_like = {
    .name = "EyeLike",
    .domain = "",
    .opset_first = 9,
    .opset_last = LIP_OPSET_LAST,
    .shape_only = true,
    .gain = {.kind = LIP_GAIN_UNKNOWN, .reason = "its result is a constant"},
    .shape = eye_shape,
    .forward = eye_forward,
};

const lip_op lip_op_one_hot = {
    .name = "OneHot",
    .domain = "",
    .opset_first = 9,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_UNBOUNDED, .reason = "discontinuous: its result jumps with the index"},
    .shape = one_hot_shape,
    .forward = one_hot_forward,
};

const lip_op lip_op_range = {
    .name = "Range",
    .domain = "",
    .opset_first = 11,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_UNKNOWN, .reason = "its result is a constant"},
    .shape = range_shape,
    .forward = range_forward,
};
