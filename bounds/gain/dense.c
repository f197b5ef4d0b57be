/*
 * dense.c: the gain of Gemm and MatMul with a constant factor. The operator is
 * the matrix, once for every slice of the input: its norm does not depend on
 * how many there are. A batched constant is block diagonal: the largest norm.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "linear/dense.h"
#include "gain_of.h"
#include "linear/svd.h"
#include "rounding.h"

typedef struct dense_lines {
    const lip_layer_task *task;
    int64_t base; /* first element of this matrix of the batch */
} dense_lines;

/* Lines along the longer side of alpha diag(after) A diag(before). */
static void fill(void *context, int64_t first, int64_t count, double *lines)
{
    const dense_lines *source = context;
    const lip_layer_task *task = source->task;
    const lip_dense *a = &task->gain.dense;
    bool by_rows = a->rows >= a->cols;
    int64_t width = by_rows ? a->cols : a->rows;
    int64_t line_stride = by_rows ? a->row_stride : a->col_stride, step = by_rows ? a->col_stride : a->row_stride;
    const lip_scale *line_scale = by_rows ? task->after : task->before;
    const lip_scale *step_scale = by_rows ? task->before : task->after;
    const lip_storage storage = a->weight->storage;
    for (int64_t i = 0; i < count; i++) {
        int64_t at = source->base + (first + i) * line_stride;
        double factor = lip_fold(a->alpha, lip_scale_at(line_scale, first + i)), *line = lines + i * width;
        if (storage == LIP_F32)
            for (int64_t j = 0; j < width; j++)
                line[j] = (double)a->weight->f32[at + j * step];
        else
            for (int64_t j = 0; j < width; j++)
                line[j] = lip_tensor_real(a->weight, at + j * step);
        for (int64_t j = 0; factor != 1 && j < width; j++)
            line[j] = lip_fold(line[j], factor);
        for (int64_t j = 0; step_scale && j < width; j++)
            line[j] = lip_fold(line[j], lip_scale_at(step_scale, j));
    }
}

static lip_status svd(lip_layer_task *task, const lip_panels *panels, lip_layer_gain *out, lip_error *error)
{
    double sigma = 0;
    out->exact_svd_reason = lip_svd_refusal(panels->length, panels->width, task->svd, task->memory);
    if (out->exact_svd_reason)
        return LIP_OK;
    double *matrix = lip_alloc(task->memory, panels->length * panels->width, sizeof(double));
    if (!matrix) {
        out->exact_svd_reason = "forming the operator passes the memory cap";
        return LIP_OK;
    }
    panels->fill(panels->context, 0, panels->length, matrix);
    lip_status status = lip_svd_largest(matrix, panels->width, panels->length, task->memory, &sigma, error);
    lip_free(task->memory, matrix);
    out->exact_svd_reason = "";
    out->exact_svd = isnan(out->exact_svd) ? sigma : fmax(out->exact_svd, sigma);
    return status;
}

lip_status lip_gain_dense(lip_layer_task *task, lip_layer_gain *out, lip_error *error)
{
    const lip_dense *a = &task->gain.dense;
    dense_lines source = { task, 0 };
    lip_panels panels = { a->rows > a->cols ? a->rows : a->cols, a->rows > a->cols ? a->cols : a->rows, &source, fill,
                          lip_fold_error(task, a->alpha != 1) };
    out->power_iterations = task->iterations;
    out->power_estimate = out->power_error_term = 0;
    for (int64_t b = 0; b < a->batch; b++) {
        lip_norm norm;
        source.base = b * a->batch_stride;
        lip_status status = lip_dense_norm(&panels, task->iterations, &task->random, task->memory, &norm, error);
        if (status == LIP_OK && a->multiplicity == 1 && isfinite(norm.upper))
            status = svd(task, &panels, out, error);
        if (status != LIP_OK)
            return status;
        out->lower = fmax(out->lower, norm.lower);
        out->upper = fmax(out->upper, norm.upper);
        out->power_estimate = fmax(out->power_estimate, norm.power_estimate);
        out->power_error_term = fmax(out->power_error_term, norm.power_error_term);
        out->method = norm.method;
    }
    if (isinf(out->upper)) {
        out->power_estimate = out->power_error_term = out->exact_svd = (double)NAN;
        out->exact_svd_reason = "its norm is not finite";
    }
    if (a->multiplicity > 1) {
        out->upper = lip_mul_up(out->upper, lip_sqrt_up((double)a->multiplicity));
        out->exact_svd_reason = "the input is broadcast over several matrices";
    }
    return LIP_OK;
}
