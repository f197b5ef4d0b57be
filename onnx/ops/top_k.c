/*
 * top_k.c: TopK: the k largest (or smallest) elements along an axis, sorted,
 * and their indices.
 *
 * Sorting is 1-Lipschitz: with x', y' the sorted x and y, |x'| = |x|,
 * |y'| = |y| and <x', y'> >= <x, y> (rearrangement inequality), so that
 * |x' - y'| <= |x - y|. Dropping elements is a projection. The constant is
 * attained by x + t (1, .., 1) for k = n, and by moving one element for k < n.
 * The indices jump. With sorted = 0 the order is the runtime's choice, and the
 * order in the input, for one, is discontinuous: (x1, x2) becomes (x2, x3)
 * where x3 overtakes x1.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "copy.h"
#include "support.h"

#include <math.h>
#include <stdlib.h>

typedef struct entry {
    double key; /* sorted ascending */
    int64_t index;
} entry;

static int compare(const void *a, const void *b)
{
    const entry *x = a, *y = b;
    if (x->key != y->key) return x->key < y->key ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

typedef struct layout {
    int axis;
    int64_t k, n, inner, slices;
    double sign;
} layout;

static lip_status layout_of(const lip_node *node, layout *out, lip_error *error)
{
    const lip_shape *x = &node->inputs[0]->shape;
    lip_ints given = {0};
    LIP_TRY(lip_check_axis(node, lip_attr_int(node, "axis", -1), x->rank, &out->axis, error));
    out->k = lip_attr_int(node, "k", -1);
    if (node->opset >= 10) {
        LIP_TRY(lip_ints_of_input(node, 1, "k", &given, error));
        out->k = given.count == 1 ? given.value[0] : -1;
    }
    out->n = x->dim[out->axis];
    out->inner = lip_dims_product(x, out->axis + 1, x->rank);
    out->slices = lip_dims_product(x, 0, out->axis) * out->inner;
    out->sign = lip_attr_int(node, "largest", 1) ? -1 : 1;
    if (out->k < 0 || out->k > out->n)
        return lip_fail_node(error, LIP_EFORMAT, node, "k is %lld of %lld elements", (long long)out->k,
                             (long long)out->n);
    return LIP_OK;
}

static lip_status shape(const lip_node *node, lip_error *error)
{
    layout at = {0};
    LIP_TRY(lip_check_inputs(node, 1, 2, error));
    LIP_TRY(lip_check_number(node, 0, error));
    LIP_TRY(layout_of(node, &at, error));
    lip_shape y = node->inputs[0]->shape;
    y.dim[at.axis] = at.k;
    LIP_TRY(lip_set_output(node, 0, node->inputs[0]->dtype, &y, error));
    return lip_set_output(node, 1, LIP_DTYPE_INT64, &y, error);
}

/* The slice's entries in order; base is its first element. */
static int64_t sort_slice(const lip_call *call, const layout *at, int64_t slice, entry *entries)
{
    int64_t base = slice / at->inner * at->n * at->inner + slice % at->inner;
    for (int64_t i = 0; i < at->n; i++)
        entries[i] = (entry){.key = at->sign * lip_tensor_real(call->in[0], base + i * at->inner), .index = i};
    qsort(entries, (size_t)at->n, sizeof *entries, compare);
    return base;
}

static lip_status forward(const lip_call *call, lip_error *error)
{
    layout at = {0};
    LIP_TRY(layout_of(call->node, &at, error));
    entry *entries = lip_alloc(call->memory, at.n, sizeof *entries);
    if (!entries) return lip_fail_memory(error, call->node, "sorting");
    const lip_tensor *x = call->in[0];
    lip_tensor *values = call->out[0], *indices = call->node->output_count > 1 ? call->out[1] : NULL;
    for (int64_t s = 0; s < at.slices; s++) {
        int64_t base = sort_slice(call, &at, s, entries), out = s / at.inner * at.k * at.inner + s % at.inner;
        for (int64_t i = 0; i < at.k; i++) {
            int64_t from = base + entries[i].index * at.inner, to = out + i * at.inner;
            if (values && x->storage == LIP_F64) values->f64_room[to] = x->f64[from];
            if (values && x->storage == LIP_I64) values->i64_room[to] = x->i64[from];
            if (indices) indices->i64_room[to] = entries[i].index;
        }
    }
    lip_free(call->memory, entries);
    return LIP_OK;
}

static lip_status adjoint(const lip_call *call, lip_error *error)
{
    layout at = {0};
    lip_zero_grad(call, 0);
    if (!call->in_grad[0] || !call->out_grad[0]) return LIP_OK;
    LIP_TRY(layout_of(call->node, &at, error));
    entry *entries = lip_alloc(call->memory, at.n, sizeof *entries);
    if (!entries) return lip_fail_memory(error, call->node, "sorting");
    for (int64_t s = 0; s < at.slices; s++) {
        int64_t base = sort_slice(call, &at, s, entries), out = s / at.inner * at.k * at.inner + s % at.inner;
        for (int64_t i = 0; i < at.k; i++)
            call->in_grad[0][base + entries[i].index * at.inner] = call->out_grad[0][out + i * at.inner];
    }
    lip_free(call->memory, entries);
    return LIP_OK;
}

static lip_status describe(const lip_node *node, lip_arena *arena, lip_gain *gain, lip_error *error)
{
    (void)arena;
    const lip_value *indices = lip_node_output(node, 1), *values = lip_node_output(node, 0);
    const lip_shape *y = values ? &values->shape : &indices->shape;
    int axis = 0;
    LIP_TRY(lip_check_axis(node, lip_attr_int(node, "axis", -1), y->rank, &axis, error));
    if (indices && indices->consumers > 0)
        *gain = lip_gain_none(LIP_GAIN_UNBOUNDED, "discontinuous: its indices jump");
    else if (node->opset >= 11 && lip_attr_int(node, "sorted", 1) == 0 && y->dim[axis] > 1)
        *gain = lip_gain_none(LIP_GAIN_UNKNOWN, "sorted is 0: the order of its values is not defined");
    return LIP_OK;
}

const lip_op lip_op_top_k = {
    .name = "TopK",
    .domain = "",
    .opset_first = 1,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_LIPSCHITZ, .lipschitz = {.upper = 1, .lower = 0}},
    .shape = shape,
    .forward = forward,
    .adjoint = adjoint,
    .describe = describe,
};
