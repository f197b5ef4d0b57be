/*
 * gain_of.c: one calculator per kind of gain, and the kinds that need no
 * calculation.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "gain_of.h"
#include "audit.h"
#include "rounding.h"

static lip_status isometry(lip_layer_task *task, lip_layer_gain *out, lip_error *error)
{
    (void)task;
    (void)error;
    out->lower = out->upper = 1;
    out->method = LIP_METHOD_ISOMETRY;
    return LIP_OK;
}

static lip_status slopes(lip_layer_task *task, lip_layer_gain *out, lip_error *error)
{
    (void)error;
    out->upper = fmax(fabs(task->gain.slopes.a), fabs(task->gain.slopes.b));
    out->lower = task->gain.slopes.slack == 0 ? out->upper : fmax(0, lip_sub_down(out->upper, task->gain.slopes.slack));
    out->method = "largest slope";
    return LIP_OK;
}

static lip_status lipschitz(lip_layer_task *task, lip_layer_gain *out, lip_error *error)
{
    (void)error;
    out->upper = task->gain.lipschitz.upper;
    out->lower = task->gain.lipschitz.lower;
    out->method = "closed form";
    return LIP_OK;
}

/* Whether one input's change can pass at full size: always for the parts of a Concat (together they fill the output; a
 * Scatter's overlap), and for elementwise operations on reals that do not broadcast. */
static bool is_attained(const lip_node *node, lip_gain_kind kind)
{
    const lip_shape *result = &node->outputs[0]->shape;
    int64_t total = 0, filled, count;
    bool alike = true;
    for (size_t i = 0; i < node->input_count; i++) {
        const lip_value *in = node->inputs[i];
        if (!in || !in->shape_known || !lip_shape_count(&in->shape, &count) || !lip_size_add(total, count, &total))
            return false;
        alike = alike && lip_dtype_is_real(in->dtype) && lip_shape_equal(&in->shape, result);
    }
    return kind == LIP_GAIN_CONCAT ? lip_shape_count(result, &filled) && filled == total : alike;
}

/* Beside an infinite constant nothing of the input is left. */
static bool adds_infinity(const lip_node *node)
{
    for (size_t i = 0; i < node->input_count; i++) {
        const lip_tensor *constant = lip_node_constant(node, i);
        for (int64_t k = 0; constant && constant->storage != LIP_OPAQUE && k < constant->count; k++)
            if (isinf(lip_tensor_real(constant, k)))
                return true;
    }
    return false;
}

/* The row shows the largest gain in one input; composition asks lip_branch_gain for each. */
static lip_status branches(lip_layer_task *task, lip_layer_gain *out, lip_error *error)
{
    (void)error;
    out->upper = 0;
    for (size_t i = 0; i < task->node->input_count; i++)
        if (task->node->inputs[i] && task->node->inputs[i]->varies)
            out->upper = fmax(out->upper, lip_branch_gain(task->node, &task->gain, i));
    bool translation = lip_node_varying(task->node) >= 0 && task->gain.kind == LIP_GAIN_SUM;
    bool whole = translation || is_attained(task->node, task->gain.kind);
    out->lower = out->upper == 1 && whole && !adds_infinity(task->node) ? 1 : 0;
    out->method = translation ? "translation" : "branches";
    return LIP_OK;
}

static lip_status unbounded(lip_layer_task *task, lip_layer_gain *out, lip_error *error)
{
    (void)error;
    out->verdict = LIP_UNBOUNDED;
    out->lower = out->upper = (double)INFINITY;
    out->reason = task->gain.reason ? task->gain.reason : "it has no finite Lipschitz constant";
    out->method = "none";
    return LIP_OK;
}

static lip_status unknown(lip_layer_task *task, lip_layer_gain *out, lip_error *error)
{
    (void)error;
    out->verdict = LIP_UNKNOWN;
    out->lower = 0;
    out->upper = (double)INFINITY;
    out->reason = task->gain.reason ? task->gain.reason : "no bound is known for this use of the operator";
    out->method = "none";
    return LIP_OK;
}

static lip_gain_calculator *const calculators[] = {
    [LIP_GAIN_UNKNOWN] = unknown,       [LIP_GAIN_ISOMETRY] = isometry, [LIP_GAIN_COPY] = lip_gain_linear,
    [LIP_GAIN_NONNEGATIVE] = lip_gain_linear, [LIP_GAIN_SCALE] = lip_gain_scale, [LIP_GAIN_DENSE] = lip_gain_dense,
    [LIP_GAIN_CONV] = lip_gain_convolution, [LIP_GAIN_SELECT] = lip_gain_pool, [LIP_GAIN_SLOPES] = slopes,
    [LIP_GAIN_LIPSCHITZ] = lipschitz,   [LIP_GAIN_SUM] = branches,      [LIP_GAIN_JOIN] = branches,
    [LIP_GAIN_CONCAT] = branches,       [LIP_GAIN_UNBOUNDED] = unbounded,
};

double lip_branch_gain(const lip_node *node, const lip_gain *gain, size_t index)
{
    const lip_value *in = lip_node_input(node, index), *result = lip_node_output(node, 0);
    int64_t from, to;
    double coefficient = gain->kind == LIP_GAIN_SUM && gain->coefficient > 0 ? gain->coefficient : 1;
    if (gain->kind == LIP_GAIN_CONCAT)
        return 1;
    if (!lip_shape_count(&in->shape, &from) || !lip_shape_count(&result->shape, &to))
        return (double)INFINITY;
    if (from == 0 || to <= from)
        return from == 0 ? 0 : coefficient;
    double copies = to % from == 0 ? (double)(to / from) : lip_up((double)to / (double)from);
    return lip_mul_up(coefficient, lip_sqrt_up(copies));
}

static bool is_empty(const lip_value *value)
{
    int64_t count;
    return value && value->shape_known && lip_shape_count(&value->shape, &count) && count == 0;
}

/* From or to a tensor without elements every map is constant. */
static bool has_empty_end(const lip_node *node)
{
    for (size_t i = 0; i < node->input_count; i++)
        if (lip_node_input(node, i) && node->inputs[i]->varies && is_empty(node->inputs[i]))
            return true;
    return is_empty(lip_node_output(node, 0));
}

lip_status lip_gain_of(lip_layer_task *task, lip_layer_gain *out, lip_error *error)
{
    const double nan = (double)NAN;
    *out = (lip_layer_gain) { .verdict = LIP_BOUNDED, .reason = task->gain.reason ? task->gain.reason : "",
                              .power_estimate = nan, .power_error_term = nan,
                              .exact_svd = nan, .reshaped = nan, .lmt_bound = nan,
                              .method = "none", .exact_svd_reason = "not a matrix" };
    lip_error inner = { 0 };
    lip_status status = calculators[task->gain.kind](task, out, &inner);
    if (status != LIP_OK)
        return lip_fail_node(error, status, task->node, "%s", inner.reason);
    if (!(out->lower <= out->upper))
        return lip_fail_node(error, LIP_EINTERNAL, task->node,
                             "the proved lower bound %.17g is above the proved upper bound %.17g: please report this",
                             out->lower, out->upper);
    if (has_empty_end(task->node))
        out->lower = 0;
    if (out->verdict == LIP_BOUNDED && isinf(out->upper)) {
        out->verdict = LIP_UNKNOWN;
        out->reason = "no proof of a finite bound went through";
    }
    return LIP_OK;
}
