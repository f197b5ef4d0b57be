/*
 * dropout.c: Dropout as it runs at inference, or with ratio 0: the identity,
 * and a mask of ones.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "copy.h"
#include "ranges.h"
#include "support.h"

static lip_status shape(const lip_node *node, lip_error *error)
{
    LIP_TRY(lip_check_inputs(node, 1, 3, error));
    LIP_TRY(lip_check_real(node, 0, error));
    const lip_tensor *training, *ratio = lip_node_constant(node, 1);
    LIP_TRY(lip_need_constant(node, 2, "training mode", &training, error));
    const bool idle = ratio && ratio->data && ratio->count == 1 && lip_tensor_real(ratio, 0) == 0;
    if (!idle && training && training->count > 0 && lip_tensor_real(training, 0) != 0)
        return lip_fail_node(error, LIP_EUNSUPPORTED, node, "runs in training mode: its output is random");
    lip_dtype dtype = node->inputs[0]->dtype;
    LIP_TRY(lip_set_output(node, 0, dtype, &node->inputs[0]->shape, error));
    return lip_set_output(node, 1, node->opset < 10 ? dtype : LIP_DTYPE_BOOL, &node->inputs[0]->shape, error);
}

static lip_status forward(const lip_call *call, lip_error *error)
{
    const lip_tensor *mask = call->node->output_count > 1 ? call->out[1] : NULL;
    for (int64_t i = 0; mask && i < mask->count; i++) {
        if (mask->storage == LIP_F64)
            mask->f64_room[i] = 1;
        else
            mask->i64_room[i] = 1;
    }
    return lip_copy_forward(call, error);
}

/* The ratio (input 1) has no effect at inference, and is a constant otherwise. */
static lip_status describe(const lip_node *node, lip_arena *arena, lip_gain *gain, lip_error *error)
{
    (void)arena, (void)error;
    if (!lip_input_varies(node, 0))
        *gain = (lip_gain){.kind = LIP_GAIN_LIPSCHITZ, .reason = "its result is a constant"};
    else if (lip_input_varies(node, 1))
        *gain = lip_gain_none(LIP_GAIN_UNKNOWN, "its ratio depends on the model's input");
    return LIP_OK;
}

const lip_op lip_op_dropout = {
    .name = "Dropout",
    .domain = "",
    .opset_first = 1,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_ISOMETRY},
    .shape = shape,
    .forward = forward,
    .adjoint = lip_copy_adjoint,
    .describe = describe,
    .range = lip_range_described,
};
