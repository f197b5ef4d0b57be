/*
 * normalizer.c: ai.onnx.ml's Normalizer, each row divided by its largest
 * element (MAX), by the sum of its absolute values (L1) or by its Euclidean
 * norm (L2); a row whose divisor is 0 stays. Near the origin the slope has no
 * limit.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "support.h"

#include <math.h>
#include <string.h>

typedef enum norm { NORM_MAX, NORM_L1, NORM_L2 } norm;

static lip_status read(const lip_node *node, norm *out, int64_t *features, lip_error *error)
{
    const char *name = lip_attr_string(node, "norm", "MAX");
    LIP_TRY(lip_check_inputs(node, 1, 1, error));
    LIP_TRY(lip_check_number(node, 0, error));
    const lip_shape *x = &node->inputs[0]->shape;
    if (x->rank < 1 || x->rank > 2)
        return lip_fail_node(error, LIP_EFORMAT, node, "its input is not a list of samples");
    *out = strcmp(name, "L1") == 0 ? NORM_L1 : strcmp(name, "L2") == 0 ? NORM_L2 : NORM_MAX;
    if (*out == NORM_MAX && strcmp(name, "MAX") != 0)
        return lip_fail_node(error, LIP_EFORMAT, node, "attribute norm is '%s', not 'MAX', 'L1' or 'L2'", name);
    *features = x->dim[x->rank - 1];
    return LIP_OK;
}

static lip_status shape(const lip_node *node, lip_error *error)
{
    norm kind = NORM_MAX;
    int64_t features = 0;
    LIP_TRY(read(node, &kind, &features, error));
    return lip_set_output(node, 0, LIP_DTYPE_FLOAT, &node->inputs[0]->shape, error);
}

static double divisor_of(const lip_tensor *x, int64_t first, int64_t count, norm kind)
{
    double result = kind == NORM_MAX ? -INFINITY : 0;
    for (int64_t i = first; i < first + count; i++) {
        double e = lip_tensor_real(x, i);
        result = kind == NORM_MAX ? fmax(result, e) : result + (kind == NORM_L1 ? fabs(e) : e * e);
    }
    return kind == NORM_L2 ? sqrt(result) : result;
}

static lip_status forward(const lip_call *call, lip_error *error)
{
    norm kind = NORM_MAX;
    int64_t features = 0;
    LIP_TRY(read(call->node, &kind, &features, error));
    for (int64_t row = 0; call->out[0] && row < call->in[0]->count; row += features) {
        double divisor = divisor_of(call->in[0], row, features, kind);
        for (int64_t i = row; i < row + features; i++)
            call->out[0]->f64_room[i] = lip_tensor_real(call->in[0], i) / (divisor == 0 ? 1 : divisor);
    }
    return LIP_OK;
}

/* d divisor / d x[i]; the maximum is taken at its first place. */
static double divisor_slope(const double *x, int64_t count, int64_t i, double divisor, norm kind)
{
    if (kind == NORM_L1) return (x[i] > 0) - (x[i] < 0);
    if (kind == NORM_L2) return x[i] / divisor;
    int64_t first = 0;
    while (first < count && x[first] != divisor) first++;
    return i == first;
}

static lip_status adjoint(const lip_call *call, lip_error *error)
{
    norm kind = NORM_MAX;
    int64_t features = 0;
    LIP_TRY(read(call->node, &kind, &features, error));
    for (int64_t row = 0; call->in_grad[0] && row < call->in[0]->count; row += features) {
        const double *x = call->in[0]->f64 + row, *g = call->out_grad[0] + row;
        double divisor = divisor_of(call->in[0], row, features, kind), along = 0;
        for (int64_t i = 0; i < features; i++) along += g[i] * x[i];
        for (int64_t i = 0; i < features; i++) {
            double slope = divisor == 0 ? 0 : divisor_slope(x, features, i, divisor, kind);
            call->in_grad[0][row + i] =
                divisor == 0 ? g[i] : g[i] / divisor - slope * along / (divisor * divisor);
        }
    }
    return LIP_OK;
}

const lip_op lip_op_ml_normalizer = {
    .name = "Normalizer",
    .domain = "ai.onnx.ml",
    .opset_first = 1,
    .opset_last = LIP_OPSET_ML_LAST,
    .gain = {.kind = LIP_GAIN_UNBOUNDED, .reason = "x / |x| has no finite constant near 0"},
    .shape = shape,
    .forward = forward,
    .adjoint = adjoint,
};
