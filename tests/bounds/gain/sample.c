/*
 * sample.c: see sample.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "sample.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

lip_node *sample_node(void)
{
    static lip_node node = { .name = "sample", .op_type = "Sample", .domain = "", .module = "" };
    return &node;
}

lip_tensor sample_tensor(const double *data, int64_t count)
{
    return (lip_tensor) { .dtype = LIP_DTYPE_DOUBLE, .storage = LIP_F64, .count = count,
                          .shape = { .rank = 1, .dim = { count } }, .f64 = data };
}

lip_layer_gain sample_gain(const lip_gain *gain, const lip_node *node, const lip_scale *before, const lip_scale *after)
{
    lip_layer_task task = { .node = node, .gain = *gain, .before = before, .after = after, .iterations = 40,
                            .random = lip_random_seed(1, 2), .memory = oracle_memory() };
    lip_layer_gain out;
    lip_error error = { 0 };
    uint64_t in_use = oracle_in_use();
    if (lip_gain_of(&task, &out, &error) != LIP_OK)
        fail_msg("%s", error.reason);
    assert_int_equal(oracle_in_use(), in_use);
    assert_true(out.lower <= out.upper);
    return out;
}

lip_scale sample_scale(uint64_t *state, double *room, int64_t count, int axis)
{
    for (int64_t i = 0; i < count; i++)
        room[i] = oracle_normal(state) * pow(10, (double)oracle_int(state, -2, 2));
    return (lip_scale) { .factor = room, .count = count, .axis = axis, .multiplicity = 1 };
}
