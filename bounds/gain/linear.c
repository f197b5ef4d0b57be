/*
 * linear.c: gains of linear nodes that are known through their own forward and
 * adjoint only: copies (Slice, Gather, Pad ...) and nonnegative maps (average
 * pooling, means, sums, interpolation).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "linear/nonnegative.h"
#include "gain_of.h"
#include "linear/svd.h"
#include "run.h"

static bool forward(void *context, const double *x, double *y)
{
    return lip_apply_forward(context, x, y, NULL) == LIP_OK;
}

static bool adjoint(void *context, const double *y, double *x)
{
    return lip_apply_adjoint(context, y, x, NULL) == LIP_OK;
}

lip_status lip_gain_linear(lip_layer_task *task, lip_layer_gain *out, lip_error *error)
{
    lip_apply *apply = NULL;
    lip_norm norm;
    lip_status status = lip_apply_open(task->node, task->memory, &apply, error);
    if (status == LIP_EUNSUPPORTED) {
        out->verdict = LIP_UNKNOWN;
        out->upper = (double)INFINITY;
        out->reason = "it is linear in each of several inputs that vary, which is not supported";
        return LIP_OK;
    }
    if (status != LIP_OK)
        return status;
    lip_operator operator = { .rows = lip_apply_output_count(apply), .cols = lip_apply_input_count(apply),
                              .context = apply, .forward = forward, .adjoint = adjoint };
    bool copies = task->gain.kind == LIP_GAIN_COPY;
    status = copies ? lip_copy_norm(&operator, task->memory, &norm, error)
                    : lip_nonnegative_norm(&operator, &task->random, task->memory, &norm, error);
    if (status == LIP_OK && !copies) {
        status = lip_svd_of_operator(&operator, task->svd, task->memory, &out->exact_svd, &out->exact_svd_reason,
                                     error);
        if (!out->exact_svd_reason)
            out->exact_svd_reason = "";
    }
    lip_apply_free(&apply);
    out->lower = norm.lower;
    out->upper = norm.upper;
    out->method = norm.method;
    out->lmt_bound = copies ? (double)NAN : lip_paper_pooling(task->node, true);
    return status;
}
