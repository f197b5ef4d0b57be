/*
 * gather_nd.c: GatherND and ScatterND: tuples of indices into the leading
 * axes of the data (GatherND: after batch_dims common ones).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "copy.h"
#include "gather.h"
#include "support.h"

#include <string.h>

/* indices [batch, tuples, depth]; data [batch, n[0], .., n[depth - 1], block] */
typedef struct layout {
    int first, depth; /* axes of the data that a tuple names */
    int64_t batch, tuples, block;
} layout;

static lip_status layout_of(const lip_node *node, layout *out, lip_error *error)
{
    const lip_shape *x = &node->inputs[0]->shape, *indices = &node->inputs[1]->shape;
    int64_t batch = lip_attr_int(node, "batch_dims", 0);
    if (indices->rank < 1 || batch < 0 || batch >= indices->rank || batch >= x->rank)
        return lip_fail_node(error, LIP_EFORMAT, node, "batch_dims %lld does not fit its inputs", (long long)batch);
    int64_t depth = indices->dim[indices->rank - 1];
    if (depth < 0 || depth > x->rank - batch)
        return lip_fail_node(error, LIP_EFORMAT, node, "its indices name %lld axes of %d", (long long)depth, x->rank);
    for (int i = 0; i < batch; i++) {
        if (x->dim[i] != indices->dim[i])
            return lip_fail_node(error, LIP_EFORMAT, node, "batch dimension %d differs between its inputs", i);
    }
    out->first = (int)batch;
    out->depth = (int)depth;
    out->batch = lip_dims_product(x, 0, out->first);
    out->tuples = lip_dims_product(indices, out->first, indices->rank - 1);
    out->block = lip_dims_product(x, out->first + out->depth, x->rank);
    return LIP_OK;
}

/* Where in the data the block of tuple t of batch b begins. */
static lip_status target(const lip_node *node, const layout *at, const int64_t *indices, int64_t b, int64_t t,
                         int64_t *out, lip_error *error)
{
    const lip_shape *x = &node->inputs[0]->shape;
    int64_t block = b, index = 0;
    for (int i = 0; i < at->depth; i++) {
        int64_t n = x->dim[at->first + i];
        LIP_TRY(lip_check_index(node, indices[(b * at->tuples + t) * at->depth + i], n, &index, error));
        block = block * n + index;
    }
    *out = block * at->block;
    return LIP_OK;
}

static lip_status check_constant(const lip_node *node, const layout *at, lip_error *error)
{
    const lip_tensor *indices = lip_node_constant(node, 1);
    int64_t begin;
    for (int64_t b = 0; indices && b < at->batch; b++) {
        for (int64_t t = 0; t < at->tuples; t++) LIP_TRY(target(node, at, indices->i64, b, t, &begin, error));
    }
    return LIP_OK;
}

/* Dimensions [batch, tuples ..., block ...]. */
static lip_status gathered(const lip_node *node, const layout *at, lip_shape *y, lip_error *error)
{
    const lip_shape *x = &node->inputs[0]->shape, *indices = &node->inputs[1]->shape;
    *y = (lip_shape){0};
    for (int i = 0; i < indices->rank - 1; i++) LIP_TRY(lip_push_dim(node, y, indices->dim[i], error));
    for (int i = at->first + at->depth; i < x->rank; i++) LIP_TRY(lip_push_dim(node, y, x->dim[i], error));
    return LIP_OK;
}

static lip_status gather_shape(const lip_node *node, lip_error *error)
{
    layout at = {0};
    lip_shape y;
    LIP_TRY(lip_check_inputs(node, 2, 2, error));
    LIP_TRY(lip_check_number(node, 0, error));
    LIP_TRY(lip_check_indices(node, error));
    LIP_TRY(layout_of(node, &at, error));
    LIP_TRY(gathered(node, &at, &y, error));
    LIP_TRY(check_constant(node, &at, error));
    return lip_set_output(node, 0, node->inputs[0]->dtype, &y, error);
}

static lip_status gather_forward(const lip_call *call, lip_error *error)
{
    layout at = {0};
    int64_t from = 0;
    if (!call->out[0]) return LIP_OK;
    LIP_TRY(layout_of(call->node, &at, error));
    for (int64_t b = 0; b < at.batch; b++) {
        for (int64_t t = 0; t < at.tuples; t++) {
            LIP_TRY(target(call->node, &at, call->in[1]->i64, b, t, &from, error));
            memcpy(call->out[0]->i64_room + (b * at.tuples + t) * at.block, call->in[0]->i64 + from,
                   (size_t)at.block * sizeof(int64_t));
        }
    }
    return LIP_OK;
}

static lip_status gather_adjoint(const lip_call *call, lip_error *error)
{
    layout at = {0};
    int64_t to = 0;
    lip_zero_grad(call, 0);
    if (!call->in_grad[0] || !call->out_grad[0]) return LIP_OK;
    LIP_TRY(layout_of(call->node, &at, error));
    for (int64_t b = 0; b < at.batch; b++) {
        for (int64_t t = 0; t < at.tuples; t++) {
            LIP_TRY(target(call->node, &at, call->in[1]->i64, b, t, &to, error));
            const double *g = call->out_grad[0] + (b * at.tuples + t) * at.block;
            for (int64_t i = 0; i < at.block; i++) call->in_grad[0][to + i] += g[i];
        }
    }
    return LIP_OK;
}

static lip_status scatter_shape(const lip_node *node, lip_error *error)
{
    layout at = {0};
    lip_shape updates;
    LIP_TRY(lip_check_inputs(node, 3, 3, error));
    LIP_TRY(lip_check_number(node, 0, error));
    LIP_TRY(lip_check_indices(node, error));
    LIP_TRY(layout_of(node, &at, error));
    LIP_TRY(gathered(node, &at, &updates, error));
    LIP_TRY(check_constant(node, &at, error));
    if (strcmp(lip_attr_string(node, "reduction", "none"), "none") != 0)
        return lip_fail_node(error, LIP_EUNSUPPORTED, node, "attribute reduction is not 'none'");
    if (!lip_shape_equal(&updates, &node->inputs[2]->shape))
        return lip_fail_node(error, LIP_EFORMAT, node, "its updates' shape does not fit its data and indices");
    if (node->inputs[0]->dtype != node->inputs[2]->dtype)
        return lip_fail_node(error, LIP_EFORMAT, node, "its updates are of another type than its data");
    return lip_set_output(node, 0, node->inputs[0]->dtype, &node->inputs[0]->shape, error);
}

static lip_status scatter_forward(const lip_call *call, lip_error *error)
{
    layout at = {0};
    int64_t to = 0;
    if (!call->out[0]) return LIP_OK;
    LIP_TRY(layout_of(call->node, &at, error));
    int64_t *y = call->out[0]->i64_room;
    size_t size = (size_t)call->in[0]->count * sizeof *y, block = (size_t)at.block * sizeof *y;
    if (call->linear_part && !lip_input_varies(call->node, 0))
        memset(y, 0, size);
    else if (size > 0)
        memcpy(y, call->in[0]->i64, size);
    for (int64_t t = 0; t < at.tuples; t++) {
        LIP_TRY(target(call->node, &at, call->in[1]->i64, 0, t, &to, error));
        if (call->linear_part && !lip_input_varies(call->node, 2))
            memset(y + to, 0, block);
        else
            memcpy(y + to, call->in[2]->i64 + t * at.block, block);
    }
    return LIP_OK;
}

/* Of several updates of one block the last one stays: taken from the end, each block is given away once. */
static lip_status scatter_adjoint(const lip_call *call, lip_error *error)
{
    layout at = {0};
    int64_t to = 0;
    lip_zero_grad(call, 0);
    lip_zero_grad(call, 2);
    if (!call->out_grad[0]) return LIP_OK;
    LIP_TRY(layout_of(call->node, &at, error));
    unsigned char *given = lip_alloc(call->memory, call->in[0]->count, sizeof *given);
    if (!given) return lip_fail_memory(error, call->node, "marks");
    lip_status status = LIP_OK;
    for (int64_t t = at.tuples - 1; t >= 0 && at.block > 0 && status == LIP_OK; t--) {
        status = target(call->node, &at, call->in[1]->i64, 0, t, &to, error);
        if (status != LIP_OK || given[to]) continue;
        memset(given + to, 1, (size_t)at.block);
        for (int64_t i = 0; call->in_grad[2] && i < at.block; i++)
            call->in_grad[2][t * at.block + i] = call->out_grad[0][to + i];
    }
    for (int64_t i = 0; call->in_grad[0] && i < call->in[0]->count; i++)
        call->in_grad[0][i] = given[i] ? 0 : call->out_grad[0][i];
    lip_free(call->memory, given);
    return status;
}

static lip_status scatter_describe(const lip_node *node, lip_arena *arena, lip_gain *gain, lip_error *error)
{
    (void)arena, (void)error;
    if (lip_input_varies(node, 1))
        *gain = lip_gain_none(LIP_GAIN_UNBOUNDED, "discontinuous: its indices depend on the input");
    return LIP_OK;
}

const lip_op lip_op_gather_nd = {
    .name = "GatherND",
    .domain = "",
    .opset_first = 11,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_COPY},
    .shape = gather_shape,
    .forward = gather_forward,
    .adjoint = gather_adjoint,
    .describe = lip_gather_describe,
};

const lip_op lip_op_scatter_nd = {
    .name = "ScatterND",
    .domain = "",
    .opset_first = 11,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_CONCAT},
    .shape = scatter_shape,
    .forward = scatter_forward,
    .adjoint = scatter_adjoint,
    .describe = scatter_describe,
};
