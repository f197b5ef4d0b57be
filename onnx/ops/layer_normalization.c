/*
 * layer_normalization.c: LayerNormalization. Computed in float64 whatever
 * stash_type says. Gain: normalize.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "normalize.h"
#include "ranges.h"
#include "support.h"

static lip_status shape(const lip_node *node, lip_error *error)
{
    lip_normalize n = { 0 };
    LIP_TRY(lip_normalize_over_axes(node, true, &n, error));
    return lip_normalize_set_outputs(node, error);
}

/* Room of an output that may be left out. */
static double *room(const lip_call *call, size_t index)
{
    return index < call->node->output_count && call->out[index] != NULL ? call->out[index]->f64_room : NULL;
}

static lip_status forward(const lip_call *call, lip_error *error)
{
    lip_normalize n = { 0 };
    LIP_TRY(lip_normalize_over_axes(call->node, true, &n, error));
    const bool shift = call->node->input_count > 2 && call->in[2] != NULL;
    lip_normalize_forward(&n, call->in[0]->f64, call->in[1]->f64, shift ? call->in[2]->f64 : NULL, room(call, 0),
                          room(call, 1), room(call, 2));
    return LIP_OK;
}

static lip_status adjoint(const lip_call *call, lip_error *error)
{
    lip_normalize n = { 0 };
    LIP_TRY(lip_normalize_over_axes(call->node, true, &n, error));
    LIP_TRY(lip_normalize_check_adjoint(call, error));
    lip_normalize_adjoint(&n, call->in[0]->f64, call->in[1]->f64, call->out_grad[0], call->in_grad[0]);
    return LIP_OK;
}

static lip_status describe(const lip_node *node, lip_arena *arena, lip_gain *gain, lip_error *error)
{
    (void)arena;
    lip_normalize n = { 0 };
    LIP_TRY(lip_normalize_over_axes(node, true, &n, error));
    lip_normalize_gain(node, &n, gain);
    return LIP_OK;
}

static lip_status range(const lip_range_call *call, lip_error *error)
{
    lip_normalize n = { 0 };
    LIP_TRY(lip_normalize_over_axes(call->node, true, &n, error));
    return lip_range_normalize(call, &n, error);
}

const lip_op lip_op_layer_normalization = {
    .name = "LayerNormalization",
    .domain = "",
    .opset_first = 1, /* runtimes accepted it before it became standard in 17, with this meaning */
    .opset_last = LIP_OPSET_LAST,
    .gain = { .kind = LIP_GAIN_LIPSCHITZ },
    .shape = shape,
    .forward = forward,
    .adjoint = adjoint,
    .describe = describe,
    .range = range,
};
