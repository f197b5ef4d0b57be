/*
 * slice.c: Slice, with attributes before opset 10, constant inputs since.
 * Ends are clamped to the axis as numpy does.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "copy.h"
#include "ranges.h"
#include "support.h"
#include "view.h"

typedef struct cut {
    int64_t start, step, count;
} cut;

/* The clamped cut of an axis of n elements. */
static cut clamp(int64_t start, int64_t end, int64_t step, int64_t n)
{
    int64_t low = step > 0 ? 0 : -1, high = step > 0 ? n : n - 1;
    if (start < 0) start += n; /* start >= INT64_MIN and n >= 0: no overflow */
    if (end < 0) end += n;
    start = start < low ? low : start > high ? high : start;
    end = end < low ? low : end > high ? high : end;
    cut c = {.start = start, .step = step};
    if (step > 0 && end > start) c.count = (end - start - 1) / step + 1;
    if (step < 0 && end < start) {
        /* -step overflows for INT64_MIN; any step past the axis takes one element. */
        int64_t back = step < -n ? n + 1 : -step;
        c.count = (start - end - 1) / back + 1;
    }
    if (c.count <= 1) c.step = 1;
    return c;
}

static lip_status lists(const lip_node *node, lip_ints list[4], lip_error *error)
{
    static const char *const attr[] = {"starts", "ends", "axes"};
    static const char *const what[] = {"starts", "ends", "axes", "steps"};
    list[3] = (lip_ints){0};
    for (size_t k = 0; k < 4; k++) {
        if (node->opset >= 10)
            LIP_TRY(lip_ints_of_input(node, k + 1, what[k], &list[k], error));
        else if (k < 3)
            LIP_TRY(lip_ints_of_attr(node, attr[k], &list[k], error));
        if (k < 2 && !list[k].value) return lip_fail_node(error, LIP_EFORMAT, node, "has no %s", what[k]);
        if (list[k].value && list[k].count != list[0].count)
            return lip_fail_node(error, LIP_EFORMAT, node, "its %s have another length than its starts", what[k]);
    }
    return LIP_OK;
}

static lip_status cuts(const lip_node *node, cut *at, lip_error *error)
{
    lip_ints list[4];
    bool found[LIP_MAX_RANK];
    const lip_shape *x = &node->inputs[0]->shape;
    LIP_TRY(lists(node, list, error));
    if (list[0].count > x->rank)
        return lip_fail_node(error, LIP_EFORMAT, node, "has %lld starts for %d dimensions", (long long)list[0].count,
                             x->rank);
    if (list[2].value) LIP_TRY(lip_check_axes(node, list[2].value, list[2].count, x->rank, found, error));
    for (int i = 0; i < x->rank; i++) at[i] = (cut){.step = 1, .count = x->dim[i]};
    for (int64_t i = 0; i < list[0].count; i++) {
        int64_t axis = list[2].value ? list[2].value[i] : i, step = list[3].value ? list[3].value[i] : 1;
        if (axis < 0) axis += x->rank;
        if (step == 0) return lip_fail_node(error, LIP_EFORMAT, node, "a step is 0");
        at[axis] = clamp(list[0].value[i], list[1].value[i], step, x->dim[axis]);
    }
    return LIP_OK;
}

static lip_status shape(const lip_node *node, lip_error *error)
{
    cut at[LIP_MAX_RANK];
    LIP_TRY(lip_check_inputs(node, 1, 5, error));
    LIP_TRY(lip_check_number(node, 0, error));
    LIP_TRY(cuts(node, at, error));
    lip_shape y = {.rank = node->inputs[0]->shape.rank};
    for (int i = 0; i < y.rank; i++) y.dim[i] = at[i].count;
    return lip_set_output(node, 0, node->inputs[0]->dtype, &y, error);
}

static lip_status plan(const lip_node *node, lip_view *view, lip_error *error)
{
    cut at[LIP_MAX_RANK];
    int64_t in_stride[LIP_MAX_RANK], out_stride[LIP_MAX_RANK];
    const lip_shape *x = &node->inputs[0]->shape;
    LIP_TRY(cuts(node, at, error));
    lip_shape y = {.rank = x->rank};
    for (int i = 0; i < y.rank; i++) y.dim[i] = at[i].count;
    lip_strides(x, in_stride);
    lip_strides(&y, out_stride);
    *view = (lip_view){0};
    for (int i = 0; i < y.rank; i++) {
        if (at[i].count > 0) view->in_offset += at[i].start * in_stride[i];
        lip_view_push(view, y.dim[i], at[i].step * in_stride[i], out_stride[i]);
    }
    return LIP_OK;
}

static lip_status forward(const lip_call *call, lip_error *error)
{
    return lip_view_forward(call, plan, error);
}

static lip_status adjoint(const lip_call *call, lip_error *error)
{
    return lip_view_adjoint(call, plan, error);
}

const lip_op lip_op_slice = {
    .name = "Slice",
    .domain = "",
    .opset_first = 1,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_COPY},
    .shape = shape,
    .forward = forward,
    .adjoint = adjoint,
    .range = lip_range_monotone,
};
