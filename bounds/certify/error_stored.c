/*
 * error_stored.c: numbers of the file that an execution stores in its own,
 * coarser precision.
 *
 * Chosen constants. Copies, joins and limits have no rounding error but that of the constants they choose from (Clip's
 * limits, Pad's value, what Concat or Max puts beside): |fl(c) - c| <= u |c| + tiny where c is no number of the
 * precision. A limit beyond the largest number limits nothing there either.
 *
 * Divisors. 1 / fl(c) is within a unit of 1 / c for a normal number c, and not so for a subnormal one. For a variance v
 * >= 0 and epsilon, fl(v) + fl(e) is within two units of v + e where v + e is normal, as what underflows is at most
 * half a unit of the smallest normal number.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "error_rules.h"
#include "rounding.h"

#include <float.h>
#include <string.h>

static const double HALF_LEAST = 0x1p-14, HALF_MOST = 0x1p15, LEAST = 0x1p-126, MOST = 0x1p126;

static bool is_op(const lip_node *node, const char *op)
{
    return strcmp(node->op_type, op) == 0;
}

static bool is_readable(const lip_tensor *t) { return t && t->storage != LIP_OPAQUE && t->data; }

/* ----------------------------------------------------------------- chosen */

typedef struct chosen {
    double largest; /* of those that are no float32 */
    bool fits_half;
} chosen;

static bool is_half(double x)
{
    int exponent;
    if (x == 0 || isinf(x))
        return true;
    frexp(x, &exponent); /* |x| in [1/2, 1) * 2^exponent: eleven digits, the last worth 2^-24 or more */
    return fabs(x) <= 65504 && fmod(x, ldexp(1, (exponent > -13 ? exponent : -13) - 11)) == 0;
}

static void choose(chosen *c, double x)
{
    c->fits_half = c->fits_half && is_half(x);
    if (!(fabs(x) <= FLT_MAX) || (double)(float)x != x)
        c->largest = isinf(x) ? c->largest : fmax(c->largest, fabs(x));
}

/* What a limit of Clip is where no number is larger than `most`. */
static double limit(double x, bool is_low, double most)
{
    return is_low ? (x <= -most ? -(double)INFINITY : x) : x >= most ? (double)INFINITY : x;
}

static void choose_limit(chosen *c, double x, bool is_low)
{
    chosen half = { 0, true };
    choose(&half, limit(x, is_low, 65504));
    c->fits_half = c->fits_half && half.fits_half;
    half = (chosen) { 0, true };
    choose(&half, limit(x, is_low, FLT_MAX));
    c->largest = fmax(c->largest, half.largest);
}

void lip_error_of_chosen(const lip_node *node, lip_error_step *step)
{
    const lip_attr *value = is_op(node, "Pad") ? lip_attr_find(node, "value") : NULL;
    chosen c = { 0, true };
    for (size_t i = 0; i < node->input_count; i++) {
        const lip_value *in = lip_node_input(node, i);
        const lip_tensor *t = in ? lip_node_constant(node, i) : NULL;
        if (!in || in->varies || !lip_dtype_is_real(in->dtype))
            continue;
        if (!is_readable(t)) {
            step->refusal_deployed = "a constant that it chooses from cannot be read";
            return;
        }
        for (int64_t k = 0; k < t->count; k++) {
            if (is_op(node, "Clip"))
                choose_limit(&c, lip_tensor_real(t, k), i == 1);
            else
                choose(&c, lip_tensor_real(t, k));
        }
    }
    if (is_op(node, "Clip") && node->opset < 11) {
        choose_limit(&c, lip_attr_float(node, "min", -FLT_MAX), true);
        choose_limit(&c, lip_attr_float(node, "max", FLT_MAX), false);
    }
    if (value)
        choose(&c, lip_attr_float(node, "value", 0));
    if (!c.fits_half)
        step->refusal_half = "a constant that it chooses from is no number of half precision";
    if (!(c.largest > 0))
        return;
    lip_round_outputs(step, 1);
    for (size_t b = 0; b < step->branch_count; b++)
        step->branches[b].magnitude = 0;
    step->constant = lip_mul_up(c.largest, lip_root_of_count(step->node->outputs[0]));
}

/* --------------------------------------------------------------- divisors */

static void check_divisor(double x, lip_error_step *step)
{
    if (!(x >= LEAST && x <= MOST))
        step->refusal_deployed = "it divides by what is no normal number of the deployed precision";
    if (!(x >= HALF_LEAST && x <= HALF_MOST))
        step->refusal_half = "it divides by what is no normal number of half precision";
}

void lip_error_of_divisors(const lip_node *node, lip_error_step *step)
{
    bool is_norm = is_op(node, "BatchNormalization");
    const lip_tensor *t = is_norm ? lip_node_constant(node, 4) : is_op(node, "Div") ? lip_node_constant(node, 1) : NULL;
    const lip_tensor *gamma = is_norm ? lip_node_constant(node, 1) : NULL;
    double epsilon = is_norm ? lip_attr_float(node, "epsilon", 1e-5F) : 0;
    for (int64_t i = 0; is_readable(t) && i < t->count; i++)
        check_divisor(is_norm ? lip_tensor_real(t, i) + epsilon : fabs(lip_tensor_real(t, i)), step);
    for (int64_t i = 0; is_readable(gamma) && i < gamma->count; i++) {
        if (fabs(lip_tensor_real(gamma, i)) > HALF_MOST)
            step->refusal_half = "its scale passes half precision";
        if (fabs(lip_tensor_real(gamma, i)) > MOST)
            step->refusal_deployed = "its scale passes the deployed precision";
    }
}
