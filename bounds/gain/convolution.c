/*
 * convolution.c: the gain of Conv and ConvTranspose, scales folded into the
 * weights; and the paper's two columns beside it.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "linear/convolution.h"
#include "gain_of.h"
#include "linear/svd.h"
#include "rounding.h"

/* Weights in double, [c_out, c_in / groups, taps], times the scales. A transposed convolution's input channels are the
 * map's output channels. */
static void fold_weights(const lip_layer_task *task, double *w)
{
    const lip_conv *c = &task->gain.conv;
    const lip_scale *on_out = c->transposed ? task->before : task->after;
    const lip_scale *on_in = c->transposed ? task->after : task->before;
    int64_t ci = c->c_in / c->groups, co = c->c_out / c->groups, taps = lip_conv_weight_count(c) / (c->c_out * ci);
    lip_tensor_to_real(c->weight, w);
    if (!on_out && !on_in)
        return;
    for (int64_t o = 0; o < c->c_out; o++)
        for (int64_t i = 0; i < ci; i++) {
            double factor_out = lip_scale_at(on_out, o), factor_in = lip_scale_at(on_in, o / co * ci + i);
            for (int64_t t = 0; t < taps; t++, w++)
                *w = lip_fold(lip_fold(*w, factor_out), factor_in);
        }
}

/* Norm of the kernel reshaped to c_out rows (c_in rows, transposed), and the paper's bound built on it. */
static lip_status paper_columns(lip_layer_task *task, const double *w, lip_layer_gain *out, lip_error *error)
{
    const lip_conv *c = &task->gain.conv;
    lip_matrix kernel = { w, c->c_out, lip_conv_weight_count(c) / c->c_out };
    lip_panels panels = lip_matrix_panels(&kernel, 0);
    lip_norm norm;
    lip_status status = lip_dense_norm(&panels, 0, &task->random, task->memory, &norm, error);
    if (status != LIP_OK)
        return status;
    out->reshaped = norm.upper;
    bool dilated = false;
    for (int d = 0; d < c->dims; d++)
        dilated = dilated || c->dilation[d] != 1;
    if (!dilated)
        out->lmt_bound =
            lip_mul_up(norm.upper, lip_sqrt_up(lip_paper_overlap(c->dims, c->n, c->k, c->stride, c->pad_begin)));
    return LIP_OK;
}

static lip_status all_columns(lip_layer_task *task, const double *w, double *work, lip_layer_gain *out,
                              lip_error *error)
{
    const lip_conv *c = &task->gain.conv;
    lip_conv_options options = { task->exact, task->iterations };
    lip_norm norm;
    double fold_error = lip_fold_error(task, false);
    lip_status status = lip_conv_norm(c, w, fold_error, &options, &task->random, task->memory, &norm, error);
    if (status == LIP_OK)
        status = paper_columns(task, w, out, error);
    if (status != LIP_OK)
        return status;
    lip_conv_operator context = { c, w, work };
    lip_operator operator = lip_conv_as_operator(&context);
    out->lower = norm.lower;
    out->upper = norm.upper;
    out->method = norm.method;
    out->power_estimate = norm.power_estimate;
    out->power_error_term = norm.power_error_term;
    out->power_iterations = task->iterations;
    out->exact_svd_reason = "its norm is not finite";
    if (isinf(norm.upper)) /* LAPACK refuses NaN, and knows nothing of Inf */
        return LIP_OK;
    status = lip_svd_of_operator(&operator, task->svd, task->memory, &out->exact_svd, &out->exact_svd_reason, error);
    if (!out->exact_svd_reason)
        out->exact_svd_reason = "";
    return status;
}

lip_status lip_gain_convolution(lip_layer_task *task, lip_layer_gain *out, lip_error *error)
{
    const lip_conv *c = &task->gain.conv;
    double *w = lip_alloc(task->memory, lip_conv_weight_count(c), sizeof(double));
    double *work = lip_alloc(task->memory, lip_conv_work_count(c), sizeof(double));
    lip_status status;
    if (w && work) {
        fold_weights(task, w);
        status = all_columns(task, w, work, out, error);
    } else {
        status = lip_fail(error, LIP_EMEMORY, "a convolution's weights and workspace pass the memory cap");
    }
    lip_free(task->memory, work);
    lip_free(task->memory, w);
    return status;
}
