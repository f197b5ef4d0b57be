/*
 * on_range.c: see on_range.h.
 *
 * Y = A B with A and B from their ranges: |dA B|_F <= |dA|_F |B|_2, and a
 * matrix A that meets several B has |dA [B_1 B_2 ..]|_F <= |dA|_F
 * (sum |B_i|_2^2)^(1/2). Norms over a range [L, H], elementwise, with M = max(|L|,
 * |H|), C the middle and R the radius:
 *   |B|_2 <= | |B| |_2 <= |M|_2          [Perron, Frobenius: monotone in nonnegative elements]
 *   |B|_2 <= |C|_2 + |R|_2
 *   |B|_2 <= |M|_F
 *   |B|_2 <= sqrt(largest row sum * largest column sum of M)   [Schur 1911]
 * where a row of nonnegative elements of sum 1 (Softmax) counts 1 at most, and
 * such a matrix has |B|_F <= sqrt(rows).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "on_range.h"

#include "linear/dense.h"
#include "rounding.h"

#include <string.h>

static const double MOST_FLOPS = 2e10;

/* Matrices of one operand. */
typedef struct matrices {
    const lip_span *span;
    int64_t count, rows, cols;
} matrices;

static matrices matrices_of(const lip_span *span)
{
    const lip_shape *s = &span->shape;
    matrices m = { span, 0, s->rank > 1 ? s->dim[s->rank - 2] : 1, s->rank > 0 ? s->dim[s->rank - 1] : 1 };
    m.count = m.rows > 0 && m.cols > 0 ? span->count / (m.rows * m.cols) : 0;
    return m;
}

static double flops(const matrices *m)
{
    double wide = (double)(m->rows > m->cols ? m->rows : m->cols);
    double narrow = (double)(m->rows > m->cols ? m->cols : m->rows);
    return 6 * (double)m->count * wide * narrow * narrow;
}

typedef struct slice {
    double *most, *middle, *radius; /* M, C, R */
    int64_t rows, cols;
} slice;

static void fill(const matrices *m, int64_t index, slice *s)
{
    const double *lo = m->span->lo + index * m->rows * m->cols, *hi = m->span->hi + index * m->rows * m->cols;
    for (int64_t i = 0; i < m->rows * m->cols; i++) {
        s->most[i] = fmax(fabs(lo[i]), fabs(hi[i]));
        s->middle[i] = lo[i] == hi[i] ? lo[i] : 0.5 * lo[i] + 0.5 * hi[i];
        s->radius[i] = lo[i] == hi[i] ? 0 : lip_up(fmax(hi[i] - s->middle[i], s->middle[i] - lo[i]));
    }
}

/* By sums over the elements. */
static double cheap_upper(const slice *s, bool stochastic, double *columns)
{
    const double gamma = lip_gamma((double)(s->rows + s->cols + 8));
    double row_most = 0, column_most = 0, frobenius = lip_norm_upper(s->most, s->rows * s->cols);
    memset(columns, 0, (size_t)s->cols * sizeof *columns);
    for (int64_t i = 0; i < s->rows; i++) {
        double sum = 0;
        for (int64_t j = 0; j < s->cols; j++) {
            sum += s->most[i * s->cols + j];
            columns[j] += s->most[i * s->cols + j];
        }
        row_most = fmax(row_most, sum);
    }
    for (int64_t j = 0; j < s->cols; j++)
        column_most = fmax(column_most, columns[j]);
    row_most = lip_mul_up(row_most, 1 + gamma);
    column_most = lip_mul_up(column_most, 1 + gamma);
    if (stochastic) {
        row_most = fmin(row_most, 1);
        frobenius = fmin(frobenius, lip_sqrt_up((double)s->rows));
    }
    double upper = fmin(frobenius, lip_sqrt_up(lip_mul_up(row_most, column_most)));
    return isnan(upper) ? (double)INFINITY : upper;
}

static lip_status norm_upper(const double *elements, const slice *s, uint64_t seed, lip_memory *memory, double *upper,
                             lip_error *error)
{
    lip_matrix matrix = { elements, s->rows, s->cols };
    lip_panels panels = lip_matrix_panels(&matrix, 0);
    lip_random random = lip_random_seed(seed, 0);
    lip_norm norm = { .upper = 0 };
    lip_status status = lip_dense_norm(&panels, 0, &random, memory, &norm, error);
    *upper = norm.upper;
    return status;
}

static lip_status slice_upper(const slice *s, uint64_t seed, lip_memory *memory, double *upper, lip_error *error)
{
    double most, middle, radius;
    lip_status status = norm_upper(s->most, s, seed, memory, &most, error);
    if (status == LIP_OK)
        status = norm_upper(s->middle, s, seed, memory, &middle, error);
    if (status == LIP_OK)
        status = norm_upper(s->radius, s, seed, memory, &radius, error);
    if (status == LIP_OK)
        *upper = fmin(*upper, fmin(most, lip_add_up(middle, radius)));
    return status == LIP_EMEMORY ? LIP_OK : status; /* the sums stand */
}

/* The largest norm of any matrix of the operand. */
static lip_status largest_norm(const matrices *m, uint64_t seed, lip_memory *memory, double *out, lip_error *error)
{
    const int64_t size = m->rows * m->cols;
    double *block = lip_alloc(memory, 3 * size + m->cols, sizeof *block), largest = 0;
    *out = (double)INFINITY;
    if (!block)
        return LIP_OK;
    slice s = { block, block + size, block + 2 * size, m->rows, m->cols };
    lip_status status = LIP_OK;
    for (int64_t i = 0; i < m->count && status == LIP_OK; i++) {
        fill(m, i, &s);
        double upper = cheap_upper(&s, m->span->stochastic, block + 3 * size);
        if (upper > largest && isfinite(upper) && flops(m) <= MOST_FLOPS)
            status = slice_upper(&s, seed, memory, &upper, error);
        largest = fmax(largest, upper);
    }
    lip_free(memory, block);
    if (status == LIP_OK)
        *out = largest;
    return status;
}

static bool is_product(const lip_node *node)
{
    static const char *const names[] = { "MatMul", "Gemm", "FusedMatMul" };
    bool plain = lip_attr_int(node, "transBatchA", 0) == 0 && lip_attr_int(node, "transBatchB", 0) == 0;
    for (size_t i = 0; plain && i < sizeof names / sizeof *names; i++)
        if (strcmp(node->op_type, names[i]) == 0)
            return true;
    return false;
}

/* How many matrices of the other factor each matrix of `m` meets: those of the result per own one. */
static double copies(const lip_node *node, const matrices *a, const matrices *b, const matrices *m)
{
    int64_t count = 0;
    bool trans_a = lip_attr_int(node, "transA", 0) != 0, trans_b = lip_attr_int(node, "transB", 0) != 0;
    int64_t rows = trans_a ? a->cols : a->rows, cols = trans_b ? b->rows : b->cols;
    if (b->span->shape.rank == 1) /* a column */
        cols = 1;
    if (!lip_shape_count(&node->outputs[0]->shape, &count) || count == 0)
        return 1;
    return (double)(count / (rows * cols)) / (double)m->count;
}

lip_status lip_range_gain_product(const lip_range_call *call, uint64_t seed, double *gain, lip_error *error)
{
    const lip_node *node = call->node;
    double norm;
    if (!is_product(node) || node->input_count < 2 || !call->in[0].lo || !call->in[1].lo)
        return LIP_OK;
    const matrices factor[2] = { matrices_of(&call->in[0]), matrices_of(&call->in[1]) };
    const double alpha = fabs(lip_attr_float(node, "alpha", 1));
    for (size_t i = 0; i < 2; i++) {
        if (!node->inputs[i]->varies || factor[i].count == 0)
            continue;
        lip_status status = largest_norm(&factor[1 - i], seed, call->memory, &norm, error);
        if (status != LIP_OK)
            return status;
        norm = lip_mul_up(norm, lip_sqrt_up(lip_up(copies(node, &factor[0], &factor[1], &factor[i]))));
        gain[i] = fmin(gain[i], lip_mul_up(alpha, norm));
    }
    int64_t from, to;
    const lip_value *addend = lip_node_input(node, 2);
    if (addend && addend->varies && lip_shape_count(&addend->shape, &from) && from > 0 &&
        lip_shape_count(&node->outputs[0]->shape, &to))
        gain[2] = fmin(gain[2], lip_mul_up(fabs(lip_attr_float(node, "beta", 1)),
                                           lip_sqrt_up(lip_up((double)to / (double)from))));
    return LIP_OK;
}

static bool is_branches(lip_gain_kind kind)
{
    return kind == LIP_GAIN_SUM || kind == LIP_GAIN_JOIN || kind == LIP_GAIN_CONCAT;
}

double lip_range_gain_in(const lip_node *node, const lip_gain *gain, const lip_range_gain *on_range, size_t index)
{
    double upper = is_branches(gain->kind) ? lip_branch_gain(node, gain, index) : (double)INFINITY;
    return on_range ? fmin(upper, on_range->input[index]) : upper;
}

/* Whose lower bound is the norm of a linear map: it holds wherever the map is applied. */
bool lip_range_gain_keeps_lower(lip_gain_kind kind)
{
    switch (kind) {
    case LIP_GAIN_ISOMETRY:
    case LIP_GAIN_COPY:
    case LIP_GAIN_NONNEGATIVE:
    case LIP_GAIN_SCALE:
    case LIP_GAIN_DENSE:
    case LIP_GAIN_CONV:
    case LIP_GAIN_SUM:
    case LIP_GAIN_CONCAT: return true;
    default: return false;
    }
}

void lip_range_gain_apply(const lip_layer_task *task, const lip_range_gain *on_range, lip_layer_gain *gain)
{
    double upper = 0;
    for (size_t i = 0; i < task->node->input_count; i++)
        if (task->node->inputs[i] && task->node->inputs[i]->varies)
            upper = fmax(upper, lip_range_gain_in(task->node, &task->gain, on_range, i));
    if (upper < gain->upper) {
        gain->upper = upper;
        gain->verdict = LIP_BOUNDED;
        gain->method = upper == 0 ? "constant on the range" : "range of its inputs";
        gain->reason = on_range->everywhere ? "its inputs have a limited range" : "holds on the input range";
        gain->lower = on_range->everywhere ? 0 : gain->lower;
    }
    if (gain->verdict != LIP_BOUNDED)
        return;
    if (!on_range->everywhere && !lip_range_gain_keeps_lower(task->gain.kind))
        gain->lower = on_range->lower;
    gain->lower = fmin(gain->lower, gain->upper);
}
