/*
 * quantized_product.c: Conv and MatMul on quantised numbers: ConvInteger,
 * MatMulInteger, QLinearConv, QLinearMatMul.
 *
 * Each is the Conv or MatMul of (x - zero) and (w - zero) as whole numbers,
 * exact in float64 below 2^53; QLinear... scales the sums and rounds them
 * again. The inner node is the same node with real factors.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "quantization.h"
#include "support.h"

#include <math.h>

/* Where a node has its factors, their scales and zero points, and its result's. 0: none. */
typedef struct layout {
    size_t x, x_scale, x_zero, w, w_scale, w_zero, y_scale, y_zero, bias, inputs;
    bool conv;
} layout;

static const layout conv_integer = {.x = 0, .w = 1, .x_zero = 2, .w_zero = 3, .inputs = 4, .conv = true};
static const layout mat_mul_integer = {.x = 0, .w = 1, .x_zero = 2, .w_zero = 3, .inputs = 4};
static const layout linear_conv = {.x = 0,       .x_scale = 1, .x_zero = 2, .w = 3,      .w_scale = 4, .w_zero = 5,
                                   .y_scale = 6, .y_zero = 7,  .bias = 8,   .inputs = 9, .conv = true};
static const layout linear_mat_mul = {.x = 0,       .x_scale = 1, .x_zero = 2, .w = 3,     .w_scale = 4, .w_zero = 5,
                                      .y_scale = 6, .y_zero = 7,  .inputs = 8};

typedef struct inner_node {
    lip_node node;
    lip_value value[3], *inputs[2], *outputs[1];
} inner_node;

static void make_inner(const lip_node *node, const layout *at, inner_node *inner)
{
    const lip_value *from[] = {node->inputs[at->x], node->inputs[at->w], node->outputs[0]};
    *inner = (inner_node){.node = *node};
    for (int i = 0; i < 3; i++) {
        inner->value[i] = from[i] ? *from[i] : (lip_value){.name = ""};
        inner->value[i].dtype = LIP_DTYPE_DOUBLE;
        inner->value[i].constant = NULL;
        inner->value[i].varies = true;
    }
    inner->inputs[0] = &inner->value[0];
    inner->inputs[1] = &inner->value[1];
    inner->outputs[0] = &inner->value[2];
    inner->node.inputs = inner->inputs;
    inner->node.outputs = inner->outputs;
    inner->node.input_count = 2;
    inner->node.output_count = 1;
    inner->node.op = at->conv ? &lip_op_conv : &lip_op_mat_mul;
}

/* Parameters of the weights: one, or one per output channel (the last axis of a matrix). */
static lip_status check_weights(const lip_node *node, const layout *at, size_t index, const lip_shape *y,
                                lip_error *error)
{
    const lip_value *value = index ? lip_node_input(node, index) : NULL;
    int64_t count, channels = y->rank > 0 ? y->dim[at->conv ? 1 : y->rank - 1] : 1;
    if (!value) return LIP_OK;
    if (!lip_shape_count(&value->shape, &count) || (count != 1 && count != channels))
        return lip_fail_node(error, LIP_EUNSUPPORTED, node, "its '%s' is neither for the whole weight nor per channel",
                             value->name);
    return lip_check_number(node, index, error);
}

static lip_status check_parameters(const lip_node *node, const layout *at, const lip_shape *y, lip_error *error)
{
    LIP_TRY(lip_check_one_zero(node, at->x_zero, error));
    LIP_TRY(check_weights(node, at, at->w_zero, y, error));
    LIP_TRY(check_weights(node, at, at->bias, y, error));
    if (at->y_scale == 0) return LIP_OK;
    LIP_TRY(check_weights(node, at, at->w_scale, y, error));
    LIP_TRY(lip_check_one_scale(node, at->x_scale, error));
    LIP_TRY(lip_check_one_scale(node, at->y_scale, error));
    return lip_check_one_zero(node, at->y_zero, error);
}

static lip_status shape_of(const lip_node *node, const layout *at, lip_error *error)
{
    inner_node inner;
    LIP_TRY(lip_check_inputs(node, at->y_scale ? 8 : 2, at->inputs, error));
    LIP_TRY(lip_check_number(node, at->x, error));
    LIP_TRY(lip_check_number(node, at->w, error));
    if (!node->outputs[0]) return lip_fail_node(error, LIP_EFORMAT, node, "it has no output");
    make_inner(node, at, &inner);
    LIP_TRY(inner.node.op->shape(&inner.node, error));
    LIP_TRY(check_parameters(node, at, &inner.value[2].shape, error));
    lip_dtype type = at->y_scale ? node->inputs[at->y_zero]->dtype : LIP_DTYPE_INT32;
    return lip_set_output(node, 0, type, &inner.value[2].shape, error);
}

/* x - zero in float64; the channel of element i is i / run % channels. */
static double *centred(const lip_call *call, size_t index, size_t zero, int64_t run, int64_t channels)
{
    const lip_tensor *x = call->in[index];
    double *y = lip_alloc(call->memory, x->count, sizeof *y);
    for (int64_t i = 0; y && i < x->count; i++)
        y[i] = lip_tensor_real(x, i) - lip_parameter(call, zero, channels > 0 ? i / run % channels : 0, 0);
    return y;
}

/* Weight elements per channel step, and output elements. */
static int64_t run_of(const lip_shape *s, const layout *at, int axis)
{
    return at->conv ? lip_dims_product(s, axis + 1, s->rank) : 1;
}

static void store(const lip_call *call, const layout *at, const double *sum)
{
    lip_tensor *y = call->out[0];
    int64_t run = run_of(&y->shape, at, 1);
    int64_t channels = y->shape.rank > 0 ? y->shape.dim[at->conv ? 1 : y->shape.rank - 1] : 1;
    for (int64_t i = 0; i < y->count; i++) {
        int64_t c = i / run % channels;
        double total = sum[i] + (at->bias ? lip_parameter(call, at->bias, c, 0) : 0);
        if (at->y_scale == 0) {
            /* the accumulator has 32 bits: what lies above them is gone, here before it can overflow 64 */
            y->i64_room[i] = lip_wrap(isfinite(total) ? (int64_t)fmod(total, 0x1p32) : 0, y->dtype);
            continue;
        }
        double scale = lip_parameter(call, at->x_scale, 0, 1) * lip_parameter(call, at->w_scale, c, 1) /
                       lip_parameter(call, at->y_scale, 0, 1);
        y->i64_room[i] = lip_quantize(total * scale, call->in[at->y_zero]->i64[0], y->dtype);
    }
}

static lip_status forward_of(const lip_call *call, const layout *at, lip_error *error)
{
    inner_node inner;
    if (!call->out[0]) return LIP_OK;
    const lip_shape *w = &call->in[at->w]->shape;
    int64_t w_channels = w->rank > 0 ? w->dim[at->conv ? 0 : w->rank - 1] : 1;
    make_inner(call->node, at, &inner);
    double *factor[2] = {centred(call, at->x, at->x_zero, 1, 1),
                         centred(call, at->w, at->w_zero, run_of(w, at, 0), w_channels)};
    double *sum = lip_alloc(call->memory, call->out[0]->count, sizeof *sum);
    lip_status status = LIP_OK;
    if (factor[0] && factor[1] && sum) {
        lip_tensor in[2], out = {.dtype = LIP_DTYPE_DOUBLE, .storage = LIP_F64, .shape = call->out[0]->shape};
        for (int i = 0; i < 2; i++) {
            in[i] = *call->in[i == 0 ? at->x : at->w];
            in[i].dtype = LIP_DTYPE_DOUBLE;
            in[i].storage = LIP_F64;
            in[i].f64 = factor[i];
        }
        out.count = call->out[0]->count;
        out.f64_room = sum;
        const lip_tensor *const ins[] = {&in[0], &in[1]};
        lip_tensor *const outs[] = {&out};
        lip_call product = {.node = &inner.node, .in = ins, .out = outs, .memory = call->memory};
        status = inner.node.op->forward(&product, error);
        if (status == LIP_OK) store(call, at, sum);
    } else {
        status = lip_fail_memory(error, call->node, "a product");
    }
    lip_free(call->memory, factor[0]);
    lip_free(call->memory, factor[1]);
    lip_free(call->memory, sum);
    return status;
}

#define PRODUCT(symbol, at)                                                         \
    static lip_status symbol##_shape(const lip_node *node, lip_error *error)        \
    {                                                                               \
        return shape_of(node, &at, error);                                          \
    }                                                                               \
    static lip_status symbol##_forward(const lip_call *call, lip_error *error)      \
    {                                                                               \
        return forward_of(call, &at, error);                                        \
    }
PRODUCT(conv_integer, conv_integer)
PRODUCT(mat_mul_integer, mat_mul_integer)
PRODUCT(q_linear_conv, linear_conv)
PRODUCT(q_linear_mat_mul, linear_mat_mul)

const lip_op lip_op_conv_integer = {
    .name = "ConvInteger",
    .domain = "",
    .opset_first = 10,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_UNBOUNDED, .reason = LIP_REASON_QUANTIZED},
    .shape = conv_integer_shape,
    .forward = conv_integer_forward,
};

const lip_op lip_op_mat_mul_integer = {
    .name = "MatMulInteger",
    .domain = "",
    .opset_first = 10,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_UNBOUNDED, .reason = LIP_REASON_QUANTIZED},
    .shape = mat_mul_integer_shape,
    .forward = mat_mul_integer_forward,
};

const lip_op lip_op_q_linear_conv = {
    .name = "QLinearConv",
    .domain = "",
    .opset_first = 10,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_UNBOUNDED, .reason = LIP_REASON_ROUNDS},
    .shape = q_linear_conv_shape,
    .forward = q_linear_conv_forward,
};

const lip_op lip_op_q_linear_mat_mul = {
    .name = "QLinearMatMul",
    .domain = "",
    .opset_first = 10,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_UNBOUNDED, .reason = LIP_REASON_ROUNDS},
    .shape = q_linear_mat_mul_shape,
    .forward = q_linear_mat_mul_forward,
};
