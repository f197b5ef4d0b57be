/*
 * test_gains.c: what describe() states about matrix products, normalisations
 * and softmax, against the norm of the Jacobian: never below it, attained
 * where the operator's file says so.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "hand_node.h"
#include "support.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ROOM = 512 };

static void add_random(hand_node *h, lip_shape shape, bool varies, double low, double high, uint64_t *state)
{
    double data[ROOM];
    int64_t count = 0;
    assert_true(lip_shape_count(&shape, &count) && count <= ROOM);
    for (int64_t i = 0; i < count; i++)
        data[i] = low + (high - low) * (hand_random(state) + 1) / 2;
    hand_input(h, shape, data, varies);
}

/* ------------------------------------------------------------------ products */

/* The largest norm among the matrices that a description names. */
static double largest_matrix(const lip_dense *d)
{
    double largest = 0;
    double *a = calloc((size_t)(d->rows * d->cols), sizeof *a);
    assert_non_null(a);
    for (int64_t b = 0; b < d->batch; b++) {
        for (int64_t i = 0; i < d->rows; i++)
            for (int64_t j = 0; j < d->cols; j++)
                a[i * d->cols + j] =
                    d->alpha * d->weight->f64[b * d->batch_stride + i * d->row_stride + j * d->col_stride];
        largest = fmax(largest, hand_matrix_norm(a, d->rows, d->cols));
    }
    free(a);
    return largest;
}

typedef struct product_case {
    const lip_op *op;
    lip_shape a, b;
    bool a_varies;
    int64_t trans_a, trans_b; /* Gemm */
    int64_t batch, multiplicity;
    int in_axis, out_axis;
} product_case;

static void check_product(const product_case *c, uint64_t *state)
{
    hand_node h;
    lip_gain gain;
    hand_begin(&h, c->op, 13, 1);
    add_random(&h, c->a, c->a_varies, -1, 1, state);
    add_random(&h, c->b, !c->a_varies, -1, 1, state);
    if (c->op == &lip_op_gemm) {
        hand_int(&h, "transA", c->trans_a);
        hand_int(&h, "transB", c->trans_b);
        hand_float(&h, "alpha", 0.75F);
    }
    assert_int_equal(hand_shape(&h), LIP_OK);
    assert_int_equal(hand_describe(&h, &gain), LIP_OK);
    assert_int_equal(gain.kind, LIP_GAIN_DENSE);
    assert_int_equal(gain.dense.batch, c->batch);
    assert_int_equal(gain.dense.multiplicity, c->multiplicity);
    assert_int_equal(gain.dense.in_axis, c->in_axis);
    assert_int_equal(gain.dense.out_axis, c->out_axis);
    const size_t varying = c->a_varies ? 0 : 1;
    assert_int_equal(h.inputs[varying]->shape.dim[gain.dense.in_axis], gain.dense.cols);
    if (gain.dense.out_axis >= 0)
        assert_int_equal(h.outputs[0]->shape.dim[gain.dense.out_axis], gain.dense.rows);
    const double norm = hand_jacobian_norm(&h, varying), largest = largest_matrix(&gain.dense);
    assert_true(norm <= sqrt((double)c->multiplicity) * largest * (1 + 1e-9));
    if (c->multiplicity == 1)
        assert_true(norm >= largest * (1 - 1e-6));
    hand_end(&h);
}

static void dense_descriptions_are_the_operator(void **unused)
{
    (void)unused;
    static const product_case table[] = {
        { &lip_op_gemm, { 2, { 2, 3 } }, { 2, { 3, 4 } }, true, 0, 0, 1, 1, 1, 1 },
        { &lip_op_gemm, { 2, { 3, 2 } }, { 2, { 4, 3 } }, true, 1, 1, 1, 1, 0, 1 },
        { &lip_op_gemm, { 2, { 2, 3 } }, { 2, { 4, 3 } }, true, 0, 1, 1, 1, 1, 1 },
        { &lip_op_gemm, { 2, { 2, 3 } }, { 2, { 3, 4 } }, false, 0, 0, 1, 1, 0, 0 },
        { &lip_op_gemm, { 2, { 3, 2 } }, { 2, { 4, 3 } }, false, 1, 1, 1, 1, 1, 0 },
        { &lip_op_mat_mul, { 2, { 2, 3 } }, { 2, { 3, 4 } }, true, 0, 0, 1, 1, 1, 1 },
        { &lip_op_mat_mul, { 2, { 2, 3 } }, { 2, { 3, 4 } }, false, 0, 0, 1, 1, 0, 0 },
        { &lip_op_mat_mul, { 1, { 3 } }, { 2, { 3, 4 } }, true, 0, 0, 1, 1, 0, 0 },
        { &lip_op_mat_mul, { 1, { 3 } }, { 2, { 3, 4 } }, false, 0, 0, 1, 1, 0, -1 },
        { &lip_op_mat_mul, { 2, { 2, 3 } }, { 1, { 3 } }, true, 0, 0, 1, 1, 1, -1 },
        { &lip_op_mat_mul, { 2, { 2, 3 } }, { 1, { 3 } }, false, 0, 0, 1, 1, 0, 0 },
        { &lip_op_mat_mul, { 1, { 3 } }, { 1, { 3 } }, true, 0, 0, 1, 1, 0, -1 },
        { &lip_op_mat_mul, { 3, { 5, 2, 3 } }, { 2, { 3, 4 } }, true, 0, 0, 1, 1, 2, 2 },
        { &lip_op_mat_mul, { 3, { 5, 2, 3 } }, { 3, { 5, 3, 4 } }, true, 0, 0, 5, 1, 2, 2 },
        { &lip_op_mat_mul, { 2, { 2, 3 } }, { 3, { 5, 3, 4 } }, true, 0, 0, 5, 5, 1, 2 },
        { &lip_op_mat_mul, { 4, { 2, 1, 2, 3 } }, { 3, { 3, 3, 2 } }, false, 0, 0, 2, 2, 1, 2 },
        { &lip_op_mat_mul, { 4, { 2, 1, 2, 3 } }, { 3, { 3, 3, 2 } }, true, 0, 0, 3, 3, 3, 3 },
        { &lip_op_mat_mul, { 1, { 3 } }, { 3, { 5, 3, 2 } }, false, 0, 0, 1, 1, 1, -1 },
    };
    uint64_t state = 3;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        check_product(&table[i], &state);
}

static void batch_normalization_states_its_factors(void **unused)
{
    (void)unused;
    uint64_t state = 4;
    hand_node h;
    lip_gain gain;
    hand_begin(&h, &lip_op_batch_normalization, 15, 1);
    add_random(&h, (lip_shape){ 3, { 1, 4, 2 } }, true, -1, 1, &state);
    for (int i = 0; i < 3; i++)
        add_random(&h, (lip_shape){ 1, { 4 } }, false, -2, 2, &state);
    add_random(&h, (lip_shape){ 1, { 4 } }, false, 0, 1, &state);
    assert_int_equal(hand_shape(&h), LIP_OK);
    assert_int_equal(hand_describe(&h, &gain), LIP_OK);
    assert_int_equal(gain.kind, LIP_GAIN_SCALE);
    assert_int_equal(gain.scale.axis, 1);
    assert_int_equal(gain.scale.count, 4);
    double largest = 0;
    for (int c = 0; c < 4; c++) {
        const long double exact = (long double)h.data[1][c] / sqrtl((long double)h.data[4][c] + (long double)1e-5F);
        assert_true(fabsl(exact - gain.scale.factor[c]) <= gain.scale.relative_error * fabsl(exact));
        largest = fmax(largest, fabs(gain.scale.factor[c]));
    }
    assert_true(fabs(hand_jacobian_norm(&h, 0) - largest) <= 1e-9 * largest);
    h.data[4][2] = -1e-5F;
    assert_int_equal(hand_shape(&h), LIP_EFORMAT);
    assert_non_null(strstr(h.error.reason, "channel 2"));
    hand_end(&h);
}

/* -------------------------------------------------------------- normalisation */

typedef struct norm_case {
    const lip_op *op;
    int64_t opset;
    lip_shape x, scale; /* rank 0 scale: no parameters */
    bool shift;
    const char *name;   /* an integer attribute */
    int64_t value;
    double at;          /* the Jacobian norm is >= lower at x = at * (small random) */
} norm_case;

static void set_point(hand_node *h, double scale, uint64_t *state)
{
    int64_t count = 0;
    assert_true(lip_shape_count(&h->inputs[0]->shape, &count));
    for (int64_t i = 0; i < count; i++)
        h->data[0][i] = scale * hand_random(state);
}

static void check_norm(const norm_case *c, uint64_t *state)
{
    hand_node h;
    lip_gain gain;
    hand_begin(&h, c->op, c->opset, 1);
    add_random(&h, c->x, true, -1, 1, state);
    for (int i = 0; c->scale.rank > 0 && i < (c->shift ? 2 : 1); i++)
        add_random(&h, c->scale, false, -2, 2, state);
    if (c->name != NULL)
        hand_int(&h, c->name, c->value);
    hand_float(&h, "epsilon", 0.01F);
    hand_float(&h, "alpha", 2.0F);
    assert_int_equal(hand_shape(&h), LIP_OK);
    assert_int_equal(hand_describe(&h, &gain), LIP_OK);
    assert_int_equal(gain.kind, LIP_GAIN_LIPSCHITZ);
    assert_true(gain.lipschitz.lower <= gain.lipschitz.upper);
    for (int trial = 0; trial < 30; trial++) {
        set_point(&h, pow(10, 2 * hand_random(state)), state);
        const double norm = hand_jacobian_norm(&h, 0);
        if (!(norm <= gain.lipschitz.upper * (1 + 1e-12)))
            fail_msg("%s: Jacobian of norm %.17g over %.17g", c->op->name, norm, gain.lipschitz.upper);
    }
    set_point(&h, c->at, state);
    const double norm = hand_jacobian_norm(&h, 0);
    if (!(norm >= 0.9999 * gain.lipschitz.lower && gain.lipschitz.lower > 0.4 * gain.lipschitz.upper))
        fail_msg("%s: Jacobian of norm %.17g, lower bound %.17g", c->op->name, norm, gain.lipschitz.lower);
    hand_end(&h);
}

static void normalisation_gains_hold_and_are_attained(void **unused)
{
    (void)unused;
    static const norm_case table[] = {
        { &lip_op_layer_normalization, 17, { 2, { 2, 4 } }, { 1, { 4 } }, true, NULL, 0, 1e-6 },
        { &lip_op_layer_normalization, 17, { 3, { 2, 2, 3 } }, { 2, { 2, 3 } }, true, "axis", 1, 1e-6 },
        { &lip_op_rms_normalization, 23, { 2, { 2, 5 } }, { 1, { 5 } }, false, NULL, 0, 1e-6 },
        { &lip_op_instance_normalization, 6, { 3, { 1, 3, 4 } }, { 1, { 3 } }, true, NULL, 0, 1e-6 },
        { &lip_op_group_normalization, 18, { 3, { 1, 4, 2 } }, { 1, { 2 } }, true, "num_groups", 2, 1e-6 },
        { &lip_op_group_normalization, 21, { 3, { 1, 4, 2 } }, { 1, { 4 } }, true, "num_groups", 2, 1e-6 },
        { &lip_op_mean_variance_normalization, 13, { 4, { 1, 2, 2, 2 } }, { 0 }, false, NULL, 0, 1e-16 },
        { &lip_op_lrn, 13, { 3, { 1, 6, 2 } }, { 0 }, false, "size", 3, 1e-6 },
        { &lip_op_lrn, 13, { 3, { 1, 6, 1 } }, { 0 }, false, "size", 4, 1e-6 },
        { &lip_op_lrn, 13, { 3, { 1, 6, 1 } }, { 0 }, false, "size", 1, 1e-6 },
    };
    uint64_t state = 5;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        check_norm(&table[i], &state);
}

static double gain_at(const lip_op *op, const double *x, int64_t n, lip_gain *gain)
{
    hand_node h;
    hand_begin(&h, op, 13, 1);
    hand_input(&h, (lip_shape){ 2, { 1, n } }, x, true);
    assert_int_equal(hand_shape(&h), LIP_OK);
    assert_int_equal(hand_describe(&h, gain), LIP_OK);
    const double norm = hand_jacobian_norm(&h, 0);
    hand_end(&h);
    return norm;
}

static void softmax_gains_hold_and_are_attained(void **unused)
{
    (void)unused;
    const double tie[5] = { 0, 0, -60, -60, -60 }, vertex[5] = { 60, 0, 0, 0, 0 };
    uint64_t state = 6;
    lip_gain soft, logarithm;
    assert_true(gain_at(&lip_op_softmax, tie, 5, &soft) > 0.9999 * soft.lipschitz.upper);
    assert_true(gain_at(&lip_op_log_softmax, vertex, 5, &logarithm) > 0.9999 * logarithm.lipschitz.upper);
    for (int trial = 0; trial < 100; trial++) {
        double x[5];
        for (int i = 0; i < 5; i++)
            x[i] = 4 * hand_random(&state);
        assert_true(gain_at(&lip_op_softmax, x, 5, &soft) <= soft.lipschitz.upper * (1 + 1e-12));
        assert_true(gain_at(&lip_op_log_softmax, x, 5, &logarithm) <= logarithm.lipschitz.upper * (1 + 1e-12));
    }
    assert_true(gain_at(&lip_op_softmax, tie, 1, &soft) == 0 && soft.lipschitz.upper == 0);
    assert_true(gain_at(&lip_op_log_softmax, tie, 1, &logarithm) == 0 && logarithm.lipschitz.upper == 0);
}

static void cubic_resize_gains_hold(void **unused)
{
    (void)unused;
    static const double scales[][4] = { { 1, 1, 2, 2 }, { 1, 1, 0.5, 1.7 }, { 1, 1, 3, 0.4 }, { 1, 2, 1, 1 } };
    uint64_t state = 7;
    for (size_t i = 0; i < 2 * sizeof scales / sizeof *scales; i++) {
        hand_node h;
        lip_gain gain;
        hand_begin(&h, &lip_op_resize, 13, 1);
        add_random(&h, (lip_shape){ 4, { 1, 2, 5, 4 } }, true, -1, 1, &state);
        hand_input(&h, (lip_shape){ 1, { 0 } }, NULL, false);
        hand_input(&h, (lip_shape){ 1, { 4 } }, scales[i / 2], false);
        hand_string(&h, "mode", "cubic");
        hand_int(&h, "exclude_outside", i % 2);
        assert_int_equal(hand_shape(&h), LIP_OK);
        assert_int_equal(hand_describe(&h, &gain), LIP_OK);
        const double norm = hand_jacobian_norm(&h, 0);
        if (!(norm <= gain.lipschitz.upper * (1 + 1e-12) && norm >= gain.lipschitz.lower * (1 - 1e-12)))
            fail_msg("norm %.17g outside of %.17g .. %.17g", norm, gain.lipschitz.lower, gain.lipschitz.upper);
        if (!(gain.lipschitz.upper < 1.5 * norm && gain.lipschitz.lower > 0.6 * norm))
            fail_msg("norm %.17g far from %.17g .. %.17g", norm, gain.lipschitz.lower, gain.lipschitz.upper);
        hand_end(&h);
    }
}

/* 1 / sqrt(float32(1e-5)): the decimal 1e-5 would give a number below the truth. */
static void epsilon_is_the_float(void **unused)
{
    (void)unused;
    hand_node h;
    lip_gain gain;
    const double x[2] = { 0, 0 }, one[2] = { 1, 1 };
    hand_begin(&h, &lip_op_layer_normalization, 17, 1);
    hand_input(&h, (lip_shape){ 2, { 1, 2 } }, x, true);
    hand_input(&h, (lip_shape){ 1, { 2 } }, one, false);
    assert_int_equal(hand_shape(&h), LIP_OK);
    assert_int_equal(hand_describe(&h, &gain), LIP_OK);
    const long double truth = 1 / sqrtl((long double)1e-5F);
    assert_true(gain.lipschitz.upper >= truth && gain.lipschitz.upper <= truth * (1 + 4 * DBL_EPSILON));
    assert_true(gain.lipschitz.upper > 1 / sqrt(1e-5));
    hand_end(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dense_descriptions_are_the_operator),
        cmocka_unit_test(batch_normalization_states_its_factors),
        cmocka_unit_test(normalisation_gains_hold_and_are_attained),
        cmocka_unit_test(softmax_gains_hold_and_are_attained),
        cmocka_unit_test(cubic_resize_gains_hold),
        cmocka_unit_test(epsilon_is_the_float),
    };
    return cmocka_run_group_tests_name("gains", tests, NULL, NULL);
}
