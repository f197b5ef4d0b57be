/*
 * networks.c: see networks.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "networks.h"

#include "compose/propagate.h"
#include "oracle.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void fill(uint64_t *state, double *w, int rows, int cols, net_kind kind)
{
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < cols; j++) {
            double value = oracle_normal(state);
            w[i * cols + j] = kind == NET_NONNEGATIVE ? fabs(value) : kind == NET_DIAGONAL && i != j ? 0 : value;
        }
}

void net_plan(networks *n)
{
    lip_propagation network;
    lip_error error = { 0 };
    lip_memory *memory = &n->g.model.memory;
    lip_arena_init(&n->arena, memory);
    assert_int_equal(lip_plan_layers(&n->g.model, &n->arena, &n->plans, &n->count, &error), LIP_OK);
    n->gains = lip_arena_alloc(&n->arena, (int64_t)n->count, sizeof *n->gains);
    assert_non_null(n->gains);
    for (size_t i = 0; i < n->count; i++) {
        lip_layer_task task = { .node = n->plans[i].node, .gain = n->plans[i].gain, .exact = LIP_EXACT_NEVER,
                                .memory = memory, .random = lip_random_seed(1, i) };
        assert_int_equal(lip_gain_of(&task, &n->gains[i], &error), LIP_OK);
    }
    assert_int_equal(lip_propagate(&n->g.model, n->plans, n->gains, n->count, &n->arena, &network, &error), LIP_OK);
    n->cumulative = network.cumulative;
    n->product = network.network_upper;
}

void net_chain(networks *n, uint64_t *state, int layers, const int *widths, net_kind kind, double a, double b,
               bool residual)
{
    hand_begin_graph(&n->g);
    lip_value *x = hand_varying(&n->g, hand_dims(2, 1, widths[0], 0, 0));
    for (int k = 0; k < layers; k++) {
        int rows = widths[k + 1], cols = widths[k];
        lip_shape shape = hand_dims(2, 1, rows, 0, 0);
        fill(state, n->weights[k], rows, cols, kind);
        lip_value *z = hand_add(&n->g, hand_matrix(&n->g, n->weights[k], rows, cols), shape, x, NULL, NULL);
        if (residual && rows == cols) {
            z = hand_add(&n->g, hand_kind(LIP_GAIN_SUM), shape, z, x, NULL);
            n->g.nodes[n->g.model.node_count - 1].op_type = oracle_int(state, 0, 1) ? "Add" : "Sub";
        }
        x = k + 1 < layers && !(a == 1 && b == 1) ? hand_add(&n->g, hand_slopes(a, b), shape, z, NULL, NULL) : z;
    }
    hand_logits(&n->g, x);
    net_plan(n);
}

void net_end(networks *n)
{
    lip_arena_free(&n->arena);
    hand_end_graph(&n->g);
}

/* Tangent of every value for one direction of the input; slopes by value index and element. */
static void tangent(const networks *n, int64_t unit, double (*slope)[NET_WIDEST], double (*d)[NET_WIDEST])
{
    const lip_model *model = &n->g.model;
    memset(d[model->inputs[0]->index], 0, sizeof d[0]);
    d[model->inputs[0]->index][unit] = 1;
    for (size_t at = 0; at < model->node_count; at++) {
        const lip_node *node = model->nodes[at];
        const lip_gain *gain = &n->g.gains[at];
        const double *x = d[node->inputs[0]->index];
        double *y = d[node->outputs[0]->index];
        int64_t count = node->outputs[0]->shape.dim[1];
        for (int64_t i = 0; i < count; i++) {
            if (gain->kind == LIP_GAIN_DENSE) {
                y[i] = 0;
                for (int64_t j = 0; j < gain->dense.cols; j++)
                    y[i] += gain->dense.weight->f64[i * gain->dense.cols + j] * x[j];
            } else if (gain->kind == LIP_GAIN_SLOPES) {
                y[i] = slope[node->outputs[0]->index][i] * x[i];
            } else {
                double sign = strcmp(node->op_type, "Sub") == 0 ? -1 : 1;
                y[i] = x[i] + sign * d[node->inputs[1]->index][i];
            }
        }
    }
}

static double norm_with(const networks *n, double (*slope)[NET_WIDEST], int i, int j)
{
    static double d[HAND_MOST][NET_WIDEST], jacobian[NET_WIDEST * NET_WIDEST];
    const lip_value *x = n->g.model.inputs[0], *y = n->g.model.logits;
    int64_t cols = x->shape.dim[1], rows = i < 0 ? y->shape.dim[1] : 1;
    for (int64_t unit = 0; unit < cols; unit++) {
        tangent(n, unit, slope, d);
        for (int64_t row = 0; row < rows; row++)
            jacobian[unit * rows + row] = i < 0 ? d[y->index][row] : d[y->index][i] - d[y->index][j];
    }
    return oracle_svd(jacobian, rows, cols);
}

double net_sampled_norm(const networks *n, uint64_t *state, int i, int j)
{
    static double slope[HAND_MOST][NET_WIDEST];
    for (size_t at = 0; at < n->g.model.node_count; at++) {
        const lip_gain *gain = &n->g.gains[at];
        for (int64_t e = 0; gain->kind == LIP_GAIN_SLOPES && e < NET_WIDEST; e++) {
            double place = (double)oracle_int(state, 0, 3) / 2; /* 0, 1/2, 1, 3/2: the ends are likelier */
            place = place > 1 ? 1 : place;
            slope[n->g.model.nodes[at]->outputs[0]->index][e] =
                gain->slopes.a + place * (gain->slopes.b - gain->slopes.a);
        }
    }
    return norm_with(n, slope, i, j);
}

double net_linear_norm(const networks *n)
{
    static double slope[HAND_MOST][NET_WIDEST];
    for (int v = 0; v < HAND_MOST; v++)
        for (int e = 0; e < NET_WIDEST; e++)
            slope[v][e] = 1;
    return norm_with(n, slope, -1, -1);
}

void net_system(networks *n, lip_system *system, lip_form *form)
{
    lip_error error = { 0 };
    lip_status status =
        lip_system_build(&n->g.model, n->plans, n->gains, n->count, LIP_SYSTEM_MOST, &n->arena, system, &error);
    if (status != LIP_OK)
        fail_msg("%s", error.reason);
    assert_int_equal(lip_form_open(system, &n->g.model, 1, &n->g.model.memory, form, &error), LIP_OK);
}
