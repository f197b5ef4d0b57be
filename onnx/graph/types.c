/*
 * types.c: operators whose floating-point inputs all have one type.
 *
 * The standard gives these one type T for all of them; a file that mixes
 * float32 and float64 is one that no runtime opens.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "graph/model.h"

#include "failure.h"

#include <string.h>

static bool has_one_type(const lip_node *node)
{
    static const char *const names[] = {"Add", "AveragePool", "Concat", "Conv", "ConvTranspose", "Div", "Einsum",
                                        "Gemm", "MatMul", "Max", "Mean", "Min", "Mul", "PRelu", "Sub", "Sum", NULL};
    const char *const *name = names;
    if (node->domain[0] != '\0' || !node->op)
        return false;
    while (*name && strcmp(*name, node->op_type) != 0)
        name++;
    return *name != NULL;
}

lip_status lip_node_check_types(const lip_node *node, lip_error *error)
{
    const lip_value *first = NULL;
    if (!has_one_type(node))
        return LIP_OK;
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
