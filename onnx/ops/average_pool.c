/*
 * average_pool.c: AveragePool. Each output is the sum over its window divided
 * by the number of inputs it holds or, with count_include_pad, by the number
 * of positions inside the padded input. For a window that sticks out of the
 * padded input (ceil_mode) some runtimes divide by the whole kernel: the
 * smaller divisor used here gives the larger coefficients, so that a gain
 * covers both.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "ranges.h"
#include "support.h"
#include "window.h"

#include <string.h>

static lip_status read(const lip_node *node, lip_window *out, lip_error *error)
{
    lip_window window = { 0 };
    LIP_TRY(lip_check_inputs(node, 1, 1, error));
    LIP_TRY(lip_check_real(node, 0, error));
    LIP_TRY(lip_window_read(node, &node->inputs[0]->shape, NULL, lip_attr_int(node, "ceil_mode", 0) != 0, &window,
                            error));
    if (lip_attr_int(node, "count_include_pad", 0) == 0)
        LIP_TRY(lip_window_check_not_empty(node, &window, error));
    *out = window;
    return LIP_OK;
}

static lip_status shape(const lip_node *node, lip_error *error)
{
    lip_window window = { 0 };
    LIP_TRY(read(node, &window, error));
    lip_shape y = node->inputs[0]->shape;
    for (int i = 0; i < window.dims; i++)
        y.dim[i + 2] = window.n_out[i];
    return lip_set_output(node, 0, node->inputs[0]->dtype, &y, error);
}

/* What the sum over a window is divided by. */
static double divisor_of(const lip_window *w, const lip_box *b, bool include_pad, int64_t o)
{
    lip_window padded = *w; /* the padding as if it were input */
    double divisor = 1;
    for (int i = 2; i >= 0; i--) {
        int64_t first;
        padded.n[i] = w->n[i] + w->pad_begin[i] + w->pad_end[i];
        padded.pad_begin[i] = 0;
        divisor *= (double)(include_pad ? lip_window_span(&padded, i, o % w->n_out[i], &first) : b->count[i]);
        o /= w->n_out[i];
    }
    return divisor;
}

static double sum_over(const lip_window *w, const lip_box *b, const double *x)
{
    double sum = 0;
    for (int64_t i = 0; i < b->count[0]; i++)
        for (int64_t j = 0; j < b->count[1]; j++) {
            const int64_t row = lip_window_row(w, b, i, j);
            for (int64_t k = 0; k < b->count[2]; k++)
                sum += x[row + k * w->dilation[2]];
        }
    return sum;
}

static void add_over(const lip_window *w, const lip_box *b, double value, double *x)
{
    for (int64_t i = 0; i < b->count[0]; i++)
        for (int64_t j = 0; j < b->count[1]; j++) {
            const int64_t row = lip_window_row(w, b, i, j);
            for (int64_t k = 0; k < b->count[2]; k++)
                x[row + k * w->dilation[2]] += value;
        }
}

/* Both passes: planes of x and y, forward or back. */
static lip_status run(const lip_call *call, bool forward, lip_error *error)
{
    lip_window window = { 0 };
    LIP_TRY(read(call->node, &window, error));
    const lip_window w = lip_window_widen(&window);
    const bool include_pad = lip_attr_int(call->node, "count_include_pad", 0) != 0;
    const int64_t size = w.n[0] * w.n[1] * w.n[2], positions = w.n_out[0] * w.n_out[1] * w.n_out[2];
    const int64_t planes = call->in[0]->shape.dim[0] * call->in[0]->shape.dim[1];
    for (int64_t o = 0; o < positions; o++) {
        const lip_box b = lip_window_box(&w, o);
        const double divisor = divisor_of(&w, &b, include_pad, o);
        for (int64_t p = 0; p < planes; p++)
            if (forward)
                call->out[0]->f64_room[p * positions + o] = sum_over(&w, &b, call->in[0]->f64 + p * size) / divisor;
            else
                add_over(&w, &b, call->out_grad[0][p * positions + o] / divisor, call->in_grad[0] + p * size);
    }
    return LIP_OK;
}

static lip_status forward(const lip_call *call, lip_error *error)
{
    return run(call, true, error);
}

static lip_status adjoint(const lip_call *call, lip_error *error)
{
    memset(call->in_grad[0], 0, (size_t)call->in[0]->count * sizeof(double));
    return run(call, false, error);
}

const lip_op lip_op_average_pool = {
    .name = "AveragePool",
    .domain = "",
    .opset_first = 1,
    .opset_last = LIP_OPSET_LAST,
    .gain = { .kind = LIP_GAIN_NONNEGATIVE },
    .shape = shape,
    .forward = forward,
    .adjoint = adjoint,
    .range = lip_range_weighted,
};
