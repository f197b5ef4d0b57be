/*
 * cum_sum.c: CumSum along an axis, optionally reverse and without the element
 * itself. The adjoint is the same sum in the other direction. Sums are
 * compensated as in reduce.c.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "copy.h"
#include "ranges.h"
#include "support.h"

typedef struct layout {
    int64_t outer, n, inner;
    bool exclusive, reverse;
} layout;

static lip_status layout_of(const lip_node *node, layout *out, lip_error *error)
{
    lip_ints given;
    int axis = 0;
    const lip_shape *x = &node->inputs[0]->shape;
    LIP_TRY(lip_ints_of_input(node, 1, "axis", &given, error));
    if (given.count != 1) return lip_fail_node(error, LIP_EFORMAT, node, "its axis is not a scalar");
    LIP_TRY(lip_check_axis(node, given.value[0], x->rank, &axis, error));
    *out = (layout){.outer = lip_dims_product(x, 0, axis),
                    .n = x->dim[axis],
                    .inner = lip_dims_product(x, axis + 1, x->rank),
                    .exclusive = lip_attr_int(node, "exclusive", 0) != 0,
                    .reverse = lip_attr_int(node, "reverse", 0) != 0};
    return LIP_OK;
}

static lip_status shape(const lip_node *node, lip_error *error)
{
    layout at = {0};
    LIP_TRY(lip_check_inputs(node, 2, 2, error));
    LIP_TRY(lip_check_number(node, 0, error));
    LIP_TRY(layout_of(node, &at, error));
    return lip_set_output(node, 0, node->inputs[0]->dtype, &node->inputs[0]->shape, error);
}

static void real_sums(const layout *at, int64_t base, int64_t step, const double *x, double *y)
{
    double total = 0, lost = 0;
    for (int64_t i = 0, k = base; i < at->n; i++, k += step) {
        double term = x[k] - lost, next = total + term;
        if (at->exclusive) y[k] = total;
        lost = (next - total) - term;
        total = next;
        if (!at->exclusive) y[k] = total;
    }
}

static void whole_sums(const layout *at, int64_t base, int64_t step, const int64_t *x, int64_t *y)
{
    uint64_t total = 0;
    for (int64_t i = 0, k = base; i < at->n; i++, k += step) {
        uint64_t before = total;
        total += (uint64_t)x[k];
        y[k] = (int64_t)(at->exclusive ? before : total);
    }
}

/* Exactly one of the pairs x, y and a, b is given. */
static void all_sums(const layout *at, bool reverse, const double *x, double *y, const int64_t *a, int64_t *b)
{
    int64_t first = reverse ? (at->n - 1) * at->inner : 0, step = reverse ? -at->inner : at->inner;
    for (int64_t o = 0; o < at->outer; o++) {
        for (int64_t i = 0; i < at->inner && at->n > 0; i++) {
            int64_t base = o * at->n * at->inner + first + i;
            if (x)
                real_sums(at, base, step, x, y);
            else
                whole_sums(at, base, step, a, b);
        }
    }
}

static lip_status forward(const lip_call *call, lip_error *error)
{
    layout at = {0};
    if (!call->out[0]) return LIP_OK;
    LIP_TRY(layout_of(call->node, &at, error));
    if (call->in[0]->storage == LIP_F64)
        all_sums(&at, at.reverse, call->in[0]->f64, call->out[0]->f64_room, NULL, NULL);
    else
        all_sums(&at, at.reverse, NULL, NULL, call->in[0]->i64, call->out[0]->i64_room);
    return LIP_OK;
}

static lip_status adjoint(const lip_call *call, lip_error *error)
{
    layout at = {0};
    lip_zero_grad(call, 0);
    if (!call->in_grad[0] || !call->out_grad[0]) return LIP_OK;
    LIP_TRY(layout_of(call->node, &at, error));
    all_sums(&at, !at.reverse, call->out_grad[0], call->in_grad[0], NULL, NULL);
    return LIP_OK;
}

const lip_op lip_op_cum_sum = {
    .name = "CumSum",
    .domain = "",
    .opset_first = 11,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_NONNEGATIVE},
    .shape = shape,
    .forward = forward,
    .adjoint = adjoint,
    .range = lip_range_weighted,
};
