/*
 * slope.c: see slope.h.
 *
 * A hinge, g = W max(z, 0), with z <= -gap before and dz <= up: dg = 0 where dz <= gap, and else
 *     dg = W (z + dz) <= W (dz - gap) <= W s dz,   s = (up - gap) / up,
 * as 1 - gap / dz grows with dz. So 0 <= dg <= W s max(dz, 0) = (W s / 2) (dz + |dz|). With z >= gap before,
 *     dg = W dz + W max(-z - dz, 0),   0 <= max(-z - dz, 0) <= s max(-dz, 0) = (s / 2) (|dz| - dz),
 * where down takes up's place. One side of each needs no w at all.
 *
 * A curve f with derivatives in [lo, hi] between z - down and z + up has its secants there by the mean value theorem,
 * and g = f - a z has [lo - a, hi - a].
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "slope.h"

#include "op.h"
#include "rounding.h"

#include <string.h>

static bool is_hinge(const lip_layer_plan *plan)
{
    const lip_node *node = plan->node;
    if (node->domain[0])
        return false;
    if (strcmp(node->op_type, "Relu") == 0)
        return plan->gain.slopes.a == 0 && plan->gain.slopes.b == 1;
    return strcmp(node->op_type, "LeakyRelu") == 0 && plan->gain.slopes.b == 1 &&
           plan->gain.slopes.a == lip_attr_float(node, "alpha", 0.01f);
}

lip_local_kind lip_local_kind_of(const lip_layer_plan *plan)
{
    lip_local_kind kind = { .form = LIP_LOCAL_ANY, .a = plan->gain.slopes.a };
    const lip_curve *curve = plan->node->op ? plan->node->op->curve : NULL;
    if (is_hinge(plan)) {
        kind.form = LIP_LOCAL_HINGE;
        kind.hinge = lip_sub_down(plan->gain.slopes.b, plan->gain.slopes.a);
        if (plan->gain.slopes.a == 0)
            kind.hinge = plan->gain.slopes.b;
    } else if (curve && lip_node_varying(plan->node) == 0 &&
               (!curve->parameters || curve->parameters(plan->node, kind.parameters))) {
        kind.form = LIP_LOCAL_CURVE;
        kind.curve = curve;
    }
    return kind;
}

/* Slopes in [lo, hi], whatever the sign of p. */
static lip_local_slope between(double lo, double hi)
{
    double c = lo + (hi - lo) / 2, w = lo == hi ? 0 : fmax(0, fmax(lip_sub_up(hi, c), lip_sub_up(c, lo)));
    return (lip_local_slope) { { c, c }, { w, w } };
}

/* The share of the way beyond the gap. */
static double share(double way, double gap)
{
    return way <= gap ? 0 : fmin(1, lip_div_up(lip_sub_up(way, gap), way)); /* NaN: 1 */
}

static lip_local_slope inactive(double width, double gap, double up)
{
    double half = lip_mul_up(width, share(up, gap)) / 2;
    return (lip_local_slope) { { half, 0 }, { half, 0 } };
}

static lip_local_slope active(double hinge, double width, double gap, double down)
{
    double s = share(down, gap), half = s / 2, loose = width == hinge ? 0 : lip_sub_up(width, hinge);
    lip_local_slope slope = { { width, width }, { loose, loose } };
    if (s == 0)
        return slope;
    slope.c[0] = width * (1 - half);
    slope.w[0] = lip_add_up(lip_mul_up(width, half), lip_add_up(loose, lip_mul_up(4 * LIP_UNIT, width)));
    return slope;
}

lip_local_slope lip_local_slope_of(const lip_local_kind *kind, double width, double z, double error, double down,
                                   double up)
{
    double lowest = lip_sub_down(z, error), highest = lip_add_up(z, error);
    if (kind->form == LIP_LOCAL_HINGE && highest <= 0)
        return inactive(width, -highest, up);
    if (kind->form == LIP_LOCAL_HINGE && lowest >= 0)
        return active(kind->hinge, width, lowest, down);
    if (kind->form != LIP_LOCAL_CURVE)
        return between(0, width);
    lip_interval value, slope;
    kind->curve->on((lip_interval) { lip_sub_down(lowest, down), lip_add_up(highest, up) }, kind->parameters, &value,
                    &slope);
    double lo = fmax(0, lip_add_down(slope.lo, -kind->a)), hi = fmin(width, lip_add_up(slope.hi, -kind->a));
    return lo <= hi ? between(lo, hi) : between(0, width);
}
