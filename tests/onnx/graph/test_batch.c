/*
 * test_batch.c: batched forward passes against one evaluation per sample.
 *
 * Every model is run in both precisions with every set of kernels, with and
 * without a visitor, with counts below the capacity. While it is visited, each
 * affine node is compared with its operator's own forward on the same input,
 * within the rounding bound that batch.h promises.
 *
 * Usage: test_batch FOLDER, that of the fixtures' models.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "check_model.h"

#include "graph/batch_parts.h"
#include "run.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { CAPACITY = 7 };

static const char *folder;

static const double units[] = { 0x1p-24, 0x1p-53 }; /* by lip_batch_precision */

static uint64_t random_state = 1;

static double random_real(void)
{
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (double)(random_state >> 11) * 0x1p-52 - 1;
}

static int64_t random_whole(int64_t low, int64_t high)
{
    return low + (int64_t)((random_real() + 1) / 2 * (double)(high - low + 1)) % (high - low + 1);
}

static int64_t count_of(const lip_value *value)
{
    int64_t count = 0;
    assert_true(lip_shape_count(&value->shape, &count));
    return count;
}

static double *room(int64_t count)
{
    double *block = calloc((size_t)count + 1, sizeof *block);
    assert_non_null(block);
    return block;
}

/* An element of a value of the batch as it is during a visit. */
static double element(const lip_batch *batch, const lip_value *value, int64_t i)
{
    const double *f64 = lip_batch_f64(batch, value);
    const float *f32 = lip_batch_f32(batch, value);
    assert_true((f64 != NULL) != (f32 != NULL));
    return f64 != NULL ? f64[i] : (double)f32[i];
}

/* ------------------------------------------------- one affine node, visited */

/* The node's operator on one sample in float64. */
static void evaluate(const lip_node *node, lip_memory *memory, const double *x, double *y)
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
    binding.in[varying] = &from;
    binding.out[0] = &to;
    const lip_call call = lip_binding_call(&binding, false);
    assert_int_equal(node->op->forward(&call, &error), LIP_OK);
    lip_binding_close(&binding);
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
    double *x = room(count * n), *size = room(count * m), *y = room(m);
    for (int64_t i = 0; i < count * n; i++)
        x[i] = fabs(element(batch, in, i));
    assert_int_equal(lip_batch_magnitude(batch, node, x, count, size, error), LIP_OK);
    const double u = units[w->precision], terms = terms_of(node);
    for (int64_t s = 0; s < count; s++) {
        for (int64_t i = 0; i < n; i++)
            x[i] = element(batch, in, s * n + i);
        evaluate(node, w->memory, x, y);
        for (int64_t i = 0; i < m; i++) {
            const double bound = (u + 0x1p-53) * terms * 1.01 * size[s * m + i] + 1e-40;
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

/* Both precisions, every set of kernels. Gives how many affine nodes were compared. */
static int check(const lip_model *model)
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

/* ------------------------------------------------------------- small models */

/* An initializer of random reals. */
static void weights(build *b, const char *name, const char *shape)
{
    int64_t count = 1;
    for (const char *at = shape; *at != '\0'; at += strcspn(at, "x"), at += *at == 'x')
        count *= strtoll(at, NULL, 10);
    double *values = build_memory(b, (size_t)count * sizeof *values + 1);
    for (int64_t i = 0; i < count; i++)
        values[i] = random_real();
    build_reals(b, name, shape, values);
}

/* Opens, checks, frees. */
static void expect(build *b, int affine)
{
    lip_model *model = check_open(b, NULL);
    assert_int_equal(check(model), affine);
    lip_model_free(&model);
    build_free(b);
}

static void conv_of(int dims, int64_t groups, int64_t in, int64_t out, bool transposed)
{
    char x[64], w[64], bias[32];
    int64_t kernel[3], stride[3], dilation[3], pads[6];
    const bool plain = random_whole(0, 5) == 0; /* read in place */
    int at_x = snprintf(x, sizeof x, "Nx%lld", (long long)(transposed ? out : in));
    int at_w = snprintf(w, sizeof w, "%lldx%lld", (long long)out, (long long)(in / groups));
    for (int i = 0; i < dims; i++) {
        kernel[i] = random_whole(1, 4);
        stride[i] = random_whole(1, 3);
        dilation[i] = random_whole(1, 2);
        pads[i] = plain ? 0 : random_whole(transposed ? 0 : -1, kernel[i] - 1);
        pads[i + dims] = plain ? 0 : random_whole(0, kernel[i] - 1);
        at_x += snprintf(x + at_x, sizeof x - (size_t)at_x, "x%lld", (long long)random_whole(8, dims == 3 ? 8 : 13));
        at_w += snprintf(w + at_w, sizeof w - (size_t)at_w, "x%lld", (long long)kernel[i]);
    }
    snprintf(bias, sizeof bias, "%lld", (long long)(transposed ? in : out));
    build *b = build_new(17);
    build_input(b, "x", x);
    weights(b, "w", w);
    weights(b, "b", bias);
    build_node(b, transposed ? "ConvTranspose" : "Conv", random_whole(0, 3) > 0 ? "x w b" : "x w", "y");
    build_attr_int(b, "group", groups);
    build_attr_ints(b, "strides", (size_t)dims, stride);
    build_attr_ints(b, "dilations", (size_t)dims, dilation);
    build_attr_ints(b, "pads", 2 * (size_t)dims, pads);
    build_output(b, "y");
    if (random_whole(0, 1) == 0) {
        build_node(b, "Relu", "y", "z");
        build_proto(b)->graph->output[0]->name = build_text(b, "z");
    }
    expect(b, 1);
}

static void convolutions(void **unused)
{
    (void)unused;
    for (int i = 0; i < 120; i++) {
        const int64_t groups = i % 4 == 0 ? random_whole(2, 4) : 1;
        const int64_t in = i % 8 == 0 ? groups : groups * random_whole(1, 5);
        const int64_t out = i % 8 == 0 ? groups * random_whole(1, 2) : groups * random_whole(1, i % 3 == 0 ? 70 : 20);
        conv_of(1 + i % 3, groups, in, out, i % 5 == 0);
    }
}

/* More taps than a block of them, more positions than a chunk. */
static void a_large_convolution(void **unused)
{
    (void)unused;
    build *b = build_new(17);
    build_input(b, "x", "Nx70x9x40");
    weights(b, "w", "33x70x3x3");
    weights(b, "b", "33");
    build_node(b, "Conv", "x w b", "y");
    build_attr_ints(b, "pads", 4, (int64_t[]){ 1, 1, 1, 1 });
    build_output(b, "y");
    expect(b, 1);
}

/* Two images in each sample: the batch axis of the file is 2. */
static void images_within_a_sample(void **unused)
{
    (void)unused;
    build *b = build_new(17);
    build_input(b, "x", "2x3x6x6");
    weights(b, "w", "4x3x3x3");
    weights(b, "b", "4");
    weights(b, "v", "64x5");
    weights(b, "c", "2x5");
    build_node(b, "Conv", "x w b", "y");
    build_node(b, "Relu", "y", "r");
    build_node(b, "Flatten", "r", "f");
    build_node(b, "Gemm", "f v c", "z");
    build_output(b, "z");
    expect(b, 2);
}

static void matrices(void **unused)
{
    static const char *const shapes[2][2][2] = { { { "5x4", "4x5" }, { "3x4", "4x3" } },   /* x w: transA, transB */
                                                 { { "4x3", "4x5" }, { "3x4", "5x4" } } }; /* w x */
    (void)unused;
    for (int i = 0; i < 8; i++) {
        const int left = i & 1, trans_a = i >> 1 & 1, trans_b = i >> 2 & 1;
        build *b = build_new(17);
        build_input(b, "x", "3x5");
        weights(b, "w", shapes[left][trans_a][trans_b]);
        weights(b, "c", left ? "4x1" : "4");
        build_node(b, "Gemm", left ? "w x c" : "x w c", "y");
        build_attr_int(b, "transA", trans_a);
        build_attr_int(b, "transB", trans_b);
        build_attr_float(b, "alpha", -1.5F);
        build_attr_float(b, "beta", 0.7F);
        build_output(b, "y");
        expect(b, 1);
    }
}

static void products(void **unused)
{
    static const struct product {
        const char *x, *w;
        bool left;
    } list[] = {
        { "Nx6", "6x4", false },      { "5x6", "6x4", false },   { "Nx2x5x6", "6x4", false }, { "6", "6x4", false },
        { "6x5", "4x6", true },       { "Nx2x6x5", "4x6", true }, { "Nx6", "6", false },       { "6", "4x6", true },
        { "2x5x6", "2x6x4", false },  { "5x6", "3x6x4", false }, { "2x6x5", "2x4x6", true },  { "6", "2x6x4", false },
        { "3x1x5x6", "3x6x4", false }, { "6x5", "6", true },
    };
    (void)unused;
    for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
        build *b = build_new(17);
        build_input(b, "x", list[i].x);
        weights(b, "w", list[i].w);
        build_node(b, "MatMul", list[i].left ? "w x" : "x w", "y");
        build_output(b, "y");
        expect(b, 1);
    }
}

static void fused_and_classic_products(void **unused)
{
    (void)unused;
    float coefficients[12];
    for (int i = 0; i < 12; i++)
        coefficients[i] = (float)random_real();
    build *b = build_new(17);
    build_domain(b, "com.microsoft", 1);
    build_domain(b, "ai.onnx.ml", 3);
    build_input(b, "x", "3x6x5");
    weights(b, "w", "4x6");
    build_node_in(b, "com.microsoft", "FusedMatMul", "", "x w", "y");
    build_attr_int(b, "transA", 1);
    build_attr_int(b, "transB", 1);
    build_attr_float(b, "alpha", -0.3F);
    build_ints(b, "s", "2", (int64_t[]){ 15, 4 });
    build_node(b, "Reshape", "y s", "r");
    build_node_in(b, "ai.onnx.ml", "LinearRegressor", "", "r", "z");
    build_attr_floats(b, "coefficients", 12, coefficients);
    build_attr_floats(b, "intercepts", 3, coefficients);
    build_attr_int(b, "targets", 3);
    build_output(b, "z");
    expect(b, 2);
}

/* Pre-activations read twice, a value read after a long time, two outputs, two varying inputs, unused outputs. */
static void branches(void **unused)
{
    (void)unused;
    build *b = build_new(17);
    build_input(b, "x", "Nx8");
    weights(b, "w", "8x8");
    weights(b, "c", "8");
    build_node(b, "Gemm", "x w c", "a");
    build_node(b, "Relu", "a", "r");
    build_node(b, "Gemm", "r w c", "d");
    build_node(b, "Relu", "d", "e");
    build_node(b, "Identity", "e", "f");
    build_node(b, "Add", "f a", "g");
    build_node(b, "Split", "g", "p q");
    build_attr_int(b, "axis", 1);
    build_node(b, "Mul", "p q", "h");
    build_node(b, "Concat", "h q x", "k");
    build_attr_int(b, "axis", 1);
    build_node(b, "Dropout", "k", "l -");
    build_node(b, "Relu", "l", "m");
    build_node(b, "Add", "m k", "y");
    build_output(b, "y");
    expect(b, 2);
}

static void whole_numbers(void **unused)
{
    (void)unused;
    build *b = build_new(17);
    build_input(b, "x", "1x9");
    build_node(b, "ArgMax", "x", "i");
    build_attr_int(b, "axis", 1);
    weights(b, "table", "9x4");
    build_ints(b, "flat", "1", (int64_t[]){ -1 });
    build_node(b, "Reshape", "i flat", "j");
    build_node(b, "Gather", "table j", "g");
    build_node(b, "Cast", "j", "k");
    build_attr_int(b, "to", LIP_DTYPE_FLOAT);
    build_node(b, "Add", "g k", "y");
    build_output(b, "y");
    expect(b, 0);
}

static void layers_of_images(void **unused)
{
    (void)unused;
    build *b = build_new(17);
    build_input(b, "x", "1x2x12x12");
    weights(b, "w", "5x2x3x3");
    weights(b, "scale", "5");
    weights(b, "shift", "5");
    weights(b, "mean", "5");
    build_reals(b, "var", "5", (double[]){ 1, 2, 0.5, 3, 1.5 });
    build_node(b, "Conv", "x w -", "a");
    build_node(b, "BatchNormalization", "a scale shift mean var", "n");
    build_node(b, "Sigmoid", "n", "s");
    build_node(b, "MaxPool", "s", "m");
    build_attr_ints(b, "kernel_shape", 2, (int64_t[]){ 2, 2 });
    build_node(b, "GlobalAveragePool", "m", "g");
    build_node(b, "Flatten", "g", "f");
    weights(b, "v", "5x3");
    build_node(b, "MatMul", "f v", "y");
    build_output(b, "y");
    expect(b, 2);
}

/* Windows of all kinds; indices that are read are another way. */
static void largest_in_windows(void **unused)
{
    (void)unused;
    for (int i = 0; i < 60; i++) {
        const int dims = 1 + i % 3;
        int64_t kernel[3], stride[3], dilation[3], pads[6];
        build *b = build_new(17);
        build_input(b, "x", dims == 1 ? "Nx3x20" : dims == 2 ? "Nx2x9x12" : "Nx2x6x7x8");
        build_node(b, "MaxPool", "x", i % 7 == 0 ? "p i" : "p");
        for (int d = 0; d < dims; d++) {
            kernel[d] = random_whole(1, 3);
            stride[d] = random_whole(1, 3);
            dilation[d] = random_whole(1, 2);
            pads[d] = random_whole(0, kernel[d] - 1);
            pads[d + dims] = random_whole(0, kernel[d] - 1);
        }
        build_attr_ints(b, "kernel_shape", (size_t)dims, kernel);
        build_attr_ints(b, "strides", (size_t)dims, stride);
        build_attr_ints(b, "dilations", (size_t)dims, dilation);
        build_attr_ints(b, "pads", 2 * (size_t)dims, pads);
        build_attr_int(b, "ceil_mode", random_whole(0, 1));
        if (i % 7 == 0) {
            build_node(b, "Cast", "i", "c");
            build_attr_int(b, "to", LIP_DTYPE_FLOAT);
            build_node(b, "Add", "p c", "y");
        } else {
            build_node(b, "Identity", "p", "y");
        }
        build_output(b, "y");
        expect(b, 0);
    }
}

static void the_input_is_the_logits(void **unused)
{
    (void)unused;
    build *b = build_new(17);
    build_input(b, "x", "4");
    build_node(b, "Identity", "x", "y");
    build_output(b, "y");
    expect(b, 0);
}

/* ----------------------------------------------------------------- fixtures */

static void fixtures(void **unused)
{
    static const struct fixture {
        const char *name;
        int affine;
    } list[] = {
        { "fmnist_small_base_torchscript", 4 }, { "fmnist_small_base_dynamo", 4 }, { "fmnist_small_lmt_torchscript", 4 },
        { "fmnist_small_lmt_dynamo", 4 },       { "fmnist_wrn_base", 10 },         { "fmnist_wrn_lmt", 10 },
        { "fmnist_keras_cnn", 3 },              { "fmnist_keras_flatten", 2 },
    };
    (void)unused;
    for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
        char path[1024];
        lip_model *model = NULL;
        lip_error error = { 0 };
        snprintf(path, sizeof path, "%s/%s.onnx", folder, list[i].name);
        if (lip_model_open(path, NULL, &model, &error) != LIP_OK)
            fail_msg("%s: %s", path, error.reason);
        assert_int_equal(check(model), list[i].affine);
        lip_model_free(&model);
    }
}

/* A batch that is divided, one that chose its size, and one per sample. */
static void sizes_of_batches(void **unused)
{
    (void)unused;
    enum { COUNT = 100 };
    char path[1024];
    lip_model *model = NULL;
    lip_error error = { 0 };
    snprintf(path, sizeof path, "%s/fmnist_small_base_torchscript.onnx", folder);
    assert_int_equal(lip_model_open(path, NULL, &model, &error), LIP_OK);
    const int64_t n = count_of(model->inputs[0]), m = count_of(model->logits);
    double *x = room(COUNT * n), *whole = room(COUNT * m);
    for (int64_t i = 0; i < COUNT * n; i++)
        x[i] = fabs(random_real());
    for (int64_t capacity = COUNT; capacity >= 0; capacity = capacity > 13 ? 13 : capacity > 1 ? 1 : capacity - 1) {
        lip_batch *batch = NULL;
        assert_int_equal(lip_batch_open(model, capacity, LIP_BATCH_F64, &model->memory, &batch, &error), LIP_OK);
        const int64_t step = lip_batch_capacity(batch);
        assert_true(capacity > 0 ? step == capacity : step > 1 && step < COUNT);
        for (int64_t first = 0; first < COUNT; first += step) {
            const int64_t some = COUNT - first < step ? COUNT - first : step;
            assert_int_equal(lip_batch_forward(batch, x + first * n, some, NULL, NULL, &error), LIP_OK);
            for (int64_t i = 0; i < some * m; i++) {
                if (capacity == COUNT)
                    whole[i] = element(batch, model->logits, i);
                assert_true(fabs(element(batch, model->logits, i) - whole[first * m + i]) <= 1e-13);
            }
        }
        lip_batch_free(&batch);
    }
    free(x);
    free(whole);
    lip_model_free(&model);
}

/* --------------------------------------------------------------- magnitudes */

/* |A| x + |b| from the columns of A. */
static void explicit_magnitude(const lip_node *node, lip_memory *memory, const double *x, double *y)
{
    lip_apply *apply = NULL;
    lip_error error;
    assert_int_equal(lip_apply_open(node, memory, &apply, &error), LIP_OK);
    const int64_t n = lip_apply_input_count(apply), m = lip_apply_output_count(apply);
    double *unit = room(n), *column = room(m);
    evaluate(node, memory, unit, column);
    for (int64_t i = 0; i < m; i++)
        y[i] = fabs(column[i]);
    for (int64_t j = 0; j < n; j++) {
        unit[j] = 1;
        assert_int_equal(lip_apply_forward(apply, unit, column, &error), LIP_OK);
        unit[j] = 0;
        for (int64_t i = 0; i < m; i++)
            y[i] += fabs(column[i]) * x[j];
    }
    lip_apply_free(&apply);
    free(unit);
    free(column);
}

static void check_magnitude(build *b)
{
    lip_model *model = check_open(b, NULL);
    const lip_node *node = model->nodes[0];
    const int64_t n = count_of(node->inputs[lip_node_varying(node)]), m = count_of(node->outputs[0]);
    double *x = room(2 * n), *found = room(2 * m), *wanted = room(m);
    for (int64_t i = 0; i < 2 * n; i++)
        x[i] = fabs(random_real());
    for (int precision = LIP_BATCH_F32; precision <= LIP_BATCH_F64; precision++) {
        lip_batch *batch = NULL;
        lip_memory memory;
        lip_error error;
        const double u = units[precision];
        lip_memory_init(&memory, 0);
        assert_int_equal(lip_batch_open(model, 2, (lip_batch_precision)precision, &memory, &batch, &error), LIP_OK);
        assert_int_equal(lip_batch_magnitude(batch, node, x, 2, found, &error), LIP_OK);
        for (int64_t s = 0; s < 2; s++) {
            explicit_magnitude(node, &memory, x + s * n, wanted);
            for (int64_t i = 0; i < m; i++)
                assert_true(fabs(found[s * m + i] - wanted[i]) <= ((double)n + 4) * u * wanted[i]);
        }
        lip_batch_free(&batch);
        assert_int_equal(memory.used, 0);
    }
    free(x);
    free(found);
    free(wanted);
    lip_model_free(&model);
    build_free(b);
}

static build *one_node(const char *op, const char *shape, const char *w, const char *shift)
{
    build *b = build_new(17);
    build_input(b, "x", shape);
    weights(b, "w", w);
    if (shift != NULL)
        weights(b, "b", shift);
    build_node(b, op, shift != NULL ? "x w b" : "x w", "y");
    build_output(b, "y");
    return b;
}

static void magnitudes(void **unused)
{
    (void)unused;
    check_magnitude(one_node("Conv", "1x3x6x5", "4x3x3x2", "4"));
    check_magnitude(one_node("Conv", "1x3x9", "4x3x3", NULL));
    build *b = one_node("Conv", "1x4x6x5", "4x1x3x2", "4");
    build_attr_int(b, "group", 4);
    check_magnitude(b);
    b = one_node("ConvTranspose", "1x3x4x5", "3x4x3x2", "4");
    build_attr_ints(b, "strides", 2, (int64_t[]){ 2, 3 });
    check_magnitude(b);
    b = one_node("Gemm", "3x6", "6x4", "3x4");
    build_attr_float(b, "alpha", -2);
    build_attr_float(b, "beta", -0.5F);
    check_magnitude(b);
    b = one_node("Gemm", "6x3", "4x6", "4");
    build_attr_int(b, "transA", 1);
    build_attr_int(b, "transB", 1);
    build_attr_float(b, "alpha", -2);
    build_attr_float(b, "beta", -0.5F);
    check_magnitude(b);
    check_magnitude(one_node("MatMul", "2x5x6", "2x6x4", NULL));
    check_magnitude(one_node("MatMul", "5x6", "3x6x4", NULL));
}

/* ----------------------------------------------------------------- refusals */

static lip_status open_refused(build *b, int64_t capacity, lip_error *error)
{
    lip_model *model = check_open(b, NULL);
    lip_batch *batch = NULL;
    lip_memory memory;
    lip_memory_init(&memory, 0);
    const lip_status status = lip_batch_open(model, capacity, LIP_BATCH_F32, &memory, &batch, error);
    assert_null(batch);
    assert_int_equal(memory.used, 0);
    lip_model_free(&model);
    build_free(b);
    return status;
}

static void refusals(void **unused)
{
    (void)unused;
    lip_error error;
    build *b = build_new(17);
    build_input(b, "x", "4");
    build_node_in(b, "", "Nonsense", "odd", "x", "y");
    build_output(b, "y");
    assert_int_equal(open_refused(b, 2, &error), LIP_EUNSUPPORTED);
    assert_string_equal(error.node, "odd");
    assert_int_equal(open_refused(one_node("Gemm", "3x6", "6x4", "3x4"), -1, &error), LIP_EUSAGE);
    assert_int_equal(open_refused(one_node("Gemm", "3x6", "6x4", "3x4"), INT64_MAX / 16, &error), LIP_EMEMORY);
    b = build_new(17);
    build_input(b, "x", "4");
    build_input(b, "z", "4");
    build_node(b, "Add", "x z", "y");
    build_output(b, "y");
    assert_int_equal(open_refused(b, 2, &error), LIP_EUNSUPPORTED);
    check_holds(error.reason, "this has 2");
}

static void too_many_samples(void **unused)
{
    (void)unused;
    build *b = one_node("Gemm", "1x6", "6x4", "4");
    lip_model *model = check_open(b, NULL);
    lip_batch *batch = NULL;
    lip_memory memory;
    lip_error error;
    double x[18] = { 0 }, y[12];
    lip_memory_init(&memory, 0);
    assert_int_equal(lip_batch_open(model, 2, LIP_BATCH_F64, &memory, &batch, &error), LIP_OK);
    assert_int_equal(lip_batch_forward(batch, x, 3, NULL, NULL, &error), LIP_EUSAGE);
    assert_int_equal(lip_batch_forward(batch, x, 0, NULL, NULL, &error), LIP_OK);
    assert_int_equal(lip_batch_magnitude(batch, model->nodes[0], x, 2, y, &error), LIP_OK);
    lip_batch_free(&batch);
    lip_model_free(&model);
    build_free(b);
}

static lip_status stop(void *context, lip_batch *batch, const lip_node *node, int64_t count, lip_error *error)
{
    (void)batch, (void)count;
    return --*(int *)context == 0 ? lip_fail_node(error, LIP_EUSAGE, node, "enough") : LIP_OK;
}

static void a_visitor_can_stop(void **unused)
{
    (void)unused;
    build *b = one_node("Gemm", "1x6", "6x4", "4");
    lip_model *model = check_open(b, NULL);
    lip_batch *batch = NULL;
    lip_error error;
    double x[12] = { 0 };
    int left = 1;
    assert_int_equal(lip_batch_open(model, 2, LIP_BATCH_F64, &model->memory, &batch, &error), LIP_OK);
    assert_int_equal(lip_batch_forward(batch, x, 2, stop, &left, &error), LIP_EUSAGE);
    assert_string_equal(error.reason, "enough");
    assert_null(lip_batch_f64(batch, model->logits));
    assert_null(lip_batch_f64(batch, model->inputs[0]));
    lip_batch_free(&batch);
    lip_model_free(&model);
    build_free(b);
}

/* Conv, dense, generic and batched steps in one network. */
static build *mixed(void)
{
    build *b = build_new(17);
    build_input(b, "x", "1x2x6x6");
    weights(b, "w", "3x2x3x3");
    build_node(b, "Conv", "x w -", "c");
    build_attr_ints(b, "pads", 4, (int64_t[]){ 1, 1, 1, 1 });
    build_node(b, "Relu", "c", "r");
    weights(b, "m", "3x6x4");
    build_node(b, "MatMul", "r m", "p");
    build_node(b, "Tanh", "p", "t");
    build_node(b, "Flatten", "t", "f");
    weights(b, "v", "72x3");
    weights(b, "b", "3");
    build_node(b, "Gemm", "f v b", "y");
    build_output(b, "y");
    return b;
}

static lip_status magnitude_of(void *context, lip_batch *batch, const lip_node *node, int64_t count, lip_error *error)
{
    (void)context;
    if (node->op->gain.kind != LIP_GAIN_DENSE && node->op->gain.kind != LIP_GAIN_CONV)
        return LIP_OK;
    double *x = room(count * count_of(node->inputs[0])), *y = room(count * count_of(node->outputs[0]));
    const lip_status status = lip_batch_magnitude(batch, node, x, count, y, error);
    free(x);
    free(y);
    return status;
}

static lip_status run_everything(const lip_model *model, lip_memory *memory, lip_batch_precision precision)
{
    lip_batch *batch = NULL;
    lip_error error = { 0 };
    double x[2 * 72] = { 0 };
    lip_status status = lip_batch_open(model, 2, precision, memory, &batch, &error);
    if (status == LIP_OK)
        status = lip_batch_forward(batch, x, 2, NULL, NULL, &error);
    if (status == LIP_OK)
        status = lip_batch_forward(batch, x, 2, magnitude_of, NULL, &error);
    lip_batch_free(&batch);
    assert_null(batch);
    return status;
}

static void every_failing_allocation_is_survived(void **unused)
{
    (void)unused;
    build *b = mixed();
    lip_model *model = check_open(b, NULL);
    check(model);
    for (int precision = LIP_BATCH_F32; precision <= LIP_BATCH_F64; precision++) {
        lip_memory memory;
        int failures = 0;
        for (int64_t k = 1; k < 1000; k++) {
            lip_memory_init(&memory, 0);
            atomic_store(&memory.fail_in, k);
            const lip_status status = run_everything(model, &memory, (lip_batch_precision)precision);
            assert_int_equal(memory.used, 0);
            if (status == LIP_OK)
                break;
            assert_int_equal(status, LIP_EMEMORY);
            failures++;
        }
        assert_true(failures > 40 && failures < 999);
    }
    lip_model_free(&model);
    build_free(b);
}

/* Only what is still read takes room: twenty layers need no more than two of them. */
static void memory_is_for_live_values(void **unused)
{
    (void)unused;
    uint64_t used[2];
    for (int deep = 0; deep < 2; deep++) {
        char from[16] = "x", to[16];
        build *b = build_new(17);
        build_input(b, "x", "1x4096");
        for (int i = 0; i < (deep ? 20 : 3); i++) {
            snprintf(to, sizeof to, "v%d", i);
            build_node(b, i % 2 ? "Tanh" : "Relu", from, to);
            memcpy(from, to, sizeof to);
        }
        build_output(b, from);
        lip_model *model = check_open(b, NULL);
        lip_batch *batch = NULL;
        lip_memory memory;
        lip_error error;
        lip_memory_init(&memory, 0);
        assert_int_equal(lip_batch_open(model, 50, LIP_BATCH_F32, &memory, &batch, &error), LIP_OK);
        used[deep] = memory.used;
        lip_batch_free(&batch);
        lip_model_free(&model);
        build_free(b);
    }
    assert_true(used[0] >= 2 * 50 * 4096 * sizeof(float));
    assert_true(used[1] < used[0] + 17 * 4 * 4096 * sizeof(double));
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: test_batch FOLDER\n");
        return 2;
    }
    folder = argv[1];
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(convolutions),
        cmocka_unit_test(a_large_convolution),
        cmocka_unit_test(images_within_a_sample),
        cmocka_unit_test(matrices),
        cmocka_unit_test(products),
        cmocka_unit_test(fused_and_classic_products),
        cmocka_unit_test(branches),
        cmocka_unit_test(whole_numbers),
        cmocka_unit_test(layers_of_images),
        cmocka_unit_test(largest_in_windows),
        cmocka_unit_test(the_input_is_the_logits),
        cmocka_unit_test(fixtures),
        cmocka_unit_test(sizes_of_batches),
        cmocka_unit_test(magnitudes),
        cmocka_unit_test(refusals),
        cmocka_unit_test(too_many_samples),
        cmocka_unit_test(a_visitor_can_stop),
        cmocka_unit_test(every_failing_allocation_is_survived),
        cmocka_unit_test(memory_is_for_live_values),
    };
    return cmocka_run_group_tests_name("batch", tests, NULL, NULL);
}
