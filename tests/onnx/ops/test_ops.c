/*
 * test_ops.c: every operator of the table, on the cases of cases_*.c.
 *
 * For each case: the shape and the gain's kind are as expected; the adjoint is
 * the transpose of the linear part (1e-12), or agrees with central differences
 * where the node is not linear; sampled pairs never move apart by more than
 * the stated gain; slopes lie in the stated interval, and the interval times
 * 0.999 does not hold them.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "cases.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <cmocka.h>

#define EACH_TABLE(X)                                                                                     \
    X(cases_copy) X(cases_elementwise) X(cases_linear) X(cases_ml) X(cases_norm) X(cases_quantized) \
    X(cases_reduce)

/* One evaluation of a fixture's node: inputs, outputs and gradients. */
typedef struct evaluation {
    op_fixture *f;
    lip_tensor in[CASE_MAX], out[CASE_MAX];
    const lip_tensor *in_list[CASE_MAX];
    lip_tensor *out_list[CASE_MAX];
    double *in_grad[CASE_MAX];
    const double *out_grad[CASE_MAX];
} evaluation;

static void *room(op_fixture *f, int64_t count)
{
    void *block = lip_arena_alloc(&f->arena, count, sizeof(double));
    assert_non_null(block);
    return block;
}

static lip_tensor tensor_of(op_fixture *f, const lip_value *value)
{
    lip_tensor t = {.dtype = value->dtype, .storage = lip_dtype_storage(value->dtype, true), .shape = value->shape};
    assert_true(lip_shape_count(&t.shape, &t.count));
    t.room = room(f, t.count);
    return t;
}

static void evaluation_open(evaluation *e, op_fixture *f)
{
    memset(e, 0, sizeof *e);
    e->f = f;
    for (size_t k = 0; k < f->node.input_count; k++) {
        if (!f->inputs[k]) continue;
        e->in[k] = f->inputs[k]->constant ? f->constant[k] : tensor_of(f, f->inputs[k]);
        e->in_list[k] = &e->in[k];
        for (int64_t i = 0; f->inputs[k]->varies && i < e->in[k].count; i++) {
            double x = op_fixture_random(f, f->low[k], f->high[k]);
            if (e->in[k].storage == LIP_F64)
                e->in[k].f64_room[i] = x;
            else
                e->in[k].i64_room[i] = (int64_t)x;
        }
    }
    for (size_t k = 0; k < f->node.output_count; k++) {
        e->out[k] = tensor_of(f, f->outputs[k]);
        e->out_list[k] = &e->out[k];
    }
}

static void forward(evaluation *e, bool linear_part)
{
    lip_error error = {0};
    lip_call call = {.node = &e->f->node,
                     .in = e->in_list,
                     .out = e->out_list,
                     .linear_part = linear_part,
                     .memory = &e->f->memory};
    if (e->f->node.op->forward(&call, &error) != LIP_OK) fail_msg("forward: %s", error.reason);
}

static void adjoint(evaluation *e)
{
    lip_error error = {0};
    lip_call call = {.node = &e->f->node,
                     .in = e->in_list,
                     .out = e->out_list,
                     .out_grad = e->out_grad,
                     .in_grad = e->in_grad,
                     .memory = &e->f->memory};
    if (e->f->node.op->adjoint(&call, &error) != LIP_OK) fail_msg("adjoint: %s", error.reason);
}

static double dot(const double *a, const double *b, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++) sum += a[i] * b[i];
    return sum;
}

/* Random output gradients, and room for the input gradients of varying inputs. */
static void open_gradients(evaluation *e)
{
    for (size_t k = 0; k < e->f->node.output_count; k++) {
        if (e->out[k].storage != LIP_F64) continue;
        double *g = room(e->f, e->out[k].count);
        for (int64_t i = 0; i < e->out[k].count; i++) g[i] = op_fixture_random(e->f, -1, 1);
        e->out_grad[k] = g;
    }
    for (size_t k = 0; k < e->f->node.input_count; k++) {
        if (!e->f->inputs[k] || !e->f->inputs[k]->varies) continue;
        e->in_grad[k] = room(e->f, e->in[k].count);
        for (int64_t i = 0; i < e->in[k].count; i++) e->in_grad[k][i] = NAN; /* must be overwritten */
    }
}

/* <g, out> over all real outputs. */
static double observe(const evaluation *e)
{
    double sum = 0;
    for (size_t k = 0; k < e->f->node.output_count; k++) {
        if (e->out_grad[k]) sum += dot(e->out_grad[k], e->out[k].f64, e->out[k].count);
    }
    return sum;
}

static bool is_linear(lip_gain_kind kind, const lip_node *node)
{
    switch (kind) {
    case LIP_GAIN_ISOMETRY:
    case LIP_GAIN_COPY:
    case LIP_GAIN_NONNEGATIVE:
    case LIP_GAIN_SCALE:
    case LIP_GAIN_DENSE:
    case LIP_GAIN_CONV:
    case LIP_GAIN_CONCAT:
    case LIP_GAIN_SUM: return lip_node_varying(node) >= 0;
    default: return false;
    }
}

/* <A x, g> = <x, A'g>. */
static void check_transpose(evaluation *e)
{
    size_t k = (size_t)lip_node_varying(&e->f->node);
    forward(e, true);
    adjoint(e);
    double left = observe(e), right = dot(e->in[k].f64, e->in_grad[k], e->in[k].count);
    double scale = sqrt(dot(e->in[k].f64, e->in[k].f64, e->in[k].count) *
                        dot(e->in_grad[k], e->in_grad[k], e->in[k].count));
    if (!(fabs(left - right) <= 1e-12 * (scale + fabs(left) + 1e-300)))
        fail_msg("<Ax, g> = %.17g, <x, A'g> = %.17g", left, right);
}

/* Moves every varying input by t times its direction. */
static void move(evaluation *e, double *const *direction, double t)
{
    for (size_t k = 0; k < e->f->node.input_count; k++) {
        for (int64_t i = 0; direction[k] && i < e->in[k].count; i++) e->in[k].f64_room[i] += t * direction[k][i];
    }
}

static void open_direction(evaluation *e, double **direction)
{
    for (size_t k = 0; k < e->f->node.input_count; k++) {
        direction[k] = NULL;
        if (!e->f->inputs[k] || !e->f->inputs[k]->varies) continue;
        direction[k] = room(e->f, e->in[k].count);
        for (int64_t i = 0; i < e->in[k].count; i++) direction[k][i] = op_fixture_random(e->f, -1, 1);
    }
}

/* Derivative along a direction by central differences, Richardson-extrapolated, against the adjoint. */
static void check_differences(evaluation *e)
{
    double *direction[CASE_MAX], difference[2], expected = 0, h = 1e-4;
    open_direction(e, direction);
    forward(e, false);
    adjoint(e);
    for (size_t k = 0; k < e->f->node.input_count; k++) {
        if (direction[k]) expected += dot(e->in_grad[k], direction[k], e->in[k].count);
    }
    for (int step = 0; step < 2; step++, h /= 2) {
        move(e, direction, h);
        forward(e, false);
        double up = observe(e);
        move(e, direction, -2 * h);
        forward(e, false);
        difference[step] = (up - observe(e)) / (2 * h);
        move(e, direction, h);
    }
    double found = (4 * difference[1] - difference[0]) / 3;
    if (!(fabs(found - expected) <= 1e-6 * (1 + fabs(expected))))
        fail_msg("derivative %.12g by differences, %.12g by the adjoint", found, expected);
}

/* The number that a gain states for one varying input; NaN where it has none of its own. */
static double stated(const lip_gain *gain)
{
    double top = 0;
    switch (gain->kind) {
    case LIP_GAIN_CONCAT:
    case LIP_GAIN_ISOMETRY: return 1;
    case LIP_GAIN_SLOPES: return fmax(fabs(gain->slopes.a), fabs(gain->slopes.b));
    case LIP_GAIN_LIPSCHITZ: return gain->lipschitz.upper;
    case LIP_GAIN_SELECT: return sqrt((double)gain->select);
    case LIP_GAIN_SCALE:
        for (int64_t c = 0; c < gain->scale.count; c++) top = fmax(top, fabs(gain->scale.factor[c]));
        return top * (1 + gain->scale.relative_error) * sqrt((double)gain->scale.multiplicity);
    default: return NAN;
    }
}

static double distance(const double *a, const double *b, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++) sum += (a[i] - b[i]) * (a[i] - b[i]);
    return sqrt(sum);
}

/* |f(x) - f(x')| <= gain |x - x'| for output 0, near and far. */
static void check_pairs(evaluation *e, double gain)
{
    size_t k = (size_t)lip_node_varying(&e->f->node);
    double *before = room(e->f, e->out[0].count), *direction[CASE_MAX];
    for (int pair = 0; pair < 60; pair++) {
        double t = pow(10, op_fixture_random(e->f, -4, 1.5));
        open_direction(e, direction);
        forward(e, false);
        memcpy(before, e->out[0].f64, (size_t)e->out[0].count * sizeof *before);
        move(e, direction, t);
        forward(e, false);
        double far = distance(before, e->out[0].f64, e->out[0].count);
        double apart = t * sqrt(dot(direction[k], direction[k], e->in[k].count));
        if (!(far <= gain * apart * (1 + 1e-9) + 1e-12)) fail_msg("moved by %.12g: the output by %.12g", apart, far);
        move(e, direction, pair % 2 ? -t : 0);
    }
}

/* The slope at a point, by the adjoint with gradient 1, of the element that answers most; keeps the range. */
static double slope_at(evaluation *e, double x, double *low, double *high)
{
    size_t k = (size_t)lip_node_varying(&e->f->node);
    for (int64_t i = 0; i < e->in[k].count; i++) e->in[k].f64_room[i] = x;
    forward(e, false);
    adjoint(e);
    double best = 0;
    for (int64_t i = 0; i < e->in[k].count; i++) {
        *low = fmin(*low, e->in_grad[k][i]);
        *high = fmax(*high, e->in_grad[k][i]);
        best = fmax(best, fabs(e->in_grad[k][i]));
    }
    return best;
}

/* All slopes lie in [a, b], and the larger end is reached up to the slack. */
static void check_slopes(evaluation *e, const lip_gain *gain)
{
    double low = INFINITY, high = -INFINITY, best = 0, at = 0, width = 40;
    double *ones = room(e->f, e->out[0].count);
    for (int64_t i = 0; i < e->out[0].count; i++) ones[i] = 1;
    e->out_grad[0] = ones;
    for (int round = 0; round < 12; round++, width /= 8) {
        double center = at;
        for (int i = -400; i <= 400; i++) {
            double x = center + width * i / 400, slope = slope_at(e, x, &low, &high);
            if (slope > best) best = slope, at = x;
        }
    }
    double top = fmax(fabs(gain->slopes.a), fabs(gain->slopes.b));
    if (!(low >= gain->slopes.a - 1e-14) || !(high <= gain->slopes.b + 1e-14))
        fail_msg("slopes %.17g to %.17g outside of [%.17g, %.17g]", low, high, gain->slopes.a, gain->slopes.b);
    if (gain->slopes.slack < 1e-3 * top && !(best > 0.999 * top && best >= top - gain->slopes.slack - 1e-11))
        fail_msg("largest slope found %.17g of %.17g", best, top);
}

static void run_case(const op_case *c)
{
    op_fixture f;
    evaluation e;
    lip_error error = {0};
    if (!op_fixture_open(&f, c)) fail_msg("malformed case, or no such operator");
    assert_true(c->opset >= f.node.op->opset_first);
    if (f.node.op->shape(&f.node, &error) != LIP_OK) fail_msg("shape: %s", error.reason);
    lip_gain gain = f.node.op->gain;
    if (f.node.op->describe && f.node.op->describe(&f.node, &f.arena, &gain, &error) != LIP_OK)
        fail_msg("describe: %s", error.reason);
    if (gain.kind != c->kind) fail_msg("gain of kind %d, expected %d", (int)gain.kind, (int)c->kind);
    if (gain.kind == LIP_GAIN_UNBOUNDED) assert_non_null(gain.reason);
    if (!f.node.op->forward) {
        op_fixture_close(&f);
        return;
    }
    evaluation_open(&e, &f);
    forward(&e, false);
    bool varies = f.node.op->adjoint && e.out[0].storage == LIP_F64;
    if (varies) {
        open_gradients(&e);
        if (is_linear(gain.kind, &f.node)) check_transpose(&e);
        check_differences(&e);
    }
    if (varies && lip_node_varying(&f.node) >= 0 && !isnan(stated(&gain))) check_pairs(&e, stated(&gain));
    if (varies && gain.kind == LIP_GAIN_SLOPES) check_slopes(&e, &gain);
    op_fixture_close(&f);
}

static void run_table(const op_cases *cases)
{
    for (size_t i = 0; i < cases->count; i++) {
        const op_case *c = &cases->list[i];
        if (getenv("OPS_VERBOSE")) print_message("%s %d %s\n", c->op, (int)c->opset, c->line);
        run_case(c);
    }
}

static bool has_case(const lip_op *op, const op_cases *cases)
{
    for (size_t i = 0; i < cases->count; i++) {
        if (strcmp(cases->list[i].op, op->name) == 0 && strcmp(cases->list[i].domain, op->domain) == 0) return true;
    }
    return false;
}

static void test_every_row_has_a_case(void **state)
{
    (void)state;
    int missing = 0;
    for (size_t i = 0; i < lip_op_count(); i++) {
        bool found = false;
#define LOOK(table) found = found || has_case(lip_op_at(i), &table);
        EACH_TABLE(LOOK)
#undef LOOK
        /* rows that only say why not: tests/onnx/graph/test_lower.c reads them in models */
        found = found || (!lip_op_at(i)->forward && lip_op_at(i)->gain.kind == LIP_GAIN_UNKNOWN);
        if (!found) print_error("no case for %s::%s\n", lip_op_at(i)->domain, lip_op_at(i)->name), missing++;
    }
    assert_int_equal(missing, 0);
}

static void test_rows_are_sorted_and_whole(void **state)
{
    (void)state;
    for (size_t i = 0; i < lip_op_count(); i++) {
        const lip_op *op = lip_op_at(i), *before = i ? lip_op_at(i - 1) : NULL;
        assert_ptr_equal(lip_op_find(op->domain, op->name), op);
        assert_non_null(op->shape);
        assert_true(op->forward || op->gain.reason);
        assert_true(op->opset_first <= op->opset_last);
        int order = before ? strcmp(before->domain, op->domain) : -1;
        if (order == 0) order = strcasecmp(before->name, op->name);
        if (order >= 0) fail_msg("%s comes after %s", op->name, before->name);
        if (op->gain.kind == LIP_GAIN_UNBOUNDED) assert_non_null(op->gain.reason);
    }
    assert_null(lip_op_find("", "AcR"));
    assert_null(lip_op_find("com.microsoft", "Relu"));
}

#define RUN(table)                            \
    static void test_##table(void **state)    \
    {                                         \
        (void)state;                          \
        run_table(&table);                    \
    }
EACH_TABLE(RUN)
#undef RUN

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_are_sorted_and_whole),
        cmocka_unit_test(test_every_row_has_a_case),
#define ENTRY(table) cmocka_unit_test(test_##table),
        EACH_TABLE(ENTRY)
#undef ENTRY
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
