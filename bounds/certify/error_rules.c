/*
 * error_rules.c: the local rounding error of each kind of node.
 *
 * None: copies, permutations, maxima, signs, Relu, Clip (each output is an input, a constant or 0).
 *
 * Sums and means of n terms: units n and one for the division. A runtime may add a branch to a convolution's
 * accumulator and go on from there; so a sum takes over the units of a product that nobody else reads (error_plan.c).
 *
 * A scale y = s x + c, whatever the order in which s was computed from stored numbers (batch-norm: sum, root, quotient
 * or reciprocal root, products) and whether c was combined first: at most 16 roundings on the way of any term, as
 * divisions by (1 + d) count twice: 1 / (1 - u) <= (1 + u)^2.
 *
 * Functions (Sigmoid, Tanh, Erf, Gelu, Softplus, Elu ...). Here an assumption on the runtime is needed, and made: the
 * function is computed within 64 u (|x| max(1, slope) + 1) of its value, u = 2^-24 for float32: 32 units in the last
 * place of 1. It is this program's assumption, wider than the few units that libraries of functions state for
 * themselves. Of the factor g(x) of a gate c x g(x), |g| <= 2, it is 64 u absolutely. Nothing is assumed of half
 * precision, whose executions are not covered behind a function.
 *
 * Softmax, norms and normalisations: error_statistics.c. Interpolation: error_interpolation.c. Functions whose slope is
 * bounded on ranges only (products of activations, Exp, Sqrt, Pow, Div) have no rule, nor has the error of their
 * inputs a bound: an execution may leave the ranges. Their steps are refused, and radii are 0.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "error_rules.h"
#include "rounding.h"

#include <string.h>

double lip_root_of_count(const lip_value *value)
{
    int64_t count;
    return value && lip_shape_count(&value->shape, &count) ? lip_sqrt_up((double)count) : (double)INFINITY;
}

double lip_count_of(const lip_value *value)
{
    int64_t count;
    return value && lip_shape_count(&value->shape, &count) ? (double)count : (double)INFINITY;
}

static bool is_op(const lip_node *node, const char *op)
{
    return strcmp(node->op_type, op) == 0;
}

/* --------------------------------------------------------------- constants */

/* to += |factor c|, c broadcast to `shape` from its trailing axes. */
static void add_broadcast(const lip_tensor *c, double factor, const lip_shape *shape, double *to)
{
    int64_t index[LIP_MAX_RANK] = { 0 }, stride[LIP_MAX_RANK] = { 0 }, count, step = 1, at = 0;
    int lead = shape->rank - c->shape.rank;
    lip_shape_count(shape, &count);
    for (int d = c->shape.rank - 1; d >= 0; d--) {
        if (d + lead >= 0)
            stride[d + lead] = c->shape.dim[d] == 1 ? 0 : step;
        step *= c->shape.dim[d];
    }
    for (int64_t i = 0; i < count; i++) {
        to[i] += fabs(factor * lip_tensor_real(c, at));
        for (int d = shape->rank - 1; d >= 0; d--) {
            at += stride[d];
            if (++index[d] < shape->dim[d])
                break;
            at -= stride[d] * index[d];
            index[d] = 0;
        }
    }
}

/* to[i] += |factor(c) values(c)|, c the channel (axis 1) of element i. */
static void add_channels(const lip_tensor *values, const lip_scale *factor, const lip_shape *shape, double *to)
{
    int64_t count, inner = 1, channels = shape->rank > 1 ? shape->dim[1] : 1;
    lip_shape_count(shape, &count);
    for (int d = 2; d < shape->rank; d++)
        inner *= shape->dim[d];
    for (int64_t i = 0; i < count; i++) {
        int64_t c = i / inner % channels;
        to[i] += fabs(lip_scale_at(factor, c) * lip_tensor_real(values, c));
    }
}

static bool is_readable(const lip_tensor *t) { return t && t->storage != LIP_OPAQUE && t->data; }

static bool add_inputs(const lip_node *node, const lip_shape *shape, double *to)
{
    for (size_t i = 0; i < node->input_count; i++) {
        const lip_tensor *c = lip_node_constant(node, i);
        if (!lip_node_input(node, i) || node->inputs[i]->varies)
            continue;
        if (!is_readable(c) || c->shape.rank > shape->rank)
            return false;
        add_broadcast(c, 1, shape, to);
    }
    return true;
}

/* to[i] += |factor[i] list[i]|, both one number or one for each index of the last axis. */
static bool add_list(const lip_attr *list, const lip_attr *factor, const lip_shape *shape, double *to)
{
    int64_t count;
    if (!list || list->kind != LIP_ATTR_FLOATS || list->count < 1 || !lip_shape_count(shape, &count))
        return false;
    for (int64_t i = 0; i < count; i++) {
        double scale = factor ? (double)factor->floats[i % factor->count] : 1;
        to[i] += fabs(scale * (double)list->floats[i % list->count]);
    }
    return true;
}

static bool add_of_scale(const lip_node *node, const lip_gain *gain, const lip_shape *shape, double *to)
{
    if (is_op(node, "Mul") || is_op(node, "Div"))
        return true;
    if (is_op(node, "Scaler")) {
        const lip_attr *scale = lip_attr_find(node, "scale");
        return scale && scale->kind == LIP_ATTR_FLOATS && scale->count > 0 &&
               add_list(lip_attr_find(node, "offset"), scale, shape, to);
    }
    const lip_tensor *shift = lip_node_constant(node, 2), *mean = lip_node_constant(node, 3);
    if (!is_op(node, "BatchNormalization") || !is_readable(shift) || !is_readable(mean))
        return false;
    add_channels(shift, NULL, shape, to);
    add_channels(mean, &gain->scale, shape, to);
    return true;
}

static bool add_of_product(const lip_node *node, const lip_shape *shape, double *to)
{
    const lip_tensor *bias = lip_node_constant(node, 2);
    if (is_op(node, "LinearClassifier") || is_op(node, "LinearRegressor"))
        return !lip_attr_find(node, "intercepts") || add_list(lip_attr_find(node, "intercepts"), NULL, shape, to);
    if (lip_node_input(node, 2) && !is_readable(bias))
        return false;
    if (!lip_node_input(node, 2))
        return is_op(node, "Conv") || is_op(node, "ConvTranspose") || is_op(node, "Gemm") || is_op(node, "MatMul") ||
               is_op(node, "FusedMatMul");
    if (is_op(node, "Conv") || is_op(node, "ConvTranspose"))
        add_channels(bias, NULL, shape, to);
    else if (is_op(node, "Gemm"))
        add_broadcast(bias, lip_attr_float(node, "beta", 1.0F), shape, to);
    else
        return false;
    return true;
}

bool lip_add_constants(const lip_node *node, const lip_gain *gain, double *to)
{
    const lip_value *out = lip_node_output(node, 0);
    if (!out || !out->shape_known)
        return false;
    switch (gain->kind) {
    case LIP_GAIN_SUM: return add_inputs(node, &out->shape, to);
    case LIP_GAIN_SCALE: return add_of_scale(node, gain, &out->shape, to);
    case LIP_GAIN_DENSE:
    case LIP_GAIN_CONV: return add_of_product(node, &out->shape, to);
    default: return false;
    }
}

double lip_norm_of_copies(double square, double copies, double terms)
{
    double total = lip_mul_up(lip_add_up(square, 0x1p-900), 1 + lip_gamma(terms + 4));
    return lip_sqrt_up(lip_mul_up(total, copies));
}

double lip_constant_before_scale(const lip_node *node)
{
    const lip_attr *offset = lip_attr_find(node, "offset");
    const lip_tensor *mean = is_op(node, "BatchNormalization") ? lip_node_constant(node, 3) : NULL;
    int64_t count = is_readable(mean) ? mean->count : is_op(node, "Scaler") && offset ? offset->count : 0;
    double square = 0;
    for (int64_t i = 0; i < count; i++) {
        double element = mean ? lip_tensor_real(mean, i) : (double)offset->floats[i];
        square += element * element;
    }
    double copies = count > 0 ? ceil(lip_count_of(node->outputs[0]) / (double)count) : 0;
    return count > 0 ? lip_norm_of_copies(square, copies, (double)count) : 0;
}

/* ------------------------------------------------------------------- rules */

void lip_round_outputs(lip_error_step *step, double units)
{
    step->units = units;
    step->peak = 2; /* x - max x, and the like */
    step->tiny_constant = lip_mul_up(2 * units, lip_root_of_count(step->node->outputs[0]));
    for (size_t b = 0; b < step->branch_count; b++)
        step->branches[b].magnitude = step->branches[b].gain;
}

/* Slopes: units, and whether 1 belongs to the size of a number. */
static const struct function {
    const char *op;
    double units, constant;
} functions[] = {
    { "Abs", 0, 0 },
    { "Clip", 0, 0 },
    { "Max", 0, 0 },
    { "Min", 0, 0 },
    { "Relu", 0, 0 },
    { "LeakyRelu", 2, 0 },
    { "PRelu", 2, 0 },
    { "Softsign", 8, 0 },
    { "HardSigmoid", 8, 1 },
    { "HardSwish", 16, 0 },
    { "Asinh", LIP_FUNCTION_UNITS, 1 },
    { "Atan", LIP_FUNCTION_UNITS, 1 },
    { "Celu", LIP_FUNCTION_UNITS, 1 },
    { "Cos", LIP_FUNCTION_UNITS, 1 },
    { "Elu", LIP_FUNCTION_UNITS, 1 },
    { "Erf", LIP_FUNCTION_UNITS, 1 },
    { "FastGelu", LIP_FUNCTION_UNITS, 1 },
    { "Gelu", LIP_FUNCTION_UNITS, 1 },
    { "Gate", 2 * LIP_FUNCTION_UNITS, 1 }, /* c x g(x), |g| <= 2, |c| <= slope */
    { "Mish", LIP_FUNCTION_UNITS, 1 },
    { "QuickGelu", LIP_FUNCTION_UNITS, 1 },
    { "Selu", LIP_FUNCTION_UNITS, 1 },
    { "Sigmoid", LIP_FUNCTION_UNITS, 1 },
    { "Sin", LIP_FUNCTION_UNITS, 1 },
    { "Softplus", LIP_FUNCTION_UNITS, 1 },
    { "Swish", LIP_FUNCTION_UNITS, 1 },
    { "Tanh", LIP_FUNCTION_UNITS, 1 },
};

/* What the constants of the piecewise functions add to the size of a number: attributes alpha and beta. */
static double attributes_of(const lip_node *node)
{
    double alpha = fabs(lip_attr_float(node, "alpha", 1.0F)), beta = fabs(lip_attr_float(node, "beta", 1.0F));
    return lip_add_up(fmax(1, alpha), beta);
}

static void rule_of_slopes(const lip_node *node, lip_error_step *step)
{
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        const struct function *f = &functions[i];
        if (!is_op(node, f->op))
            continue;
        if (f->units == 0) {
            lip_error_of_chosen(node, step);
            return;
        }
        double gain = step->branches[0].gain;
        lip_round_outputs(step, f->units);
        step->branches[0].magnitude = fmax(1, gain);
        step->peak = 8; /* 6 x of HardSwish before it is divided */
        if (f->constant > 0)
            step->constant = lip_mul_up(lip_mul_up(attributes_of(node), fmax(1, gain)),
                                        lip_root_of_count(node->outputs[0]));
        if (f->units >= LIP_FUNCTION_UNITS)
            step->refusal_half = "the rounding error of this function in half precision is not known";
        return;
    }
    step->refusal = "the rounding error of this function is not known";
}

/* Terms of each output of a linear node with coefficients >= 0; inf: not known. */
static double terms_of(const lip_node *node)
{
    int64_t count;
    const int64_t *kernel = lip_attr_ints(node, "kernel_shape", &count);
    double terms = 1;
    for (int64_t i = 0; i < count; i++)
        terms *= (double)kernel[i];
    if (is_op(node, "AveragePool"))
        return terms;
    double in = lip_count_of(node->inputs[0]), out = lip_count_of(node->outputs[0]);
    if (is_op(node, "GlobalAveragePool") || is_op(node, "ReduceMean") || is_op(node, "ReduceSum"))
        return out > 0 ? ceil(in / out) : 0;
    return is_op(node, "CumSum") ? in : (double)INFINITY;
}

static void rule_of_sum(const lip_node *node, lip_error_step *step)
{
    double total = 0;
    lip_round_outputs(step, (double)node->input_count + 2);
    for (size_t i = 0; i < node->input_count; i++) {
        const lip_value *in = lip_node_input(node, i);
        const lip_tensor *c = lip_node_constant(node, i);
        if (!in || in->varies)
            continue;
        if (!is_readable(c)) {
            step->refusal = "an added constant cannot be read";
            return;
        }
        double square = 0, copies = c->count > 0 ? ceil(lip_count_of(node->outputs[0]) / (double)c->count) : 0;
        for (int64_t k = 0; k < c->count; k++)
            square += lip_tensor_real(c, k) * lip_tensor_real(c, k);
        total = lip_add_up(total, lip_norm_of_copies(square, copies, (double)c->count));
    }
    step->constant = total;
    step->peak_constant = total; /* before the division of a mean */
}

/* Batch-norm: a sum, a root and a quotient make its factor, (1 + u) (1 - u)^-1.5 <= (1 + u)^3; a difference, a product
 * and a sum. Others: a product, and what an offset or Gemm's alpha and beta take. */
double lip_own_scale_units(const lip_node *node)
{
    return is_op(node, "Mul") || is_op(node, "Div") ? 1 : is_op(node, "BatchNormalization") ? 6 : 4;
}

/* The constant part is the caller's: it is summed elementwise. */
static void rule_of_scale(const lip_node *node, lip_error_step *step)
{
    lip_round_outputs(step, LIP_SCALE_UNITS);
    step->own_units = lip_own_scale_units(node);
    step->tiny_gain = 2;
    double before = lip_constant_before_scale(node);
    step->tiny_constant = lip_add_up(step->tiny_constant, 4 * before); /* a factor that underflows */
    step->peak_constant = fmax(before, step->branches[0].gain);        /* its factors are numbers, too */
    lip_error_of_divisors(node, step);
}

static void rule_of_nonnegative(const lip_node *node, lip_error_step *step)
{
    if (is_op(node, "Resize") || is_op(node, "Upsample")) {
        lip_error_interpolation(node, step);
        return;
    }
    lip_round_outputs(step, terms_of(node) + 3);
    step->peak = terms_of(node) * fmax(1, step->branches[0].gain); /* before the division */
    if (isinf(step->units))
        step->refusal = "its rounding error is not bounded";
}

void lip_error_rule(const lip_node *node, const lip_gain *gain, lip_error_step *step)
{
    switch (gain->kind) {
    case LIP_GAIN_ISOMETRY:
    case LIP_GAIN_COPY:
        if (is_op(node, "Cast") || is_op(node, "CastLike"))
            lip_round_outputs(step, 1);
        else if (gain->kind == LIP_GAIN_COPY)
            lip_error_of_chosen(node, step);
        break;
    case LIP_GAIN_JOIN:
    case LIP_GAIN_CONCAT: lip_error_of_chosen(node, step); break;
    case LIP_GAIN_SLOPES: rule_of_slopes(node, step); break;
    case LIP_GAIN_SELECT:
    case LIP_GAIN_LIPSCHITZ: lip_error_statistics(node, step); break;
    case LIP_GAIN_SUM: rule_of_sum(node, step); break;
    case LIP_GAIN_SCALE: rule_of_scale(node, step); break;
    case LIP_GAIN_NONNEGATIVE: rule_of_nonnegative(node, step); break;
    default: step->refusal = "its rounding error is not bounded";
    }
}
