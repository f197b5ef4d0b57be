/*
 * test_run.c: lip_run and lip_apply on a network made by hand:
 *   y = x W (W float32),  z = relu(y),  s = z + y,  p, q = split(s),  logits = p * q
 * with x perturbed, so that a value has two readers, a node two outputs and a
 * constant needs conversion.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "run.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { VALUES = 7, NODES = 5, N = 3, M = 4 };
enum { X, W, Y, Z, S, P, Q };

typedef struct network {
    lip_model model;
    lip_value value[VALUES + 1];
    lip_value *values[VALUES + 1], *inputs[1];
    lip_node node[NODES];
    lip_node *nodes[NODES];
    lip_value *node_in[NODES][2], *node_out[NODES][2];
    lip_attr axis;
    lip_tensor weight;
    float w[N * M];
} network;

static void set_value(network *net, int index, const char *name, int64_t rows, int64_t cols, int consumers)
{
    net->value[index] = (lip_value){ .name = name, .dtype = LIP_DTYPE_FLOAT, .shape_known = true, .varies = true,
                                     .shape = { 2, { rows, cols } }, .consumers = consumers, .index = (size_t)index };
    net->values[index] = &net->value[index];
}

static void set_node(network *net, int index, const char *op, int in0, int in1, int out0, int out1)
{
    lip_node *node = &net->node[index];
    *node = (lip_node){ .name = op, .op_type = op, .domain = "", .module = "", .opset = 13, .op = lip_op_find("", op),
                        .inputs = net->node_in[index], .outputs = net->node_out[index], .index = (size_t)index };
    assert_non_null(node->op);
    node->inputs[node->input_count++] = &net->value[in0];
    if (in1 >= 0)
        node->inputs[node->input_count++] = &net->value[in1];
    node->outputs[node->output_count++] = &net->value[out0];
    if (out1 >= 0)
        node->outputs[node->output_count++] = &net->value[out1];
    for (size_t i = 0; i < node->output_count; i++)
        node->outputs[i]->producer = node;
    net->nodes[index] = node;
}

static void open_network(network *net)
{
    enum { LOGITS = VALUES };
    memset(net, 0, sizeof *net);
    lip_memory_init(&net->model.memory, 1 << 20);
    set_value(net, X, "x", 1, N, 1);
    set_value(net, W, "w", N, M, 1);
    set_value(net, Y, "y", 1, M, 2);
    set_value(net, Z, "z", 1, M, 1);
    set_value(net, S, "s", 1, M, 1);
    set_value(net, P, "p", 1, M / 2, 1);
    set_value(net, Q, "q", 1, M / 2, 1);
    set_value(net, LOGITS, "logits", 1, M / 2, 1);
    for (int i = 0; i < N * M; i++)
        net->w[i] = (float)((i * 7 + 3) % 11) / 4.0F - 1.25F;
    net->weight = (lip_tensor){ .dtype = LIP_DTYPE_FLOAT, .storage = LIP_F32, .shape = net->value[W].shape,
                                .count = N * M, .data = net->w };
    net->value[W].constant = &net->weight;
    net->value[W].varies = false;
    set_node(net, 0, "MatMul", X, W, Y, -1);
    set_node(net, 1, "Relu", Y, -1, Z, -1);
    set_node(net, 2, "Add", Z, Y, S, -1);
    set_node(net, 3, "Split", S, -1, P, Q);
    set_node(net, 4, "Mul", P, Q, LOGITS, -1);
    net->axis = (lip_attr){ .name = "axis", .kind = LIP_ATTR_INT, .i = 1 };
    net->node[3].attrs = &net->axis;
    net->node[3].attr_count = 1;
    net->inputs[0] = &net->value[X];
    net->model.path = "hand.onnx";
    net->model.nodes = net->nodes;
    net->model.node_count = NODES;
    net->model.values = net->values;
    net->model.value_count = VALUES + 1;
    net->model.inputs = net->inputs;
    net->model.input_count = 1;
    net->model.logits = &net->value[LOGITS];
    for (int i = 0; i < NODES; i++) {
        lip_error error;
        assert_int_equal(net->node[i].op->shape(&net->node[i], &error), LIP_OK);
    }
}

static void evaluate(const network *net, const double *x, double *logits)
{
    double s[M];
    for (int j = 0; j < M; j++) {
        double y = 0;
        for (int i = 0; i < N; i++)
            y += x[i] * (double)net->w[i * M + j];
        s[j] = y + fmax(y, 0);
    }
    for (int j = 0; j < M / 2; j++)
        logits[j] = s[j] * s[j + M / 2];
}

static const double point[N] = { 0.3, -1.1, 0.7 };

static void forward_is_the_network(void **unused)
{
    (void)unused;
    network net;
    lip_run *run = NULL;
    lip_error error = { 0 };
    const double *inputs[1] = { point };
    double want[M / 2];
    open_network(&net);
    assert_int_equal(lip_run_open(&net.model, &run, &error), LIP_OK);
    assert_int_equal(lip_run_forward(run, inputs, &error), LIP_OK);
    evaluate(&net, point, want);
    const double *logits = lip_run_real(run, net.model.logits);
    assert_non_null(logits);
    for (int j = 0; j < M / 2; j++)
        assert_true(fabs(logits[j] - want[j]) <= 1e-14);
    assert_non_null(lip_run_real(run, &net.value[Z]));
    assert_null(lip_run_real(run, &net.value[W]));
    lip_run_free(&run);
    lip_run_free(&run);
    assert_int_equal(net.model.memory.used, 0);
}

static void the_gradient_agrees_with_differences(void **unused)
{
    (void)unused;
    network net;
    lip_run *run = NULL;
    lip_error error = { 0 };
    const double *inputs[1] = { point }, seed[M / 2] = { 0.7, -1.9 }, step = 1e-6;
    double gradient[N], up[M / 2], down[M / 2];
    open_network(&net);
    assert_int_equal(lip_run_open(&net.model, &run, &error), LIP_OK);
    assert_int_equal(lip_run_forward(run, inputs, &error), LIP_OK);
    assert_int_equal(lip_run_gradient(run, seed, 0, gradient, &error), LIP_OK);
    for (int i = 0; i < N; i++) {
        double x[N], slope = 0;
        memcpy(x, point, sizeof x);
        x[i] = point[i] + step;
        evaluate(&net, x, up);
        x[i] = point[i] - step;
        evaluate(&net, x, down);
        for (int j = 0; j < M / 2; j++)
            slope += seed[j] * (up[j] - down[j]) / (2 * step);
        assert_true(fabs(gradient[i] - slope) <= 1e-8 * (1 + fabs(slope)));
    }
    assert_int_equal(lip_run_gradient(run, seed, 1, gradient, &error), LIP_EUSAGE);
    lip_run_free(&run);
    assert_int_equal(net.model.memory.used, 0);
}

static void a_node_is_applied_as_a_linear_map(void **unused)
{
    (void)unused;
    network net;
    lip_apply *apply = NULL;
    lip_error error = { 0 };
    const double u[M] = { 1, -2, 0.5, 3 };
    double y[M], v[N], left = 0, right = 0;
    open_network(&net);
    assert_int_equal(lip_apply_open(&net.node[0], &net.model.memory, &apply, &error), LIP_OK);
    assert_int_equal(lip_apply_input_count(apply), N);
    assert_int_equal(lip_apply_output_count(apply), M);
    for (int again = 0; again < 2; again++) {
        assert_int_equal(lip_apply_forward(apply, point, y, &error), LIP_OK);
        assert_int_equal(lip_apply_adjoint(apply, u, v, &error), LIP_OK);
    }
    for (int j = 0; j < M; j++)
        left += y[j] * u[j];
    for (int i = 0; i < N; i++)
        right += point[i] * v[i];
    assert_true(fabs(left - right) <= 1e-13);
    lip_apply_free(&apply);
    assert_null(apply);
    assert_int_equal(lip_apply_open(&net.node[2], &net.model.memory, &apply, &error), LIP_EUNSUPPORTED);
    assert_non_null(strstr(error.reason, "one input varies"));
    assert_null(apply);
    assert_int_equal(net.model.memory.used, 0);
}

static void what_is_not_understood_is_refused_by_name(void **unused)
{
    (void)unused;
    network net;
    lip_run *run = NULL;
    lip_error error = { 0 };
    open_network(&net);
    net.node[1].unknown = "operator 'Relux' of domain '' is not supported";
    assert_int_equal(lip_run_open(&net.model, &run, &error), LIP_EUNSUPPORTED);
    assert_string_equal(error.node, "Relu");
    assert_non_null(strstr(error.reason, "Relux"));
    assert_null(run);
}

static void a_node_without_adjoint_stops_the_gradient(void **unused)
{
    (void)unused;
    network net;
    lip_run *run = NULL;
    lip_error error = { 0 };
    const double *inputs[1] = { point }, seed[M / 2] = { 1, 1 };
    double gradient[N] = { 5, 5, 5 };
    open_network(&net);
    lip_op floor_like = *net.node[1].op;
    floor_like.adjoint = NULL;
    net.node[1].op = &floor_like;
    assert_int_equal(lip_run_open(&net.model, &run, &error), LIP_OK);
    assert_int_equal(lip_run_forward(run, inputs, &error), LIP_OK);
    assert_int_equal(lip_run_gradient(run, seed, 0, gradient, &error), LIP_EUNSUPPORTED);
    assert_string_equal(error.node, "Relu");
    assert_true(gradient[0] == 5 && gradient[1] == 5 && gradient[2] == 5);
    lip_run_free(&run);
    assert_int_equal(net.model.memory.used, 0);
}

static lip_status run_everything(network *net)
{
    lip_run *run = NULL;
    lip_apply *apply = NULL;
    lip_error error = { 0 };
    const double *inputs[1] = { point }, seed[M / 2] = { 1, 1 };
    double gradient[N], y[M];
    lip_status status = lip_run_open(&net->model, &run, &error);
    if (status == LIP_OK)
        status = lip_run_forward(run, inputs, &error);
    if (status == LIP_OK)
        status = lip_run_gradient(run, seed, 0, gradient, &error);
    if (status == LIP_OK)
        status = lip_apply_open(&net->node[0], &net->model.memory, &apply, &error);
    if (status == LIP_OK)
        status = lip_apply_forward(apply, point, y, &error);
    lip_apply_free(&apply);
    lip_run_free(&run);
    return status;
}

static void every_failing_allocation_is_survived(void **unused)
{
    (void)unused;
    network net;
    open_network(&net);
    int failures = 0;
    for (int64_t k = 1; k < 1000; k++) {
        atomic_store(&net.model.memory.fail_in, k);
        const lip_status status = run_everything(&net);
        assert_int_equal(net.model.memory.used, 0);
        if (status == LIP_OK)
            break;
        assert_int_equal(status, LIP_EMEMORY);
        failures++;
    }
    assert_true(failures > 15 && failures < 999);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forward_is_the_network),
        cmocka_unit_test(the_gradient_agrees_with_differences),
        cmocka_unit_test(a_node_is_applied_as_a_linear_map),
        cmocka_unit_test(what_is_not_understood_is_refused_by_name),
        cmocka_unit_test(a_node_without_adjoint_stops_the_gradient),
        cmocka_unit_test(every_failing_allocation_is_survived),
    };
    return cmocka_run_group_tests_name("run", tests, NULL, NULL);
}
