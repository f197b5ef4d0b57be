/*
 * quantization.c: see quantization.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "quantization.h"

#include "support.h"

#include <math.h>
#include <string.h>

static lip_status per_axis(const lip_node *node, const lip_shape *x, const lip_shape *scale, lip_quantization *q,
                           lip_error *error)
{
    int axis = 0;
    LIP_TRY(lip_check_axis(node, lip_attr_int(node, "axis", 1), x->rank, &axis, error));
    if (scale->dim[0] != x->dim[axis])
        return lip_fail_node(error, LIP_EFORMAT, node, "it has %lld scales for the %lld positions of axis %d",
                             (long long)scale->dim[0], (long long)x->dim[axis], axis);
    *q = (lip_quantization){.inner = lip_dims_product(x, axis + 1, x->rank),
                            .size = x->dim[axis],
                            .per = 1,
                            .count = x->dim[axis]};
    return LIP_OK;
}

/* One scale for `block_size` consecutive positions of the axis, in each slice of its own. */
static lip_status blocked(const lip_node *node, const lip_shape *x, const lip_shape *scale, lip_quantization *q,
                          lip_error *error)
{
    int axis = 0;
    int64_t size = lip_attr_int(node, "block_size", 0);
    LIP_TRY(lip_check_axis(node, lip_attr_int(node, "axis", 1), x->rank, &axis, error));
    bool agree = size > 0 && scale->rank == x->rank;
    for (int i = 0; agree && i < x->rank; i++) {
        int64_t blocks = size == 0 ? 0 : x->dim[axis] / size + (x->dim[axis] % size > 0);
        agree = scale->dim[i] == (i == axis ? blocks : x->dim[i]);
    }
    if (!agree)
        return lip_fail_node(error, LIP_EFORMAT, node, "its scales do not fit its input in blocks of %lld",
                             (long long)size);
    *q = (lip_quantization){.inner = lip_dims_product(x, axis + 1, x->rank),
                            .size = x->dim[axis],
                            .per = size,
                            .count = scale->dim[axis],
                            .blocked = true};
    return LIP_OK;
}

lip_status lip_quantization_of(const lip_node *node, size_t data, size_t scale, size_t zero, lip_quantization *out,
                               lip_error *error)
{
    const lip_shape *x = &node->inputs[data]->shape, *s = &node->inputs[scale]->shape;
    const lip_value *zero_point = lip_node_input(node, zero);
    int64_t count, zeros;
    LIP_TRY(lip_check_real(node, scale, error));
    if (zero_point) LIP_TRY(lip_check_number(node, zero, error));
    if (!lip_shape_count(s, &count) ||
        (zero_point && (!lip_shape_count(&zero_point->shape, &zeros) || zeros != count)))
        return lip_fail_node(error, LIP_EFORMAT, node, "it does not have one zero point for each scale");
    if (lip_attr_int(node, "block_size", 0) != 0) return blocked(node, x, s, out, error);
    if (count == 1 && s->rank <= 1) {
        *out = (lip_quantization){.inner = 1, .size = 1, .per = 1, .count = 1};
        return LIP_OK;
    }
    if (s->rank != 1) return lip_fail_node(error, LIP_EFORMAT, node, "its scale has %d dimensions", s->rank);
    return per_axis(node, x, s, out, error);
}

int64_t lip_quantization_at(const lip_quantization *q, int64_t i)
{
    int64_t slice = i / q->inner % q->size / q->per;
    if (!q->blocked) return q->count == 1 ? 0 : slice;
    return (i / q->inner / q->size * q->count + slice) * q->inner + i % q->inner;
}

bool lip_quantized_range(lip_dtype dtype, int64_t *low, int64_t *high)
{
    int bits = 0;
    bool with_sign = true;
    switch (dtype) {
    case LIP_DTYPE_UINT2: bits = 2, with_sign = false; break;
    case LIP_DTYPE_INT2: bits = 2; break;
    case LIP_DTYPE_UINT4: bits = 4, with_sign = false; break;
    case LIP_DTYPE_INT4: bits = 4; break;
    case LIP_DTYPE_UINT8: bits = 8, with_sign = false; break;
    case LIP_DTYPE_INT8: bits = 8; break;
    case LIP_DTYPE_UINT16: bits = 16, with_sign = false; break;
    case LIP_DTYPE_INT16: bits = 16; break;
    case LIP_DTYPE_INT32: bits = 32; break;
    default: return false;
    }
    *low = with_sign ? -(INT64_C(1) << (bits - 1)) : 0;
    *high = with_sign ? (INT64_C(1) << (bits - 1)) - 1 : (INT64_C(1) << bits) - 1;
    return true;
}

int64_t lip_quantize(double x, int64_t zero, lip_dtype dtype)
{
    int64_t low = 0, high = 0;
    if (!lip_quantized_range(dtype, &low, &high)) return 0;
    double y = nearbyint(x) + (double)zero;
    if (!(y > (double)low)) return low; /* NaN too */
    return y < (double)high ? (int64_t)y : high;
}

lip_small_rounding lip_small_rounding_of(const lip_node *node)
{
    const char *mode = lip_attr_string(node, "round_mode", "up");
    lip_small_rounding rounding = {.saturate = lip_attr_int(node, "saturate", 1) != 0};
    if (strcmp(mode, "down") == 0) rounding.scale = LIP_SCALE_DOWN;
    if (strcmp(mode, "nearest") == 0) rounding.scale = LIP_SCALE_NEAREST;
    return rounding;
}

int64_t lip_whole_of(double x)
{
    return x > -0x1p62 && x < 0x1p62 ? (int64_t)x : 0;
}

lip_status lip_check_one_scale(const lip_node *node, size_t index, lip_error *error)
{
    int64_t count;
    LIP_TRY(lip_check_real(node, index, error));
    if (lip_shape_count(&node->inputs[index]->shape, &count) && count == 1) return LIP_OK;
    return lip_fail_node(error, LIP_EUNSUPPORTED, node, "its scale '%s' does not have one element",
                         node->inputs[index]->name);
}

lip_status lip_check_one_zero(const lip_node *node, size_t index, lip_error *error)
{
    int64_t count;
    const lip_value *zero = lip_node_input(node, index);
    if (!zero) return LIP_OK;
    LIP_TRY(lip_check_number(node, index, error));
    if (!lip_dtype_is_real(zero->dtype) && lip_shape_count(&zero->shape, &count) && count == 1) return LIP_OK;
    return lip_fail_node(error, LIP_EUNSUPPORTED, node, "its zero point '%s' is not one whole number", zero->name);
}

double lip_parameter(const lip_call *call, size_t index, int64_t i, double otherwise)
{
    if (!lip_node_input(call->node, index)) return otherwise;
    return lip_tensor_real(call->in[index], call->in[index]->count == 1 ? 0 : i);
}
