/*
 * lp_pool.c: LpPool, y_o = |x in window o|_p, p >= 1.
 *
 * Gain: | |a|_p - |b|_p | <= |a - b|_p, which is at most |a - b|_2 for p >= 2
 * and sqrt(k) |a - b|_2 for p = 1 and k elements [Cauchy, Schwarz]; an input
 * lies in at most `overlap` windows, so the squares add up to at most overlap
 * (times k) |x - x'|^2. For p >= 2, x = t e_q with q in `overlap` windows
 * attains it.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "copy.h"
#include "outward.h"
#include "support.h"
#include "window.h"

#include <math.h>

static lip_status read(const lip_node *node, lip_window *out, double *p, lip_error *error)
{
    lip_window window = { 0 };
    LIP_TRY(lip_check_inputs(node, 1, 1, error));
    LIP_TRY(lip_check_real(node, 0, error));
    *p = node->opset < 2 ? lip_attr_float(node, "p", 2.0F) : (double)lip_attr_int(node, "p", 2);
    if (!(*p >= 1))
        return lip_fail_node(error, LIP_EFORMAT, node, "p is %g", *p);
    LIP_TRY(lip_window_read(node, &node->inputs[0]->shape, NULL, lip_attr_int(node, "ceil_mode", 0) != 0, &window,
                            error));
    *out = window;
    return LIP_OK;
}

static lip_status shape(const lip_node *node, lip_error *error)
{
    lip_window window = { 0 };
    double p;
    LIP_TRY(read(node, &window, &p, error));
    lip_shape y = node->inputs[0]->shape;
    for (int i = 0; i < window.dims; i++)
        y.dim[i + 2] = window.n_out[i];
    return lip_set_output(node, 0, node->inputs[0]->dtype, &y, error);
}

/* |x|_p in the box; or, with `grad`, adds g times its gradient there. */
static double norm_in(const lip_window *w, const lip_box *b, const double *x, double p, double norm, double g,
                      double *grad)
{
    double sum = 0;
    for (int64_t i = 0; i < b->count[0]; i++)
        for (int64_t j = 0; j < b->count[1]; j++)
            for (int64_t k = 0, at = lip_window_row(w, b, i, j); k < b->count[2]; k++, at += w->dilation[2]) {
                const double size = fabs(x[at]);
                if (grad == NULL)
                    sum += p == 1 ? size : p == 2 ? size * size : pow(size, p);
                else if (norm > 0 && size > 0)
                    grad[at] += g * copysign(pow(size / norm, p - 1), x[at]);
            }
    return p == 1 ? sum : p == 2 ? sqrt(sum) : pow(sum, 1 / p);
}

static lip_status forward(const lip_call *call, lip_error *error)
{
    lip_window window = { 0 };
    double p;
    LIP_TRY(read(call->node, &window, &p, error));
    const lip_window w = lip_window_widen(&window);
    const int64_t size = w.n[0] * w.n[1] * w.n[2], positions = w.n_out[0] * w.n_out[1] * w.n_out[2];
    for (int64_t o = 0; call->out[0] != NULL && o < positions; o++) {
        const lip_box b = lip_window_box(&w, o);
        for (int64_t plane = 0; plane < call->in[0]->shape.dim[0] * call->in[0]->shape.dim[1]; plane++)
            call->out[0]->f64_room[plane * positions + o] =
                norm_in(&w, &b, call->in[0]->f64 + plane * size, p, 0, 0, NULL);
    }
    return LIP_OK;
}

static lip_status adjoint(const lip_call *call, lip_error *error)
{
    lip_window window = { 0 };
    double p;
    LIP_TRY(read(call->node, &window, &p, error));
    const lip_window w = lip_window_widen(&window);
    const int64_t size = w.n[0] * w.n[1] * w.n[2], positions = w.n_out[0] * w.n_out[1] * w.n_out[2];
    lip_zero_grad(call, 0);
    for (int64_t o = 0; call->in_grad[0] != NULL && call->out_grad[0] != NULL && o < positions; o++) {
        const lip_box b = lip_window_box(&w, o);
        for (int64_t plane = 0; plane < call->in[0]->shape.dim[0] * call->in[0]->shape.dim[1]; plane++)
            (void)norm_in(&w, &b, call->in[0]->f64 + plane * size, p, call->out[0]->f64[plane * positions + o],
                          call->out_grad[0][plane * positions + o], call->in_grad[0] + plane * size);
    }
    return LIP_OK;
}

static lip_status describe(const lip_node *node, lip_arena *arena, lip_gain *gain, lip_error *error)
{
    (void)arena;
    lip_window window = { 0 };
    double p, elements = 1;
    LIP_TRY(read(node, &window, &p, error));
    *gain = (lip_gain){ .kind = LIP_GAIN_SELECT, .select = lip_window_overlap(&window) };
    if (p >= 2)
        return LIP_OK;
    for (int i = 0; i < window.dims; i++)
        elements *= (double)window.k[i];
    const double upper = lip_up(sqrt(lip_up(elements * (double)lip_window_overlap(&window))));
    *gain = (lip_gain){ .kind = LIP_GAIN_LIPSCHITZ, .lipschitz = { .upper = upper } };
    return LIP_OK;
}

const lip_op lip_op_lp_pool = {
    .name = "LpPool",
    .domain = "",
    .opset_first = 1,
    .opset_last = LIP_OPSET_LAST,
    .gain = { .kind = LIP_GAIN_SELECT, .select = 1 },
    .shape = shape,
    .forward = forward,
    .adjoint = adjoint,
    .describe = describe,
};
