/*
 * comparison.c: comparisons, logic, and tests for NaN and infinity: bool
 * results, that jump.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "elementwise.h"
#include "ranges.h"
#include "support.h"

#define JUMPS "discontinuous: its result is 0 or 1"

typedef bool real_test(double a, double b);
typedef bool whole_test(int64_t a, int64_t b);

static lip_status shape(const lip_node *node, lip_error *error)
{
    return lip_pair_shape(node, LIP_DTYPE_BOOL, error);
}

static lip_status logic_shape(const lip_node *node, lip_error *error)
{
    LIP_TRY(shape(node, error));
    if (lip_dtype_is_real(node->inputs[0]->dtype))
        return lip_fail_node(error, LIP_EFORMAT, node, "its inputs are not bool");
    return LIP_OK;
}

static lip_status test(const lip_call *call, real_test *real, whole_test *whole, lip_error *error)
{
    lip_pair pair;
    if (!call->out[0]) return LIP_OK;
    LIP_TRY(lip_pair_shapes(call->node, &pair, error));
    const lip_shape *operand[] = {&pair.a, &pair.b};
    lip_broadcast it = lip_broadcast_begin(&pair.y, operand, 2);
    const lip_tensor *a = call->in[0], *b = call->in[1];
    do {
        for (int64_t i = 0; i < it.row; i++) {
            int64_t at_a = it.offset[0] + i * it.step[0], at_b = it.offset[1] + i * it.step[1];
            bool yes = a->storage == LIP_F64 ? real(a->f64[at_a], b->f64[at_b]) : whole(a->i64[at_a], b->i64[at_b]);
            call->out[0]->i64_room[it.at + i] = yes;
        }
    } while (lip_broadcast_next(&it));
    return LIP_OK;
}

static bool equal_real(double a, double b)
{
    return a == b;
}

static bool equal_whole(int64_t a, int64_t b)
{
    return a == b;
}

static lip_status equal_forward(const lip_call *call, lip_error *error)
{
    return test(call, equal_real, equal_whole, error);
}

static bool greater_real(double a, double b)
{
    return a > b;
}

static bool greater_whole(int64_t a, int64_t b)
{
    return a > b;
}

static lip_status greater_forward(const lip_call *call, lip_error *error)
{
    return test(call, greater_real, greater_whole, error);
}

static bool greater_or_equal_real(double a, double b)
{
    return a >= b;
}

static bool greater_or_equal_whole(int64_t a, int64_t b)
{
    return a >= b;
}

static lip_status greater_or_equal_forward(const lip_call *call, lip_error *error)
{
    return test(call, greater_or_equal_real, greater_or_equal_whole, error);
}

static bool less_real(double a, double b)
{
    return a < b;
}

static bool less_whole(int64_t a, int64_t b)
{
    return a < b;
}

static lip_status less_forward(const lip_call *call, lip_error *error)
{
    return test(call, less_real, less_whole, error);
}

static bool less_or_equal_real(double a, double b)
{
    return a <= b;
}

static bool less_or_equal_whole(int64_t a, int64_t b)
{
    return a <= b;
}

static lip_status less_or_equal_forward(const lip_call *call, lip_error *error)
{
    return test(call, less_or_equal_real, less_or_equal_whole, error);
}

static bool and_whole(int64_t a, int64_t b)
{
    return a && b;
}

static lip_status and_forward(const lip_call *call, lip_error *error)
{
    return test(call, NULL, and_whole, error);
}

static bool or_whole(int64_t a, int64_t b)
{
    return a || b;
}

static lip_status or_forward(const lip_call *call, lip_error *error)
{
    return test(call, NULL, or_whole, error);
}

static bool xor_whole(int64_t a, int64_t b)
{
    return !a != !b;
}

static lip_status xor_forward(const lip_call *call, lip_error *error)
{
    return test(call, NULL, xor_whole, error);
}

const lip_op lip_op_and = {
    .name = "And",
    .domain = "",
    .opset_first = 1,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_UNBOUNDED, .reason = JUMPS},
    .shape = logic_shape,
    .forward = and_forward,
    .range = lip_range_compare,
};

const lip_op lip_op_equal = {
    .name = "Equal",
    .domain = "",
    .opset_first = 1,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_UNBOUNDED, .reason = JUMPS},
    .shape = shape,
    .forward = equal_forward,
    .range = lip_range_compare,
};

const lip_op lip_op_greater = {
    .name = "Greater",
    .domain = "",
    .opset_first = 1,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_UNBOUNDED, .reason = JUMPS},
    .shape = shape,
    .forward = greater_forward,
    .range = lip_range_compare,
};

const lip_op lip_op_greater_or_equal = {
    .name = "GreaterOrEqual",
    .domain = "",
    .opset_first = 12,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_UNBOUNDED, .reason = JUMPS},
    .shape = shape,
    .forward = greater_or_equal_forward,
    .range = lip_range_compare,
};

const lip_op lip_op_less = {
    .name = "Less",
    .domain = "",
    .opset_first = 1,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_UNBOUNDED, .reason = JUMPS},
    .shape = shape,
    .forward = less_forward,
    .range = lip_range_compare,
};

const lip_op lip_op_less_or_equal = {
    .name = "LessOrEqual",
    .domain = "",
    .opset_first = 12,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_UNBOUNDED, .reason = JUMPS},
    .shape = shape,
    .forward = less_or_equal_forward,
    .range = lip_range_compare,
};

const lip_op lip_op_or = {
    .name = "Or",
    .domain = "",
    .opset_first = 1,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_UNBOUNDED, .reason = JUMPS},
    .shape = logic_shape,
    .forward = or_forward,
    .range = lip_range_compare,
};

const lip_op lip_op_xor = {
    .name = "Xor",
    .domain = "",
    .opset_first = 1,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_UNBOUNDED, .reason = JUMPS},
    .shape = logic_shape,
    .forward = xor_forward,
};
