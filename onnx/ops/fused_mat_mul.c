/*
 * fused_mat_mul.c: com.microsoft's FusedMatMul, alpha op(A) op(B), op the
 * exchange of the last two axes where transA, transB say so. Evaluated as a
 * MatMul of operands that were transposed; its matrix is the stored one read
 * the other way.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "ranges.h"
#include "support.h"
#include "view.h"

typedef struct inner_node {
    lip_node node;
    lip_value value[3], *inputs[2], *outputs[1];
    lip_tensor constant[2]; /* with the transposed shape; the elements are as stored */
    bool transposed[2];
    double alpha;
} inner_node;

static void exchange(lip_shape *shape)
{
    int64_t last = shape->dim[shape->rank - 1];
    shape->dim[shape->rank - 1] = shape->dim[shape->rank - 2];
    shape->dim[shape->rank - 2] = last;
}

static lip_status make_inner(const lip_node *node, inner_node *inner, lip_error *error)
{
    static const char *const names[] = {"transA", "transB"};
    LIP_TRY(lip_check_inputs(node, 2, 2, error));
    if (lip_attr_int(node, "transBatchA", 0) != 0 || lip_attr_int(node, "transBatchB", 0) != 0)
        return lip_fail_node(error, LIP_EUNSUPPORTED, node, "it exchanges the batch's axes");
    *inner = (inner_node){.node = *node, .alpha = lip_attr_float(node, "alpha", 1.0F)};
    for (int i = 0; i < 2; i++) {
        lip_value *value = &inner->value[i];
        *value = *node->inputs[i];
        inner->inputs[i] = value;
        inner->transposed[i] = value->shape.rank > 1 && lip_attr_int(node, names[i], 0) != 0;
        if (!inner->transposed[i]) continue;
        exchange(&value->shape);
        if (!value->constant) continue;
        inner->constant[i] = *value->constant;
        inner->constant[i].shape = value->shape;
        value->constant = &inner->constant[i];
    }
    inner->value[2] = (lip_value){.name = "", .varies = true, .producer = &inner->node};
    inner->outputs[0] = &inner->value[2];
    inner->node.inputs = inner->inputs;
    inner->node.outputs = inner->outputs;
    inner->node.op = &lip_op_mat_mul;
    inner->node.output_count = 1;
    return lip_op_mat_mul.shape(&inner->node, error);
}

static lip_status shape(const lip_node *node, lip_error *error)
{
    inner_node inner;
    LIP_TRY(make_inner(node, &inner, error));
    return lip_set_output(node, 0, node->inputs[0]->dtype, &inner.value[2].shape, error);
}

/* `stored` is the shape that the elements in `from` have. */
static void transpose(const lip_shape *stored, const double *from, double *to)
{
    int64_t rows = stored->dim[stored->rank - 2], columns = stored->dim[stored->rank - 1];
    lip_view view = {0};
    lip_view_push(&view, lip_dims_product(stored, 0, stored->rank - 2), rows * columns, rows * columns);
    lip_view_push(&view, columns, 1, rows);
    lip_view_push(&view, rows, columns, 1);
    lip_view_copy(&view, from, to);
}

/* An operand as MatMul takes it; *made is to be freed. False when memory is out. */
static bool operand(const lip_call *call, const inner_node *inner, int i, lip_tensor *out, double **made)
{
    *out = *call->in[i];
    if (!inner->transposed[i]) return true;
    *made = lip_alloc(call->memory, out->count, sizeof **made);
    if (!*made) return false;
    transpose(&call->in[i]->shape, call->in[i]->f64, *made);
    out->shape = inner->value[i].shape;
    out->f64 = *made;
    return true;
}

static lip_status forward(const lip_call *call, lip_error *error)
{
    inner_node inner;
    double *made[2] = {NULL, NULL};
    lip_tensor in[2];
    LIP_TRY(make_inner(call->node, &inner, error));
    lip_status status = LIP_OK;
    if (operand(call, &inner, 0, &in[0], &made[0]) && operand(call, &inner, 1, &in[1], &made[1])) {
        const lip_tensor *const ins[] = {&in[0], &in[1]};
        lip_call product = {.node = &inner.node, .in = ins, .out = call->out, .memory = call->memory};
        product.linear_part = call->linear_part;
        status = lip_op_mat_mul.forward(&product, error);
        for (int64_t i = 0; status == LIP_OK && i < call->out[0]->count; i++)
            call->out[0]->f64_room[i] *= inner.alpha;
    } else {
        status = lip_fail_memory(error, call->node, "its transposed operands");
    }
    lip_free(call->memory, made[0]);
    lip_free(call->memory, made[1]);
    return status;
}

/* Gradients as MatMul gives them, then transposed and scaled into place. */
static lip_status give(const lip_call *call, const inner_node *inner, int i, const double *grad)
{
    double *to = call->in_grad[i];
    if (!to) return LIP_OK;
    if (inner->transposed[i]) transpose(&inner->value[i].shape, grad, to);
    for (int64_t k = 0; k < call->in[i]->count; k++) to[k] = inner->alpha * (inner->transposed[i] ? to[k] : grad[k]);
    return LIP_OK;
}

static lip_status adjoint(const lip_call *call, lip_error *error)
{
    inner_node inner;
    double *made[2] = {NULL, NULL}, *grad[2] = {NULL, NULL};
    lip_tensor in[2];
    LIP_TRY(make_inner(call->node, &inner, error));
    lip_status status = LIP_OK;
    bool fits = operand(call, &inner, 0, &in[0], &made[0]) && operand(call, &inner, 1, &in[1], &made[1]);
    for (int i = 0; fits && i < 2; i++) {
        if (call->in_grad[i]) grad[i] = lip_alloc(call->memory, in[i].count, sizeof **grad);
        fits = !call->in_grad[i] || grad[i];
    }
    if (fits) {
        const lip_tensor *const ins[] = {&in[0], &in[1]};
        lip_call product = *call;
        product.node = &inner.node;
        product.in = ins;
        product.in_grad = grad;
        status = lip_op_mat_mul.adjoint(&product, error);
        for (int i = 0; status == LIP_OK && i < 2; i++) status = give(call, &inner, i, grad[i]);
    } else {
        status = lip_fail_memory(error, call->node, "its transposed operands");
    }
    for (int i = 0; i < 2; i++) {
        lip_free(call->memory, made[i]);
        lip_free(call->memory, grad[i]);
    }
    return status;
}

static lip_status describe(const lip_node *node, lip_arena *arena, lip_gain *gain, lip_error *error)
{
    inner_node inner;
    LIP_TRY(make_inner(node, &inner, error));
    LIP_TRY(lip_op_mat_mul.describe(&inner.node, arena, gain, error));
    if (gain->kind != LIP_GAIN_DENSE) return LIP_OK;
    lip_dense *d = &gain->dense;
    const bool a = lip_input_varies(node, 0);
    const int rank = node->inputs[a ? 0 : 1]->shape.rank, factor = a ? 1 : 0;
    d->alpha *= inner.alpha;
    d->weight = lip_node_constant(node, (size_t)factor);
    if (inner.transposed[factor]) { /* a matrix of rows x cols is stored as cols x rows, or the other way */
        d->row_stride = a ? d->cols : 1;
        d->col_stride = a ? 1 : d->rows;
    }
    if (inner.transposed[a ? 0 : 1] && d->in_axis >= rank - 2) d->in_axis = 2 * rank - 3 - d->in_axis;
    return LIP_OK;
}

const lip_op lip_op_microsoft_fused_mat_mul = {
    .name = "FusedMatMul",
    .domain = "com.microsoft",
    .opset_first = 1,
    .opset_last = 1,
    .gain = {.kind = LIP_GAIN_DENSE},
    .shape = shape,
    .forward = forward,
    .adjoint = adjoint,
    .describe = describe,
    .range = lip_range_product,
};
