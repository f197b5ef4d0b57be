/*
 * batch_dense.c: y = A x + b on every slice of every sample.
 *
 * Slices that lie along the last axis are the rows of one matrix for the whole
 * batch, Y [slices, rows] = X [slices, cols] A'. Slices across it (a constant
 * left factor) are one product each, Y [rows, inner] = A X [cols, inner]. Both
 * are tiles (batch_tiles.h), whose images are slices.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "batch_parts.h"

struct lip_batch_dense {
    lip_tiles tiles;
    int64_t slices; /* of one sample */
    void *shift;    /* b of a whole sample, where it is not the same for every slice; else NULL */
};

static int64_t inner_of(const lip_shape *shape, int axis)
{
    int64_t count = 1;
    for (int i = axis + 1; i < shape->rank; i++)
        count *= shape->dim[i];
    return count;
}

/* One matrix, whose columns and rows are axes of input and output with the same elements to their right, or all of
 * their elements. */
static bool read_layout(const lip_node *node, const lip_dense *dense, lip_batch_dense *d)
{
    const lip_value *x = node->inputs[lip_node_varying(node)], *y = node->outputs[0];
    int64_t x_count, y_count, in, out;
    if (dense->batch != 1 || dense->multiplicity != 1 || dense->rows < 1 || dense->cols < 1 ||
        !lip_shape_count(&x->shape, &x_count) || !lip_shape_count(&y->shape, &y_count))
        return false;
    if (dense->in_axis < 0 && dense->cols != x_count)
        return false;
    const int64_t inner = dense->in_axis >= 0 ? inner_of(&x->shape, dense->in_axis) : 1;
    const int64_t right = dense->out_axis >= 0 ? inner_of(&y->shape, dense->out_axis) : 1;
    if (right != inner && !(dense->out_axis < 0 && dense->rows == 1))
        return false;
    if (!lip_size_mul(dense->cols, inner, &in) || !lip_size_mul(dense->rows, inner, &out) || in < 1 ||
        x_count % in != 0)
        return false;
    d->slices = x_count / in;
    d->tiles.groups = 1;
    d->tiles.channels = dense->rows;
    d->tiles.terms = dense->cols;
    d->tiles.positions = inner;
    d->tiles.in_image = in;
    d->tiles.out_image = out;
    return d->slices * out == y_count;
}

static void pack(lip_batch_dense *d, const lip_dense *dense)
{
    lip_tiles *t = &d->tiles;
    for (int64_t j = 0; j < t->terms; j++)
        t->offset[j] = j * t->positions;
    for (int64_t p = 0; p < t->positions; p++)
        t->base[p] = p;
    for (int64_t i = 0; i < dense->rows; i++)
        for (int64_t j = 0; j < dense->cols; j++) {
            const int64_t at = i * dense->row_stride + j * dense->col_stride;
            lip_tiles_set_weight(t, 0, i, j, dense->alpha * lip_tensor_real(dense->weight, at));
        }
}

static int64_t output_count(const lip_batch_dense *d)
{
    return d->slices * d->tiles.out_image;
}

/* Row r has the same shift in every slice and at every position. */
static bool is_uniform(const lip_batch_dense *d, const double *shift)
{
    const lip_tiles *t = &d->tiles;
    for (int64_t i = 0; i < output_count(d); i++)
        if (shift[i] != shift[i / t->positions % t->channels * t->positions])
            return false;
    return true;
}

static lip_status keep_shift(lip_batch_dense *d, const lip_node *node, const double *shift, lip_memory *memory,
                             lip_error *error)
{
    lip_tiles *t = &d->tiles;
    if (is_uniform(d, shift)) {
        for (int64_t r = 0; r < t->channels && d->slices > 0; r++)
            lip_tiles_set_bias(t, 0, r, shift[r * t->positions]);
        return LIP_OK;
    }
    d->shift = lip_alloc(memory, output_count(d), t->kernels->size);
    if (d->shift == NULL)
        return lip_fail_memory(error, node, "its shift");
    t->kernels->from_f64(output_count(d), shift, d->shift);
    return LIP_OK;
}

static lip_status read_shift(lip_batch_dense *d, const lip_node *node, lip_memory *memory, lip_error *error)
{
    double *shift = lip_alloc(memory, output_count(d), sizeof *shift);
    if (shift == NULL)
        return lip_fail_memory(error, node, "its shift");
    lip_status status = lip_affine_shift(node, memory, shift, error);
    if (status == LIP_OK)
        status = keep_shift(d, node, shift, memory, error);
    lip_free(memory, shift);
    return status;
}

lip_status lip_batch_dense_open(const lip_node *node, const lip_dense *dense, const lip_kernels *kernels,
                                lip_memory *memory, lip_batch_dense **out, lip_error *error)
{
    lip_batch_dense layout = { .tiles = { .kernels = kernels } };
    lip_status status = LIP_OK;
    *out = NULL;
    if (!read_layout(node, dense, &layout))
        return LIP_OK;
    lip_batch_dense *d = lip_alloc(memory, 1, sizeof *d);
    if (d == NULL)
        return lip_fail_memory(error, node, "its matrix");
    *d = layout;
    if (lip_tiles_open(&d->tiles, memory))
        pack(d, dense);
    else
        status = lip_fail_memory(error, node, "its weights");
    if (status == LIP_OK)
        status = read_shift(d, node, memory, error);
    if (status == LIP_OK)
        *out = d;
    else
        lip_batch_dense_free(d, memory);
    return status;
}

void lip_batch_dense_free(lip_batch_dense *dense, lip_memory *memory)
{
    if (dense == NULL)
        return;
    lip_tiles_free(&dense->tiles, memory);
    lip_free(memory, dense->shift);
    lip_free(memory, dense);
}

int64_t lip_batch_dense_terms(const lip_batch_dense *dense)
{
    return dense->tiles.terms;
}

void lip_batch_dense_run(const lip_batch_dense *dense, bool relu, int64_t count, const void *x, void *y)
{
    const lip_kernels *kernels = dense->tiles.kernels;
    const int64_t elements = output_count(dense);
    const void *shift = dense->shift;
    lip_tiles_run(&dense->tiles, relu && shift == NULL, count * dense->slices, x, y);
    for (int64_t s = 0; shift != NULL && s < count; s++) {
        char *to = (char *)y + (size_t)(s * elements) * kernels->size;
        kernels->add(elements, to, shift, to);
        if (relu)
            kernels->relu(elements, to, to);
    }
}
