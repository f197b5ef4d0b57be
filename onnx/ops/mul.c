/*
 * mul.c: Mul and Div, with broadcasting. With one constant factor the node is
 * a diagonal scaling. The product of two activations has no finite gain: its
 * slope in one factor is the other one. The quotient by a constant c is a scaling
 * by fl(1/c), whose relative error is 2^-53 for a normal result and
 * at most 2^-50 for a subnormal one, since |1/c| >= 1/DBL_MAX > 2^-1025 and
 * subnormals are spaced by 2^-1074.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "elementwise.h"
#include "ranges.h"
#include "support.h"

#include <float.h>
#include <math.h>

static lip_status shape(const lip_node *node, lip_error *error)
{
    return lip_pair_shape(node, LIP_DTYPE_UNDEFINED, error);
}

static void mul_row(int64_t n, const double *a, int64_t a_step, const double *b, int64_t b_step, double *y)
{
    for (int64_t i = 0; i < n; i++) y[i] = a[i * a_step] * b[i * b_step];
}

static void div_row(int64_t n, const double *a, int64_t a_step, const double *b, int64_t b_step, double *y)
{
    for (int64_t i = 0; i < n; i++) y[i] = a[i * a_step] / b[i * b_step];
}

static bool mul_whole(int64_t a, int64_t b, int64_t *y)
{
    *y = (int64_t)((uint64_t)a * (uint64_t)b);
    return true;
}

static bool div_whole(int64_t a, int64_t b, int64_t *y)
{
    if (b == 0) return false;
    *y = b == -1 ? (int64_t)(0 - (uint64_t)a) : a / b; /* INT64_MIN / -1 traps */
    return true;
}

static lip_status mul_forward(const lip_call *call, lip_error *error)
{
    return lip_pair_forward(call, mul_row, mul_whole, error);
}

static lip_status div_forward(const lip_call *call, lip_error *error)
{
    return lip_pair_forward(call, div_row, div_whole, error);
}

static void mul_slopes(double a, double b, double *in_a, double *in_b)
{
    *in_a = b;
    *in_b = a;
}

static void div_slopes(double a, double b, double *in_a, double *in_b)
{
    *in_a = 1 / b;
    *in_b = -a / (b * b);
}

static lip_status mul_adjoint(const lip_call *call, lip_error *error)
{
    return lip_pair_adjoint(call, mul_slopes, error);
}

static lip_status div_adjoint(const lip_call *call, lip_error *error)
{
    return lip_pair_adjoint(call, div_slopes, error);
}

/* The only axis of y along which a factor of this shape has several elements; -1: none, -2: several. */
static int factor_axis(const lip_shape *factor, const lip_shape *y)
{
    int axis = -1;
    for (int i = 0; i < factor->rank; i++) {
        if (factor->dim[i] == 1) continue;
        if (axis != -1) return -2;
        axis = i + y->rank - factor->rank;
    }
    return axis;
}

/* The factor's elements, for all of y's elements where they lie along several axes. */
static double *list_factor(const lip_tensor *factor, const lip_shape *shape, const lip_pair *pair, lip_scale *scale,
                           lip_arena *arena)
{
    int64_t y_count = lip_dims_product(&pair->y, 0, pair->y.rank);
    scale->axis = factor_axis(shape, &pair->y);
    scale->count = scale->axis == -2 ? y_count : factor->count;
    double *list = lip_arena_alloc(arena, scale->count, sizeof *list);
    if (!list) return NULL;
    if (scale->axis != -2) {
        lip_tensor_to_real(factor, list);
        return list;
    }
    lip_broadcast it = lip_broadcast_begin(&pair->y, &shape, 1);
    do {
        for (int64_t i = 0; i < it.row; i++) list[it.at + i] = lip_tensor_real(factor, it.offset[0] + i * it.step[0]);
    } while (lip_broadcast_next(&it));
    return list;
}

/* Replaces each factor by its reciprocal; false if one is zero. */
static bool invert(double *list, lip_scale *scale)
{
    scale->relative_error = 0x1p-53;
    for (int64_t i = 0; i < scale->count; i++) {
        if (list[i] == 0) return false;
        list[i] = 1 / list[i];
        if (fabs(list[i]) < DBL_MIN) scale->relative_error = 0x1p-50;
    }
    return true;
}

static lip_status describe(const lip_node *node, lip_arena *arena, lip_gain *gain, lip_error *error, bool quotient)
{
    int varying = lip_node_varying(node);
    lip_pair pair;
    if (quotient && varying != 0) {
        *gain = lip_gain_none(LIP_GAIN_UNBOUNDED, "divides by an activation: its slope is not bounded near zero");
        return LIP_OK;
    }
    if (varying < 0) {
        *gain = lip_gain_none(LIP_GAIN_UNBOUNDED, "the product of two activations is not Lipschitz: its slope in one "
                                                  "factor is the other factor");
        return LIP_OK;
    }
    if (quotient && !lip_dtype_is_real(node->inputs[0]->dtype)) {
        *gain = lip_gain_none(LIP_GAIN_UNKNOWN, "the quotient of whole numbers is cut: it is not a scaling");
        return LIP_OK;
    }
    const lip_tensor *factor = lip_node_constant(node, (size_t)(1 - varying));
    if (!factor || factor->storage == LIP_OPAQUE) {
        *gain = lip_gain_none(LIP_GAIN_UNKNOWN, "its factor is neither a constant nor an activation");
        return LIP_OK;
    }
    LIP_TRY(lip_pair_shapes(node, &pair, error));
    const lip_shape *x = varying == 0 ? &pair.a : &pair.b, *shape = varying == 0 ? &pair.b : &pair.a;
    lip_scale scale = {0};
    double *list = list_factor(factor, shape, &pair, &scale, arena);
    if (!list) return lip_fail_memory(error, node, "the factors");
    if (quotient && !invert(list, &scale)) {
        *gain = lip_gain_none(LIP_GAIN_UNBOUNDED, "divides by a constant that is zero");
        return LIP_OK;
    }
    int64_t x_count = lip_dims_product(x, 0, x->rank), y_count = lip_dims_product(&pair.y, 0, pair.y.rank);
    scale.factor = list;
    scale.multiplicity = x_count > 0 ? y_count / x_count : 1;
    *gain = (lip_gain){.kind = LIP_GAIN_SCALE, .scale = scale};
    return LIP_OK;
}

static lip_status mul_describe(const lip_node *node, lip_arena *arena, lip_gain *gain, lip_error *error)
{
    return describe(node, arena, gain, error, false);
}

static lip_status div_describe(const lip_node *node, lip_arena *arena, lip_gain *gain, lip_error *error)
{
    return describe(node, arena, gain, error, true);
}

const lip_op lip_op_div = {
    .name = "Div",
    .domain = "",
    .opset_first = 1,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_SCALE},
    .shape = shape,
    .forward = div_forward,
    .adjoint = div_adjoint,
    .describe = div_describe,
    .range = lip_range_div,
};

const lip_op lip_op_mul = {
    .name = "Mul",
    .domain = "",
    .opset_first = 1,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_SCALE},
    .shape = shape,
    .forward = mul_forward,
    .adjoint = mul_adjoint,
    .describe = mul_describe,
    .range = lip_range_mul,
};
