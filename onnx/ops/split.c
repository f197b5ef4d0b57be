/*
 * split.c: Split along an axis, in given, equal, or (num_outputs) rounded-up
 * parts. All outputs together are the input in another order; each alone has
 * gain 1 too.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "copy.h"
#include "ranges.h"
#include "support.h"
#include "view.h"

static lip_status given_parts(const lip_node *node, lip_ints *parts, lip_error *error)
{
    LIP_TRY(lip_ints_of_attr(node, "split", parts, error));
    if (!parts->value && (node->opset == 1 || node->opset >= 13))
        return lip_ints_of_input(node, 1, "parts", parts, error);
    return LIP_OK;
}

/* Size of part k along an axis of `total` where no parts are given. */
static int64_t even_part(int64_t total, int64_t parts, int64_t k)
{
    int64_t size = total / parts + (total % parts != 0);
    int64_t from = k * size < total ? k * size : total;
    return total - from < size ? total - from : size;
}

typedef struct layout {
    int axis;
    int64_t total;
    lip_ints parts;
} layout;

static int64_t part_size(const lip_node *node, const layout *at, size_t k)
{
    return at->parts.value ? at->parts.value[k] : even_part(at->total, (int64_t)node->output_count, (int64_t)k);
}

static lip_status layout_of(const lip_node *node, layout *out, lip_error *error)
{
    const lip_shape *x = &node->inputs[0]->shape;
    int64_t sum = 0, parts = lip_attr_int(node, "num_outputs", (int64_t)node->output_count);
    LIP_TRY(lip_check_axis(node, lip_attr_int(node, "axis", 0), x->rank, &out->axis, error));
    LIP_TRY(given_parts(node, &out->parts, error));
    out->total = x->dim[out->axis];
    if (out->parts.value) parts = out->parts.count;
    if (parts != (int64_t)node->output_count || parts < 1)
        return lip_fail_node(error, LIP_EFORMAT, node, "has %zu outputs for %lld parts", node->output_count,
                             (long long)parts);
    if (!out->parts.value && node->opset < 18 && out->total % parts != 0)
        return lip_fail_node(error, LIP_EFORMAT, node, "cannot cut %lld elements into %lld equal parts",
                             (long long)out->total, (long long)parts);
    for (size_t k = 0; k < node->output_count; k++) {
        int64_t size = part_size(node, out, k);
        if (size < 0 || !lip_size_add(sum, size, &sum))
            return lip_fail_node(error, LIP_EFORMAT, node, "a part has %lld elements", (long long)size);
    }
    if (sum != out->total)
        return lip_fail_node(error, LIP_EFORMAT, node, "its parts have %lld elements, the axis has %lld",
                             (long long)sum, (long long)out->total);
    return LIP_OK;
}

static lip_status shape(const lip_node *node, lip_error *error)
{
    layout at = {0};
    LIP_TRY(lip_check_inputs(node, 1, 2, error));
    LIP_TRY(lip_check_number(node, 0, error));
    LIP_TRY(layout_of(node, &at, error));
    for (size_t k = 0; k < node->output_count; k++) {
        lip_shape y = node->inputs[0]->shape;
        y.dim[at.axis] = part_size(node, &at, k);
        LIP_TRY(lip_set_output(node, k, node->inputs[0]->dtype, &y, error));
    }
    return LIP_OK;
}

/* The view between the input and part k, which begins at `from` along the axis. */
static lip_view part(const lip_node *node, const layout *at, int64_t from, int64_t size)
{
    const lip_shape *x = &node->inputs[0]->shape;
    int64_t outer = lip_dims_product(x, 0, at->axis), inner = lip_dims_product(x, at->axis + 1, x->rank);
    lip_view view = {.in_offset = from * inner};
    lip_view_push(&view, outer, at->total * inner, size * inner);
    lip_view_push(&view, size * inner, 1, 1);
    return view;
}

static lip_status forward(const lip_call *call, lip_error *error)
{
    layout at = {0};
    int64_t from = 0;
    LIP_TRY(layout_of(call->node, &at, error));
    for (size_t k = 0; k < call->node->output_count; k++) {
        int64_t size = part_size(call->node, &at, k);
        lip_view view = part(call->node, &at, from, size);
        if (call->out[k]) lip_view_copy(&view, call->in[0]->data, call->out[k]->room);
        from += size;
    }
    return LIP_OK;
}

static lip_status adjoint(const lip_call *call, lip_error *error)
{
    layout at = {0};
    int64_t from = 0;
    LIP_TRY(layout_of(call->node, &at, error));
    lip_zero_grad(call, 0);
    for (size_t k = 0; k < call->node->output_count; k++) {
        int64_t size = part_size(call->node, &at, k);
        lip_view view = part(call->node, &at, from, size);
        if (call->out_grad[k] && call->in_grad[0]) lip_view_add(&view, call->out_grad[k], call->in_grad[0]);
        from += size;
    }
    return LIP_OK;
}

const lip_op lip_op_split = {
    .name = "Split",
    .domain = "",
    .opset_first = 1,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_ISOMETRY},
    .shape = shape,
    .forward = forward,
    .adjoint = adjoint,
    .range = lip_range_monotone,
};
