/*
 * test_ranges.c: ranges and gains on a box, operator by operator and for small
 * networks.
 *
 * Each network maps x [1, N] to y, N channels of the box: every element has an
 * interval of its own. On random boxes, at all corners and at random points:
 * y lies in its range, and no two points move y by more than L_F times their
 * distance. From the other side: where the range is the exact hull, corners
 * come within 0.1 % of its ends; and the largest ratio found is at least
 * `share` of L_F.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "gain/on_range.h"
#include "model_builder.h"
#include "range.h"
#include "run.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { BOXES = 12, RANDOM_POINTS = 150, MAX_INPUTS = 8, MAX_OUTPUTS = 64 };

typedef struct subject {
    const char *name;
    int64_t opset;
    int n;
    void (*build)(build *b);
    double from, to; /* boxes lie inside */
    bool hull;       /* the range is attained at corners */
    double share;    /* of L_F that sampling must find; 0: only soundness; -1: the network has no bound */
} subject;

/* ----------------------------------------------------------- the networks */

static const double weights[] = {0.5, -1.25, 2, 1, 0.75, -0.5, 1.5, -2, 0.25, 1, -1, 0.5};

static void ints(build *b, const char *name, size_t count, const int64_t *values)
{
    char shape[24];
    snprintf(shape, sizeof shape, "%zu", count);
    build_ints(b, name, shape, values);
}

/* x cut into two halves, each of a shape. */
static void halves(build *b, size_t rank, const int64_t *a, const int64_t *c)
{
    build_node(b, "Split", "x", "a0 c0");
    build_attr_int(b, "axis", 1);
    ints(b, "a_shape", rank, a);
    ints(b, "c_shape", rank, c);
    build_node(b, "Reshape", "a0 a_shape", "a");
    build_node(b, "Reshape", "c0 c_shape", "c");
}

#define TWO_BY_TWO (int64_t[]){2, 2}
#define REAL(b, name, shape) build_reals(b, name, shape, weights)

static void one(build *b, const char *op) { build_node(b, op, "x", "y"); }

static void b_square(build *b) { build_node(b, "Mul", "x x", "y"); }
static void b_mul(build *b) { halves(b, 2, (int64_t[]){1, 3}, (int64_t[]){1, 3}); build_node(b, "Mul", "a c", "y"); }
static void b_outer(build *b) { halves(b, 2, (int64_t[]){3, 1}, (int64_t[]){1, 3}); build_node(b, "Mul", "a c", "y"); }
static void b_div(build *b) { halves(b, 2, (int64_t[]){1, 3}, (int64_t[]){1, 3}); build_node(b, "Div", "a c", "y"); }
static void b_add(build *b) { halves(b, 2, (int64_t[]){3, 1}, (int64_t[]){1, 3}); build_node(b, "Add", "a c", "y"); }
static void b_sub(build *b) { halves(b, 2, (int64_t[]){3, 1}, (int64_t[]){1, 3}); build_node(b, "Sub", "a c", "y"); }
static void b_max(build *b) { halves(b, 2, (int64_t[]){3, 1}, (int64_t[]){1, 3}); build_node(b, "Max", "a c", "y"); }
static void b_min(build *b) { halves(b, 2, (int64_t[]){3, 1}, (int64_t[]){1, 3}); build_node(b, "Min", "a c", "y"); }
static void b_raise(build *b) { halves(b, 2, (int64_t[]){1, 3}, (int64_t[]){1, 3}); build_node(b, "Pow", "a c", "y"); }
static void b_sum(build *b) { REAL(b, "w", "1x4"); build_node(b, "Sum", "x w x", "y"); }
static void b_mean(build *b) { REAL(b, "w", "1x4"); build_node(b, "Mean", "x w x", "y"); }

static void b_matmul(build *b)
{
    ints(b, "s", 2, (int64_t[]){2, 3});
    REAL(b, "w", "3x2");
    build_node(b, "Reshape", "x s", "h");
    build_node(b, "MatMul", "h w", "y");
}
static void b_matmul_left(build *b)
{
    ints(b, "s", 2, (int64_t[]){3, 2});
    REAL(b, "w", "2x3");
    build_node(b, "Reshape", "x s", "h");
    build_node(b, "MatMul", "w h", "y");
}
static void b_product(build *b) { halves(b, 2, TWO_BY_TWO, TWO_BY_TWO); build_node(b, "MatMul", "a c", "y"); }
static void b_attention(build *b)
{
    halves(b, 2, TWO_BY_TWO, TWO_BY_TWO);
    build_node(b, "Softmax", "a", "p");
    build_node(b, "MatMul", "p c", "y");
}
static void b_spread_product(build *b)
{
    halves(b, 3, (int64_t[]){1, 2, 2}, (int64_t[]){2, 2, 1});
    build_node(b, "MatMul", "a c", "y");
}
static void b_gemm(build *b)
{
    REAL(b, "w", "3x2");
    build_node(b, "Gemm", "x w", "y");
    build_attr_float(b, "alpha", -0.5f);
}
static void b_gemm_two(build *b)
{
    halves(b, 2, TWO_BY_TWO, TWO_BY_TWO);
    REAL(b, "w", "2");
    build_node(b, "Gemm", "a c w", "y");
    build_attr_int(b, "transA", 1);
    build_attr_float(b, "alpha", 0.5f);
    build_attr_float(b, "beta", 2.0f);
}
static void b_conv(build *b)
{
    ints(b, "s", 4, (int64_t[]){1, 1, 2, 3});
    REAL(b, "w", "2x1x2x2");
    REAL(b, "bias", "2");
    build_node(b, "Reshape", "x s", "h");
    build_node(b, "Conv", "h w bias", "y");
    build_attr_ints(b, "pads", 4, (int64_t[]){1, 1, 0, 0});
}
static void b_conv_transpose(build *b)
{
    ints(b, "s", 4, (int64_t[]){1, 1, 2, 3});
    REAL(b, "w", "1x2x2x2");
    build_node(b, "Reshape", "x s", "h");
    build_node(b, "ConvTranspose", "h w", "y");
}
static void b_batch_norm(build *b)
{
    static const double variance[] = {0.5, 2};
    ints(b, "s", 3, (int64_t[]){1, 2, 3});
    REAL(b, "scale", "2");
    REAL(b, "bias", "2");
    REAL(b, "mean", "2");
    build_reals(b, "variance", "2", variance);
    build_node(b, "Reshape", "x s", "h");
    build_node(b, "BatchNormalization", "h scale bias mean variance", "y");
}
static void b_softmax(build *b) { one(b, "Softmax"); }
static void b_log_softmax(build *b) { one(b, "LogSoftmax"); }
static void b_layer_norm(build *b)
{
    REAL(b, "scale", "5");
    REAL(b, "bias", "5");
    build_node(b, "LayerNormalization", "x scale bias", "y");
}
static void b_rms_norm(build *b) { REAL(b, "scale", "5"); build_node(b, "RMSNormalization", "x scale", "y"); }
static void b_instance_norm(build *b)
{
    ints(b, "s", 3, (int64_t[]){1, 2, 3});
    REAL(b, "scale", "2");
    REAL(b, "bias", "2");
    build_node(b, "Reshape", "x s", "h");
    build_node(b, "InstanceNormalization", "h scale bias", "y");
}
static void b_group_norm(build *b)
{
    ints(b, "s", 3, (int64_t[]){1, 4, 2});
    REAL(b, "scale", "4");
    REAL(b, "bias", "4");
    build_node(b, "Reshape", "x s", "h");
    build_node(b, "GroupNormalization", "h scale bias", "y");
    build_attr_int(b, "num_groups", 2);
}
/* As exporters spell layer normalisation out. */
static void b_spelled_norm(build *b)
{
    static const double two = 2, eps = 0.01;
    build_reals(b, "two", "", &two);
    build_reals(b, "eps", "", &eps);
    build_node(b, "ReduceMean", "x", "mean");
    build_attr_ints(b, "axes", 1, (int64_t[]){-1});
    build_node(b, "Sub", "x mean", "z");
    build_node(b, "Pow", "z two", "q");
    build_node(b, "ReduceMean", "q", "v");
    build_attr_ints(b, "axes", 1, (int64_t[]){-1});
    build_node(b, "Add", "v eps", "w");
    build_node(b, "Sqrt", "w", "s");
    build_node(b, "Div", "z s", "y");
}
static void b_silu(build *b) { build_node(b, "Sigmoid", "x", "s"); build_node(b, "Mul", "x s", "y"); }
static void b_gated(build *b)
{
    build_node(b, "Sigmoid", "x", "s");
    build_node(b, "Tanh", "x", "t");
    build_node(b, "Mul", "s t", "y");
}

static void reduced(build *b, const char *op)
{
    ints(b, "s", 2, (int64_t[]){2, 3});
    build_node(b, "Reshape", "x s", "h");
    build_node(b, op, "h", "y");
    build_attr_ints(b, "axes", 1, (int64_t[]){1});
}
static void b_reduce_mean(build *b) { reduced(b, "ReduceMean"); }
static void b_reduce_max(build *b) { reduced(b, "ReduceMax"); }
static void b_reduce_l1(build *b) { reduced(b, "ReduceL1"); }
static void b_reduce_l2(build *b) { reduced(b, "ReduceL2"); }
static void b_reduce_squares(build *b) { reduced(b, "ReduceSumSquare"); }
static void b_reduce_log_sum(build *b) { reduced(b, "ReduceLogSum"); }
static void b_reduce_log_sum_exp(build *b) { reduced(b, "ReduceLogSumExp"); }
static void b_lp(build *b) { one(b, "LpNormalization"); build_attr_int(b, "p", 2); }
static void b_taxi(build *b) { one(b, "LpNormalization"); build_attr_int(b, "p", 1); }
static void pooled(build *b, const char *op)
{
    ints(b, "s", 4, (int64_t[]){1, 1, 2, 4});
    build_node(b, "Reshape", "x s", "h");
    build_node(b, op, "h", "y");
    build_attr_ints(b, "kernel_shape", 2, (int64_t[]){2, 2});
}
static void b_average_pool(build *b) { pooled(b, "AveragePool"); }
static void b_max_pool(build *b) { pooled(b, "MaxPool"); }
static void b_cum_sum(build *b) { ints(b, "axis", 1, (int64_t[]){1}); build_node(b, "CumSum", "x axis", "y"); }
static void b_resize(build *b)
{
    static const double scales[] = {1, 2};
    build_reals(b, "scales", "2", scales);
    build_node(b, "Resize", "x - scales", "y");
    build_attr_string(b, "mode", "linear");
}
static void b_concat(build *b)
{
    REAL(b, "w", "1x2");
    build_node(b, "Concat", "x w x", "h");
    build_attr_int(b, "axis", 1);
    build_node(b, "Transpose", "h", "y");
}
static void b_gather(build *b)
{
    ints(b, "at", 3, (int64_t[]){2, 0, -1});
    build_node(b, "Gather", "x at", "y");
    build_attr_int(b, "axis", 1);
}
static void b_pad(build *b) { ints(b, "p", 4, (int64_t[]){0, 1, 0, 2}); build_node(b, "Pad", "x p", "y"); }
static void b_where(build *b)
{
    static const double limit = 3;
    build_reals(b, "limit", "", &limit);
    build_node(b, "Less", "x limit", "c");
    build_node(b, "Exp", "x", "e");
    build_node(b, "Neg", "x", "n");
    build_node(b, "Where", "c n e", "y");
}
static void b_where_open(build *b)
{
    static const double limit = 0.1;
    build_reals(b, "limit", "", &limit);
    build_node(b, "Less", "x limit", "c");
    build_node(b, "Neg", "x", "n");
    build_node(b, "Where", "c n x", "y");
}
static void b_floor(build *b)
{
    build_node(b, "Floor", "x", "f");
    build_node(b, "Sub", "x f", "y"); /* in (0, 1) the floor is 0 */
}
static void b_cast(build *b)
{
    build_node(b, "Cast", "x", "i");
    build_attr_int(b, "to", LIP_DTYPE_INT64);
    build_node(b, "Add", "i i", "j");
    build_node(b, "Cast", "j", "f");
    build_attr_int(b, "to", LIP_DTYPE_FLOAT);
    build_node(b, "Add", "f x", "y");
}
static void b_prelu(build *b) { REAL(b, "w", "1x4"); build_node(b, "PRelu", "x w", "y"); }
static void b_pow_half(build *b)
{
    static const double half = 0.5;
    build_reals(b, "b", "", &half);
    build_node(b, "Pow", "x b", "y");
}
static void b_sqrt(build *b) { one(b, "Sqrt"); }
static void b_log(build *b) { one(b, "Log"); }
static void b_exp(build *b) { one(b, "Exp"); }
static void b_sigmoid(build *b) { one(b, "Sigmoid"); }
static void b_gelu(build *b) { one(b, "Gelu"); }
static void b_unit_vector(build *b)
{
    build_node(b, "ReduceL2", "x", "l");
    build_attr_ints(b, "axes", 1, (int64_t[]){1});
    build_node(b, "Div", "x l", "y");
}

static const subject subjects[] = {
    {"x^2", 17, 4, b_square, -3, 3, true, 0.99},
    {"Mul", 17, 6, b_mul, -3, 3, true, 0.5},
    {"Mul, outer", 17, 6, b_outer, -3, 3, true, 0.5},
    {"Div", 17, 6, b_div, 0.5, 3, true, 0.4},
    {"Div, negative", 17, 6, b_div, -3, -0.5, true, 0.4},
    {"Add", 17, 6, b_add, -3, 3, true, 0.5},
    {"Sub", 17, 6, b_sub, -3, 3, true, 0.5},
    {"Max", 17, 6, b_max, -3, 3, true, 0},
    {"Min", 17, 6, b_min, -3, 3, true, 0},
    {"Pow, two", 17, 6, b_raise, 0.3, 3, true, 0.3},
    {"Sum", 17, 4, b_sum, -3, 3, true, 0.99},
    {"Mean", 17, 4, b_mean, -3, 3, true, 0.99},
    {"MatMul", 17, 6, b_matmul, -3, 3, true, 0.8},
    {"MatMul from the left", 17, 6, b_matmul_left, -3, 3, true, 0.8},
    {"MatMul, two", 17, 8, b_product, -3, 3, false, 0.2},
    {"attention", 17, 8, b_attention, -2, 2, false, 0.1},
    {"MatMul, two, broadcast", 17, 8, b_spread_product, -3, 3, false, 0.2},
    {"Gemm", 17, 3, b_gemm, -3, 3, true, 0.8},
    {"Gemm, two", 17, 8, b_gemm_two, -3, 3, false, 0.2},
    {"Conv", 17, 6, b_conv, -3, 3, true, 0.5},
    {"ConvTranspose", 17, 6, b_conv_transpose, -3, 3, true, 0.5},
    {"BatchNormalization", 17, 6, b_batch_norm, -3, 3, true, 0.5},
    {"Softmax", 17, 4, b_softmax, -3, 3, true, 0.3},
    {"LogSoftmax", 17, 4, b_log_softmax, -3, 3, false, 0.2},
    {"LayerNormalization", 17, 5, b_layer_norm, -3, 3, false, 0},
    {"RMSNormalization", 23, 5, b_rms_norm, 1, 3, false, 0.3},
    {"InstanceNormalization", 17, 6, b_instance_norm, -3, 3, false, 0},
    {"GroupNormalization", 21, 8, b_group_norm, -3, 3, false, 0},
    {"layer normalisation spelled out", 17, 5, b_spelled_norm, -3, 3, false, 0},
    {"x sigmoid(x)", 17, 4, b_silu, -5, 5, false, 0.2},
    {"sigmoid(x) tanh(x)", 17, 4, b_gated, -5, 5, false, 0.2},
    {"ReduceMean", 17, 6, b_reduce_mean, -3, 3, true, 0.8},
    {"ReduceMax", 17, 6, b_reduce_max, -3, 3, true, 0},
    {"ReduceL1", 17, 6, b_reduce_l1, -3, 3, false, 0.5},
    {"ReduceL1, positive", 17, 6, b_reduce_l1, 0, 3, true, 0.5},
    {"ReduceL2, positive", 17, 6, b_reduce_l2, 0, 3, true, 0.5},
    {"ReduceL2", 17, 6, b_reduce_l2, -3, 3, false, 0},
    {"ReduceSumSquare", 17, 6, b_reduce_squares, 0, 3, true, 0.4},
    {"ReduceLogSum", 17, 6, b_reduce_log_sum, 0.1, 3, true, 0.2},
    {"ReduceLogSumExp", 17, 6, b_reduce_log_sum_exp, -3, 3, true, 0.2},
    {"LpNormalization, 2", 17, 4, b_lp, 0.5, 3, false, 0.2},
    {"LpNormalization, 1", 17, 4, b_taxi, 0.5, 3, false, 0.1},
    {"x / |x|", 17, 4, b_unit_vector, 0.5, 3, false, 0.05},
    {"AveragePool", 17, 8, b_average_pool, -3, 3, true, 0.5},
    {"MaxPool", 17, 8, b_max_pool, -3, 3, true, 0},
    {"CumSum", 17, 4, b_cum_sum, -3, 3, true, 0.8},
    {"Resize", 17, 4, b_resize, -3, 3, true, 0.5},
    {"Concat, Transpose", 17, 3, b_concat, -3, 3, true, 0.99},
    {"Gather", 17, 4, b_gather, -3, 3, true, 0.99},
    {"Pad", 17, 3, b_pad, -3, 3, true, 0.99},
    {"Where, decided", 17, 3, b_where, -3, 2.5, true, 0.99},
    {"Where, decided the other way", 17, 3, b_where, 3, 4, true, 0.99},
    {"Where, open", 17, 3, b_where_open, -3, 3, false, -1},
    {"Floor", 17, 3, b_floor, 0.01, 0.99, true, 0.99},
    {"Floor, open", 17, 3, b_floor, -3, 3, false, -1},
    {"Cast", 17, 3, b_cast, 2.01, 2.99, true, 0.99},
    {"PRelu", 17, 4, b_prelu, -3, 3, false, 0.99},
    {"Pow 1/2", 17, 3, b_pow_half, 0.1, 3, true, 0.99},
    {"Sqrt", 17, 3, b_sqrt, 0.1, 3, true, 0.99},
    {"Log", 17, 3, b_log, 0.1, 3, true, 0.99},
    {"Exp", 17, 3, b_exp, -3, 3, true, 0.99},
    {"Sigmoid", 17, 3, b_sigmoid, -5, 5, true, 0.99},
    {"Gelu", 20, 3, b_gelu, -5, 5, false, 0.3},
};

/* -------------------------------------------------------------- the checks */

static double between(double lo, double hi) { return lo + (hi - lo) * ((double)rand() / RAND_MAX); }

/* Range of the logits. */
typedef struct seen {
    const lip_value *logits;
    double lo[MAX_OUTPUTS], hi[MAX_OUTPUTS];
    int64_t count;
} seen;

static lip_status look(void *context, const lip_range_call *call, lip_error *error)
{
    seen *s = context;
    (void)error;
    if (call->node->outputs[0] != s->logits) return LIP_OK;
    s->count = call->out[0].count;
    assert_true(s->count <= MAX_OUTPUTS);
    memcpy(s->lo, call->out[0].lo, (size_t)s->count * sizeof(double));
    memcpy(s->hi, call->out[0].hi, (size_t)s->count * sizeof(double));
    return LIP_OK;
}

typedef struct trial {
    const subject *s;
    lip_model *model;
    lip_run *run;
    double lo[MAX_INPUTS], hi[MAX_INPUTS];
    seen range;
    double upper; /* L_F on the box */
    double least[MAX_OUTPUTS], most[MAX_OUTPUTS], ratio;
    double x[MAX_INPUTS], y[MAX_OUTPUTS], size; /* the point before; the largest output so far */
    bool any;
} trial;

static void visit(trial *t, const double *x)
{
    lip_error error = {0};
    const double *inputs[] = {x};
    double moved = 0, distance = 0;
    if (lip_run_forward(t->run, inputs, &error) != LIP_OK) fail_msg("%s: %s", t->s->name, error.reason);
    const double *y = lip_run_real(t->run, t->model->logits);
    for (int64_t i = 0; i < t->range.count; i++) {
        if (!(y[i] >= t->range.lo[i] && y[i] <= t->range.hi[i]))
            fail_msg("%s: element %d is %.17g, not in [%.17g, %.17g]", t->s->name, (int)i, y[i], t->range.lo[i],
                     t->range.hi[i]);
        t->least[i] = t->any ? fmin(t->least[i], y[i]) : y[i];
        t->most[i] = t->any ? fmax(t->most[i], y[i]) : y[i];
        moved = hypot(moved, y[i] - t->y[i]);
        t->y[i] = y[i];
        t->size = fmax(t->size, fabs(y[i]));
    }
    for (int i = 0; i < t->s->n; i++) {
        distance = hypot(distance, x[i] - t->x[i]);
        t->x[i] = x[i];
    }
    if (t->any && distance > 1e-7) {
        t->ratio = fmax(t->ratio, moved / distance);
        if (!(moved <= t->upper * distance * (1 + 1e-9) + 1e-13 * (1 + t->size)))
            fail_msg("%s: %.17g of a distance of %.17g, bound %.17g", t->s->name, moved, distance, t->upper);
    }
    t->any = true;
}

static void walk_box(trial *t)
{
    const int n = t->s->n;
    double x[MAX_INPUTS];
    for (unsigned corner = 0; corner < 1u << n; corner++) {
        for (int i = 0; i < n; i++) x[i] = corner >> i & 1 ? t->hi[i] : t->lo[i];
        visit(t, x);
        for (int i = 0; i < n; i++) x[i] += (t->lo[i] + t->hi[i] - 2 * x[i]) * between(0, 1e-3);
        visit(t, x);
        for (int i = 0; i < n; i++) { /* from the corner along each axis */
            const double side = corner >> i & 1 ? -1e-4 : 1e-4;
            for (int j = 0; j < n; j++) x[j] = corner >> j & 1 ? t->hi[j] : t->lo[j];
            visit(t, x);
            x[i] += side * (t->hi[i] - t->lo[i]);
            visit(t, x);
        }
    }
    for (int k = 0; k < RANDOM_POINTS; k++) {
        for (int i = 0; i < n; i++) x[i] = between(t->lo[i], t->hi[i]);
        visit(t, x);
    }
}

static void check_hull(const trial *t)
{
    for (int64_t i = 0; i < t->range.count; i++) {
        const double room = 1e-3 * (t->range.hi[i] - t->range.lo[i]) + 1e-12;
        if (!(t->least[i] <= t->range.lo[i] + room && t->most[i] >= t->range.hi[i] - room))
            fail_msg("%s: element %d has [%.17g, %.17g], found [%.17g, %.17g]", t->s->name, (int)i, t->range.lo[i],
                     t->range.hi[i], t->least[i], t->most[i]);
    }
}

/* The verdict and L_F on the box. */
static bool audit_box(trial *t, const lip_input_range *box)
{
    lip_report *report = NULL;
    lip_error error = {0};
    const lip_audit_options options = {.range = box, .threads = 1, .iterations = 1, .exact = LIP_EXACT_NEVER};
    if (lip_audit(t->model, &options, &report, &error) != LIP_OK) fail_msg("%s: %s", t->s->name, error.reason);
    const bool bounded = report->verdict == LIP_BOUNDED;
    t->upper = report->network.upper;
    assert_int_equal(report->range.count, box->count);
    assert_int_equal(report->range_input_count, 1);
    assert_string_equal(report->range_inputs[0], "x");
    for (size_t i = 0; i < report->layer_count; i++)
        assert_true(report->layers[i].gain.lower <= report->layers[i].gain.upper);
    lip_report_free(&report);
    return bounded;
}

static double try_box(trial *t)
{
    lip_error error = {0};
    const lip_input_range box = {t->lo, t->hi, (size_t)t->s->n};
    t->any = false;
    t->ratio = 0;
    t->range = (seen){.logits = t->model->logits};
    if (lip_ranges_walk(t->model, &box, &t->model->memory, look, &t->range, &error) != LIP_OK)
        fail_msg("%s: %s", t->s->name, error.reason);
    assert_true(t->range.count > 0);
    const bool bounded = audit_box(t, &box);
    if (bounded == (t->s->share < 0)) fail_msg("%s: %s", t->s->name, bounded ? "bounded" : "not bounded");
    walk_box(t);
    if (t->s->hull) check_hull(t);
    return t->upper > 0 ? t->ratio / t->upper : 1;
}

static void test_operators(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof subjects / sizeof *subjects; i++) {
        const subject *s = &subjects[i];
        trial t = {.s = s};
        lip_error error = {0};
        char shape[16];
        build *b = build_new(s->opset);
        snprintf(shape, sizeof shape, "1x%d", s->n);
        build_input(b, "x", shape);
        s->build(b);
        build_output(b, "y");
        const lip_load_options options = {.output = "y"};
        if (build_open(b, &options, &t.model, &error) != LIP_OK || lip_run_open(t.model, &t.run, &error) != LIP_OK)
            fail_msg("%s: %s", s->name, error.reason);
        double share = 0;
        for (int k = 0; k < BOXES; k++) {
            for (int j = 0; j < s->n; j++) {
                const double width = (s->to - s->from) * (k % 3 == 0 ? 1 : k % 3 == 1 ? 0.1 : 0.001) * between(0.3, 1);
                t.lo[j] = s->share < 0 ? s->from : between(s->from, s->to - width);
                t.hi[j] = s->share < 0 ? s->to : fmin(s->to, t.lo[j] + width);
            }
            share = fmax(share, try_box(&t));
        }
        if (!(share >= s->share)) fail_msg("%s: only %g of L_F was found", s->name, share);
        lip_run_free(&t.run);
        lip_model_free(&t.model);
        build_free(b);
    }
}

static build *begin(const char *shape)
{
    build *b = build_new(17);
    build_input(b, "x", shape);
    return b;
}

static lip_status note_gains(void *context, const lip_range_call *call, lip_error *error)
{
    double *gain = context;
    if (strcmp(call->node->outputs[0]->name, "y") != 0) return LIP_OK;
    gain[0] = call->gain[0];
    gain[1] = call->gain[1];
    return lip_range_gain_product(call, 0, gain, error);
}

/* Gains in each factor, in closed form: a and c have 3 (4) elements each. */
static void test_gains_of_pairs(void **state)
{
    (void)state;
    static const struct {
        void (*build)(build *b);
        int n;
        double lo[8], hi[8], gain[2];
    } cases[] = {
        {b_mul, 6, {-1, 0, 0, -4, 1, 0}, {2, 1, 1, -3, 2, 1}, {4, 2}},
        {b_outer, 6, {-1, 0, 0, 0, 2, 0}, {2, 1, 1, 1, 2, 2}, {3, 2.4494897427831781}}, /* |(1, 2, 2)|, |(2, 1, 1)| */
        {b_div, 6, {-1, 0, 0, 0.5, 1, 2}, {2, 1, 1, 1, 2, 3}, {2, 8}},
        {b_product, 8, {1, 0, 0, 3, 0, 2, -5, 0}, {1, 0, 0, 3, 0, 2, -5, 0}, {5, 3}}, /* points: spectral norms */
        {b_product, 8, {0, 0, 0, 0, -1, -1, -1, -1}, {1, 1, 1, 1, 1, 1, 1, 1}, {2, 2}},
        {b_spread_product, 8, {1, 0, 0, 3, 3, 4, 0, 1}, {1, 0, 0, 3, 3, 4, 0, 1}, {7.0710678118654755, 3}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        build *b = begin(cases[i].n == 6 ? "1x6" : "1x8");
        lip_model *model = NULL;
        lip_error error = {0};
        double gain[2] = {0};
        const lip_input_range box = {cases[i].lo, cases[i].hi, (size_t)cases[i].n};
        cases[i].build(b);
        build_output(b, "y");
        assert_int_equal(build_open(b, NULL, &model, &error), LIP_OK);
        assert_int_equal(lip_ranges_walk(model, &box, &model->memory, note_gains, gain, &error), LIP_OK);
        for (int k = 0; k < 2; k++)
            if (!(gain[k] >= cases[i].gain[k] * (1 - 1e-15) && gain[k] <= cases[i].gain[k] * (1 + 1e-10)))
                fail_msg("case %zu, input %d: %.17g, not %.17g", i, k, gain[k], cases[i].gain[k]);
        lip_model_free(&model);
        build_free(b);
    }
}

/* Every allocation may fail: the audit fails cleanly, or goes on without some ranges, never with a smaller bound. */
static void test_memory(void **state)
{
    (void)state;
    static const double lo = -1, hi = 1;
    build *b = begin("1x8");
    lip_model *model = NULL;
    lip_report *report = NULL;
    lip_error error = {0};
    b_attention(b);
    build_output(b, "y");
    assert_int_equal(build_open(b, NULL, &model, &error), LIP_OK);
    const lip_audit_options options = {.range = &(lip_input_range){&lo, &hi, 1}, .threads = 1, .iterations = 1};
    assert_int_equal(lip_audit(model, &options, &report, &error), LIP_OK);
    const double upper = report->network.upper;
    const uint64_t used = atomic_load(&model->memory.used);
    lip_report_free(&report);
    bool reached = false;
    for (int k = 1; !reached && k < 1000000; k += 1 + k / 50) {
        atomic_store(&model->memory.fail_in, k);
        lip_status status = lip_audit(model, &options, &report, &error);
        reached = atomic_load(&model->memory.fail_in) > 0;
        atomic_store(&model->memory.fail_in, 0);
        if (status == LIP_OK)
            assert_true(report->network.upper >= upper);
        else
            assert_int_equal(status, LIP_EMEMORY);
        assert_true(isfinite(upper));
        lip_report_free(&report);
    }
    assert_true(reached);
    assert_true(atomic_load(&model->memory.used) < used);
    lip_model_free(&model);
    build_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_operators),
        cmocka_unit_test(test_gains_of_pairs),
        cmocka_unit_test(test_memory),
    };
    srand(1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
