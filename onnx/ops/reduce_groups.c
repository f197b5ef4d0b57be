/*
 * reduce_groups.c: the groups of a reduction: every output element reads the
 * input at one base plus a common list of offsets.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "reduce.h"

#include "copy.h"
#include "support.h"

#include <string.h>

static lip_status reduced_axes(const lip_node *node, bool *reduced, lip_error *error)
{
    lip_ints axes;
    int rank = node->inputs[0]->shape.rank;
    bool input = node->opset >= (strcmp(node->op_type, "ReduceSum") == 0 ? 13 : 18);
    if (input)
        LIP_TRY(lip_ints_of_input(node, 1, "axes", &axes, error));
    else
        LIP_TRY(lip_ints_of_attr(node, "axes", &axes, error));
    LIP_TRY(lip_check_axes(node, axes.value, axes.count, rank, reduced, error));
    if (axes.count > 0) return LIP_OK;
    bool all = !input || lip_attr_int(node, "noop_with_empty_axes", 0) == 0;
    for (int i = 0; i < rank; i++) reduced[i] = all;
    return LIP_OK;
}

lip_status lip_reduce_shape(const lip_node *node, lip_error *error)
{
    bool reduced[LIP_MAX_RANK];
    lip_shape y = {0};
    LIP_TRY(lip_check_inputs(node, 1, 2, error));
    LIP_TRY(lip_check_number(node, 0, error));
    LIP_TRY(reduced_axes(node, reduced, error));
    const lip_shape *x = &node->inputs[0]->shape;
    bool keep = lip_attr_int(node, "keepdims", 1) != 0;
    for (int i = 0; i < x->rank; i++) {
        if (!reduced[i] || keep) LIP_TRY(lip_push_dim(node, &y, reduced[i] ? 1 : x->dim[i], error));
    }
    return lip_set_output(node, 0, node->inputs[0]->dtype, &y, error);
}

lip_status lip_reduce_shape_real(const lip_node *node, lip_error *error)
{
    LIP_TRY(lip_check_inputs(node, 1, 2, error));
    LIP_TRY(lip_check_real(node, 0, error));
    return lip_reduce_shape(node, error);
}

lip_status lip_reduce_size(const lip_node *node, int64_t *size, lip_error *error)
{
    bool reduced[LIP_MAX_RANK];
    const lip_shape *x = &node->inputs[0]->shape;
    LIP_TRY(reduced_axes(node, reduced, error));
    int64_t product = 1;
    for (int i = 0; i < x->rank; i++) product *= reduced[i] ? x->dim[i] : 1;
    *size = product;
    return LIP_OK;
}

/* Offsets of all index tuples over the axes that are chosen, in row-major order. */
static void list_offsets(const lip_shape *x, const bool *chosen, int64_t count, int64_t *list)
{
    int64_t stride[LIP_MAX_RANK];
    lip_strides(x, stride);
    for (int64_t i = 0; i < count; i++) {
        int64_t rest = i, at = 0;
        for (int d = x->rank - 1; d >= 0; d--) {
            if (!chosen[d]) continue;
            at += rest % x->dim[d] * stride[d];
            rest /= x->dim[d];
        }
        list[i] = at;
    }
}

typedef struct groups {
    int64_t count, size;
    int64_t *base, *at; /* base[g] + at[i]: element i of group g; one block, base first */
} groups;

static lip_status groups_open(const lip_call *call, groups *out, lip_error *error)
{
    bool reduced[LIP_MAX_RANK] = {false}, kept[LIP_MAX_RANK] = {false};
    const lip_shape *x = &call->in[0]->shape;
    LIP_TRY(reduced_axes(call->node, reduced, error));
    *out = (groups){.count = 1, .size = 1};
    for (int i = 0; i < x->rank; i++) {
        kept[i] = !reduced[i];
        if (reduced[i])
            out->size *= x->dim[i];
        else
            out->count *= x->dim[i];
    }
    out->base = lip_alloc(call->memory, out->count + out->size, sizeof *out->base);
    if (!out->base) return lip_fail_memory(error, call->node, "the reduction's offsets");
    out->at = out->base + out->count;
    list_offsets(x, kept, out->count, out->base);
    list_offsets(x, reduced, out->size, out->at);
    return LIP_OK;
}

/* What a reduction of nothing gives, in the output's type: the least int64 stands for the type's least value, the
 * largest for its largest. */
static int64_t of_nothing(int64_t x, lip_dtype dtype)
{
    if (x != INT64_MIN && x != INT64_MAX) return x;
    if (dtype == LIP_DTYPE_BOOL) return x == INT64_MAX;
    for (int bits = 8; bits < 64; bits *= 2) {
        int64_t low = -(INT64_C(1) << (bits - 1)), high = (INT64_C(1) << bits) - 1;
        if (lip_wrap(low, dtype) == low && lip_wrap(low - 1, dtype) != low - 1) return x < 0 ? low : -(low + 1);
        if (lip_wrap(high, dtype) == high && lip_wrap(high + 1, dtype) == 0) return x < 0 ? 0 : high;
    }
    return x;
}

lip_status lip_reduce_forward(const lip_call *call, lip_reduce *real, lip_reduce_whole *whole, lip_error *error)
{
    groups g = {0};
    if (!call->out[0]) return LIP_OK;
    bool reals = call->in[0]->storage == LIP_F64;
    if (!reals && !whole) return lip_fail_node(error, LIP_EUNSUPPORTED, call->node, "is not defined on integers here");
    LIP_TRY(groups_open(call, &g, error));
    for (int64_t i = 0; i < g.count; i++) {
        if (reals)
            call->out[0]->f64_room[i] = real(call->in[0]->f64 + g.base[i], g.at, g.size);
        else
            call->out[0]->i64_room[i] =
                g.size == 0 ? of_nothing(whole(call->in[0]->i64, g.at, 0), call->out[0]->dtype)
                            : lip_wrap(whole(call->in[0]->i64 + g.base[i], g.at, g.size), call->out[0]->dtype);
    }
    lip_free(call->memory, g.base);
    return LIP_OK;
}

lip_status lip_reduce_adjoint(const lip_call *call, lip_reduce_slopes *slopes, lip_error *error)
{
    groups g = {0};
    lip_zero_grad(call, 0);
    if (!call->in_grad[0] || !call->out_grad[0]) return LIP_OK;
    LIP_TRY(groups_open(call, &g, error));
    for (int64_t i = 0; i < g.count; i++) {
        slopes(call->in[0]->f64 + g.base[i], g.at, g.size, call->out[0]->f64[i], call->out_grad[0][i],
               call->in_grad[0] + g.base[i]);
    }
    lip_free(call->memory, g.base);
    return LIP_OK;
}
