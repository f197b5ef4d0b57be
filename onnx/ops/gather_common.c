/*
 * gather_common.c: indices as the gathering and scattering operators take
 * them.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "gather.h"

#include "support.h"

lip_status lip_check_indices(const lip_node *node, lip_error *error)
{
    const lip_value *indices = lip_node_input(node, 1);
    if (lip_dtype_storage(indices->dtype, true) != LIP_I64)
        return lip_fail_node(error, LIP_EFORMAT, node, "its indices '%s' are not integers", indices->name);
    return LIP_OK;
}

lip_status lip_check_index(const lip_node *node, int64_t index, int64_t n, int64_t *out, lip_error *error)
{
    if (index < -n || index >= n)
        return lip_fail_node(error, LIP_EFORMAT, node, "index %lld is outside of the axis' %lld elements",
                             (long long)index, (long long)n);
    *out = index < 0 ? index + n : index;
    return LIP_OK;
}

lip_status lip_gather_describe(const lip_node *node, lip_arena *arena, lip_gain *gain, lip_error *error)
{
    (void)arena, (void)error;
    if (lip_input_varies(node, 1))
        *gain = lip_gain_none(LIP_GAIN_UNBOUNDED, "discontinuous: its indices depend on the input");
    else if (!lip_node_constant(node, 1))
        *gain = lip_gain_none(LIP_GAIN_UNKNOWN, "its indices are not constants");
    return LIP_OK;
}
