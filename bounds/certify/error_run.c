/*
 * error_run.c: rounding errors on their way through the network.
 *
 * At a point x' with ||x' - x|| <= r let v be the true value of a tensor, w what the execution has in its place, and
 * v0 the true value at x. By the Lipschitz constant c of the map from the input to the tensor and the error e0 of the
 * norm computed here at x,
 *     ||v|| <= ||v0|| + c r <= n + e0 + c r,    ||w|| <= ||v|| + ||w - v||.
 * A step executes h^ in place of the true map h with Lipschitz constants g_b in its branches:
 *     ||h^(w) - h(v)|| <= ||h(w) - h(v)|| + ||h^(w) - h(w)|| <= sum_b g_b ||w_b - v_b|| + local(w).
 * Every term is affine in r with coefficients >= 0, and so is the result, whose two coefficients are computed apart,
 * each rounded up. (Replacing the sample by the edge of the ball in the input alone is not enough: the error at later
 * layers grows with the values there, and these with c r, not with r.) A root of a sum of squares is taken for each
 * coefficient: ||a + b r|| <= ||a|| + ||b|| r by the triangle inequality.
 *
 * Growth: in a sum of products each term meets at most `units` roundings, whatever the order, and a fused
 * multiply-add leaves out one; so the result is sum t_i (1 + d_i), |d_i| <= (1 + u)^units - 1 [Higham 2002, section
 * 3.1], plus what underflows. gamma_k = k u / (1 - k u) bounds the growth while k u is small.
 *
 * Overflow: every number that appears in a step is a partial sum of its terms, at most size + local, or part of one
 * (before a scale that is not folded, before the division of a mean), which peak and peak_constant bound, or a square,
 * of no more than square_peak times the input. As long as all are below `largest`, no operation of the step overflows,
 * by induction on the operations in their order.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "error_plan.h"
#include "rounding.h"

#include <float.h>

const lip_ieee lip_ieee_float64 = { 0x1p-53, 0x1p-1074, DBL_MAX };
const lip_ieee lip_ieee_float32 = { 0x1p-24, 0x1p-150, FLT_MAX };
const lip_ieee lip_ieee_float16 = { 0x1p-11, 0x1p-25, 65504 };

double lip_error_growth(double unit, double units)
{
    double product = lip_mul_up(unit, units), power = 1, square = lip_add_up(1, unit);
    if (product < 0x1p-4)
        return lip_div_up(product, lip_sub_down(1, product));
    if (!(product < 512))
        return (double)INFINITY;
    for (uint64_t left = (uint64_t)ceil(units); left > 0; left /= 2) {
        if (left % 2 == 1)
            power = lip_mul_up(power, square);
        square = lip_mul_up(square, square);
    }
    return lip_sub_up(power, 1);
}

/* Above a rounded x >= 0, and cheaper than lip_up: x (1 + 2 u) >= x + u x, which is all that rounding took. 0 is exact
 * in the sums and products here; what underflowed is covered by eta. NaN stays NaN, which no radius is made of. */
static double above(double x) { return x * (1 + 0x1p-51) + LIP_TINY; }

static double add_up(double a, double b) { return a == 0 ? b : b == 0 ? a : above(a + b); }
static double mul_up(double a, double b) { return a == 0 || b == 0 ? 0 : above(a * b); }

static lip_affine add(lip_affine a, lip_affine b)
{
    return (lip_affine) { add_up(a.at0, b.at0), add_up(a.slope, b.slope) };
}

static lip_affine times(double factor, lip_affine a)
{
    return (lip_affine) { mul_up(factor, a.at0), mul_up(factor, a.slope) };
}

static lip_affine root(lip_affine a) { return (lip_affine) { lip_sqrt_up(a.at0), lip_sqrt_up(a.slope) }; }

static lip_affine squared(lip_affine a)
{
    return (lip_affine) { mul_up(a.at0, a.at0), mul_up(a.slope, a.slope) };
}

/* ||w|| of an executed value. */
static lip_affine size_of(const lip_error_plan *plan, const lip_error_case *which, const lip_affine *errors,
                          size_t value)
{
    lip_affine size = { which->norms[value], 0 };
    if (!which->own) /* the norm is that of the executed value */
        return size;
    size.at0 = add_up(size.at0, which->own[value].at0);
    size.slope = plan->lipschitz[value];
    return add(size, errors[value]);
}

static lip_ieee coarser(const lip_ieee *a, const lip_ieee *b)
{
    return (lip_ieee) { fmax(a->unit, b->unit), fmax(a->tiny, b->tiny), fmin(a->largest, b->largest) };
}

static lip_ieee precision_of(const lip_error_step *step, const lip_error_case *which)
{
    return which->own && step->coarsest ? coarser(which->precision, step->coarsest) : *which->precision;
}

static double growth_of(const lip_error_plan *plan, size_t step, const lip_error_case *which)
{
    if (which->growth)
        return which->growth[step];
    lip_ieee precision = precision_of(&plan->steps[step], which);
    return lip_error_growth(precision.unit, which->own ? plan->steps[step].units : plan->steps[step].own_units);
}

void lip_error_growths(const lip_error_plan *plan, const lip_error_case *which, double *growth)
{
    const lip_error_case plain = { .precision = which->precision, .own = which->own };
    for (size_t i = 0; i < plan->count; i++)
        growth[i] = growth_of(plan, i, &plain);
}

/* Lowers *most to the radius up to which a <= limit. */
static void keep_below(double limit, lip_affine a, double *most)
{
    if (!(a.at0 < limit))
        *most = 0;
    else if (a.slope > 0)
        *most = fmin(*most, lip_div_down(lip_sub_down(limit, a.at0), a.slope));
}

/* The local error of a step from the sizes of its branches; lowers *most to where it overflows. */
static lip_affine local_of(const lip_error_step *step, const lip_ieee *precision, double growth, lip_affine size,
                           lip_affine inputs, double *most)
{
    double tiny = mul_up(precision->tiny, 1 + growth), root_tiny = mul_up(lip_sqrt_up(precision->tiny), 1 + growth);
    lip_affine under = times(step->tiny_gain, inputs);
    under.at0 = add_up(under.at0, step->tiny_constant);
    size.at0 = add_up(size.at0, step->constant);
    lip_affine local = add(times(growth, size), times(tiny, under));
    local.at0 = add_up(local.at0, mul_up(root_tiny, step->root_tiny));
    lip_affine peak = times(step->peak, inputs), square = times(step->square_peak, inputs);
    peak.at0 = add_up(peak.at0, step->peak_constant);
    keep_below(precision->largest, add(size, local), most);
    keep_below(precision->largest, add(peak, times(growth, peak)), most);
    keep_below(0.5 * sqrt(precision->largest), add(square, times(growth, square)), most);
    return local;
}

static lip_affine step_error(const lip_error_plan *plan, size_t index, const lip_error_case *which,
                             const lip_affine *errors, double *most)
{
    const lip_error_step *step = &plan->steps[index];
    lip_ieee precision = precision_of(step, which);
    lip_affine carried = { 0, 0 }, size = { 0, 0 }, inputs = { 0, 0 };
    for (size_t b = 0; b < step->branch_count; b++) {
        const lip_error_branch *branch = &step->branches[b];
        lip_affine from = times(branch->gain, errors[branch->value]);
        carried = add(carried, step->squares ? squared(from) : from);
        if (step->units == 0)
            continue;
        lip_affine executed = size_of(plan, which, errors, branch->value);
        size = add(size, times(branch->magnitude, executed));
        inputs = add(inputs, executed);
    }
    if (step->squares)
        carried = root(carried);
    if (step->units == 0)
        return carried;
    return add(carried, local_of(step, &precision, growth_of(plan, index, which), size, inputs, most));
}

/* Converting the input: each element of x' rounds once. */
static lip_affine input_error(const lip_error_plan *plan, const lip_error_case *which, double *most)
{
    const lip_ieee *precision = which->precision;
    lip_affine size = { which->norms[plan->input], which->own ? 1 : 0 };
    lip_affine error = { 0, 0 };
    *most = size.at0 < precision->largest && size.slope == 0 ? (double)INFINITY
                                                             : lip_sub_down(precision->largest, size.at0);
    if (which->converts) {
        error = times(precision->unit, size);
        error.at0 = add_up(error.at0, mul_up(precision->tiny, plan->input_tiny));
    }
    return error;
}

const char *lip_error_refusal(const lip_error_step *step, const lip_error_case *which)
{
    if (step->refusal)
        return step->refusal;
    if (which->own && step->refusal_deployed)
        return step->refusal_deployed;
    return precision_of(step, which).unit >= 0x1p-11 ? step->refusal_half : NULL;
}

bool lip_error_run(const lip_error_plan *plan, const lip_error_case *which, lip_affine *errors, double *most,
                   const lip_error_step **refused)
{
    errors[plan->input] = input_error(plan, which, most);
    for (size_t i = 0; i < plan->count; i++) {
        const lip_error_step *step = &plan->steps[i];
        if (lip_error_refusal(step, which)) {
            *refused = step;
            return false;
        }
        lip_affine error = step_error(plan, i, which, errors, most);
        for (size_t o = 0; o < step->node->output_count; o++)
            if (step->node->outputs[o])
                errors[step->node->outputs[o]->index] = error;
    }
    return true;
}

lip_affine lip_error_of_row(const lip_error_plan *plan, const lip_error_case *which, const lip_affine *errors,
                            int64_t row)
{
    const lip_error_step *step = &plan->steps[plan->last];
    lip_ieee precision = precision_of(step, which);
    lip_affine executed = size_of(plan, which, errors, step->branches[0].value);
    lip_affine size = times(plan->row[row], executed), under = times(plan->row_tiny, executed);
    size.at0 = add_up(size.at0, plan->row_constant[row]);
    under.at0 = add_up(under.at0, plan->terms);
    return add(times(growth_of(plan, plan->last, which), size), times(precision.tiny, under));
}
