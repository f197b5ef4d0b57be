/*
 * quantize_linear.c: QuantizeLinear and DequantizeLinear, of the default
 * domain and of com.microsoft, and DynamicQuantizeLinear.
 *
 *   quantised = clamp(round(x / scale) + zero), ties to even
 *   x = (quantised - zero) * scale
 * or, to a small floating-point type, quantised = round(x / scale).
 * On weights they fold into constants. On activations the first is a step
 * function, and the second has whole numbers for its input: what goes through
 * them is not continuous.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "quantization.h"
#include "support.h"

#include <math.h>

/* The type to quantise to: of the zero point, else the attribute's, else uint8. */
static lip_dtype target_of(const lip_node *node)
{
    const lip_value *zero = lip_node_input(node, 2);
    int64_t named = lip_attr_int(node, "output_dtype", 0);
    if (zero) return zero->dtype;
    return named > 0 && named <= INT16_MAX ? (lip_dtype)named : LIP_DTYPE_UINT8;
}

static lip_status quantize_shape(const lip_node *node, lip_error *error)
{
    lip_quantization q = {0};
    int64_t low, high;
    LIP_TRY(lip_check_inputs(node, 2, 3, error));
    LIP_TRY(lip_check_number(node, 0, error));
    LIP_TRY(lip_quantization_of(node, 0, 1, 2, &q, error));
    lip_dtype target = target_of(node);
    if (!lip_dtype_is_small(target) && !lip_quantized_range(target, &low, &high))
        return lip_fail_node(error, LIP_EUNSUPPORTED, node, "it quantises to elements of type %s (%d)",
                             lip_dtype_name(target), (int)target);
    return lip_set_output(node, 0, target, &node->inputs[0]->shape, error);
}

/* As runtimes divide: where the exact quotient is half-way between two numbers, the rounding of float32 decides. */
static double single_quotient(double x, double scale)
{
    return (double)((float)x / (float)scale);
}

static lip_status quantize_forward(const lip_call *call, lip_error *error)
{
    lip_quantization q = {0};
    lip_tensor *y = call->out[0];
    const bool wide = call->node->inputs[1]->dtype == LIP_DTYPE_DOUBLE;
    const lip_small_rounding rounding = lip_small_rounding_of(call->node);
    LIP_TRY(lip_quantization_of(call->node, 0, 1, 2, &q, error));
    for (int64_t i = 0; y && i < y->count; i++) {
        int64_t at = lip_quantization_at(&q, i);
        double x = lip_tensor_real(call->in[0], i), scale = call->in[1]->f64[at];
        double quotient = wide ? x / scale : single_quotient(x, scale);
        if (lip_dtype_is_small(y->dtype))
            y->f64_room[i] = lip_small_float_round(y->dtype, quotient, rounding);
        else
            y->i64_room[i] =
                lip_quantize(quotient, lip_node_input(call->node, 2) ? call->in[2]->i64[at] : 0, y->dtype);
    }
    return LIP_OK;
}

static lip_status quantize_describe(const lip_node *node, lip_arena *arena, lip_gain *gain, lip_error *error)
{
    (void)arena, (void)error;
    const lip_value *y = lip_node_output(node, 0);
    if (y && lip_dtype_is_small(y->dtype)) gain->reason = LIP_REASON_SMALL;
    return LIP_OK;
}

static lip_status dequantize_shape(const lip_node *node, lip_error *error)
{
    lip_quantization q = {0};
    LIP_TRY(lip_check_inputs(node, 2, 3, error));
    LIP_TRY(lip_check_number(node, 0, error));
    if (lip_dtype_is_real(node->inputs[0]->dtype) && !lip_dtype_is_small(node->inputs[0]->dtype))
        return lip_fail_node(error, LIP_EFORMAT, node, "its input is %s, not quantised",
                             lip_dtype_name(node->inputs[0]->dtype));
    LIP_TRY(lip_quantization_of(node, 0, 1, 2, &q, error));
    int64_t named = lip_attr_int(node, "output_dtype", 0);
    lip_dtype type = named > 0 && named <= INT16_MAX ? (lip_dtype)named : node->inputs[1]->dtype;
    if (!lip_dtype_is_real(type) || lip_dtype_is_small(type))
        return lip_fail_node(error, LIP_EUNSUPPORTED, node, "its output has the type %s", lip_dtype_name(type));
    return lip_set_output(node, 0, type, &node->inputs[0]->shape, error);
}

static lip_status dequantize_forward(const lip_call *call, lip_error *error)
{
    lip_quantization q = {0};
    lip_tensor *y = call->out[0];
    LIP_TRY(lip_quantization_of(call->node, 0, 1, 2, &q, error));
    for (int64_t i = 0; y && i < y->count; i++) {
        int64_t at = lip_quantization_at(&q, i);
        double zero = lip_node_input(call->node, 2) ? lip_tensor_real(call->in[2], at) : 0;
        y->f64_room[i] = (lip_tensor_real(call->in[0], i) - zero) * call->in[1]->f64[at];
    }
    return LIP_OK;
}

static lip_status dequantize_describe(const lip_node *node, lip_arena *arena, lip_gain *gain, lip_error *error)
{
    (void)arena, (void)error;
    if (!lip_input_varies(node, 0) && !lip_input_varies(node, 2))
        *gain = lip_gain_none(LIP_GAIN_UNKNOWN, "its scale depends on the input");
    return LIP_OK;
}

/* y, its scale and its zero point. */
static lip_status dynamic_shape(const lip_node *node, lip_error *error)
{
    const lip_shape scalar = {0};
    LIP_TRY(lip_check_inputs(node, 1, 1, error));
    LIP_TRY(lip_check_real(node, 0, error));
    LIP_TRY(lip_set_output(node, 0, LIP_DTYPE_UINT8, &node->inputs[0]->shape, error));
    LIP_TRY(lip_set_output(node, 1, LIP_DTYPE_FLOAT, &scalar, error));
    return lip_set_output(node, 2, LIP_DTYPE_UINT8, &scalar, error);
}

/* The range is made to hold 0, so that 0 is exact. */
static lip_status dynamic_forward(const lip_call *call, lip_error *error)
{
    (void)error;
    const lip_tensor *x = call->in[0];
    double low = 0, high = 0;
    for (int64_t i = 0; i < x->count; i++) {
        low = fmin(low, x->f64[i]);
        high = fmax(high, x->f64[i]);
    }
    double scale = (double)(((float)high - (float)low) / 255);
    if (scale == 0) scale = 1;
    int64_t zero = lip_quantize(single_quotient(-low, scale), 0, LIP_DTYPE_UINT8);
    for (int64_t i = 0; call->out[0] && i < x->count; i++)
        call->out[0]->i64_room[i] = lip_quantize(single_quotient(x->f64[i], scale), zero, LIP_DTYPE_UINT8);
    if (call->node->output_count > 1 && call->out[1]) call->out[1]->f64_room[0] = scale;
    if (call->node->output_count > 2 && call->out[2]) call->out[2]->i64_room[0] = zero;
    return LIP_OK;
}

const lip_op lip_op_dequantize_linear = {
    .name = "DequantizeLinear",
    .domain = "",
    .opset_first = 10,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_UNBOUNDED, .reason = LIP_REASON_QUANTIZED},
    .shape = dequantize_shape,
    .forward = dequantize_forward,
    .describe = dequantize_describe,
};

const lip_op lip_op_dynamic_quantize_linear = {
    .name = "DynamicQuantizeLinear",
    .domain = "",
    .opset_first = 11,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_UNBOUNDED, .reason = LIP_REASON_ROUNDS},
    .shape = dynamic_shape,
    .forward = dynamic_forward,
};

const lip_op lip_op_quantize_linear = {
    .name = "QuantizeLinear",
    .domain = "",
    .opset_first = 10,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_UNBOUNDED, .reason = LIP_REASON_ROUNDS},
    .shape = quantize_shape,
    .forward = quantize_forward,
    .describe = quantize_describe,
};

const lip_op lip_op_microsoft_dequantize_linear = {
    .name = "DequantizeLinear",
    .domain = "com.microsoft",
    .opset_first = 1,
    .opset_last = 1,
    .gain = {.kind = LIP_GAIN_UNBOUNDED, .reason = LIP_REASON_QUANTIZED},
    .shape = dequantize_shape,
    .forward = dequantize_forward,
    .describe = dequantize_describe,
};

const lip_op lip_op_microsoft_quantize_linear = {
    .name = "QuantizeLinear",
    .domain = "com.microsoft",
    .opset_first = 1,
    .opset_last = 1,
    .gain = {.kind = LIP_GAIN_UNBOUNDED, .reason = LIP_REASON_ROUNDS},
    .shape = quantize_shape,
    .forward = quantize_forward,
    .describe = quantize_describe,
};
