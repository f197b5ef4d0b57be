/*
 * gather_elements.c: GatherElements, and ScatterElements (Scatter before opset
 * 11): one index per element, into one axis of the data.
 *
 * ScatterElements copies the data and overwrites elements by updates: each
 * output element is one of either, at most one output per update.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "copy.h"
#include "gather.h"
#include "support.h"

#include <string.h>

static lip_status axis_of(const lip_node *node, int *axis, lip_error *error)
{
    return lip_check_axis(node, lip_attr_int(node, "axis", 0), node->inputs[0]->shape.rank, axis, error);
}

/* The indices fit the data outside of the axis, and constant ones also there. */
static lip_status check(const lip_node *node, lip_error *error)
{
    int axis = 0;
    int64_t picked;
    LIP_TRY(lip_check_number(node, 0, error));
    LIP_TRY(lip_check_indices(node, error));
    LIP_TRY(axis_of(node, &axis, error));
    const lip_shape *x = &node->inputs[0]->shape, *indices = &node->inputs[1]->shape;
    bool fits = x->rank == indices->rank;
    for (int i = 0; fits && i < x->rank; i++) fits = i == axis || indices->dim[i] <= x->dim[i];
    if (!fits) return lip_fail_node(error, LIP_EFORMAT, node, "its indices' shape does not fit its data");
    const lip_tensor *index = lip_node_constant(node, 1);
    for (int64_t j = 0; index && j < index->count; j++)
        LIP_TRY(lip_check_index(node, index->i64[j], x->dim[axis], &picked, error));
    return LIP_OK;
}

/* Where in the data element j of the indices points to. */
static lip_status target(const lip_call *call, int axis, int64_t j, int64_t *out, lip_error *error)
{
    const lip_shape *x = &call->in[0]->shape, *indices = &call->in[1]->shape;
    int64_t at = 0, rest = j, stride = 1, index = 0;
    LIP_TRY(lip_check_index(call->node, call->in[1]->i64[j], x->dim[axis], &index, error));
    for (int i = x->rank - 1; i >= 0; i--) {
        int64_t own = rest % indices->dim[i];
        rest /= indices->dim[i];
        at += (i == axis ? index : own) * stride;
        stride *= x->dim[i];
    }
    *out = at;
    return LIP_OK;
}

static lip_status gather_shape(const lip_node *node, lip_error *error)
{
    LIP_TRY(lip_check_inputs(node, 2, 2, error));
    LIP_TRY(check(node, error));
    return lip_set_output(node, 0, node->inputs[0]->dtype, &node->inputs[1]->shape, error);
}

static lip_status gather_forward(const lip_call *call, lip_error *error)
{
    int axis = 0;
    int64_t from = 0;
    if (!call->out[0]) return LIP_OK;
    LIP_TRY(axis_of(call->node, &axis, error));
    for (int64_t j = 0; j < call->in[1]->count; j++) {
        LIP_TRY(target(call, axis, j, &from, error));
        memcpy(call->out[0]->i64_room + j, call->in[0]->i64 + from, sizeof(int64_t));
    }
    return LIP_OK;
}

static lip_status gather_adjoint(const lip_call *call, lip_error *error)
{
    int axis = 0;
    int64_t to = 0;
    lip_zero_grad(call, 0);
    if (!call->in_grad[0] || !call->out_grad[0]) return LIP_OK;
    LIP_TRY(axis_of(call->node, &axis, error));
    for (int64_t j = 0; j < call->in[1]->count; j++) {
        LIP_TRY(target(call, axis, j, &to, error));
        call->in_grad[0][to] += call->out_grad[0][j];
    }
    return LIP_OK;
}

static lip_status scatter_shape(const lip_node *node, lip_error *error)
{
    LIP_TRY(lip_check_inputs(node, 3, 3, error));
    LIP_TRY(check(node, error));
    if (strcmp(lip_attr_string(node, "reduction", "none"), "none") != 0)
        return lip_fail_node(error, LIP_EUNSUPPORTED, node, "attribute reduction is not 'none'");
    if (!lip_shape_equal(&node->inputs[1]->shape, &node->inputs[2]->shape))
        return lip_fail_node(error, LIP_EFORMAT, node, "its updates do not have the shape of its indices");
    if (node->inputs[0]->dtype != node->inputs[2]->dtype)
        return lip_fail_node(error, LIP_EFORMAT, node, "its updates are of another type than its data");
    return lip_set_output(node, 0, node->inputs[0]->dtype, &node->inputs[0]->shape, error);
}

static lip_status scatter_forward(const lip_call *call, lip_error *error)
{
    int axis = 0;
    int64_t to = 0;
    if (!call->out[0]) return LIP_OK;
    LIP_TRY(axis_of(call->node, &axis, error));
    int64_t *y = call->out[0]->i64_room;
    bool zero[3] = {call->linear_part && !lip_input_varies(call->node, 0), false,
                    call->linear_part && !lip_input_varies(call->node, 2)};
    for (int64_t i = 0; i < call->in[0]->count; i++) memcpy(y + i, call->in[0]->i64 + i, sizeof *y);
    if (zero[0]) memset(y, 0, (size_t)call->in[0]->count * sizeof *y);
    for (int64_t j = 0; j < call->in[1]->count; j++) {
        LIP_TRY(target(call, axis, j, &to, error));
        if (zero[2])
            memset(y + to, 0, sizeof *y);
        else
            memcpy(y + to, call->in[2]->i64 + j, sizeof *y);
    }
    return LIP_OK;
}

/* Of several updates of one element the last one stays: taken from the end, each target is given away once. */
static lip_status scatter_adjoint(const lip_call *call, lip_error *error)
{
    int axis = 0;
    int64_t to = 0;
    lip_zero_grad(call, 0);
    lip_zero_grad(call, 2);
    if (!call->out_grad[0]) return LIP_OK;
    LIP_TRY(axis_of(call->node, &axis, error));
    unsigned char *given = lip_alloc(call->memory, call->in[0]->count, sizeof *given);
    if (!given) return lip_fail_memory(error, call->node, "marks");
    lip_status status = LIP_OK;
    for (int64_t j = call->in[1]->count - 1; j >= 0 && status == LIP_OK; j--) {
        status = target(call, axis, j, &to, error);
        if (status == LIP_OK && !given[to]) {
            if (call->in_grad[2]) call->in_grad[2][j] = call->out_grad[0][to];
            given[to] = 1;
        }
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

const lip_op lip_op_gather_elements = {
    .name = "GatherElements",
    .domain = "",
    .opset_first = 11,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_COPY},
    .shape = gather_shape,
    .forward = gather_forward,
    .adjoint = gather_adjoint,
    .describe = lip_gather_describe,
};

const lip_op lip_op_scatter = {
    .name = "Scatter",
    .domain = "",
    .opset_first = 9,
    .opset_last = 10, /* ScatterElements since */
    .gain = {.kind = LIP_GAIN_CONCAT},
    .shape = scatter_shape,
    .forward = scatter_forward,
    .adjoint = scatter_adjoint,
    .describe = scatter_describe,
};

const lip_op lip_op_scatter_elements = {
    .name = "ScatterElements",
    .domain = "",
    .opset_first = 11,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_CONCAT},
    .shape = scatter_shape,
    .forward = scatter_forward,
    .adjoint = scatter_adjoint,
    .describe = scatter_describe,
};
