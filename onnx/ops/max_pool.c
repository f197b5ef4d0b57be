/*
 * max_pool.c: MaxPool. Gain: the map selects one input for each output. On a
 * segment between two points every output's change is at most the largest
 * change in its window, and an input lies in at most `overlap` windows, so
 *   |y(x) - y(x')|^2 <= sum_o max_{q in window o} (x - x')_q^2 <= overlap |x - x'|^2;
 * raising an input that `overlap` windows share, far above the rest, attains it.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "ranges.h"
#include "support.h"
#include "window.h"

#include <inttypes.h>
#include <string.h>

static lip_status read(const lip_node *node, lip_window *out, lip_error *error)
{
    lip_window window = { 0 };
    LIP_TRY(lip_check_inputs(node, 1, 1, error));
    const lip_dtype type = node->inputs[0]->dtype;
    if (type != LIP_DTYPE_UINT8 && type != LIP_DTYPE_INT8) /* numbers that a double holds, too */
        LIP_TRY(lip_check_real(node, 0, error));
    LIP_TRY(lip_window_read(node, &node->inputs[0]->shape, NULL, lip_attr_int(node, "ceil_mode", 0) != 0, &window,
                            error));
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
    LIP_TRY(lip_set_output(node, 0, node->inputs[0]->dtype, &y, error));
    return lip_set_output(node, 1, LIP_DTYPE_INT64, &y, error);
}

/* Offset in the plane of the largest element: the first one in row-major order. NaN wins. */
static int64_t largest(const lip_window *w, const lip_box *b, const double *x)
{
    int64_t best = -1;
    for (int64_t i = 0; i < b->count[0]; i++)
        for (int64_t j = 0; j < b->count[1]; j++) {
            const int64_t row = lip_window_row(w, b, i, j);
            for (int64_t k = 0; k < b->count[2]; k++) {
                const int64_t at = row + k * w->dilation[2];
                if (best < 0 || x[at] > x[best] || x[at] != x[at])
                    best = at;
            }
        }
    return best;
}

/* Index of the standard's Indices output for an offset in plane `plane`. */
static int64_t stored_index(const lip_window *w, int64_t plane, int64_t at, bool column_major)
{
    const int64_t size = w->n[0] * w->n[1] * w->n[2];
    if (!column_major)
        return plane * size + at;
    const int64_t k = at % w->n[2], j = at / w->n[2] % w->n[1], i = at / w->n[2] / w->n[1];
    return plane * size + (k * w->n[1] + j) * w->n[0] + i;
}

/* `whole`: the elements of an input of an integer type, to compare as reals; NULL for reals. */
static lip_status pool(const lip_call *call, const double *whole, lip_error *error)
{
    lip_window window = { 0 };
    LIP_TRY(read(call->node, &window, error));
    const lip_window w = lip_window_widen(&window);
    const lip_shape *s = &call->in[0]->shape;
    const int64_t size = w.n[0] * w.n[1] * w.n[2], positions = w.n_out[0] * w.n_out[1] * w.n_out[2];
    const int64_t planes = s->dim[0] * s->dim[1];
    const bool column_major = lip_attr_int(call->node, "storage_order", 0) != 0;
    lip_tensor *indices = call->node->output_count > 1 ? call->out[1] : NULL;
    for (int64_t o = 0; o < positions; o++) {
        const lip_box b = lip_window_box(&w, o);
        for (int64_t p = 0; p < planes; p++) {
            const double *x = (whole != NULL ? whole : call->in[0]->f64) + p * size;
            const int64_t at = largest(&w, &b, x);
            if (call->out[0] != NULL && whole != NULL)
                call->out[0]->i64_room[p * positions + o] = call->in[0]->i64[p * size + at];
            else if (call->out[0] != NULL)
                call->out[0]->f64_room[p * positions + o] = x[at];
            if (indices != NULL)
                indices->i64_room[p * positions + o] = stored_index(&w, p, at, column_major);
        }
    }
    return LIP_OK;
}

static lip_status forward(const lip_call *call, lip_error *error)
{
    if (call->in[0]->storage != LIP_I64)
        return pool(call, NULL, error);
    double *whole = lip_alloc(call->memory, call->in[0]->count, sizeof *whole);
    if (whole == NULL)
        return lip_fail_memory(error, call->node, "its input");
    lip_tensor_to_real(call->in[0], whole);
    const lip_status status = pool(call, whole, error);
    lip_free(call->memory, whole);
    return status;
}

static lip_status adjoint(const lip_call *call, lip_error *error)
{
    lip_window window = { 0 };
    LIP_TRY(read(call->node, &window, error));
    const lip_window w = lip_window_widen(&window);
    const lip_shape *s = &call->in[0]->shape;
    const int64_t size = w.n[0] * w.n[1] * w.n[2], positions = w.n_out[0] * w.n_out[1] * w.n_out[2];
    memset(call->in_grad[0], 0, (size_t)call->in[0]->count * sizeof(double));
    for (int64_t o = 0; call->out_grad[0] != NULL && o < positions; o++) {
        const lip_box b = lip_window_box(&w, o);
        for (int64_t p = 0; p < s->dim[0] * s->dim[1]; p++)
            call->in_grad[0][p * size + largest(&w, &b, call->in[0]->f64 + p * size)] +=
                call->out_grad[0][p * positions + o];
    }
    return LIP_OK;
}

static lip_status describe(const lip_node *node, lip_arena *arena, lip_gain *gain, lip_error *error)
{
    (void)arena;
    lip_window window = { 0 };
    LIP_TRY(read(node, &window, error));
    const lip_value *indices = lip_node_output(node, 1);
    if (indices != NULL && indices->consumers > 0)
        *gain = lip_gain_none(LIP_GAIN_UNBOUNDED, "its Indices output is used, and indices jump");
    else
        *gain = (lip_gain){ .kind = LIP_GAIN_SELECT, .select = lip_window_overlap(&window) };
    return LIP_OK;
}

const lip_op lip_op_max_pool = {
    .name = "MaxPool",
    .domain = "",
    .opset_first = 1,
    .opset_last = LIP_OPSET_LAST,
    .gain = { .kind = LIP_GAIN_SELECT, .select = 1 },
    .shape = shape,
    .forward = forward,
    .adjoint = adjoint,
    .describe = describe,
    .range = lip_range_monotone,
};
