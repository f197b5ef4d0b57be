/*
 * support.c: checks that operators share.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "support.h"

#include <stdlib.h>

lip_status lip_check_inputs(const lip_node *node, size_t min, size_t max, lip_error *error)
{
    if (node->input_count > max)
        return lip_fail_node(error, LIP_EFORMAT, node, "has %zu inputs, at most %zu are defined", node->input_count,
                             max);
    for (size_t i = 0; i < min; i++) {
        if (!lip_node_input(node, i)) return lip_fail_node(error, LIP_EFORMAT, node, "input %zu is missing", i);
    }
    return LIP_OK;
}

lip_status lip_check_real(const lip_node *node, size_t index, lip_error *error)
{
    const lip_value *value = lip_node_input(node, index);
    if (lip_dtype_is_real(value->dtype)) return LIP_OK;
    return lip_fail_node(error, LIP_EUNSUPPORTED, node, "its input '%s' is %s, not floating-point", value->name,
                         lip_dtype_name(value->dtype));
}

lip_status lip_check_number(const lip_node *node, size_t index, lip_error *error)
{
    const lip_value *value = lip_node_input(node, index);
    if (lip_dtype_storage(value->dtype, true) != LIP_OPAQUE) return LIP_OK;
    return lip_fail_node(error, LIP_EUNSUPPORTED, node, "its input '%s' is %s", value->name,
                         lip_dtype_name(value->dtype));
}

lip_status lip_check_axis(const lip_node *node, int64_t axis, int rank, int *out, lip_error *error)
{
    if (axis < -rank || axis >= rank)
        return lip_fail_node(error, LIP_EFORMAT, node, "axis %lld is outside of its input's %d dimensions",
                             (long long)axis, rank);
    *out = (int)(axis < 0 ? axis + rank : axis);
    return LIP_OK;
}

lip_status lip_check_axes(const lip_node *node, const int64_t *axes, int64_t count, int rank, bool *mask,
                          lip_error *error)
{
    bool found[LIP_MAX_RANK] = {false};
    for (int64_t i = 0; i < count; i++) {
        int axis = 0;
        LIP_TRY(lip_check_axis(node, axes[i], rank, &axis, error));
        if (found[axis]) return lip_fail_node(error, LIP_EFORMAT, node, "axis %d is listed twice", axis);
        found[axis] = true;
    }
    for (int i = 0; i < rank; i++) mask[i] = found[i];
    return LIP_OK;
}

lip_status lip_set_output(const lip_node *node, size_t index, lip_dtype dtype, const lip_shape *shape,
                          lip_error *error)
{
    lip_value *value = lip_node_output(node, index);
    int64_t count;
    if (shape->rank > LIP_MAX_RANK)
        return lip_fail_node(error, LIP_EUNSUPPORTED, node, "its output has %d dimensions, more than %d", shape->rank,
                             LIP_MAX_RANK);
    if (!lip_shape_count(shape, &count))
        return lip_fail_node(error, LIP_EFORMAT, node, "its output's element count overflows");
    if (!value) return LIP_OK;
    value->dtype = dtype;
    value->shape = *shape;
    value->shape_known = true;
    return LIP_OK;
}

lip_status lip_shape_of_map(const lip_node *node, lip_error *error)
{
    LIP_TRY(lip_check_inputs(node, 1, 1, error));
    LIP_TRY(lip_check_real(node, 0, error));
    return lip_set_output(node, 0, node->inputs[0]->dtype, &node->inputs[0]->shape, error);
}

lip_status lip_push_dim(const lip_node *node, lip_shape *shape, int64_t dim, lip_error *error)
{
    if (shape->rank >= LIP_MAX_RANK)
        return lip_fail_node(error, LIP_EUNSUPPORTED, node, "its output has more than %d dimensions", LIP_MAX_RANK);
    if (dim < 0) return lip_fail_node(error, LIP_EFORMAT, node, "a dimension of its output is %lld", (long long)dim);
    shape->dim[shape->rank++] = dim;
    return LIP_OK;
}

lip_status lip_need_constant(const lip_node *node, size_t index, const char *what, const lip_tensor **out,
                             lip_error *error)
{
    const lip_value *value = lip_node_input(node, index);
    const lip_tensor *tensor = lip_node_constant(node, index);
    if (value && !tensor)
        return lip_fail_node(error, LIP_EUNSUPPORTED, node, "its %s '%s' is not a constant", what, value->name);
    if (tensor && tensor->storage == LIP_OPAQUE)
        return lip_fail_node(error, LIP_EUNSUPPORTED, node, "its %s '%s' is %s", what, value->name,
                             lip_dtype_name(value->dtype));
    *out = tensor;
    return LIP_OK;
}

lip_status lip_ints_of_attr(const lip_node *node, const char *name, lip_ints *out, lip_error *error)
{
    const lip_attr *attr = lip_attr_find(node, name);
    *out = (lip_ints){0};
    if (!attr) return LIP_OK;
    if (attr->kind != LIP_ATTR_INTS)
        return lip_fail_node(error, LIP_EFORMAT, node, "attribute %s is not a list of integers", name);
    static const int64_t none = 0; /* an empty list is there, not left out */
    out->value = attr->count > 0 ? attr->ints : &none;
    out->count = attr->count;
    return LIP_OK;
}

lip_status lip_ints_of_input(const lip_node *node, size_t index, const char *what, lip_ints *out, lip_error *error)
{
    const lip_tensor *tensor = NULL;
    LIP_TRY(lip_need_constant(node, index, what, &tensor, error));
    *out = (lip_ints){0};
    if (!tensor) return LIP_OK;
    if (tensor->storage != LIP_I64 || tensor->shape.rank > 1)
        return lip_fail_node(error, LIP_EFORMAT, node, "its %s is not a list of integers", what);
    out->value = tensor->i64;
    out->count = tensor->count;
    static const int64_t none = 0;
    if (!out->value) out->value = &none;
    return LIP_OK;
}

int64_t lip_dims_product(const lip_shape *shape, int from, int to)
{
    int64_t product = 1;
    for (int i = from; i < to; i++) product *= shape->dim[i];
    return product;
}

void lip_strides(const lip_shape *shape, int64_t *stride)
{
    for (int i = 0; i < shape->rank; i++) stride[i] = lip_dims_product(shape, i + 1, shape->rank);
}

bool lip_input_varies(const lip_node *node, size_t index)
{
    const lip_value *value = lip_node_input(node, index);
    return value && value->varies;
}

lip_gain lip_gain_none(lip_gain_kind kind, const char *reason)
{
    return (lip_gain){.kind = kind, .reason = reason};
}

int64_t lip_wrap(int64_t x, lip_dtype dtype)
{
    switch (dtype) {
    case LIP_DTYPE_BOOL: return x != 0;
    case LIP_DTYPE_UINT8: return (uint8_t)x;
    case LIP_DTYPE_UINT16: return (uint16_t)x;
    case LIP_DTYPE_UINT32: return (uint32_t)x;
    case LIP_DTYPE_INT8: return (int8_t)(uint8_t)x;
    case LIP_DTYPE_INT16: return (int16_t)(uint16_t)x;
    case LIP_DTYPE_INT32: return (int32_t)(uint32_t)x;
    case LIP_DTYPE_UINT4: return x & 15;
    case LIP_DTYPE_INT4: return ((x & 15) ^ 8) - 8;
    case LIP_DTYPE_UINT2: return x & 3;
    case LIP_DTYPE_INT2: return ((x & 3) ^ 2) - 2;
    default: return x;
    }
}
