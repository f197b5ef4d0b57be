/*
 * batch_check.c: see batch_check.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "batch_check.h"

#include <math.h>
#include <stdlib.h>

enum { CAPACITY = 7 };

double unit_of(lip_batch_precision precision)
{
    return precision == LIP_BATCH_F32 ? 0x1p-24 : 0x1p-53;
}

static uint64_t random_state = 1;

double random_real(void)
{
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (double)(random_state >> 11) * 0x1p-52 - 1;
}

int64_t random_whole(int64_t low, int64_t high)
{
    return low + (int64_t)((random_real() + 1) / 2 * (double)(high - low + 1)) % (high - low + 1);
}

int64_t count_of(const lip_value *value)
{
    int64_t count = 0;
    assert_true(lip_shape_count(&value->shape, &count));
    return count;
}

double *room(int64_t count)
{
    double *block = calloc((size_t)count + 1, sizeof *block);
    assert_non_null(block);
    return block;
}

double element(const lip_batch *batch, const lip_value *value, int64_t i)
{
    const double *f64 = lip_batch_f64(batch, value);
    const float *f32 = lip_batch_f32(batch, value);
    assert_true((f64 != NULL) != (f32 != NULL));
    return f64 != NULL ? f64[i] : (double)f32[i];
}

/* ------------------------------------------------- one affine node, visited */

/* The node's forward, or its linear part with the magnitudes of its constants. */
static void apply(const lip_node *node, lip_memory *memory, bool absolute, const double *x, double *y)
{
    const size_t varying = (size_t)lip_node_varying(node);
    const lip_value *in = node->inputs[varying], *out = node->outputs[0];
    lip_tensor from = { .dtype = in->dtype, .storage = LIP_F64, .shape = in->shape, .count = count_of(in) };
    lip_tensor to = { .dtype = out->dtype, .storage = LIP_F64, .shape = out->shape, .count = count_of(out) };
    lip_binding binding;
    lip_error error;
    from.f64 = x;
    to.f64_room = y;
    assert_int_equal(lip_binding_open(&binding, memory, node->input_count, node->output_count, &error), LIP_OK);
    assert_int_equal(lip_binding_set(&binding, node, &error), LIP_OK);
    for (size_t i = 0; absolute && i < node->input_count; i++) {
        const lip_tensor *constant = lip_node_constant(node, i);
        if (constant == NULL || !lip_dtype_is_real(constant->dtype))
            continue;
        if (binding.converted[i].data == NULL)
            binding.converted[i] = lip_tensor_converted(constant, memory);
        assert_non_null(binding.converted[i].data);
        for (int64_t k = 0; k < constant->count; k++)
            binding.converted[i].f64_room[k] = fabs(binding.converted[i].f64[k]);
        binding.in[i] = &binding.converted[i];
    }
    binding.in[varying] = &from;
    binding.out[0] = &to;
    const lip_call call = lip_binding_call(&binding, absolute);
    assert_int_equal(node->op->forward(&call, &error), LIP_OK);
    lip_binding_close(&binding);
}

void evaluate(const lip_node *node, lip_memory *memory, const double *x, double *y)
{
    apply(node, memory, false, x, y);
}

/* Every coefficient of the linear part is a product of a constant's element and one factor for all (alpha). */
void magnitude(const lip_node *node, lip_memory *memory, const double *x, double *y)
{
    const int64_t m = count_of(node->outputs[0]);
    double *zeros = room(count_of(node->inputs[lip_node_varying(node)])), *shift = room(m);
    apply(node, memory, false, zeros, shift);
    apply(node, memory, true, x, y);
    for (int64_t i = 0; i < m; i++)
        y[i] = fabs(y[i]) + fabs(shift[i]);
    free(zeros);
    free(shift);
}

typedef struct watch {
    lip_batch_precision precision;
    lip_memory *memory;
    int visits, affine;
    double worst; /* error over its bound */
} watch;

/* Products of one output element, and one term for the shift; alpha, beta and their rounding are in as well. */
static double terms_of(const lip_node *node)
{
    return (double)count_of(node->inputs[lip_node_varying(node)]) + 3;
}

static lip_status check_node(void *context, lip_batch *batch, const lip_node *node, int64_t count, lip_error *error)
{
    watch *w = context;
    (void)error;
    w->visits++;
    for (size_t i = 0; i < node->input_count; i++)
        if (node->inputs[i] != NULL && node->inputs[i]->constant == NULL &&
            lip_dtype_is_real(node->inputs[i]->dtype))
            (void)element(batch, node->inputs[i], 0);
    const int varying = lip_node_varying(node);
    if (varying < 0 || (node->op->gain.kind != LIP_GAIN_DENSE && node->op->gain.kind != LIP_GAIN_CONV))
        return LIP_OK;
    const lip_value *in = node->inputs[varying], *out = node->outputs[0];
    const int64_t n = count_of(in), m = count_of(out);
    double *x = room(n), *size = room(m), *y = room(m);
    const double u = unit_of(w->precision), terms = terms_of(node);
    const double roundings = fmin(terms, lip_batch_roundings(batch, node));
    for (int64_t s = 0; s < count; s++) {
        for (int64_t i = 0; i < n; i++)
            x[i] = element(batch, in, s * n + i);
        evaluate(node, w->memory, x, y);
        for (int64_t i = 0; i < n; i++)
            x[i] = fabs(x[i]);
        magnitude(node, w->memory, x, size);
        for (int64_t i = 0; i < m; i++) {
            const double bound = (u * roundings + 0x1p-53 * terms) * 1.01 * size[i] + 1e-40;
            const double off = fabs(element(batch, out, s * m + i) - y[i]);
            if (!(off <= bound))
                fail_msg("%s: sample %lld, element %lld: off by %g, at most %g", node->op_type, (long long)s,
                         (long long)i, off, bound);
            w->worst = fmax(w->worst, off / bound);
        }
    }
    w->affine++;
    free(x);
    free(size);
    free(y);
    return LIP_OK;
}

/* ------------------------------------------------------------ whole models */

typedef struct sampled {
    int64_t in, out;
    double *x, *wanted; /* CAPACITY samples and their logits, one evaluation each */
    double scale;       /* of the logits */
} sampled;

static sampled sample(const lip_model *model)
{
    sampled s = { .in = count_of(model->inputs[0]), .out = count_of(model->logits) };
    lip_error error = { 0 };
    s.x = room(CAPACITY * s.in);
    s.wanted = room(CAPACITY * s.out);
    for (int64_t i = 0; i < CAPACITY * s.in; i++)
        s.x[i] = (double)(float)random_real();
    for (int64_t i = 0; i < CAPACITY; i++) {
        const double *inputs[] = { s.x + i * s.in };
        if (lip_model_forward(model, inputs, s.wanted + i * s.out, &error) != LIP_OK)
            fail_msg("%s: %s", error.node, error.reason);
    }
    for (int64_t i = 0; i < CAPACITY * s.out; i++)
        s.scale = fmax(s.scale, fabs(s.wanted[i]));
    return s;
}

static void release(sampled *s)
{
    free(s->x);
    free(s->wanted);
}

static void check_logits(const lip_batch *batch, const lip_model *model, const sampled *s, int64_t first,
                         int64_t count, double tolerance)
{
    for (int64_t i = 0; i < count * s->out; i++) {
        const double found = element(batch, model->logits, i), wanted = s->wanted[first * s->out + i];
        if (!(fabs(found - wanted) <= tolerance * s->scale))
            fail_msg("logit %lld is %.9g, not %.9g (tolerance %g)", (long long)i, found, wanted, tolerance * s->scale);
    }
}

/* Relative to the largest logit. The networks here are a few layers of a few hundred terms. */
static double tolerance_of(lip_batch_precision precision)
{
    return precision == LIP_BATCH_F32 ? 2e-5 : 2e-13;
}

static void check_kernels(const lip_model *model, const sampled *s, lip_batch_precision precision,
                          const lip_kernels *kernels, int *affine)
{
    lip_memory memory;
    lip_batch *batch = NULL;
    lip_error error = { 0 };
    lip_memory_init(&memory, 0);
    if (lip_batch_open_with(model, CAPACITY, precision, kernels, &memory, &batch, &error) != LIP_OK)
        fail_msg("%s: %s", error.node, error.reason);
    const double tolerance = tolerance_of(precision);
    assert_null(lip_batch_f32(batch, model->logits));
    for (int64_t first = 0, count = CAPACITY; count > 0; first = CAPACITY - --count) {
        assert_int_equal(lip_batch_forward(batch, s->x + first * s->in, count, NULL, NULL, &error), LIP_OK);
        check_logits(batch, model, s, first, count, tolerance);
    }
    watch w = { .precision = precision, .memory = &memory };
    if (lip_batch_forward(batch, s->x, CAPACITY, check_node, &w, &error) != LIP_OK)
        fail_msg("%s: %s", error.node, error.reason);
    check_logits(batch, model, s, 0, CAPACITY, tolerance);
    assert_int_equal(w.visits, lip_model_describe(model).nodes);
    *affine = w.affine;
    lip_batch_free(&batch);
    lip_batch_free(&batch);
    assert_int_equal(memory.used, 0);
}

int check_batches(const lip_model *model)
{
    int affine = 0;
    sampled s = sample(model);
    for (int precision = LIP_BATCH_F32; precision <= LIP_BATCH_F64; precision++) {
        const lip_kernels *kernels;
        for (size_t i = 0; (kernels = lip_kernels_at(i, (lip_batch_precision)precision)) != NULL; i++)
            check_kernels(model, &s, (lip_batch_precision)precision, kernels, &affine);
    }
    release(&s);
    return affine;
}

void build_random(build *b, const char *name, const char *shape)
{
    int64_t count = 1;
    for (const char *at = shape; *at != '\0'; at += strcspn(at, "x"), at += *at == 'x')
        count *= strtoll(at, NULL, 10);
    double *values = build_memory(b, (size_t)count * sizeof *values + 1);
    for (int64_t i = 0; i < count; i++)
        values[i] = random_real();
    build_reals(b, name, shape, values);
}

void expect_batches(build *b, int affine)
{
    lip_model *model = check_open(b, NULL);
    assert_int_equal(check_batches(model), affine);
    lip_model_free(&model);
    build_free(b);
}

build *build_affine(const char *op, const char *shape, const char *w, const char *shift)
{
    build *b = build_new(17);
    build_input(b, "x", shape);
    build_random(b, "w", w);
    if (shift != NULL)
        build_random(b, "b", shift);
    build_node(b, op, shift != NULL ? "x w b" : "x w", "y");
    build_output(b, "y");
    return b;
}
