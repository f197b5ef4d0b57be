/*
 * types.c: which floating-point types an operator takes.
 *
 * The standard gives some one type T for all of their inputs; a file that
 * mixes float32 and float64 is one that no runtime opens. Types of 8 bits or
 * fewer are converted and moved, nothing computes with them.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "graph/model.h"

#include "failure.h"

#include <string.h>

static bool is_listed(const lip_node *node, const char *const *names)
{
    while (*names && strcmp(*names, node->op_type) != 0)
        names++;
    return *names != NULL;
}

static bool has_one_type(const lip_node *node)
{
    static const char *const names[] = {"Add", "AveragePool", "Concat", "Conv", "ConvTranspose", "Div", "Einsum",
                                        "Gemm", "MatMul", "Max", "Mean", "Min", "Mul", "PRelu", "Sub", "Sum", NULL};
    return node->domain[0] == '\0' && node->op && is_listed(node, names);
}

static lip_status check_small(const lip_node *node, lip_error *error)
{
    static const char *const names[] = {"Cast", "CastLike", "ConstantOfShape", "DequantizeLinear", "Flatten",
                                        "Identity", "Pad", "QuantizeLinear", "Reshape", "Shape", "Size", "Squeeze",
                                        "Transpose", "Unsqueeze", NULL};
    for (size_t i = 0; i < node->input_count; i++) {
        const lip_value *value = node->inputs[i];
        if (value && lip_dtype_is_small(value->dtype) && !is_listed(node, names))
            return lip_fail_node(error, LIP_EUNSUPPORTED, node, "its input '%s' is %s, which it does not compute with",
                                 value->name, lip_dtype_name(value->dtype));
    }
    return LIP_OK;
}

lip_status lip_node_check_types(const lip_node *node, lip_error *error)
{
    const lip_value *first = NULL;
    lip_status status = check_small(node, error);
    if (status || !has_one_type(node))
        return status;
    for (size_t i = 0; i < node->input_count; i++) {
        const lip_value *value = node->inputs[i];
        if (!value || !lip_dtype_is_real(value->dtype))
            continue;
        if (first && first->dtype != value->dtype)
            return lip_fail_node(error, LIP_EFORMAT, node,
                                 "its input '%s' holds %s, its input '%s' %s: the standard has one type for both",
                                 value->name, lip_dtype_name(value->dtype), first->name, lip_dtype_name(first->dtype));
        first = first ? first : value;
    }
    return LIP_OK;
}
