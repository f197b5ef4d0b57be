/*
 * linear_rows.c: the matrix of one linear node, row by row.
 *
 * Matrices, convolutions, scales and copies are written down from their
 * description: their elements are the stored ones, but for a factor alpha. Other linear nodes are applied: row i is
 * the adjoint at the i-th unit vector. A dense node multiplies each weight by
 * alpha and adds zeros (relative error 2u); NONNEGATIVE nodes promise 8u.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "system.h"

#include "compose/pairwise.h"
#include "rounding.h"
#include "run.h"

#include <math.h>

static bool counts(const lip_node *node, int64_t *in, int64_t *out)
{
    int input = lip_node_varying(node);
    return input >= 0 && node->outputs[0] && lip_shape_count(&node->inputs[input]->shape, in) &&
           lip_shape_count(&node->outputs[0]->shape, out);
}

/* Position along each dimension of a running row-major counter over `size`. */
static bool advance(int dims, const int64_t *size, int64_t *at)
{
    for (int d = dims - 1; d >= 0; d--) {
        if (++at[d] < size[d])
            return true;
        at[d] = 0;
    }
    return false;
}

/* Input position of tap t at output p, flattened; -1: padding. */
static int64_t source(const lip_conv *c, const int64_t *p, const int64_t *t)
{
    int64_t at = 0;
    for (int d = 0; d < c->dims; d++) {
        int64_t q = p[d] * c->stride[d] + t[d] * c->dilation[d] - c->pad_begin[d];
        if (q < 0 || q >= c->n[d])
            return -1;
        at = at * c->n[d] + q;
    }
    return at;
}

static int64_t product(int dims, const int64_t *size)
{
    int64_t all = 1;
    for (int d = 0; d < dims; d++)
        all *= size[d];
    return all;
}

static bool put_output(lip_rows_builder *b, const lip_conv *c, int64_t base, int64_t o, const int64_t *p)
{
    int64_t ci = c->c_in / c->groups, group = o / (c->c_out / c->groups), taps = product(c->dims, c->k);
    int64_t plane = product(c->dims, c->n);
    for (int64_t i = 0; i < ci; i++) {
        int64_t t[LIP_CONV_DIMS] = { 0 }, tap = 0;
        do {
            int64_t q = source(c, p, t);
            double w = lip_tensor_real(c->weight, (o * ci + i) * taps + tap++);
            if (q >= 0 && w != 0 && !lip_rows_put(b, base + (group * ci + i) * plane + q, w))
                return false;
        } while (advance(c->dims, c->k, t));
    }
    lip_rows_next(b);
    return true;
}

static bool convolution(const lip_conv *c, lip_rows_builder *b)
{
    for (int64_t sample = 0; sample < c->batch; sample++)
        for (int64_t o = 0; o < c->c_out; o++) {
            int64_t p[LIP_CONV_DIMS] = { 0 };
            do {
                if (!put_output(b, c, sample * c->c_in * product(c->dims, c->n), o, p))
                    return false;
            } while (advance(c->dims, c->n_out, p));
        }
    return true;
}

static bool scale(const lip_scale *s, const lip_shape *shape, lip_rows_builder *b)
{
    int64_t inner = 1;
    for (int d = s->axis + 1; s->axis >= 0 && d < shape->rank; d++)
        inner *= shape->dim[d];
    for (int64_t i = 0; i < b->m.rows; i++) {
        double factor = s->factor[s->axis == -1 ? 0 : s->axis == -2 ? i : i / inner % s->count];
        if (factor != 0 && !lip_rows_put(b, i, factor))
            return false;
        lip_rows_next(b);
    }
    return true;
}

static bool dense(const lip_dense *a, lip_rows_builder *b)
{
    for (int64_t i = 0; i < a->rows; i++) {
        for (int64_t j = 0; j < a->cols; j++) {
            double w = a->alpha * lip_tensor_real(a->weight, i * a->row_stride + j * a->col_stride);
            if (w != 0 && !lip_rows_put(b, j, w))
                return false;
        }
        lip_rows_next(b);
    }
    return true;
}

static bool written_down(const lip_layer_plan *plan, lip_rows_builder *b)
{
    if (plan->gain.kind == LIP_GAIN_SCALE)
        return scale(&plan->gain.scale, &plan->node->outputs[0]->shape, b);
    return plan->gain.kind == LIP_GAIN_DENSE ? dense(&plan->gain.dense, b) : convolution(&plan->gain.conv, b);
}

/* Every output element is an input element or constant: one forward of 1, 2, 3 ... tells which. */
static lip_status copies(lip_apply *apply, lip_rows_builder *b, lip_memory *memory, lip_error *error)
{
    double *x = lip_alloc(memory, b->m.cols, sizeof *x), *y = lip_alloc(memory, b->m.rows, sizeof *y);
    bool fine = x && y;
    for (int64_t i = 0; fine && i < b->m.cols; i++)
        x[i] = (double)(i + 1);
    lip_status status = fine ? lip_apply_forward(apply, x, y, error) : lip_fail(error, LIP_EMEMORY, "no memory");
    for (int64_t i = 0; status == LIP_OK && i < b->m.rows; i++) {
        if (!(y[i] >= 0 && y[i] <= (double)b->m.cols && y[i] == floor(y[i])))
            status = lip_fail(error, LIP_EUNSUPPORTED, "a copy computes something else");
        else if (y[i] > 0 && !lip_rows_put(b, (int64_t)y[i] - 1, 1))
            status = lip_fail(error, LIP_EMEMORY, "no memory");
        lip_rows_next(b);
    }
    lip_free(memory, x);
    lip_free(memory, y);
    return status;
}

static lip_status by_adjoint(lip_apply *apply, lip_rows_builder *b, lip_memory *memory, lip_error *error)
{
    double *x = lip_alloc(memory, b->m.cols, sizeof *x), *y = lip_alloc(memory, b->m.rows, sizeof *y);
    lip_status status = x && y ? LIP_OK : lip_fail(error, LIP_EMEMORY, "no memory");
    for (int64_t i = 0; status == LIP_OK && i < b->m.rows; i++) {
        y[i] = 1;
        status = lip_apply_adjoint(apply, y, x, error);
        y[i] = 0;
        for (int64_t j = 0; status == LIP_OK && j < b->m.cols; j++)
            if (x[j] != 0 && !lip_rows_put(b, j, x[j])) /* NaN is put too, and ends in no proof */
                status = lip_fail(error, LIP_EMEMORY, "no memory");
        lip_rows_next(b);
    }
    lip_free(memory, x);
    lip_free(memory, y);
    return status;
}

static lip_status applied(const lip_layer_plan *plan, lip_rows_builder *b, lip_memory *memory, lip_error *error)
{
    lip_apply *apply = NULL;
    lip_gain_kind kind = plan->gain.kind;
    lip_status status = lip_apply_open(plan->node, memory, &apply, error);
    if (status != LIP_OK)
        return status;
    if (lip_apply_input_count(apply) != b->m.cols || lip_apply_output_count(apply) != b->m.rows)
        status = lip_fail(error, LIP_EUNSUPPORTED, "its sizes are not those of its tensors");
    else if (kind == LIP_GAIN_COPY || kind == LIP_GAIN_ISOMETRY)
        status = copies(apply, b, memory, error);
    else
        status = by_adjoint(apply, b, memory, error);
    lip_apply_free(&apply);
    return status;
}

static bool describes_itself(const lip_layer_plan *plan, int64_t in, int64_t out)
{
    const lip_scale *s = &plan->gain.scale;
    if (plan->gain.kind == LIP_GAIN_SCALE)
        return s->multiplicity == 1 && in == out && (s->axis != -2 || s->count == out);
    if (plan->gain.kind == LIP_GAIN_DENSE)
        return lip_dense_is_whole(plan);
    return plan->gain.kind == LIP_GAIN_CONV && !plan->gain.conv.transposed;
}

lip_status lip_linear_rows(const lip_layer_plan *plan, lip_arena *arena, lip_rows *out, double *relative,
                           lip_error *error)
{
    int64_t in, count;
    lip_rows_builder b;
    lip_gain_kind kind = plan->gain.kind;
    if (!counts(plan->node, &in, &count))
        return lip_fail(error, LIP_EUNSUPPORTED, "several of its inputs vary");
    if (in > INT32_MAX || count > INT32_MAX)
        return lip_fail(error, LIP_EUNSUPPORTED, "it is too large");
    if (!lip_rows_begin(&b, arena, count, in))
        return lip_fail(error, LIP_EMEMORY, "no memory");
    lip_status status = LIP_OK;
    bool exact = kind == LIP_GAIN_COPY || kind == LIP_GAIN_ISOMETRY ||
                 (kind == LIP_GAIN_CONV && describes_itself(plan, in, count));
    *relative = exact ? 0 : kind == LIP_GAIN_SCALE ? plan->gain.scale.relative_error : 16 * LIP_UNIT;
    if (!describes_itself(plan, in, count))
        status = kind == LIP_GAIN_SCALE ? lip_fail(error, LIP_EUNSUPPORTED, "it broadcasts its input")
                                        : applied(plan, &b, arena->memory, error);
    else if (!written_down(plan, &b))
        status = lip_fail(error, LIP_EMEMORY, "no memory");
    *out = b.m;
    return status;
}
