/*
 * gate.c: y = c x g(x) with a gate g, see fused.h: what SiLU, GELU, Mish and
 * hard swish are where an exporter spells them out.
 *
 * Slopes of y / c. With u = k x each of the first three is x times a function
 * of u alone, so the slope takes the same values for every k != 0:
 *   SIGMOID  s + u s (1 - s): swish.c.
 *   ERF      twice that of the exact GELU: gelu.c.
 *   TANH     h = 1 + t + u (1 - t^2) (1 + 3 r u^2), t = tanh(u + r u^3), r = q / k^3; twice the GELU's with
 *     r = LIP_GATE_CUBIC. h(-u) = 2 - h(u), and for u >= 0, with 1 - t^2 <= 4 e^-2u,
 *       |dh/dr| <= (1 - t^2) (u^3 + 3 u^3 + 2 u^4 (1 + 3 r u^2)) <= e^-2u (16 u^3 + 8 u^4 + 24 r u^6)
 *              <= 2.69 + 2.35 + 3.06 < 8.2    (maxima at u = 1.5, 2, 3; r <= 0.0703)
 *     so another r moves the slopes by at most 8.2 |r - LIP_GATE_CUBIC|.
 *   HARD     0, 1, and on the ramp 2 (k x + b) - b, from -b to 2 - b.
 *   MISH     mish.c.
 * c is a product of a few constants of the file: 2^-48 covers its rounding and
 * that of the product with c.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "fused.h"

#include "elementwise.h"
#include "interval.h"
#include "ranges.h"
#include "support.h"

#include <math.h>

static double logistic(double x)
{
    double e = exp(-fabs(x));
    return x >= 0 ? 1 / (1 + e) : e / (1 + e);
}

static double gate_sigmoid(double x, const double *p)
{
    return logistic(p[1] * x);
}

static double gate_erf(double x, const double *p)
{
    return erfc(-p[1] * x);
}

static double gate_tanh(double x, const double *p)
{
    return 2 * logistic(2 * (p[1] * x + p[2] * x * x * x)); /* 1 + tanh(u) without cancellation */
}

static double gate_hard(double x, const double *p)
{
    return fmax(0, fmin(1, p[1] * x + p[3]));
}

static double gate_mish(double x, const double *p)
{
    (void)p;
    return tanh(fmax(x, 0) + log1p(exp(-fabs(x))));
}

static double slope_sigmoid(double x, const double *p)
{
    double s = gate_sigmoid(x, p);
    return p[1] * s * (1 - s);
}

static double slope_erf(double x, const double *p)
{
    return M_2_SQRTPI * p[1] * exp(-p[1] * x * p[1] * x);
}

static double slope_tanh(double x, const double *p)
{
    double g = gate_tanh(x, p);
    return g * (2 - g) * (p[1] + 3 * p[2] * x * x);
}

static double slope_hard(double x, const double *p)
{
    double ramp = p[1] * x + p[3];
    return ramp > 0 && ramp < 1 ? p[1] : 0;
}

static double slope_mish(double x, const double *p)
{
    double t = gate_mish(x, p);
    return (1 - t * t) * logistic(x);
}

static const struct kind {
    lip_scalar *gate, *slope;
    double a, b, slack; /* every slope of x g(x) lies in [a, b] */
    const char *words;
} kinds[] = {
    [LIP_GATE_SIGMOID] = {gate_sigmoid, slope_sigmoid, -0.099839320128867, 1.099839320128867, 2.3e-16,
                          "x times the sigmoid of x: one function of x (SiLU)"},
    [LIP_GATE_ERF] = {gate_erf, slope_erf, -0.25780829037031, 2.25780829037031, 4.6e-16,
                      "x times 1 + erf of x: one function of x (GELU)"},
    [LIP_GATE_TANH] = {gate_tanh, slope_tanh, -0.25798613732, 2.25798613732, 4e-12,
                       "x times 1 + tanh of x: one function of x (GELU)"},
    [LIP_GATE_HARD] = {gate_hard, slope_hard, 0, 1, 0,
                       "x times a clipped line in x: one function of x (hard swish)"},
    [LIP_GATE_MISH] = {gate_mish, slope_mish, -0.112526122390, 1.088498161253, 2e-12,
                       "x times tanh(softplus(x)): one function of x (Mish)"},
};

static const struct kind *kind_of(const lip_node *node)
{
    return &kinds[lip_attr_int(node, "gate", LIP_GATE_SIGMOID)];
}

static double scaled(double x, const double *p, const struct kind *kind)
{
    double g = kind->gate(x, p);
    return g == 0 ? 0 : p[0] * x * g;
}

static lip_status forward(const lip_call *call, lip_error *error)
{
    (void)error;
    const struct kind *kind = kind_of(call->node);
    for (int64_t i = 0; call->out[0] && i < call->in[0]->count; i++)
        call->out[0]->f64_room[i] = scaled(call->in[0]->f64[i], call->in[1]->f64, kind);
    return LIP_OK;
}

static lip_status adjoint(const lip_call *call, lip_error *error)
{
    (void)error;
    const struct kind *kind = kind_of(call->node);
    const double *p = call->in[1]->f64;
    for (int64_t i = 0; call->in_grad[0] && i < call->in[0]->count; i++) {
        double x = call->in[0]->f64[i], s = kind->slope(x, p);
        double slope = kind->gate(x, p) + (s == 0 ? 0 : x * s);
        call->in_grad[0][i] = call->out_grad[0] ? call->out_grad[0][i] * p[0] * slope : 0;
    }
    return LIP_OK;
}

static lip_status describe(const lip_node *node, lip_arena *arena, lip_gain *gain, lip_error *error)
{
    (void)arena, (void)error;
    const struct kind *kind = kind_of(node);
    const double *p = lip_node_constant(node, 1)->f64;
    double a = kind->a, b = kind->b, room = 0, c = fabs(p[0]);
    if (kind->gate == gate_hard) {
        a = fmin(0, -p[3]);
        b = fmax(1, 2 - p[3]);
    }
    if (kind->gate == gate_tanh)
        room = 8.2 * (fabs(p[2] / (p[1] * p[1] * p[1]) - LIP_GATE_CUBIC) + 1e-15);
    room += 0x1p-48 * (fabs(a) + fabs(b));
    *gain = (lip_gain){.kind = LIP_GAIN_SLOPES, .reason = kind->words};
    gain->slopes.a = p[0] > 0 ? c * (a - room) : c * (-b - room);
    gain->slopes.b = p[0] > 0 ? c * (b + room) : c * (-a + room);
    gain->slopes.slack = c * (kind->slack + 3 * room);
    return LIP_OK;
}

/*
 * A lower bound of x g(x) for k > 0, over all x: with u = k x, the least u s(u), u P(u) / sqrt 2 (P the normal integral
 * of sqrt 2 u) and Mish of curves.c; k x^2 + b x. For TANH at r = LIP_GATE_CUBIC -0.271346, moved by another r by at
 * most 4 u^4 e^-2u |dr| < 1.2e-4.
 */
static double least(const struct kind *kind, const double *p)
{
    const double k = fabs(p[1]);
    if (kind->gate == gate_sigmoid) return -0.278464542761075 / k;
    if (kind->gate == gate_erf) return -0.240375587 / k;
    if (kind->gate == gate_tanh) return -0.2715 / k;
    if (kind->gate == gate_mish) return -0.308843413017251;
    return -p[3] * p[3] / (4 * k) * (1 + 0x1p-50);
}

/* g increases with k x (all of them do; MISH with x): x g(x) on each side of 0, for k > 0; for k < 0 at -x. */
static lip_interval gated(lip_interval x, const double *p, const struct kind *kind)
{
    const double q[] = {p[0], fabs(p[1]), fabs(p[2]), p[3]};
    const double room = 0x1p-44, at[] = {x.lo, fmin(fmax(x.lo, 0), x.hi), x.hi};
    lip_interval y = {INFINITY, -INFINITY};
    for (int i = 0; i < 2; i++) {
        if (at[i] == at[i + 1] && x.lo != x.hi) continue;
        const double low = isinf(at[i]) ? 0 : kind->gate(at[i], q);
        const double high = isinf(at[i + 1]) ? 2 : kind->gate(at[i + 1], q);
        const lip_interval g = {fmax(0, low - room * (1 + fabs(low))), high + room * (1 + fabs(high))};
        y = lip_hull(y, lip_times((lip_interval){at[i], at[i + 1]}, g));
    }
    if (kind->gate != gate_hard || p[3] >= 0) y.lo = fmax(y.lo, least(kind, p) * (1 + 0x1p-40));
    return y;
}

static lip_status range(const lip_range_call *call, lip_error *error)
{
    (void)error;
    const struct kind *kind = kind_of(call->node);
    const double *p = call->in[1].lo;
    const bool mirrored = kind->gate != gate_mish && p[1] < 0;
    for (int64_t i = 0; call->out[0].lo && i < call->in[0].count; i++) {
        const lip_interval x = {call->in[0].lo[i], call->in[0].hi[i]};
        lip_interval y = mirrored ? lip_negated(gated(lip_negated(x), p, kind)) : gated(x, p, kind);
        y = lip_times(y, lip_at(p[0]));
        call->out[0].lo[i] = y.lo;
        call->out[0].hi[i] = y.hi;
    }
    return LIP_OK;
}

const lip_op lip_op_gate = {
    .name = "Gate",
    .domain = "",
    .opset_first = 1,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_SLOPES},
    .shape = lip_shape_of_map,
    .forward = forward,
    .adjoint = adjoint,
    .describe = describe,
    .range = range,
};
