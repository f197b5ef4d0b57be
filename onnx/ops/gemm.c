/*
 * gemm.c: Gemm. Y [M, N] = alpha op(A) op(B) + beta C, op the transpose where
 * transA, transB say so, C broadcast to [M, N].
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "ranges.h"
#include "support.h"

#include <cblas.h>
#include <inttypes.h>

typedef struct product {
    int64_t m, n, k;
    bool trans_a, trans_b;
    double alpha, beta;
    int64_t c_rows, c_cols; /* 1 or m, 1 or n; 0 without C */
} product;

static lip_status read_addend(const lip_node *node, product *p, lip_error *error)
{
    const lip_value *c = lip_node_input(node, 2);
    if (c == NULL)
        return LIP_OK;
    LIP_TRY(lip_check_real(node, 2, error));
    const lip_shape *s = &c->shape;
    p->c_cols = s->rank > 0 ? s->dim[s->rank - 1] : 1;
    p->c_rows = s->rank > 1 ? s->dim[s->rank - 2] : 1;
    if (s->rank > 2 || (p->c_cols != 1 && p->c_cols != p->n) || (p->c_rows != 1 && p->c_rows != p->m)) {
        char text[160];
        lip_shape_text(s, text, sizeof text);
        return lip_fail_node(error, LIP_EFORMAT, node, "its C is %s and does not broadcast to %" PRId64 "x%" PRId64,
                             text, p->m, p->n);
    }
    return LIP_OK;
}

static lip_status read(const lip_node *node, product *out, lip_error *error)
{
    LIP_TRY(lip_check_inputs(node, 2, 3, error));
    LIP_TRY(lip_check_real(node, 0, error));
    LIP_TRY(lip_check_real(node, 1, error));
    const lip_shape *a = &node->inputs[0]->shape, *b = &node->inputs[1]->shape;
    if (a->rank != 2 || b->rank != 2)
        return lip_fail_node(error, LIP_EFORMAT, node, "its factors have %d and %d dimensions, not 2", a->rank,
                             b->rank);
    product p = { .trans_a = lip_attr_int(node, "transA", 0) != 0, .trans_b = lip_attr_int(node, "transB", 0) != 0 };
    p.alpha = lip_attr_float(node, "alpha", 1.0F);
    p.beta = lip_attr_float(node, "beta", 1.0F);
    p.m = a->dim[p.trans_a ? 1 : 0];
    p.k = a->dim[p.trans_a ? 0 : 1];
    p.n = b->dim[p.trans_b ? 0 : 1];
    const int64_t inner = b->dim[p.trans_b ? 1 : 0];
    if (p.k != inner)
        return lip_fail_node(error, LIP_EFORMAT, node, "%" PRId64 " columns meet %" PRId64 " rows", p.k, inner);
    if (p.m > INT32_MAX || p.n > INT32_MAX || p.k > INT32_MAX)
        return lip_fail_node(error, LIP_EUNSUPPORTED, node, "a matrix has more than %d rows or columns", INT32_MAX);
    LIP_TRY(read_addend(node, &p, error));
    *out = p;
    return LIP_OK;
}

static lip_status shape(const lip_node *node, lip_error *error)
{
    product p = { 0 };
    LIP_TRY(read(node, &p, error));
    const lip_shape y = { .rank = 2, .dim = { p.m, p.n } };
    return lip_set_output(node, 0, node->inputs[0]->dtype, &y, error);
}

/* Leading dimension of a stored matrix: at least 1, as BLAS wants it. */
static blasint leading(int64_t columns)
{
    return columns > 0 ? (blasint)columns : 1;
}

/* c [m, n] = alpha op(a) op(b) + beta c, op(a) [m, k]. */
static void multiply(double alpha, const double *a, bool trans_a, const double *b, bool trans_b, double beta, double *c,
                     int64_t m, int64_t n, int64_t k)
{
    if (m == 0 || n == 0)
        return;
    cblas_dgemm(CblasRowMajor, trans_a ? CblasTrans : CblasNoTrans, trans_b ? CblasTrans : CblasNoTrans, (blasint)m,
                (blasint)n, (blasint)k, alpha, a, leading(trans_a ? m : k), b, leading(trans_b ? k : n), beta, c,
                leading(n));
}

static lip_status forward(const lip_call *call, lip_error *error)
{
    product p = { 0 };
    LIP_TRY(read(call->node, &p, error));
    double *y = call->out[0]->f64_room;
    const bool add = p.c_rows > 0 && p.c_cols > 0 && !(call->linear_part && call->node->inputs[2]->constant != NULL);
    for (int64_t i = 0; p.n > 0 && i < p.m; i++)
        for (int64_t j = 0; j < p.n; j++)
            y[i * p.n + j] = add ? p.beta * call->in[2]->f64[(p.c_rows > 1 ? i * p.c_cols : 0) + (p.c_cols > 1 ? j : 0)]
                                 : 0;
    const bool constant = !lip_input_varies(call->node, 0) && !lip_input_varies(call->node, 1);
    if (!(call->linear_part && constant))
        multiply(p.alpha, call->in[0]->f64, p.trans_a, call->in[1]->f64, p.trans_b, 1.0, y, p.m, p.n, p.k);
    return LIP_OK;
}

static void adjoint_addend(const product *p, const double *grad, double *c)
{
    for (int64_t i = 0; i < p->c_rows * p->c_cols; i++)
        c[i] = 0;
    for (int64_t i = 0; p->n > 0 && i < p->m; i++)
        for (int64_t j = 0; j < p->n; j++)
            c[(p->c_rows > 1 ? i * p->c_cols : 0) + (p->c_cols > 1 ? j : 0)] += p->beta * grad[i * p->n + j];
}

static lip_status adjoint(const lip_call *call, lip_error *error)
{
    product p = { 0 };
    LIP_TRY(read(call->node, &p, error));
    const double *a = call->in[0]->f64, *b = call->in[1]->f64, *grad = call->out_grad[0];
    double *da = call->in_grad[0], *db = call->in_grad[1];
    if (da != NULL && !p.trans_a)
        multiply(p.alpha, grad, false, b, !p.trans_b, 0.0, da, p.m, p.k, p.n);
    if (da != NULL && p.trans_a)
        multiply(p.alpha, b, p.trans_b, grad, true, 0.0, da, p.k, p.m, p.n);
    if (db != NULL && !p.trans_b)
        multiply(p.alpha, a, !p.trans_a, grad, false, 0.0, db, p.k, p.n, p.m);
    if (db != NULL && p.trans_b)
        multiply(p.alpha, grad, true, a, p.trans_a, 0.0, db, p.n, p.k, p.m);
    if (call->node->input_count > 2 && call->in_grad[2] != NULL)
        adjoint_addend(&p, grad, call->in_grad[2]);
    return LIP_OK;
}

/* y[i, :] = alpha op(B)' a[i, :], or y[:, j] = alpha op(A) b[:, j]. */
static lip_dense dense_of(const lip_node *node, const product *p, bool a_varies)
{
    const bool trans = a_varies ? p->trans_b : p->trans_a;
    const int64_t columns = node->inputs[a_varies ? 1 : 0]->shape.dim[1];
    const bool along = a_varies == trans; /* the matrix's rows are the stored rows */
    return (lip_dense){ .weight = lip_node_constant(node, a_varies ? 1 : 0),
                        .alpha = p->alpha,
                        .rows = a_varies ? p->n : p->m,
                        .cols = p->k,
                        .row_stride = along ? columns : 1,
                        .col_stride = along ? 1 : columns,
                        .batch = 1,
                        .multiplicity = 1,
                        .in_axis = a_varies ? (p->trans_a ? 0 : 1) : (p->trans_b ? 1 : 0),
                        .out_axis = a_varies ? 1 : 0 };
}

static lip_status describe_addend(const lip_node *node, const product *p, lip_arena *arena, lip_gain *gain,
                                  lip_error *error)
{
    double *factor = lip_arena_alloc(arena, 1, sizeof *factor);
    if (factor == NULL)
        return lip_fail_memory(error, node, "its gain");
    *factor = p->beta;
    const int64_t c = p->c_rows * p->c_cols, multiplicity = c > 0 ? p->m * p->n / c : 1;
    *gain = (lip_gain){ .kind = LIP_GAIN_SCALE,
                        .scale = { .factor = factor, .count = 1, .axis = -1, .multiplicity = multiplicity } };
    return LIP_OK;
}

static lip_status describe(const lip_node *node, lip_arena *arena, lip_gain *gain, lip_error *error)
{
    product p = { 0 };
    LIP_TRY(read(node, &p, error));
    const bool a = lip_input_varies(node, 0), b = lip_input_varies(node, 1), c = lip_input_varies(node, 2);
    if (a && b)
        *gain = lip_gain_none(LIP_GAIN_UNBOUNDED, "the product of two activations is not Lipschitz: "
                                                  "its slope in one factor is the other factor");
    else if (c && (a || b))
        *gain = lip_gain_none(LIP_GAIN_UNKNOWN, "its addend depends on the input as well as a factor");
    else if (c)
        return describe_addend(node, &p, arena, gain, error);
    else if (lip_node_constant(node, a ? 1 : 0) == NULL)
        *gain = lip_gain_none(LIP_GAIN_UNKNOWN, "its weights are not constant");
    else
        *gain = (lip_gain){ .kind = LIP_GAIN_DENSE, .dense = dense_of(node, &p, a) };
    return LIP_OK;
}

const lip_op lip_op_gemm = {
    .name = "Gemm",
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
