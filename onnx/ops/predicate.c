/*
 * predicate.c: Not, IsNaN, IsInf: bool results of one input, that jump.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "support.h"

#include <math.h>

#define JUMPS "discontinuous: its result is 0 or 1"

static lip_status shape(const lip_node *node, lip_error *error)
{
    LIP_TRY(lip_check_inputs(node, 1, 1, error));
    LIP_TRY(lip_check_number(node, 0, error));
    return lip_set_output(node, 0, LIP_DTYPE_BOOL, &node->inputs[0]->shape, error);
}

static lip_status not_forward(const lip_call *call, lip_error *error)
{
    (void)error;
    for (int64_t i = 0; call->out[0] && i < call->in[0]->count; i++)
        call->out[0]->i64_room[i] = lip_tensor_real(call->in[0], i) == 0;
    return LIP_OK;
}

static lip_status is_inf_forward(const lip_call *call, lip_error *error)
{
    (void)error;
    bool positive = lip_attr_int(call->node, "detect_positive", 1) != 0;
    bool negative = lip_attr_int(call->node, "detect_negative", 1) != 0;
    for (int64_t i = 0; call->out[0] && i < call->in[0]->count; i++) {
        double x = lip_tensor_real(call->in[0], i);
        call->out[0]->i64_room[i] = isinf(x) && (x > 0 ? positive : negative);
    }
    return LIP_OK;
}

static lip_status is_nan_forward(const lip_call *call, lip_error *error)
{
    (void)error;
    for (int64_t i = 0; call->out[0] && i < call->in[0]->count; i++)
        call->out[0]->i64_room[i] = isnan(lip_tensor_real(call->in[0], i));
    return LIP_OK;
}

const lip_op lip_op_is_inf = {
    .name = "IsInf",
    .domain = "",
    .opset_first = 10,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_UNBOUNDED, .reason = JUMPS},
    .shape = shape,
    .forward = is_inf_forward,
};

const lip_op lip_op_is_nan = {
    .name = "IsNaN",
    .domain = "",
    .opset_first = 9,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_UNBOUNDED, .reason = JUMPS},
    .shape = shape,
    .forward = is_nan_forward,
};

const lip_op lip_op_not = {
    .name = "Not",
    .domain = "",
    .opset_first = 1,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_UNBOUNDED, .reason = JUMPS},
    .shape = shape,
    .forward = not_forward,
};
