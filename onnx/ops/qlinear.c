/*
 * qlinear.c: com.microsoft's QLinear...: an operator between quantised
 * tensors. The inner node is the same node with real inputs (x - zero) *
 * scale; its result is scaled and rounded again, which is a step function.
 *
 * Inputs: x, its scale and zero point, the same for a second operand, then
 * scale and zero point of the result.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "quantization.h"
#include "support.h"

typedef struct inner_node {
    lip_node node;
    lip_value value[3], *inputs[2], *outputs[1];
} inner_node;

static void make_inner(const lip_node *node, const lip_op *op, size_t operands, inner_node *inner)
{
    *inner = (inner_node){.node = *node};
    for (size_t i = 0; i < 3; i++) {
        const lip_value *from = i == 2 ? node->outputs[0] : i < operands ? node->inputs[3 * i] : NULL;
        inner->value[i] = from ? *from : (lip_value){.name = ""};
        inner->value[i].dtype = LIP_DTYPE_DOUBLE;
        inner->value[i].constant = NULL;
    }
    inner->inputs[0] = &inner->value[0];
    inner->inputs[1] = &inner->value[1];
    inner->outputs[0] = &inner->value[2];
    inner->node.inputs = inner->inputs;
    inner->node.outputs = inner->outputs;
    inner->node.input_count = operands;
    inner->node.output_count = 1;
    inner->node.op = op;
    inner->node.domain = "";
    inner->node.opset = lip_attr_int(node, "opset", LIP_OPSET_LAST);
}

static lip_status shape_of(const lip_node *node, const lip_op *op, size_t operands, lip_error *error)
{
    inner_node inner;
    const size_t result = 3 * operands;
    LIP_TRY(lip_check_inputs(node, 0, result + 2, error));
    for (size_t i = 0; i <= operands; i++) {
        const size_t scale = i == operands ? result : 3 * i + 1;
        if (!lip_node_input(node, scale) || (i < operands && !lip_node_input(node, 3 * i)))
            return lip_fail_node(error, LIP_EFORMAT, node, "an operand or its scale is missing");
        LIP_TRY(lip_check_one_scale(node, scale, error));
        LIP_TRY(lip_check_one_zero(node, scale + 1, error));
        if (i < operands) LIP_TRY(lip_check_number(node, 3 * i, error));
    }
    if (lip_attr_int(node, "channels_last", 0) != 0)
        return lip_fail_node(error, LIP_EUNSUPPORTED, node, "its channels are the last dimension");
    if (!node->outputs[0]) return lip_fail_node(error, LIP_EFORMAT, node, "it has no output");
    make_inner(node, op, operands, &inner);
    LIP_TRY(op->shape(&inner.node, error));
    return lip_set_output(node, 0, node->inputs[0]->dtype, &inner.value[2].shape, error);
}

static bool take(const lip_call *call, size_t operand, lip_tensor *out)
{
    const lip_tensor *x = call->in[3 * operand];
    const double scale = lip_parameter(call, 3 * operand + 1, 0, 1), zero = lip_parameter(call, 3 * operand + 2, 0, 0);
    *out = *x;
    out->dtype = LIP_DTYPE_DOUBLE;
    out->storage = LIP_F64;
    out->room = lip_alloc(call->memory, x->count, sizeof(double));
    for (int64_t i = 0; out->room && i < x->count; i++) out->f64_room[i] = (lip_tensor_real(x, i) - zero) * scale;
    return out->room != NULL;
}

static lip_status forward_of(const lip_call *call, const lip_op *op, size_t operands, lip_error *error)
{
    inner_node inner;
    lip_tensor in[2] = {{.data = NULL}, {.data = NULL}}, *y = call->out[0];
    if (!y) return LIP_OK;
    lip_tensor out = {.dtype = LIP_DTYPE_DOUBLE, .storage = LIP_F64, .shape = y->shape, .count = y->count};
    make_inner(call->node, op, operands, &inner);
    out.room = lip_alloc(call->memory, y->count, sizeof(double));
    bool taken = out.room && take(call, 0, &in[0]) && (operands < 2 || take(call, 1, &in[1]));
    lip_status status = taken ? LIP_OK : lip_fail_memory(error, call->node, "its real operands");
    if (taken) {
        const lip_tensor *const ins[] = {&in[0], &in[1]};
        lip_tensor *const outs[] = {&out};
        lip_call real = {.node = &inner.node, .in = ins, .out = outs, .memory = call->memory};
        status = op->forward(&real, error);
    }
    const double scale = lip_parameter(call, 3 * operands, 0, 1), zero = lip_parameter(call, 3 * operands + 1, 0, 0);
    for (int64_t i = 0; status == LIP_OK && i < y->count; i++)
        y->i64_room[i] = lip_quantize(out.f64[i] / scale, lip_whole_of(zero), y->dtype);
    lip_free(call->memory, in[0].room);
    lip_free(call->memory, in[1].room);
    lip_free(call->memory, out.room);
    return status;
}

#define QLINEAR(symbol, name_, inner, operands)                                     \
    static lip_status symbol##_shape(const lip_node *node, lip_error *error)        \
    {                                                                               \
        return shape_of(node, &inner, operands, error);                             \
    }                                                                               \
    static lip_status symbol##_forward(const lip_call *call, lip_error *error)      \
    {                                                                               \
        return forward_of(call, &inner, operands, error);                           \
    }                                                                               \
    const lip_op lip_op_microsoft_##symbol = {                                      \
        .name = name_,                                                              \
        .domain = "com.microsoft",                                                  \
        .opset_first = 1,                                                           \
        .opset_last = 1,                                                            \
        .gain = {.kind = LIP_GAIN_UNBOUNDED, .reason = LIP_REASON_ROUNDS},          \
        .shape = symbol##_shape,                                                    \
        .forward = symbol##_forward,                                                \
    }

QLINEAR(q_linear_add, "QLinearAdd", lip_op_add, 2);
QLINEAR(q_linear_average_pool, "QLinearAveragePool", lip_op_average_pool, 1);
QLINEAR(q_linear_global_average_pool, "QLinearGlobalAveragePool", lip_op_global_average_pool, 1);
QLINEAR(q_linear_leaky_relu, "QLinearLeakyRelu", lip_op_leaky_relu, 1);
QLINEAR(q_linear_mul, "QLinearMul", lip_op_mul, 2);
QLINEAR(q_linear_sigmoid, "QLinearSigmoid", lip_op_sigmoid, 1);
QLINEAR(q_linear_softmax, "QLinearSoftmax", lip_op_softmax, 1);
