/*
 * test_linear.c: gains through a node's own forward and adjoint: an average
 * over pairs, a selection with copies, and nodes that cannot be applied.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "sample.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* y_i = (x_i + x_{i + 1}) / 2: singular values cos(j pi / (n)) ... the largest is cos(pi / (2 n)) for n inputs. */
static lip_status average_forward(const lip_call *call, lip_error *error)
{
    (void)error;
    for (int64_t i = 0; i < call->out[0]->count; i++)
        call->out[0]->f64_room[i] = (call->in[0]->f64[i] + call->in[0]->f64[i + 1]) / 2;
    return LIP_OK;
}

static lip_status average_adjoint(const lip_call *call, lip_error *error)
{
    (void)error;
    for (int64_t i = 0; i < call->in[0]->count; i++)
        call->in_grad[0][i] = ((i > 0 ? call->out_grad[0][i - 1] : 0) +
                               (i < call->out[0]->count ? call->out_grad[0][i] : 0)) / 2;
    return LIP_OK;
}

/* y_i = x_{i mod n}. */
static lip_status copy_forward(const lip_call *call, lip_error *error)
{
    (void)error;
    for (int64_t i = 0; i < call->out[0]->count; i++)
        call->out[0]->f64_room[i] = call->in[0]->f64[i % call->in[0]->count];
    return LIP_OK;
}

static lip_status copy_adjoint(const lip_call *call, lip_error *error)
{
    (void)error;
    memset(call->in_grad[0], 0, (size_t)call->in[0]->count * sizeof(double));
    for (int64_t i = 0; i < call->out[0]->count; i++)
        call->in_grad[0][i % call->in[0]->count] += call->out_grad[0][i];
    return LIP_OK;
}

static const lip_op AVERAGE = { .name = "Average", .domain = "", .forward = average_forward,
                                .adjoint = average_adjoint };
static const lip_op COPY = { .name = "Copy", .domain = "", .forward = copy_forward, .adjoint = copy_adjoint };
static const lip_op OPAQUE = { .name = "Opaque", .domain = "", .forward = copy_forward };

static lip_value from, to, *inputs[] = { &from }, *outputs[] = { &to };

static lip_node node_of(const lip_op *op, int64_t n, int64_t m)
{
    from = to = (lip_value) { .name = "v", .dtype = LIP_DTYPE_DOUBLE, .shape_known = true, .varies = true,
                              .consumers = 1 };
    from.shape = (lip_shape) { .rank = 1, .dim = { n } };
    to.shape = (lip_shape) { .rank = 1, .dim = { m } };
    return (lip_node) { .name = "linear", .op_type = op->name, .domain = "", .module = "", .op = op, .inputs = inputs,
                        .input_count = 1, .outputs = outputs, .output_count = 1 };
}

static void check_average(void **unused)
{
    (void)unused;
    lip_gain gain = { .kind = LIP_GAIN_NONNEGATIVE };
    for (int64_t n = 2; n <= 40; n++) {
        lip_node node = node_of(&AVERAGE, n, n - 1);
        double truth = cos(3.14159265358979323846 / (2 * (double)n));
        lip_layer_gain out = sample_gain(&gain, &node, NULL, NULL);
        assert_int_equal(oracle_breaks(out.lower, out.upper, truth, 1e-15), 0);
        assert_int_equal(oracle_breaks(out.lower, out.upper * 0.999, truth, 1e-15), 1);
        assert_true(out.upper <= truth * (1 + 1e-8) && fabs(out.exact_svd - truth) < 1e-14);
    }
}

static void check_copies(void **unused)
{
    (void)unused;
    lip_gain gain = { .kind = LIP_GAIN_COPY };
    for (int64_t m = 1; m <= 30; m++) {
        lip_node node = node_of(&COPY, 5, m);
        long double truth = sqrtl((long double)((m + 4) / 5));
        lip_layer_gain out = sample_gain(&gain, &node, NULL, NULL);
        assert_true((long double)out.lower <= truth && (long double)out.upper >= truth &&
                    out.upper < out.lower * (1 + 1e-15));
        assert_false((long double)(out.upper * 0.999) >= truth);
    }
}

static void check_refusals(void **unused)
{
    (void)unused;
    lip_gain gain = { .kind = LIP_GAIN_COPY };
    lip_node node = node_of(&OPAQUE, 5, 5);
    assert_int_equal(sample_gain(&gain, &node, NULL, NULL).verdict, LIP_UNKNOWN);
    node = node_of(&COPY, 5, 5);
    from.varies = false; /* no input varies, so none is the variable */
    lip_layer_gain out = sample_gain(&gain, &node, NULL, NULL);
    assert_true(out.verdict == LIP_UNKNOWN && isinf(out.upper) && out.reason[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(check_average),
        cmocka_unit_test(check_copies),
        cmocka_unit_test(check_refusals),
    };
    return cmocka_run_group_tests_name("gain linear", tests, NULL, NULL);
}
