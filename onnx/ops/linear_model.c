/*
 * linear_model.c: ai.onnx.ml's LinearClassifier and LinearRegressor:
 * Y [n, r] = sum_c X [n, c] coefficients [r, c] + intercepts [r].
 *
 * A LinearClassifier reaches this row after onnx/graph/lower.c has split it:
 * its one output are the linear scores; the label and the post transform are
 * nodes of their own.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "support.h"

#include <math.h>
#include <string.h>

typedef struct linear_model {
    int64_t rows, features, batch;
    const float *coefficients, *intercepts; /* no intercepts: NULL */
} linear_model;

static lip_status read(const lip_node *node, linear_model *out, lip_error *error)
{
    const lip_attr *a = lip_attr_find(node, "coefficients"), *b = lip_attr_find(node, "intercepts");
    LIP_TRY(lip_check_inputs(node, 1, 1, error));
    LIP_TRY(lip_check_number(node, 0, error));
    const lip_shape *x = &node->inputs[0]->shape;
    if (!a || a->kind != LIP_ATTR_FLOATS || x->rank < 1 || x->rank > 2)
        return lip_fail_node(error, LIP_EFORMAT, node, "it has no coefficients, or its input is not a list of samples");
    linear_model m = {.features = x->dim[x->rank - 1], .batch = x->rank == 2 ? x->dim[0] : 1};
    m.coefficients = a->floats;
    m.rows = m.features > 0 ? a->count / m.features : 0;
    if (m.rows < 1 || m.rows * m.features != a->count)
        return lip_fail_node(error, LIP_EUNSUPPORTED, node, "it has %lld coefficients for samples of %lld features",
                             (long long)a->count, (long long)m.features);
    if (b && b->kind == LIP_ATTR_FLOATS && b->count > 0) m.intercepts = b->floats;
    if (m.intercepts && b->count != m.rows)
        return lip_fail_node(error, LIP_EUNSUPPORTED, node,
                             "its %lld coefficients are not %lld rows of %lld features, as its intercepts and its "
                             "input have it",
                             (long long)a->count, (long long)b->count, (long long)m.features);
    for (int64_t i = 0; i < a->count; i++)
        if (!isfinite(a->floats[i])) return lip_fail_node(error, LIP_EFORMAT, node, "a coefficient is not finite");
    *out = m;
    return LIP_OK;
}

static lip_status shape(const lip_node *node, lip_error *error)
{
    linear_model m = {0};
    LIP_TRY(read(node, &m, error));
    if (node->output_count > 1)
        return lip_fail_node(error, LIP_EUNSUPPORTED, node, "it was not split into scores and labels");
    const char *transform = lip_attr_string(node, "post_transform", "NONE");
    if (strcmp(transform, "NONE") != 0)
        return lip_fail_node(error, LIP_EUNSUPPORTED, node, "its post_transform is '%s'", transform);
    const lip_shape y = {.rank = 2, .dim = {m.batch, m.rows}};
    return lip_set_output(node, 0, LIP_DTYPE_FLOAT, &y, error);
}

static lip_status forward(const lip_call *call, lip_error *error)
{
    linear_model m = {0};
    LIP_TRY(read(call->node, &m, error));
    for (int64_t i = 0; call->out[0] && i < m.batch * m.rows; i++) {
        const float *w = m.coefficients + i % m.rows * m.features;
        double sum = m.intercepts && !call->linear_part ? (double)m.intercepts[i % m.rows] : 0;
        for (int64_t c = 0; c < m.features; c++)
            sum += (double)w[c] * lip_tensor_real(call->in[0], i / m.rows * m.features + c);
        call->out[0]->f64_room[i] = sum;
    }
    return LIP_OK;
}

static lip_status adjoint(const lip_call *call, lip_error *error)
{
    linear_model m = {0};
    LIP_TRY(read(call->node, &m, error));
    for (int64_t i = 0; call->in_grad[0] && i < m.batch * m.features; i++) {
        double sum = 0;
        for (int64_t r = 0; r < m.rows; r++)
            sum += (double)m.coefficients[r * m.features + i % m.features] *
                   call->out_grad[0][i / m.features * m.rows + r];
        call->in_grad[0][i] = sum;
    }
    return LIP_OK;
}

static lip_status describe(const lip_node *node, lip_arena *arena, lip_gain *gain, lip_error *error)
{
    linear_model m = {0};
    LIP_TRY(read(node, &m, error));
    lip_tensor *weight = lip_arena_alloc(arena, 1, sizeof *weight);
    if (!weight) return lip_fail_memory(error, node, "its gain");
    *weight = (lip_tensor){.dtype = LIP_DTYPE_FLOAT,
                           .storage = LIP_F32,
                           .shape = {.rank = 2, .dim = {m.rows, m.features}},
                           .count = m.rows * m.features};
    weight->f32 = m.coefficients;
    *gain = (lip_gain){.kind = LIP_GAIN_DENSE,
                       .dense = {.weight = weight,
                                 .alpha = 1,
                                 .rows = m.rows,
                                 .cols = m.features,
                                 .row_stride = m.features,
                                 .col_stride = 1,
                                 .batch = 1,
                                 .multiplicity = 1,
                                 .in_axis = node->inputs[0]->shape.rank - 1,
                                 .out_axis = 1}};
    return LIP_OK;
}

const lip_op lip_op_ml_linear_classifier = {
    .name = "LinearClassifier",
    .domain = "ai.onnx.ml",
    .opset_first = 1,
    .opset_last = LIP_OPSET_ML_LAST,
    .gain = {.kind = LIP_GAIN_DENSE},
    .shape = shape,
    .forward = forward,
    .adjoint = adjoint,
    .describe = describe,
};

const lip_op lip_op_ml_linear_regressor = {
    .name = "LinearRegressor",
    .domain = "ai.onnx.ml",
    .opset_first = 1,
    .opset_last = LIP_OPSET_ML_LAST,
    .gain = {.kind = LIP_GAIN_DENSE},
    .shape = shape,
    .forward = forward,
    .adjoint = adjoint,
    .describe = describe,
};
