/*
 * mat_mul.c: MatMul, numpy's matmul: Y [..., M, N] = A [..., M, K] B [..., K, N],
 * the leading (batch) dimensions broadcast; a one-dimensional A is a row, a
 * one-dimensional B a column, and the result loses that dimension.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "ranges.h"
#include "support.h"

#include <cblas.h>
#include <inttypes.h>
#include <string.h>

/* m, k, n; the batch's shape and, per batch axis, how far A and B move in matrices (0: broadcast). */
typedef struct product {
    int64_t m, k, n;
    lip_shape batch;
    int64_t a_step[LIP_MAX_RANK], b_step[LIP_MAX_RANK];
} product;

static lip_shape batch_of(const lip_shape *s)
{
    lip_shape batch = { .rank = s->rank > 2 ? s->rank - 2 : 0 };
    for (int i = 0; i < batch.rank; i++)
        batch.dim[i] = s->dim[i];
    return batch;
}

/* Steps over an operand's matrices along the axes of the common batch. */
static void steps_of(const lip_shape *operand, const lip_shape *batch, int64_t *step)
{
    int64_t stride[LIP_MAX_RANK];
    lip_strides(operand, stride);
    for (int i = 0; i < batch->rank; i++) {
        const int axis = i - (batch->rank - operand->rank);
        step[i] = axis >= 0 && operand->dim[axis] != 1 ? stride[axis] : 0;
    }
}

static lip_status read(const lip_node *node, product *out, lip_error *error)
{
    product p = { 0 };
    LIP_TRY(lip_check_inputs(node, 2, 2, error));
    LIP_TRY(lip_check_real(node, 0, error));
    LIP_TRY(lip_check_real(node, 1, error));
    const lip_shape *a = &node->inputs[0]->shape, *b = &node->inputs[1]->shape;
    if (a->rank < 1 || b->rank < 1)
        return lip_fail_node(error, LIP_EFORMAT, node, "a factor is a scalar");
    p.m = a->rank > 1 ? a->dim[a->rank - 2] : 1;
    p.k = a->dim[a->rank - 1];
    p.n = b->rank > 1 ? b->dim[b->rank - 1] : 1;
    const int64_t inner = b->rank > 1 ? b->dim[b->rank - 2] : b->dim[0];
    if (p.k != inner)
        return lip_fail_node(error, LIP_EFORMAT, node, "%" PRId64 " columns meet %" PRId64 " rows", p.k, inner);
    if (p.m > INT32_MAX || p.n > INT32_MAX || p.k > INT32_MAX)
        return lip_fail_node(error, LIP_EUNSUPPORTED, node, "a matrix has more than %d rows or columns", INT32_MAX);
    const lip_shape batch_a = batch_of(a), batch_b = batch_of(b);
    if (!lip_shape_broadcast(&batch_a, &batch_b, &p.batch)) {
        char text_a[160], text_b[160];
        lip_shape_text(a, text_a, sizeof text_a);
        lip_shape_text(b, text_b, sizeof text_b);
        return lip_fail_node(error, LIP_EFORMAT, node, "its factors are %s and %s", text_a, text_b);
    }
    steps_of(&batch_a, &p.batch, p.a_step);
    steps_of(&batch_b, &p.batch, p.b_step);
    *out = p;
    return LIP_OK;
}

static lip_status shape(const lip_node *node, lip_error *error)
{
    product p = { 0 };
    LIP_TRY(read(node, &p, error));
    lip_shape y = p.batch;
    if (node->inputs[0]->shape.rank > 1)
        LIP_TRY(lip_push_dim(node, &y, p.m, error));
    if (node->inputs[1]->shape.rank > 1)
        LIP_TRY(lip_push_dim(node, &y, p.n, error));
    return lip_set_output(node, 0, node->inputs[0]->dtype, &y, error);
}

/* With one matrix B for the whole batch, A's matrices are the rows of a single one. */
static void merge_batch(product *p)
{
    const int64_t count = lip_dims_product(&p->batch, 0, p->batch.rank);
    for (int i = 0; i < p->batch.rank; i++)
        if (p->b_step[i] != 0 || (p->a_step[i] == 0 && p->batch.dim[i] != 1))
            return;
    if (count == 0 || p->m * count > INT32_MAX)
        return;
    p->m *= count;
    p->batch.rank = 0;
}

/* Matrices of A and B that make batch element i. */
static void at_batch(const product *p, int64_t i, int64_t *a, int64_t *b)
{
    *a = 0;
    *b = 0;
    for (int axis = p->batch.rank - 1; axis >= 0; axis--) {
        const int64_t index = i % p->batch.dim[axis];
        i /= p->batch.dim[axis];
        *a += index * p->a_step[axis];
        *b += index * p->b_step[axis];
    }
}

static blasint leading(int64_t columns)
{
    return columns > 0 ? (blasint)columns : 1;
}

/* c [m, n] (+)= op(a) op(b), op(a) [m, k]. */
static void multiply(const double *a, bool trans_a, const double *b, bool trans_b, bool add, double *c, int64_t m,
                     int64_t n, int64_t k)
{
    if (m == 0 || n == 0)
        return;
    cblas_dgemm(CblasRowMajor, trans_a ? CblasTrans : CblasNoTrans, trans_b ? CblasTrans : CblasNoTrans, (blasint)m,
                (blasint)n, (blasint)k, 1.0, a, leading(trans_a ? m : k), b, leading(trans_b ? k : n), add ? 1.0 : 0.0,
                c, leading(n));
}

static lip_status forward(const lip_call *call, lip_error *error)
{
    product p = { 0 };
    LIP_TRY(read(call->node, &p, error));
    merge_batch(&p);
    const int64_t count = call->out[0]->count > 0 ? lip_dims_product(&p.batch, 0, p.batch.rank) : 0;
    for (int64_t i = 0; i < count; i++) {
        int64_t a, b;
        at_batch(&p, i, &a, &b);
        double *y = call->out[0]->f64_room + i * p.m * p.n;
        if (p.k == 0)
            memset(y, 0, (size_t)(p.m * p.n) * sizeof *y);
        else
            multiply(call->in[0]->f64 + a * p.m * p.k, false, call->in[1]->f64 + b * p.k * p.n, false, false, y, p.m,
                     p.n, p.k);
    }
    return LIP_OK;
}

static lip_status adjoint(const lip_call *call, lip_error *error)
{
    product p = { 0 };
    LIP_TRY(read(call->node, &p, error));
    merge_batch(&p);
    double *da = call->in_grad[0], *db = call->in_grad[1];
    const int64_t count = call->out[0]->count > 0 ? lip_dims_product(&p.batch, 0, p.batch.rank) : 0;
    if (da != NULL)
        memset(da, 0, (size_t)call->in[0]->count * sizeof *da);
    if (db != NULL)
        memset(db, 0, (size_t)call->in[1]->count * sizeof *db);
    for (int64_t i = 0; i < count; i++) {
        int64_t a, b;
        at_batch(&p, i, &a, &b);
        const double *grad = call->out_grad[0] + i * p.m * p.n;
        if (da != NULL)
            multiply(grad, false, call->in[1]->f64 + b * p.k * p.n, true, true, da + a * p.m * p.k, p.m, p.k, p.n);
        if (db != NULL)
            multiply(call->in[0]->f64 + a * p.m * p.k, true, grad, false, true, db + b * p.k * p.n, p.k, p.n, p.m);
    }
    return LIP_OK;
}

/* Matrices of the constant factor, and how many of them one matrix of the other factor meets. */
static void count_matrices(const product *p, bool a_varies, int64_t *matrices, int64_t *multiplicity)
{
    *matrices = 1;
    *multiplicity = 1;
    for (int i = 0; i < p->batch.rank; i++) {
        const int64_t varying = a_varies ? p->a_step[i] : p->b_step[i];
        const int64_t fixed = a_varies ? p->b_step[i] : p->a_step[i];
        if (fixed != 0)
            *matrices *= p->batch.dim[i];
        if (fixed != 0 && varying == 0)
            *multiplicity *= p->batch.dim[i];
    }
}

/*
 * y[.., i, :] = B' a[.., i, :], or y[.., :, j] = A b[.., :, j]. A varying
 * factor that is itself repeated along an axis where the constant has one
 * matrix cannot be: such an axis has length 1 in both.
 */
static lip_dense dense_of(const lip_node *node, const product *p, bool a_varies)
{
    const int rank_a = node->inputs[0]->shape.rank, rank_b = node->inputs[1]->shape.rank;
    lip_dense dense = { .weight = lip_node_constant(node, a_varies ? 1 : 0), .alpha = 1.0, .cols = p->k };
    dense.rows = a_varies ? p->n : p->m;
    dense.row_stride = a_varies ? 1 : p->k;
    dense.col_stride = a_varies ? p->n : 1;
    count_matrices(p, a_varies, &dense.batch, &dense.multiplicity);
    dense.batch_stride = p->k * dense.rows;
    dense.in_axis = a_varies ? rank_a - 1 : (rank_b > 1 ? rank_b - 2 : 0);
    if (a_varies)
        dense.out_axis = rank_b > 1 ? p->batch.rank + (rank_a > 1 ? 1 : 0) : -1;
    else
        dense.out_axis = rank_a > 1 ? p->batch.rank : -1;
    return dense;
}

static lip_status describe(const lip_node *node, lip_arena *arena, lip_gain *gain, lip_error *error)
{
    (void)arena;
    product p = { 0 };
    LIP_TRY(read(node, &p, error));
    const bool a = lip_input_varies(node, 0), b = lip_input_varies(node, 1);
    if (a && b)
        *gain = lip_gain_none(LIP_GAIN_UNBOUNDED, "the product of two activations is not Lipschitz: "
                                                  "its slope in one factor is the other factor");
    else if (lip_node_constant(node, a ? 1 : 0) == NULL)
        *gain = lip_gain_none(LIP_GAIN_UNKNOWN, "its weights are not constant");
    else
        *gain = (lip_gain){ .kind = LIP_GAIN_DENSE, .dense = dense_of(node, &p, a) };
    return LIP_OK;
}

const lip_op lip_op_mat_mul = {
    .name = "MatMul",
    .domain = "",
    .opset_first = 1,
    .opset_last = LIP_OPSET_LAST,
    .gain = { .kind = LIP_GAIN_DENSE },
    .shape = shape,
    .forward = forward,
    .adjoint = adjoint,
    .describe = describe,
    .range = lip_range_product,
};
