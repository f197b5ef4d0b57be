/*
 * imputer.c: ai.onnx.ml's Imputer: elements that equal one value become
 * another, one for all or one per feature. Where that value is NaN, no real
 * number is changed: the node is the identity. Otherwise it jumps there.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "copy.h"
#include "support.h"

#include <math.h>

static lip_status shape(const lip_node *node, lip_error *error)
{
    LIP_TRY(lip_check_inputs(node, 1, 1, error));
    LIP_TRY(lip_check_number(node, 0, error));
    const lip_shape *x = &node->inputs[0]->shape;
    bool real = lip_dtype_is_real(node->inputs[0]->dtype);
    const lip_attr *to = lip_attr_find(node, real ? "imputed_value_floats" : "imputed_value_int64s");
    int64_t features = x->rank > 0 ? x->dim[x->rank - 1] : 1;
    if (!to || to->kind != (real ? LIP_ATTR_FLOATS : LIP_ATTR_INTS) || (to->count != 1 && to->count != features))
        return lip_fail_node(error, LIP_EFORMAT, node, "it does not have one imputed value, nor one per feature");
    return lip_set_output(node, 0, node->inputs[0]->dtype, x, error);
}

static double replaced(const lip_node *node)
{
    return lip_attr_float(node, "replaced_value_float", 0);
}

static lip_status forward(const lip_call *call, lip_error *error)
{
    (void)error;
    const lip_tensor *x = call->in[0];
    lip_tensor *y = call->out[0];
    bool real = x->storage == LIP_F64;
    const lip_attr *to = lip_attr_find(call->node, real ? "imputed_value_floats" : "imputed_value_int64s");
    int64_t features = x->shape.rank > 0 ? x->shape.dim[x->shape.rank - 1] : 1;
    int64_t whole = lip_attr_int(call->node, "replaced_value_int64", 0);
    double from = replaced(call->node);
    for (int64_t i = 0; y && i < x->count; i++) {
        int64_t k = to->count > 1 ? i % features : 0;
        if (real)
            y->f64_room[i] = x->f64[i] == from || (isnan(x->f64[i]) && isnan(from)) ? (double)to->floats[k] : x->f64[i];
        else
            y->i64_room[i] = x->i64[i] == whole ? to->ints[k] : x->i64[i];
    }
    return LIP_OK;
}

static lip_status describe(const lip_node *node, lip_arena *arena, lip_gain *gain, lip_error *error)
{
    (void)arena, (void)error;
    if (!isnan(replaced(node)))
        *gain = lip_gain_none(LIP_GAIN_UNBOUNDED, "discontinuous: it replaces one value by another");
    return LIP_OK;
}

const lip_op lip_op_ml_imputer = {
    .name = "Imputer",
    .domain = "ai.onnx.ml",
    .opset_first = 1,
    .opset_last = LIP_OPSET_ML_LAST,
    .gain = {.kind = LIP_GAIN_ISOMETRY},
    .shape = shape,
    .forward = forward,
    .adjoint = lip_copy_adjoint,
    .describe = describe,
};
