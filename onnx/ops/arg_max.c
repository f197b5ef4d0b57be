/*
 * arg_max.c: ArgMax and ArgMin: the index of an extreme along an axis, the
 * first one or (select_last_index) the last.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "support.h"

static lip_status shape(const lip_node *node, lip_error *error)
{
    int axis = 0;
    lip_shape y = {0};
    LIP_TRY(lip_check_inputs(node, 1, 1, error));
    LIP_TRY(lip_check_number(node, 0, error));
    const lip_shape *x = &node->inputs[0]->shape;
    LIP_TRY(lip_check_axis(node, lip_attr_int(node, "axis", 0), x->rank, &axis, error));
    if (x->dim[axis] == 0) return lip_fail_node(error, LIP_EFORMAT, node, "axis %d has no elements", axis);
    bool keep = lip_attr_int(node, "keepdims", 1) != 0;
    for (int i = 0; i < x->rank; i++) {
        if (i != axis || keep) LIP_TRY(lip_push_dim(node, &y, i == axis ? 1 : x->dim[i], error));
    }
    return lip_set_output(node, 0, LIP_DTYPE_INT64, &y, error);
}

static lip_status find(const lip_call *call, double sign, lip_error *error)
{
    int axis = 0;
    const lip_shape *x = &call->in[0]->shape;
    if (!call->out[0]) return LIP_OK;
    LIP_TRY(lip_check_axis(call->node, lip_attr_int(call->node, "axis", 0), x->rank, &axis, error));
    bool last = lip_attr_int(call->node, "select_last_index", 0) != 0;
    int64_t n = x->dim[axis], inner = lip_dims_product(x, axis + 1, x->rank);
    for (int64_t i = 0; i < call->out[0]->count; i++) {
        int64_t base = i / inner * n * inner + i % inner, best = 0;
        double top = sign * lip_tensor_real(call->in[0], base);
        for (int64_t j = 1; j < n; j++) {
            double v = sign * lip_tensor_real(call->in[0], base + j * inner);
            if (v > top || (last && v == top)) {
                top = v;
                best = j;
            }
        }
        call->out[0]->i64_room[i] = best;
    }
    return LIP_OK;
}

static lip_status max_forward(const lip_call *call, lip_error *error)
{
    return find(call, 1, error);
}

static lip_status min_forward(const lip_call *call, lip_error *error)
{
    return find(call, -1, error);
}

const lip_op lip_op_arg_max = {
    .name = "ArgMax",
    .domain = "",
    .opset_first = 1,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_UNBOUNDED, .reason = "discontinuous: its index jumps"},
    .shape = shape,
    .forward = max_forward,
};

const lip_op lip_op_arg_min = {
    .name = "ArgMin",
    .domain = "",
    .opset_first = 1,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_UNBOUNDED, .reason = "discontinuous: its index jumps"},
    .shape = shape,
    .forward = min_forward,
};
