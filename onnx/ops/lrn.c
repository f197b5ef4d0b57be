/*
 * lrn.c: LRN, y_c = x_c D_c^-beta, D_c = K + a sum_{j in W(c)} x_j^2 at each
 * position, a = alpha / size, W(c) = [c - h, c + h'] within the channels,
 * h = floor((size - 1) / 2), h' = ceil((size - 1) / 2).
 *
 * Gain for K > 0, a >= 0, beta > 0. The Jacobian is diag(D_c^-beta) - E,
 *   E_cj = 2 beta a x_c x_j D_c^(-beta-1),  j in W(c).
 * Let r = (beta / (beta + 1))^(beta + 1). For D >= K,
 *   (D - K) D^(-beta-1) <= K^-beta r / beta          (1)
 * (maximum at D = K (beta + 1) / beta). Schur's test with weights |x|: if
 * sum_j |E_cj| |x_j| <= p |x_c| and sum_c |E_cj| |x_c| <= q |x_j|, then
 * |E|^2 <= p q.
 *   Rows: sum_j |E_cj| |x_j| = |x_c| 2 beta D_c^(-beta-1) (D_c - K) <= |x_c| 2 r K^-beta.
 *   Columns: the c whose window holds j form an interval of h + h' + 1
 * channels; cut it in two of at most h + 1 (h' <= h + 1). Within one, S, every
 * window holds all of S, so D_c >= D_S = K + a sum_{S} x_i^2, and by (1)
 *   sum_{c in S} a x_c^2 D_c^(-beta-1) <= (D_S - K) D_S^(-beta-1) <= K^-beta r / beta,
 * hence sum_c |E_cj| |x_c| <= |x_j| 4 r K^-beta.
 * So |J| <= K^-beta (1 + 2 sqrt(2) r). At x = 0, J = K^-beta I: a lower bound.
 * For size 1, J is diagonal with D^-beta - 2 beta (D - K) D^(-beta-1), between
 * -2 r K^-beta and K^-beta; r < 1/e, as log r = -(beta + 1) log(1 + 1/beta) < -1,
 * so the constant is K^-beta.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "outward.h"
#include "support.h"

#include <inttypes.h>

typedef struct response {
    int64_t size, batch, channels, positions;
    double alpha, beta, bias;
} response;

static lip_status read(const lip_node *node, response *out, lip_error *error)
{
    LIP_TRY(lip_check_inputs(node, 1, 1, error));
    LIP_TRY(lip_check_real(node, 0, error));
    const lip_shape *x = &node->inputs[0]->shape;
    response r = { .size = lip_attr_int(node, "size", 0) };
    r.alpha = lip_attr_float(node, "alpha", 1e-4F);
    r.beta = lip_attr_float(node, "beta", 0.75F);
    r.bias = lip_attr_float(node, "bias", 1.0F);
    if (x->rank < 2)
        return lip_fail_node(error, LIP_EFORMAT, node, "its input has no channels");
    if (r.size < 1 || r.size > INT32_MAX)
        return lip_fail_node(error, LIP_EFORMAT, node, "size is %" PRId64, r.size);
    r.batch = lip_dims_product(x, 0, x->rank) > 0 ? x->dim[0] : 0;
    r.channels = x->dim[1];
    r.positions = lip_dims_product(x, 2, x->rank);
    *out = r;
    return LIP_OK;
}

static lip_status shape(const lip_node *node, lip_error *error)
{
    response r = { 0 };
    LIP_TRY(read(node, &r, error));
    return lip_set_output(node, 0, node->inputs[0]->dtype, &node->inputs[0]->shape, error);
}

/* Channels [*first, *end) of W(c). */
static void window_of(const response *r, int64_t c, int64_t *first, int64_t *end)
{
    const int64_t before = (r->size - 1) / 2, after = r->size - 1 - before;
    *first = c > before ? c - before : 0;
    *end = c + after + 1 < r->channels ? c + after + 1 : r->channels;
}

/* D_c at one position; x is the position's first channel. */
static double denominator(const response *r, const double *x, int64_t c)
{
    int64_t first, end;
    double sum = 0;
    window_of(r, c, &first, &end);
    for (int64_t j = first; j < end; j++)
        sum += x[j * r->positions] * x[j * r->positions];
    return r->bias + r->alpha / (double)r->size * sum;
}

static lip_status forward(const lip_call *call, lip_error *error)
{
    response r = { 0 };
    LIP_TRY(read(call->node, &r, error));
    for (int64_t n = 0; n < r.batch; n++)
        for (int64_t c = 0; c < r.channels; c++)
            for (int64_t p = 0; p < r.positions; p++) {
                const int64_t start = n * r.channels * r.positions + p, at = start + c * r.positions;
                const double d = denominator(&r, call->in[0]->f64 + start, c);
                call->out[0]->f64_room[at] = call->in[0]->f64[at] * pow(d, -r.beta);
            }
    return LIP_OK;
}

/* dx += J' grad at one position. */
static void adjoint_at(const response *r, const double *x, const double *grad, double *dx)
{
    const int64_t step = r->positions;
    for (int64_t c = 0; c < r->channels; c++) {
        int64_t first, end;
        const double d = denominator(r, x, c), scale = pow(d, -r->beta);
        window_of(r, c, &first, &end);
        dx[c * step] += grad[c * step] * scale;
        const double along = grad[c * step] * x[c * step] * 2 * r->beta * r->alpha / (double)r->size * scale / d;
        for (int64_t j = first; j < end; j++)
            dx[j * step] -= along * x[j * step];
    }
}

static lip_status adjoint(const lip_call *call, lip_error *error)
{
    response r = { 0 };
    LIP_TRY(read(call->node, &r, error));
    for (int64_t i = 0; i < call->in[0]->count; i++)
        call->in_grad[0][i] = 0;
    for (int64_t n = 0; n < r.batch; n++)
        for (int64_t p = 0; p < r.positions; p++) {
            const int64_t at = n * r.channels * r.positions + p;
            adjoint_at(&r, call->in[0]->f64 + at, call->out_grad[0] + at, call->in_grad[0] + at);
        }
    return LIP_OK;
}

/* x^y, widened by 8 ulps on either side: glibc's pow is within one [glibc manual, Errors in Math Functions]. */
static double power(double x, double y, int direction)
{
    double value = pow(x, y);
    for (int i = 0; i < 8; i++)
        value = direction > 0 ? lip_up(value) : lip_down(value);
    return value;
}

static lip_status describe(const lip_node *node, lip_arena *arena, lip_gain *gain, lip_error *error)
{
    (void)arena;
    response r = { 0 };
    LIP_TRY(read(node, &r, error));
    if (!(r.bias > 0 && r.alpha >= 0 && r.beta > 0)) {
        *gain = lip_gain_none(LIP_GAIN_UNKNOWN, "no constant is known unless bias > 0, alpha >= 0 and beta > 0");
        return LIP_OK;
    }
    const double least = fmax(0, power(r.bias, -r.beta, -1)), most = power(r.bias, -r.beta, 1);
    const double root = 2.8284271247461904; /* above 2 sqrt(2) = 2.82842712474619009... */
    const double share = power(lip_up(r.beta / lip_down(r.beta + 1)), lip_down(r.beta + 1), 1);
    const bool alone = r.size == 1 || r.alpha == 0 || r.channels == 1;
    gain->lipschitz.lower = least;
    gain->lipschitz.upper = alone ? most : lip_up(most * lip_up(1 + lip_up(root * share)));
    return LIP_OK;
}

const lip_op lip_op_lrn = {
    .name = "LRN",
    .domain = "",
    .opset_first = 1,
    .opset_last = LIP_OPSET_LAST,
    .gain = { .kind = LIP_GAIN_LIPSCHITZ },
    .shape = shape,
    .forward = forward,
    .adjoint = adjoint,
    .describe = describe,
};
