/*
 * gelu.c: Gelu of the default domain (attribute approximate) and of
 * com.microsoft, and com.microsoft's FastGelu (an optional constant bias is
 * added first: a translation).
 *
 * Exact, y = x P(x), P the normal distribution's integral, p its density:
 * y' = P + x p, y'' = p (2 - x^2): the extremes are at x = +-sqrt 2, where
 * y' = 1.12890414518515478634... and, since y'(-x) = 1 - y'(x),
 * -0.12890414518515478634...; at the ends y' tends to 0 and 1.
 *
 * tanh, y = x/2 (1 + t), t = tanh(g), g = c (x + 0.044715 x^3), c = sqrt(2 /
 * pi): y' = (1 + t)/2 + x/2 (1 - t^2) g', and y'(-x) = 1 - y'(x). For x >= 4,
 * with 1 - t^2 <= 4 e^-2g, 0 < y' <= 1 + 2 x g' e^-2g, which decreases (its
 * logarithmic slope 1/x + g''/g' - 2 g' is negative) from less than 1 + 1e-3
 * at x = 4, where g > 5.4 and g' < 2.6. On [-4, 4] branch and bound with
 * |y'''| <= K = 3/2 |t''| + |x|/2 |t'''|, |t''| <= 0.77 g'^2 + g'' and
 * |t'''| <= 2 g'^3 + 2.31 g' g'' + g''' (bounds of tanh's derivatives and the
 * chain rule): tests/onnx/ops/test_slopes.c runs it. The maximum is at
 * x = 1.4185040088...
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "elementwise.h"
#include "ranges.h"
#include "support.h"

#include <math.h>
#include <string.h>

#define SQRT_2_OVER_PI 0.79788456080286535588
#define CUBIC 0.044715

static double exact(double x, const double *p)
{
    (void)p;
    return 0.5 * x * erfc(-x * M_SQRT1_2);
}

static double exact_slope(double x, const double *p)
{
    (void)p;
    return 0.5 * erfc(-x * M_SQRT1_2) + x * 0.39894228040143267794 * exp(-0.5 * x * x);
}

static double by_tanh(double x, const double *p)
{
    (void)p;
    return 0.5 * x * (1 + tanh(SQRT_2_OVER_PI * (x + CUBIC * x * x * x)));
}

static double by_tanh_slope(double x, const double *p)
{
    (void)p;
    double t = tanh(SQRT_2_OVER_PI * (x + CUBIC * x * x * x));
    double inner = SQRT_2_OVER_PI * (1 + 3 * CUBIC * x * x);
    return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * inner;
}

static bool is_tanh(const lip_node *node)
{
    /* com.microsoft's Gelu has no such attribute. */
    return node->domain[0] == '\0' && strcmp(lip_attr_string(node, "approximate", "none"), "tanh") == 0;
}

static lip_status shape(const lip_node *node, lip_error *error)
{
    const char *kind = lip_attr_string(node, "approximate", "none");
    if (strcmp(kind, "none") != 0 && strcmp(kind, "tanh") != 0)
        return lip_fail_node(error, LIP_EFORMAT, node, "attribute approximate is '%s', not 'none' or 'tanh'", kind);
    return lip_shape_of_map(node, error);
}

static lip_status forward(const lip_call *call, lip_error *error)
{
    (void)error;
    return lip_map_forward(call, is_tanh(call->node) ? by_tanh : exact, NULL);
}

static lip_status adjoint(const lip_call *call, lip_error *error)
{
    (void)error;
    return lip_map_adjoint(call, is_tanh(call->node) ? by_tanh_slope : exact_slope, NULL);
}

static const lip_gain exact_gain = {
    .kind = LIP_GAIN_SLOPES,
    .slopes = {.a = -0.128904145185155, .b = 1.128904145185155, .slack = 2.3e-16},
};
static const lip_gain tanh_gain = {
    .kind = LIP_GAIN_SLOPES,
    .slopes = {.a = -0.128993068660, .b = 1.128993068660, .slack = 2e-12},
};

static lip_status describe(const lip_node *node, lip_arena *arena, lip_gain *gain, lip_error *error)
{
    (void)arena, (void)error;
    *gain = is_tanh(node) ? tanh_gain : exact_gain;
    return LIP_OK;
}

static lip_status fast_shape(const lip_node *node, lip_error *error)
{
    LIP_TRY(lip_check_inputs(node, 1, 2, error));
    LIP_TRY(lip_check_real(node, 0, error));
    const lip_shape *x = &node->inputs[0]->shape;
    const lip_value *bias = lip_node_input(node, 1);
    if (bias && (bias->shape.rank != 1 || x->rank < 1 || bias->shape.dim[0] != x->dim[x->rank - 1]))
        return lip_fail_node(error, LIP_EFORMAT, node, "its bias does not have the input's last dimension");
    if (bias) LIP_TRY(lip_check_real(node, 1, error));
    if (bias && bias->varies)
        return lip_fail_node(error, LIP_EUNSUPPORTED, node, "its bias depends on the model's input");
    return lip_set_output(node, 0, node->inputs[0]->dtype, x, error);
}

static double biased(const lip_call *call, int64_t i)
{
    const lip_tensor *bias = lip_node_input(call->node, 1) ? call->in[1] : NULL;
    return call->in[0]->f64[i] + (bias ? bias->f64[i % bias->count] : 0);
}

static lip_status fast_forward(const lip_call *call, lip_error *error)
{
    (void)error;
    for (int64_t i = 0; call->out[0] && i < call->in[0]->count; i++)
        call->out[0]->f64_room[i] = by_tanh(biased(call, i), NULL);
    return LIP_OK;
}

static lip_status fast_adjoint(const lip_call *call, lip_error *error)
{
    (void)error;
    const double *g = call->out_grad[0];
    for (int64_t i = 0; call->in_grad[0] && i < call->in[0]->count; i++)
        call->in_grad[0][i] = g ? g[i] * by_tanh_slope(biased(call, i), NULL) : 0;
    return LIP_OK;
}

const lip_op lip_op_gelu = {
    .name = "Gelu",
    .domain = "",
    .opset_first = 20,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_SLOPES, .slopes = {.a = -0.128904145185155, .b = 1.128904145185155, .slack = 2.3e-16}},
    .shape = shape,
    .forward = forward,
    .adjoint = adjoint,
    .describe = describe,
    .curve = &lip_curve_gelu,
};

const lip_op lip_op_microsoft_fast_gelu = {
    .name = "FastGelu",
    .domain = "com.microsoft",
    .opset_first = 1,
    .opset_last = 1,
    .gain = {.kind = LIP_GAIN_SLOPES, .slopes = {.a = -0.128993068660, .b = 1.128993068660, .slack = 2e-12}},
    .shape = fast_shape,
    .forward = fast_forward,
    .adjoint = fast_adjoint,
    .curve = &lip_curve_fast_gelu,
};

const lip_op lip_op_microsoft_gelu = {
    .name = "Gelu",
    .domain = "com.microsoft",
    .opset_first = 1,
    .opset_last = 1,
    .gain = {.kind = LIP_GAIN_SLOPES, .slopes = {.a = -0.128904145185155, .b = 1.128904145185155, .slack = 2.3e-16}},
    .shape = lip_shape_of_map,
    .forward = forward,
    .adjoint = adjoint,
    .curve = &lip_curve_gelu,
};
