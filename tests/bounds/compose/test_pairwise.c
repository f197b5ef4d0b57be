/*
 * test_pairwise.c: Lipschitz bounds of the differences of two logits: exact
 * for linear ends, whatever they are made of, and never above sqrt(2) L_F.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "check_model.h"
#include "graph.h"
#include "oracle.h"
#include "run.h"

#include <math.h>
#include <stdlib.h>

enum { CLASSES = 4, MOST = 64 };

static void fill(uint64_t *state, size_t count, double *to)
{
    for (size_t i = 0; i < count; i++)
        to[i] = (double)(float)oracle_normal(state);
}

static lip_report *audit(const lip_model *model)
{
    lip_report *report = NULL;
    lip_error error = { 0 };
    lip_audit_options options = { .exact = LIP_EXACT_ALWAYS, .effort = LIP_EFFORT_PRODUCT };
    if (lip_audit(model, &options, &report, &error))
        fail_msg("%s: %s", error.node, error.reason);
    return report;
}

/* The gradients of the logits at `point` of a network that is linear there, [CLASSES][elements]. */
static double *gradients(const lip_model *model, const double *point, int64_t elements)
{
    lip_run *run = NULL;
    lip_error error = { 0 };
    double *rows = oracle_alloc(CLASSES * elements, sizeof *rows);
    assert_int_equal(lip_run_open(model, &run, &error), LIP_OK);
    assert_int_equal(lip_run_forward(run, &point, &error), LIP_OK);
    for (int t = 0; t < CLASSES; t++) {
        double seed[CLASSES] = { 0 };
        seed[t] = 1;
        assert_int_equal(lip_run_gradient(run, seed, 0, rows + t * elements, &error), LIP_OK);
    }
    lip_run_free(&run);
    return rows;
}

static double row_distance(const double *rows, int64_t elements, int t, int j)
{
    long double sum = 0;
    for (int64_t i = 0; i < elements; i++)
        sum += ((long double)rows[t * elements + i] - rows[j * elements + i]) *
               ((long double)rows[t * elements + i] - rows[j * elements + i]);
    return (double)sqrtl(sum);
}

/* Symmetric, 0 on the diagonal, its largest entry reported, below sqrt(2) L_F. */
static void check_table(const lip_report *report)
{
    double most = 0;
    assert_int_equal(report->classes, CLASSES);
    assert_non_null(report->pairwise_upper);
    for (int t = 0; t < CLASSES; t++)
        for (int j = 0; j < CLASSES; j++) {
            double entry = report->pairwise_upper[t * CLASSES + j];
            assert_true(entry == report->pairwise_upper[j * CLASSES + t] && (entry == 0) == (t == j));
            assert_true(entry <= sqrt(2) * report->network.upper * (1 + 1e-14));
            most = fmax(most, entry);
        }
    assert_true(report->pairwise_max_upper == most);
}

/* A network that is affine as a whole: the bound is the distance of two rows of its matrix, and attained. */
static void check_affine(build *b, int64_t elements)
{
    double zero[MOST] = { 0 };
    lip_model *model = check_open(b, NULL);
    lip_report *report = audit(model);
    double *rows = gradients(model, zero, elements);
    check_table(report);
    assert_string_equal(report->pairwise_method, "rows of the last linear part");
    for (int t = 0; t < CLASSES; t++)
        for (int j = 0; j < t; j++) {
            double truth = row_distance(rows, elements, t, j), found = report->pairwise_upper[t * CLASSES + j];
            assert_true(found >= truth * (1 - 1e-12) && found <= truth * (1 + 1e-9) && found * 0.999 < truth);
        }
    oracle_free(rows);
    lip_report_free(&report);
    lip_model_free(&model);
    build_free(b);
}

static void one_matrix(void **unused)
{
    (void)unused;
    uint64_t state = 1;
    for (int transposed = 0; transposed < 2; transposed++) {
        double w[CLASSES * 6], c[CLASSES];
        fill(&state, CLASSES * 6, w);
        fill(&state, CLASSES, c);
        build *b = build_new(17);
        build_input(b, "x", "1x6");
        build_reals(b, "w", transposed ? "4x6" : "6x4", w);
        build_reals(b, "c", "4", c);
        build_node(b, "Gemm", "x w c", "y");
        build_attr_int(b, "transB", transposed);
        build_attr_float(b, "alpha", -0.3F);
        build_output(b, "y");
        check_affine(b, 6);
    }
}

/* Convolution, batch-norm, average pool, a change of order, two matrices with constants between: one linear map. */
static void a_product_of_linear_nodes(void **unused)
{
    (void)unused;
    uint64_t state = 2;
    double k[3 * 9], gamma[3], beta[3], mean[3], variance[3] = { 0.5, 1, 2 }, w[12 * 5], c[5], v[5 * CLASSES];
    fill(&state, 27, k);
    fill(&state, 3, gamma);
    fill(&state, 3, beta);
    fill(&state, 3, mean);
    fill(&state, 60, w);
    fill(&state, 5, c);
    fill(&state, 20, v);
    build *b = build_new(17);
    build_input(b, "x", "1x1x6x6");
    build_reals(b, "k", "3x1x3x3", k);
    build_reals(b, "gamma", "3", gamma);
    build_reals(b, "beta", "3", beta);
    build_reals(b, "mean", "3", mean);
    build_reals(b, "variance", "3", variance);
    build_reals(b, "w", "12x5", w);
    build_reals(b, "c", "5", c);
    build_reals(b, "v", "5x4", v);
    build_node(b, "Conv", "x k", "a");
    build_node(b, "BatchNormalization", "a gamma beta mean variance", "n");
    build_node(b, "AveragePool", "n", "p");
    build_attr_ints(b, "kernel_shape", 2, (int64_t[]) { 2, 2 });
    build_attr_ints(b, "strides", 2, (int64_t[]) { 2, 2 });
    build_node(b, "Transpose", "p", "t");
    build_attr_ints(b, "perm", 4, (int64_t[]) { 0, 2, 3, 1 });
    build_node(b, "Flatten", "t", "f");
    build_node(b, "MatMul", "f w", "m");
    build_node(b, "Add", "m c", "s");
    build_node(b, "MatMul", "s v", "y");
    build_output(b, "y");
    check_affine(b, 36);
}

/* After a nonlinear node: what comes before it times the rows; a scale behind the last matrix is part of the rows. */
static void rows_after_an_activation(void **unused)
{
    (void)unused;
    uint64_t state = 3;
    double w[36], v[6 * CLASSES], s[CLASSES] = { 0.5, -2, 1, 3 }, rows[CLASSES * 6];
    fill(&state, 36, w);
    fill(&state, 24, v);
    build *b = build_new(17);
    build_input(b, "x", "1x6");
    build_reals(b, "w", "6x6", w);
    build_reals(b, "v", "6x4", v);
    build_reals(b, "s", "1x4", s);
    build_node(b, "MatMul", "x w", "a");
    build_node(b, "Relu", "a", "h");
    build_node(b, "MatMul", "h v", "m");
    build_node(b, "Mul", "m s", "y");
    build_output(b, "y");
    lip_model *model = check_open(b, NULL);
    lip_report *report = audit(model);
    check_table(report);
    for (int t = 0; t < CLASSES; t++)
        for (int i = 0; i < 6; i++)
            rows[t * 6 + i] = v[i * CLASSES + t] * s[t];
    double before = oracle_svd(w, 6, 6);
    for (int t = 0; t < CLASSES; t++)
        for (int j = 0; j < t; j++) {
            double truth = before * row_distance(rows, 6, t, j), found = report->pairwise_upper[t * CLASSES + j];
            assert_true(found >= truth * (1 - 1e-12) && found <= truth * (1 + 1e-9) && found * 0.999 < truth);
        }
    lip_report_free(&report);
    lip_model_free(&model);
    build_free(b);
}

/* Where no linear node ends the network, sqrt(2) L_F; where the logits are no vector of classes, nothing. */
static void without_a_linear_end(void **unused)
{
    (void)unused;
    static const struct {
        const char *shape, *op, *inputs;
        size_t classes;
    } cases[] = {
        { "1x4", "Relu", "x", 4 }, { "1x4", "Add", "x r", 4 }, { "2x4", "Relu", "x", 0 }, { "1x1", "Relu", "x", 0 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        build *b = build_new(17);
        build_input(b, "x", cases[i].shape);
        build_node(b, "Relu", "x", "r");
        build_node(b, cases[i].op, cases[i].inputs, "y");
        build_output(b, "y");
        lip_model *model = check_open(b, NULL);
        lip_report *report = audit(model);
        assert_int_equal(report->classes, cases[i].classes);
        if (cases[i].classes == 0) {
            assert_null(report->pairwise_upper);
            assert_true(isnan(report->pairwise_max_upper));
        } else {
            check_table(report);
            assert_true(report->pairwise_max_upper >= sqrt(2) * report->network.upper * (1 - 1e-15));
        }
        lip_report_free(&report);
        lip_model_free(&model);
        build_free(b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_matrix),
        cmocka_unit_test(a_product_of_linear_nodes),
        cmocka_unit_test(rows_after_an_activation),
        cmocka_unit_test(without_a_linear_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
