/*
 * conv_geometry.c: what Conv and ConvTranspose share, see conv_geometry.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "conv_geometry.h"

#include "support.h"

#include <inttypes.h>

static int64_t positions_of(const int64_t *size, int dims)
{
    int64_t count = 1;
    for (int i = 0; i < dims; i++)
        count *= size[i];
    return count;
}

/* Product of c and size; LIP_EUNSUPPORTED if it overflows, or if a side of its matrix has no BLAS index. */
static lip_status check_count(const lip_node *node, int64_t channels, const int64_t *size, int dims, lip_error *error)
{
    int64_t count = 1;
    for (int i = 0; i < dims; i++)
        if (!lip_size_mul(count, size[i], &count) || count > INT32_MAX)
            return lip_fail_node(error, LIP_EUNSUPPORTED, node, "it has more than %d positions", INT32_MAX);
    if (channels > INT32_MAX || !lip_size_mul(count, channels, &count))
        return lip_fail_node(error, LIP_EUNSUPPORTED, node, "its %" PRId64 " channels are too many", channels);
    return LIP_OK;
}

lip_status lip_conv_check(const lip_node *node, const lip_conv *conv, lip_error *error)
{
    int64_t rows;
    LIP_TRY(check_count(node, conv->c_in, conv->n, conv->dims, error));
    LIP_TRY(check_count(node, conv->c_out, conv->n_out, conv->dims, error));
    LIP_TRY(check_count(node, conv->c_in, conv->k, conv->dims, error));
    if (!lip_size_mul(conv->c_in / conv->groups, positions_of(conv->k, conv->dims), &rows) || rows > INT32_MAX)
        return lip_fail_node(error, LIP_EUNSUPPORTED, node, "its kernel is too large");
    const lip_value *bias = lip_node_input(node, 2);
    const int64_t channels = conv->transposed ? conv->c_in : conv->c_out;
    if (bias != NULL && (bias->shape.rank != 1 || bias->shape.dim[0] != channels)) {
        char text[160];
        lip_shape_text(&bias->shape, text, sizeof text);
        return lip_fail_node(error, LIP_EFORMAT, node, "its bias is %s, %" PRId64 " elements are needed", text,
                             channels);
    }
    return LIP_OK;
}

lip_status lip_conv_set_output(const lip_node *node, const lip_conv *conv, lip_error *error)
{
    lip_shape shape = { .rank = conv->dims + 2 };
    shape.dim[0] = conv->batch;
    shape.dim[1] = conv->transposed ? conv->c_in : conv->c_out;
    for (int i = 0; i < conv->dims; i++)
        shape.dim[i + 2] = conv->transposed ? conv->n[i] : conv->n_out[i];
    return lip_set_output(node, 0, node->inputs[0]->dtype, &shape, error);
}

/* The node's own channels and positions: input and output of the pass it computes. */
typedef struct sides {
    int64_t in_count, out_count, channels, positions;
} sides;

static sides sides_of(const lip_conv *conv)
{
    const int64_t x = lip_conv_input_count(conv), y = lip_conv_output_count(conv);
    return conv->transposed ? (sides){ y, x, conv->c_in, positions_of(conv->n, conv->dims) }
                            : (sides){ x, y, conv->c_out, positions_of(conv->n_out, conv->dims) };
}

/* The map of the node, or its transpose, on the whole batch. */
static lip_status apply(const lip_call *call, const lip_conv *conv, bool transpose, const double *from, double *to,
                        lip_error *error)
{
    const int64_t x = lip_conv_input_count(conv), y = lip_conv_output_count(conv);
    const double *w = call->in[1]->f64;
    double *work = lip_alloc(call->memory, lip_conv_work_count(conv), sizeof *work);
    if (work == NULL)
        return lip_fail_memory(error, call->node, "a convolution's workspace");
    for (int64_t i = 0; i < conv->batch; i++)
        if (transpose)
            lip_conv_adjoint(conv, w, from + i * y, to + i * x, work);
        else
            lip_conv_forward(conv, w, from + i * x, to + i * y, work);
    lip_free(call->memory, work);
    return LIP_OK;
}

lip_status lip_conv_node_forward(const lip_call *call, const lip_conv *conv, lip_error *error)
{
    const sides s = sides_of(conv);
    double *y = call->out[0]->f64_room;
    LIP_TRY(apply(call, conv, conv->transposed, call->in[0]->f64, y, error));
    const bool bias = !call->linear_part && call->node->input_count > 2 && call->in[2] != NULL;
    for (int64_t i = 0; bias && i < conv->batch * s.channels; i++) {
        const double b = call->in[2]->f64[i % s.channels];
        for (int64_t p = 0; p < s.positions; p++)
            y[i * s.positions + p] += b;
    }
    return LIP_OK;
}

lip_status lip_conv_node_adjoint(const lip_call *call, const lip_conv *conv, lip_error *error)
{
    const sides s = sides_of(conv);
    const double *grad = call->out_grad[0];
    if (call->in_grad[1] != NULL)
        return lip_fail_node(error, LIP_EUNSUPPORTED, call->node, "the gradient in its weights is not implemented");
    double *bias = call->node->input_count > 2 ? call->in_grad[2] : NULL;
    for (int64_t c = 0; bias != NULL && c < s.channels; c++)
        bias[c] = 0;
    for (int64_t i = 0; bias != NULL && i < conv->batch * s.channels; i++)
        for (int64_t p = 0; p < s.positions; p++)
            bias[i % s.channels] += grad[i * s.positions + p];
    if (call->in_grad[0] == NULL)
        return LIP_OK;
    return apply(call, conv, !conv->transposed, grad, call->in_grad[0], error);
}

void lip_conv_node_gain(const lip_node *node, const lip_conv *conv, lip_gain *gain)
{
    const bool x = lip_input_varies(node, 0), w = lip_input_varies(node, 1), b = lip_input_varies(node, 2);
    if (w && (x || lip_node_constant(node, 0) == NULL))
        *gain = lip_gain_none(LIP_GAIN_UNBOUNDED, x ? "the weights depend on the input: a product of two activations"
                                                    : "the weights depend on the input");
    else if (w || lip_node_constant(node, 1) == NULL)
        *gain = lip_gain_none(LIP_GAIN_UNKNOWN, "its weights are not constant");
    else if (b)
        *gain = lip_gain_none(LIP_GAIN_UNKNOWN, "its bias depends on the input");
    else
        *gain = (lip_gain){ .kind = LIP_GAIN_CONV, .conv = *conv };
}
