/*
 * curves_pieces.c: activations in pieces (Relu and its kin) on intervals.
 * Each piece is monotone, so that the values at the ends and at the kinks
 * inside make the range; every piece that meets the interval in more than one
 * point gives its slopes.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "interval.h"
#include "ranges.h"
#include "support.h"

#include <float.h>

void lip_curve_two_slopes(lip_interval x, double below, double above, lip_interval *y, lip_interval *slope)
{
    bool left = x.lo < 0, right = x.hi > 0;
    lip_interval part_left = lip_times(lip_at(below), (lip_interval){x.lo, fmin(x.hi, 0)});
    lip_interval part_right = lip_times(lip_at(above), (lip_interval){fmax(x.lo, 0), x.hi});
    *y = left && right ? lip_hull(part_left, part_right) : left ? part_left : part_right;
    *slope = left && right ? lip_hull(lip_at(below), lip_at(above)) : left ? lip_at(below) : lip_at(right ? above : 0);
}

static bool leaky_relu_parameters(const lip_node *node, double *p)
{
    p[0] = lip_attr_float(node, "alpha", 0.01f);
    p[1] = 1;
    return isfinite(p[0]);
}

static bool relu_parameters(const lip_node *node, double *p)
{
    (void)node;
    p[0] = 0;
    p[1] = 1;
    return true;
}

static bool abs_parameters(const lip_node *node, double *p)
{
    (void)node;
    p[0] = -1;
    p[1] = 1;
    return true;
}

static bool neg_parameters(const lip_node *node, double *p)
{
    (void)node;
    p[0] = p[1] = -1;
    return true;
}

static void two_slopes_on(lip_interval x, const double *p, lip_interval *y, lip_interval *slope)
{
    lip_curve_two_slopes(x, p[0], p[1], y, slope);
}

const lip_curve lip_curve_relu = {.parameters = relu_parameters, .on = two_slopes_on};
const lip_curve lip_curve_leaky_relu = {.parameters = leaky_relu_parameters, .on = two_slopes_on};
const lip_curve lip_curve_abs = {.parameters = abs_parameters, .on = two_slopes_on};
const lip_curve lip_curve_neg = {.parameters = neg_parameters, .on = two_slopes_on};

/* y = p[0] x for x > 0, p[1] (e^(x / p[2]) - 1) below, p[2] > 0. */
static bool elu_parameters(const lip_node *node, double *p)
{
    p[0] = p[2] = 1;
    p[1] = lip_attr_float(node, "alpha", 1.0f);
    return isfinite(p[1]);
}

static bool celu_parameters(const lip_node *node, double *p)
{
    p[0] = 1;
    p[1] = p[2] = lip_attr_float(node, "alpha", 1.0f);
    return p[1] > 0 && isfinite(p[1]);
}

static bool selu_parameters(const lip_node *node, double *p)
{
    bool old = node->opset < 6;
    p[0] = lip_attr_float(node, "gamma", old ? 1.0507f : 1.05070102214813232421875f);
    p[1] = p[0] * lip_attr_float(node, "alpha", old ? 1.6732f : 1.67326319217681884765625f); /* exact: two floats */
    p[2] = 1;
    return isfinite(p[1]);
}

/* Within a relative error of 2^-46 from the true value. */
static lip_interval widened(double y)
{
    double error = 0x1p-46 * fabs(y) + 0x1p-1000;
    return (lip_interval){y - error, y + error};
}

/* c e^u; the quotient u has an error of half a unit, by which the value moves |u| times as much. */
static lip_interval decay(double c, double u)
{
    double y = c * exp(u), moved = isinf(u) ? 0 : 0x1p-52 * fabs(u) * fabs(y);
    lip_interval z = widened(y);
    return (lip_interval){z.lo - moved, z.hi + moved};
}

static void exponential_on(lip_interval x, const double *p, lip_interval *y, lip_interval *slope)
{
    lip_curve_two_slopes((lip_interval){fmax(x.lo, 0), fmax(x.hi, 0)}, p[0], p[0], y, slope);
    if (!(x.lo < 0)) return;
    double end = fmin(x.hi, 0);
    lip_interval part = lip_hull(widened(p[1] * expm1(x.lo / p[2])), widened(p[1] * expm1(end / p[2])));
    lip_interval slopes = lip_hull(decay(p[1] / p[2], x.lo / p[2]), decay(p[1] / p[2], end / p[2]));
    part = lip_clamped(part, fmin(0, -p[1]), fmax(0, -p[1])); /* between 0 and its limit */
    if (p[1] == p[2]) slopes = lip_clamped(slopes, 0, 1);
    *y = x.hi > 0 ? lip_hull(*y, part) : part;
    *slope = x.hi > 0 ? lip_hull(*slope, slopes) : slopes;
}

const lip_curve lip_curve_elu = {.parameters = elu_parameters, .on = exponential_on, .attained = 0x1p-40};
const lip_curve lip_curve_celu = {.parameters = celu_parameters, .on = exponential_on, .attained = 0x1p-40};
const lip_curve lip_curve_selu = {.parameters = selu_parameters, .on = exponential_on, .attained = 0x1p-40};

/* Slope p where z lies inside (low, high), 0 outside. */
static lip_interval cut_slope(lip_interval z, double low, double high, double p)
{
    if (z.hi <= low || z.lo >= high) return lip_at(0);
    return z.lo >= low && z.hi <= high ? lip_at(p) : lip_hull(lip_at(0), lip_at(p));
}

static bool hard_sigmoid_parameters(const lip_node *node, double *p)
{
    p[0] = lip_attr_float(node, "alpha", 0.2f);
    p[1] = lip_attr_float(node, "beta", 0.5f);
    return isfinite(p[0]) && isfinite(p[1]);
}

static void hard_sigmoid_on(lip_interval x, const double *p, lip_interval *y, lip_interval *slope)
{
    lip_interval z = lip_plus(lip_times(lip_at(p[0]), x), lip_at(p[1]));
    *y = lip_clamped(z, 0, 1);
    *slope = cut_slope(z, 0, 1, p[0]);
}

/* z is rounded outward, so that a slope of p may be seen that is just not there. */
const lip_curve lip_curve_hard_sigmoid = {.parameters = hard_sigmoid_parameters, .on = hard_sigmoid_on,
                                          .attained = INFINITY};

static bool clip_parameters(const lip_node *node, double *p)
{
    if (node->opset < 11) {
        p[0] = lip_attr_float(node, "min", -FLT_MAX);
        p[1] = lip_attr_float(node, "max", FLT_MAX);
        return true;
    }
    const lip_tensor *low = lip_node_constant(node, 1), *high = lip_node_constant(node, 2);
    if ((lip_node_input(node, 1) && !low) || (lip_node_input(node, 2) && !high)) return false;
    p[0] = low ? lip_tensor_real(low, 0) : -INFINITY;
    p[1] = high ? lip_tensor_real(high, 0) : INFINITY;
    return !isnan(p[0]) && !isnan(p[1]);
}

/* min(max(x, low), high); where low > high that is high. */
static void clip_on(lip_interval x, const double *p, lip_interval *y, lip_interval *slope)
{
    *y = lip_clamped(x, p[0], p[1]);
    *slope = p[0] < p[1] ? cut_slope(x, p[0], p[1], 1) : lip_at(0);
}

const lip_curve lip_curve_clip = {.parameters = clip_parameters, .on = clip_on};

/* x min(1, max(0, x / 6 + 1/2)): 0 to -3, a parabola with its least value -3/8 at -3/2, x from 3 on. */
static lip_interval hard_swish(double x)
{
    if (x <= -3 || x >= 3) return lip_at(x >= 3 ? x : 0);
    double y = x * (x / 6 + 0.5);
    return (lip_interval){y - 0x1p-48, y + 0x1p-48};
}

static lip_interval parabola_slope(double x)
{
    double slope = x / 3 + 0.5;
    return lip_clamped((lip_interval){slope - 0x1p-50, slope + 0x1p-50}, -0.5, 1.5);
}

static void hard_swish_on(lip_interval x, const double *p, lip_interval *y, lip_interval *slope)
{
    (void)p;
    *y = lip_hull(hard_swish(x.lo), hard_swish(x.hi));
    if (x.lo <= -1.5 && x.hi >= -1.5) y->lo = -0.375;
    y->lo = fmax(y->lo, -0.375);
    lip_interval s = {INFINITY, -INFINITY};
    if (x.lo < -3 || x.lo == x.hi) s = lip_hull(s, lip_at(0));
    if (x.hi > 3) s = lip_hull(s, lip_at(1));
    if (x.lo < 3 && x.hi > -3)
        s = lip_hull(s, lip_hull(parabola_slope(fmax(x.lo, -3)), parabola_slope(fmin(x.hi, 3))));
    *slope = s.lo <= s.hi ? s : lip_at(x.lo >= 3 ? 1 : 0);
}

const lip_curve lip_curve_hard_swish = {.on = hard_swish_on, .attained = 0x1p-40};
