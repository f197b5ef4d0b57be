/*
 * normalize.c: see normalize.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "normalize.h"

#include "outward.h"
#include "support.h"

#include <math.h>

lip_status lip_normalize_over_axes(const lip_node *node, bool centred, lip_normalize *out, lip_error *error)
{
    int axis = 0;
    int64_t scales = 0, shifts = 0;
    LIP_TRY(lip_check_inputs(node, 2, centred ? 3 : 2, error));
    for (size_t i = 0; i < node->input_count; i++)
        if (node->inputs[i] != NULL)
            LIP_TRY(lip_check_real(node, i, error));
    const lip_shape *x = &node->inputs[0]->shape;
    LIP_TRY(lip_check_axis(node, lip_attr_int(node, "axis", -1), x->rank, &axis, error));
    lip_normalize n = { .centred = centred, .eps = lip_attr_float(node, "epsilon", 1e-5F), .period = 1 };
    n.blocks = lip_dims_product(x, 0, x->rank) > 0 ? lip_dims_product(x, 0, axis) : 0;
    n.count = lip_dims_product(x, axis, x->rank);
    const lip_value *shift = lip_node_input(node, 2);
    if (!lip_shape_count(&node->inputs[1]->shape, &scales) || (scales != n.count && scales != 1) ||
        (shift != NULL && (!lip_shape_count(&shift->shape, &shifts) || shifts != scales)))
        return lip_fail_node(error, LIP_EUNSUPPORTED, node,
                             "its scale and bias do not have one element for each of the %lld normalised ones",
                             (long long)n.count);
    n.per_block = scales;
    n.run = scales == n.count ? 1 : n.count;
    *out = n;
    return lip_normalize_check(node, &n, error);
}

lip_status lip_normalize_set_outputs(const lip_node *node, lip_error *error)
{
    int axis = 0;
    lip_shape rest = node->inputs[0]->shape;
    LIP_TRY(lip_check_axis(node, lip_attr_int(node, "axis", -1), rest.rank, &axis, error));
    for (int i = axis; i < rest.rank; i++)
        rest.dim[i] = 1;
    for (size_t i = 1; i < node->output_count; i++)
        LIP_TRY(lip_set_output(node, i, LIP_DTYPE_FLOAT, &rest, error));
    return lip_set_output(node, 0, node->inputs[0]->dtype, &node->inputs[0]->shape, error);
}

/* Mean (0 if not centred) and 1 / s of a block. */
static void statistics(const lip_normalize *n, const double *x, double *mean, double *inverse)
{
    double sum = 0, squares = 0;
    for (int64_t i = 0; n->centred && i < n->count; i++)
        sum += x[i];
    *mean = sum / (double)n->count;
    for (int64_t i = 0; i < n->count; i++)
        squares += (x[i] - *mean) * (x[i] - *mean);
    *inverse = 1 / sqrt(squares / (double)n->count + n->eps);
}

static const double *block_parameters(const lip_normalize *n, const double *all, int64_t block)
{
    return all == NULL ? NULL : all + block % n->period * n->per_block;
}

void lip_normalize_forward(const lip_normalize *n, const double *x, const double *gamma, const double *shift, double *y,
                           double *mean, double *inverse)
{
    for (int64_t b = 0; b < n->blocks; b++, x += n->count) {
        const double *g = block_parameters(n, gamma, b), *s = block_parameters(n, shift, b);
        double m, r;
        statistics(n, x, &m, &r);
        for (int64_t i = 0; y != NULL && i < n->count; i++)
            y[b * n->count + i] = (x[i] - m) * r * g[i / n->run] + (s != NULL ? s[i / n->run] : 0);
        if (mean != NULL)
            mean[b] = m;
        if (inverse != NULL)
            inverse[b] = r;
    }
}

void lip_normalize_adjoint(const lip_normalize *n, const double *x, const double *gamma, const double *grad,
                           double *dx)
{
    for (int64_t b = 0; b < n->blocks; b++, x += n->count, grad += n->count, dx += n->count) {
        const double *g = block_parameters(n, gamma, b);
        double m, r, along = 0, sum = 0;
        statistics(n, x, &m, &r);
        for (int64_t i = 0; i < n->count; i++)
            along += grad[i] * g[i / n->run] * (x[i] - m) * r;
        for (int64_t i = 0; i < n->count; i++) {
            dx[i] = r * (grad[i] * g[i / n->run] - (x[i] - m) * r * along / (double)n->count);
            sum += dx[i];
        }
        for (int64_t i = 0; n->centred && i < n->count; i++)
            dx[i] -= sum / (double)n->count;
    }
}

static double largest_of(const lip_tensor *gamma)
{
    double largest = 0;
    for (int64_t i = 0; i < gamma->count; i++)
        largest = fmax(largest, fabs(lip_tensor_real(gamma, i)));
    return largest;
}

void lip_normalize_gain(const lip_node *node, const lip_normalize *n, lip_gain *gain)
{
    const lip_tensor *gamma = lip_node_constant(node, 1);
    for (size_t i = 1; i < node->input_count; i++)
        if (lip_input_varies(node, i) || gamma == NULL) {
            *gain = lip_gain_none(LIP_GAIN_UNKNOWN, "its scale or bias is not constant");
            return;
        }
    for (size_t i = 1; i < node->output_count; i++)
        if (node->outputs[i] != NULL && node->outputs[i]->consumers > 0) {
            *gain = lip_gain_none(LIP_GAIN_UNKNOWN, "its mean or deviation is used");
            return;
        }
    const double largest = largest_of(gamma);
    *gain = (lip_gain){ .kind = LIP_GAIN_LIPSCHITZ };
    gain->reason = "largest scale over the root of epsilon, at zero deviation";
    if ((n->centred && n->count <= 1) || largest == 0)
        return;
    if (n->eps == 0) {
        *gain = lip_gain_none(LIP_GAIN_UNBOUNDED, "epsilon is 0: the slope has no limit where the deviation vanishes");
        return;
    }
    gain->lipschitz.upper = lip_over_root_upper(largest, n->eps);
    const bool exact = !n->centred || n->run == n->count;
    const double share = exact ? 1 : lip_down(sqrt(lip_down(1 - lip_up(1 / (double)n->count))));
    gain->lipschitz.lower = lip_down(share * lip_over_root_lower(largest, n->eps));
}

lip_status lip_normalize_check(const lip_node *node, const lip_normalize *n, lip_error *error)
{
    if (!(n->eps >= 0))
        return lip_fail_node(error, LIP_EFORMAT, node, "epsilon is %g", n->eps);
    return LIP_OK;
}

lip_status lip_normalize_check_adjoint(const lip_call *call, lip_error *error)
{
    for (size_t i = 1; i < call->node->input_count; i++)
        if (call->in_grad[i] != NULL)
            return lip_fail_node(error, LIP_EUNSUPPORTED, call->node, "its '%s' depends on the input",
                                 call->node->inputs[i]->name);
    for (size_t i = 1; i < call->node->output_count; i++)
        if (call->out_grad[i] != NULL)
            return lip_fail_node(error, LIP_EUNSUPPORTED, call->node,
                                 "the gradient of its statistics is not implemented");
    return LIP_OK;
}
