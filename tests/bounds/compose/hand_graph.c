/*
 * hand_graph.c: see hand_graph.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "hand_graph.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const hand_graph *current;

static lip_status describe(const lip_node *node, lip_arena *arena, lip_gain *gain, lip_error *error)
{
    (void)arena;
    *gain = current->gains[node->index];
    lip_status status = current->statuses[node->index];
    return status == LIP_OK ? LIP_OK : lip_fail(error, status, "told to fail");
}

void hand_begin_graph(hand_graph *g)
{
    memset(g, 0, sizeof *g);
    lip_memory_init(&g->model.memory, UINT64_C(1) << 30);
    lip_arena_init(&g->model.arena, &g->model.memory);
    g->model.path = "hand";
    g->model.nodes = g->node_list;
    g->model.values = g->value_list;
    g->model.inputs = g->input_list;
    g->op = (lip_op) { .name = "Hand", .domain = "", .describe = describe };
    current = g;
}

void hand_end_graph(hand_graph *g)
{
    lip_arena_free(&g->model.arena);
    assert_int_equal(atomic_load(&g->model.memory.used), 0);
    current = NULL;
}

lip_shape hand_dims(int rank, int64_t a, int64_t b, int64_t c, int64_t d)
{
    return (lip_shape) { .rank = rank, .dim = { a, b, c, d } };
}

static lip_value *add_value(hand_graph *g, lip_shape shape, bool varies)
{
    size_t index = g->model.value_count++;
    assert_true(index < HAND_MOST);
    lip_value *value = g->value_list[index] = &g->values[index];
    *value = (lip_value) { .name = "value", .dtype = LIP_DTYPE_DOUBLE, .shape_known = true, .shape = shape,
                           .varies = varies, .index = index };
    return value;
}

lip_value *hand_varying(hand_graph *g, lip_shape shape)
{
    lip_value *value = add_value(g, shape, true);
    g->input_list[g->model.input_count++] = value;
    return value;
}

lip_value *hand_constant(hand_graph *g, lip_shape shape)
{
    return add_value(g, shape, false);
}

lip_value *hand_add(hand_graph *g, lip_gain gain, lip_shape shape, lip_value *a, lip_value *b, lip_value *c)
{
    lip_value *inputs[] = { a, b, c };
    size_t index = g->model.node_count++;
    assert_true(index < HAND_MOST);
    lip_node *node = g->node_list[index] = &g->nodes[index];
    *node = (lip_node) { .name = "node", .op_type = "Hand", .domain = "", .module = "", .op = &g->op,
                         .inputs = g->node_inputs[index], .outputs = g->node_outputs[index], .output_count = 1,
                         .index = index };
    bool varies = false;
    for (; node->input_count < 3 && inputs[node->input_count]; node->input_count++) {
        g->node_inputs[index][node->input_count] = inputs[node->input_count];
        inputs[node->input_count]->consumers++;
        varies = varies || inputs[node->input_count]->varies;
    }
    g->gains[index] = gain;
    lip_value *output = add_value(g, shape, varies);
    output->producer = node;
    g->node_outputs[index][0] = output;
    node->folded = !varies;
    return output;
}

void hand_logits(hand_graph *g, lip_value *value)
{
    g->model.logits = value;
    value->consumers++;
}

lip_gain hand_scale(const double *factor, int64_t count, int axis)
{
    return (lip_gain) { .kind = LIP_GAIN_SCALE, .scale = { factor, count, axis, 0, 1 } };
}

lip_gain hand_slopes(double a, double b)
{
    return (lip_gain) { .kind = LIP_GAIN_SLOPES, .slopes = { a, b, 0 } };
}

lip_gain hand_lipschitz(double upper, double lower)
{
    return (lip_gain) { .kind = LIP_GAIN_LIPSCHITZ, .lipschitz = { upper, lower } };
}

lip_gain hand_kind(lip_gain_kind kind)
{
    lip_gain gain = { .kind = kind };
    if (kind == LIP_GAIN_SUM)
        gain.coefficient = 1;
    return gain;
}

static lip_tensor *tensor(hand_graph *g, const double *data, int64_t count)
{
    lip_tensor *t = lip_arena_alloc(&g->model.arena, 1, sizeof *t);
    assert_non_null(t);
    *t = (lip_tensor) { .dtype = LIP_DTYPE_DOUBLE, .storage = LIP_F64, .shape = hand_dims(1, count, 0, 0, 0),
                        .count = count, .f64 = data };
    return t;
}

lip_gain hand_matrix(hand_graph *g, const double *elements, int64_t rows, int64_t cols)
{
    return (lip_gain) { .kind = LIP_GAIN_DENSE,
                        .dense = { .weight = tensor(g, elements, rows * cols), .alpha = 1, .rows = rows, .cols = cols,
                                   .row_stride = cols, .col_stride = 1, .batch = 1, .multiplicity = 1, .in_axis = 1,
                                   .out_axis = 1 } };
}

lip_gain hand_conv(hand_graph *g, const lip_conv *conv, const double *w)
{
    lip_gain gain = { .kind = LIP_GAIN_CONV, .conv = *conv };
    gain.conv.weight = tensor(g, w, lip_conv_weight_count(conv));
    return gain;
}
