/*
 * feature.c: ai.onnx.ml's operators that move features: ArrayFeatureExtractor
 * (columns by index), FeatureVectorizer (tables side by side) and ZipMap (a
 * dictionary per row: the same numbers under the names of the classes, which
 * is how it is represented here).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "copy.h"
#include "gather.h"
#include "support.h"

#include <string.h>

static lip_status extract_shape(const lip_node *node, lip_error *error)
{
    int64_t picks, picked;
    LIP_TRY(lip_check_inputs(node, 2, 2, error));
    LIP_TRY(lip_check_number(node, 0, error));
    LIP_TRY(lip_check_indices(node, error));
    lip_shape y = node->inputs[0]->shape;
    if (y.rank < 1 || !lip_shape_count(&node->inputs[1]->shape, &picks))
        return lip_fail_node(error, LIP_EFORMAT, node, "its input is a scalar");
    const lip_tensor *index = lip_node_constant(node, 1);
    for (int64_t j = 0; index && j < index->count; j++)
        LIP_TRY(lip_check_index(node, index->i64[j], y.dim[y.rank - 1], &picked, error));
    if (y.rank == 1) y = (lip_shape){.rank = 2, .dim = {1, picks}};
    y.dim[y.rank - 1] = picks;
    return lip_set_output(node, 0, node->inputs[0]->dtype, &y, error);
}

static lip_status extract_forward(const lip_call *call, lip_error *error)
{
    const lip_tensor *x = call->in[0], *index = call->in[1];
    lip_tensor *y = call->out[0];
    int64_t n = x->shape.dim[x->shape.rank - 1], from = 0;
    for (int64_t i = 0; y && i < y->count; i++) {
        LIP_TRY(lip_check_index(call->node, index->i64[i % index->count], n, &from, error));
        y->i64_room[i] = x->i64[i / index->count * n + from]; /* 8 bytes, whatever they are */
    }
    return LIP_OK;
}

static lip_status extract_adjoint(const lip_call *call, lip_error *error)
{
    const lip_tensor *x = call->in[0], *index = call->in[1];
    int64_t n = x->shape.dim[x->shape.rank - 1], to = 0;
    lip_zero_grad(call, 0);
    if (!call->in_grad[0] || !call->out_grad[0] || n == 0) return LIP_OK;
    for (int64_t i = 0; i < x->count / n * index->count; i++) {
        LIP_TRY(lip_check_index(call->node, index->i64[i % index->count], n, &to, error));
        call->in_grad[0][i / index->count * n + to] += call->out_grad[0][i];
    }
    return LIP_OK;
}

/* Rows and columns of a table; one dimension is one row. */
static void table_of(const lip_shape *x, int64_t *rows, int64_t *columns)
{
    *rows = x->rank > 1 ? x->dim[0] : 1;
    *columns = x->rank > 1 ? lip_dims_product(x, 1, x->rank) : lip_dims_product(x, 0, x->rank);
}

static lip_status vectorize_shape(const lip_node *node, lip_error *error)
{
    int64_t rows = 0, columns = 0, total = 0, all_rows = 0;
    if (node->input_count == 0) return lip_fail_node(error, LIP_EFORMAT, node, "has no inputs");
    LIP_TRY(lip_check_inputs(node, node->input_count, node->input_count, error));
    for (size_t k = 0; k < node->input_count; k++) {
        LIP_TRY(lip_check_number(node, k, error));
        table_of(&node->inputs[k]->shape, &rows, &columns);
        if (k > 0 && rows != all_rows)
            return lip_fail_node(error, LIP_EFORMAT, node, "its inputs do not have equally many rows");
        all_rows = rows;
        if (!lip_size_add(total, columns, &total))
            return lip_fail_node(error, LIP_EFORMAT, node, "its output's dimension overflows");
    }
    const lip_shape y = {.rank = 2, .dim = {all_rows, total}};
    return lip_set_output(node, 0, LIP_DTYPE_FLOAT, &y, error);
}

static lip_status vectorize_forward(const lip_call *call, lip_error *error)
{
    (void)error;
    lip_tensor *y = call->out[0];
    int64_t at = 0, rows, columns;
    for (size_t k = 0; y && k < call->node->input_count; k++) {
        table_of(&call->in[k]->shape, &rows, &columns);
        bool drop = call->linear_part && !lip_input_varies(call->node, k);
        for (int64_t i = 0; i < call->in[k]->count; i++)
            y->f64_room[i / columns * y->shape.dim[1] + at + i % columns] = drop ? 0 : lip_tensor_real(call->in[k], i);
        at += columns;
    }
    return LIP_OK;
}

static lip_status vectorize_adjoint(const lip_call *call, lip_error *error)
{
    (void)error;
    int64_t at = 0, rows, columns, total = 0;
    for (size_t k = 0; k < call->node->input_count; k++) {
        table_of(&call->in[k]->shape, &rows, &columns);
        total += columns;
    }
    for (size_t k = 0; k < call->node->input_count; k++) {
        table_of(&call->in[k]->shape, &rows, &columns);
        for (int64_t i = 0; call->in_grad[k] && i < call->in[k]->count; i++)
            call->in_grad[k][i] = call->out_grad[0] ? call->out_grad[0][i / columns * total + at + i % columns] : 0;
        at += columns;
    }
    return LIP_OK;
}

static lip_status zip_shape(const lip_node *node, lip_error *error)
{
    LIP_TRY(lip_check_inputs(node, 1, 1, error));
    LIP_TRY(lip_check_real(node, 0, error));
    return lip_set_output(node, 0, node->inputs[0]->dtype, &node->inputs[0]->shape, error);
}

const lip_op lip_op_ml_array_feature_extractor = {
    .name = "ArrayFeatureExtractor",
    .domain = "ai.onnx.ml",
    .opset_first = 1,
    .opset_last = LIP_OPSET_ML_LAST,
    .gain = {.kind = LIP_GAIN_COPY},
    .shape = extract_shape,
    .forward = extract_forward,
    .adjoint = extract_adjoint,
    .describe = lip_gather_describe,
};

const lip_op lip_op_ml_feature_vectorizer = {
    .name = "FeatureVectorizer",
    .domain = "ai.onnx.ml",
    .opset_first = 1,
    .opset_last = LIP_OPSET_ML_LAST,
    .gain = {.kind = LIP_GAIN_CONCAT},
    .shape = vectorize_shape,
    .forward = vectorize_forward,
    .adjoint = vectorize_adjoint,
};

const lip_op lip_op_ml_zip_map = {
    .name = "ZipMap",
    .domain = "ai.onnx.ml",
    .opset_first = 1,
    .opset_last = LIP_OPSET_ML_LAST,
    .gain = {.kind = LIP_GAIN_ISOMETRY},
    .shape = zip_shape,
    .forward = lip_copy_forward,
    .adjoint = lip_copy_adjoint,
};
