/*
 * test_batch_nodes.c: every kind of node in batched forward passes, and
 * the tests' own magnitudes against the columns of the matrices.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "batch_check.h"

#include "run.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

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
    build_random(b, "w", w);
    build_random(b, "b", bias);
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
    expect_batches(b, 1);
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
    build_random(b, "w", "33x70x3x3");
    build_random(b, "b", "33");
    build_node(b, "Conv", "x w b", "y");
    build_attr_ints(b, "pads", 4, (int64_t[]){ 1, 1, 1, 1 });
    build_output(b, "y");
    expect_batches(b, 1);
}

/* Two images in each sample: the batch axis of the file is 2. */
static void images_within_a_sample(void **unused)
{
    (void)unused;
    build *b = build_new(17);
    build_input(b, "x", "2x3x6x6");
    build_random(b, "w", "4x3x3x3");
    build_random(b, "b", "4");
    build_random(b, "v", "64x5");
    build_random(b, "c", "2x5");
    build_node(b, "Conv", "x w b", "y");
    build_node(b, "Relu", "y", "r");
    build_node(b, "Flatten", "r", "f");
    build_node(b, "Gemm", "f v c", "z");
    build_output(b, "z");
    expect_batches(b, 2);
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
        build_random(b, "w", shapes[left][trans_a][trans_b]);
        build_random(b, "c", left ? "4x1" : "4");
        build_node(b, "Gemm", left ? "w x c" : "x w c", "y");
        build_attr_int(b, "transA", trans_a);
        build_attr_int(b, "transB", trans_b);
        build_attr_float(b, "alpha", -1.5F);
        build_attr_float(b, "beta", 0.7F);
        build_output(b, "y");
        expect_batches(b, 1);
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
        build_random(b, "w", list[i].w);
        build_node(b, "MatMul", list[i].left ? "w x" : "x w", "y");
        build_output(b, "y");
        expect_batches(b, 1);
    }
}

/* One matrix in any order of the labels, the constant first or last; batches; labels that are not contracted. */
static void sums_of_products(void **unused)
{
    static const struct sum {
        const char *equation, *x, *w;
        bool left;
    } list[] = {
        { "ij,ik->jk", "3x4", "3x5", false },    { "ij,jk->ik", "3x4", "4x5", false },
        { "kji,ij->k", "2x3", "5x3x2", true },   { "ij,kji->k", "2x3", "5x3x2", false },
        { "kij,ij->k", "2x3", "5x2x3", true },   { "kji,ij->", "2x3", "5x3x2", true },
        { "lkji,ij->kl", "2x3", "2x5x3x2", true }, { "bij,bjk->bik", "2x3x4", "2x4x5", false },
        { "bij,j->bi", "2x3x4", "4", false },    { "jbi,j->bi", "4x2x3", "4", false },
        { "ij,kl->ikjl", "2x3", "4x2", false },  { "ii,ij->j", "3x3", "3x2", false },
        { "ij,ij->ij", "2x3", "2x3", false },    { "hij,hjk->ikh", "2x3x4", "2x4x5", false },
    };
    (void)unused;
    for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
        build *b = build_new(17);
        build_input(b, "x", list[i].x);
        build_random(b, "w", list[i].w);
        build_node(b, "Einsum", list[i].left ? "w x" : "x w", "y");
        build_attr_string(b, "equation", list[i].equation);
        build_output(b, "y");
        expect_batches(b, 1);
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
    build_random(b, "w", "4x6");
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
    expect_batches(b, 2);
}

/* Pre-activations read twice, a value read after a long time, two outputs, two varying inputs, unused outputs. */
static void branches(void **unused)
{
    (void)unused;
    build *b = build_new(17);
    build_input(b, "x", "Nx8");
    build_random(b, "w", "8x8");
    build_random(b, "c", "8");
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
    expect_batches(b, 2);
}

static void whole_numbers(void **unused)
{
    (void)unused;
    build *b = build_new(17);
    build_input(b, "x", "1x9");
    build_node(b, "ArgMax", "x", "i");
    build_attr_int(b, "axis", 1);
    build_random(b, "table", "9x4");
    build_ints(b, "flat", "1", (int64_t[]){ -1 });
    build_node(b, "Reshape", "i flat", "j");
    build_node(b, "Gather", "table j", "g");
    build_node(b, "Cast", "j", "k");
    build_attr_int(b, "to", LIP_DTYPE_FLOAT);
    build_node(b, "Add", "g k", "y");
    build_output(b, "y");
    expect_batches(b, 0);
}

static void layers_of_images(void **unused)
{
    (void)unused;
    build *b = build_new(17);
    build_input(b, "x", "1x2x12x12");
    build_random(b, "w", "5x2x3x3");
    build_random(b, "scale", "5");
    build_random(b, "shift", "5");
    build_random(b, "mean", "5");
    build_reals(b, "var", "5", (double[]){ 1, 2, 0.5, 3, 1.5 });
    build_node(b, "Conv", "x w -", "a");
    build_node(b, "BatchNormalization", "a scale shift mean var", "n");
    build_node(b, "Sigmoid", "n", "s");
    build_node(b, "MaxPool", "s", "m");
    build_attr_ints(b, "kernel_shape", 2, (int64_t[]){ 2, 2 });
    build_node(b, "GlobalAveragePool", "m", "g");
    build_node(b, "Flatten", "g", "f");
    build_random(b, "v", "5x3");
    build_node(b, "MatMul", "f v", "y");
    build_output(b, "y");
    expect_batches(b, 2);
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
        expect_batches(b, 0);
    }
}

static void the_input_is_the_logits(void **unused)
{
    (void)unused;
    build *b = build_new(17);
    build_input(b, "x", "4");
    build_node(b, "Identity", "x", "y");
    build_output(b, "y");
    expect_batches(b, 0);
}

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
    double *x = room(n), *found = room(m), *wanted = room(m);
    for (int64_t i = 0; i < n; i++)
        x[i] = fabs(random_real());
    magnitude(node, &model->memory, x, found);
    explicit_magnitude(node, &model->memory, x, wanted);
    for (int64_t i = 0; i < m; i++)
        assert_true(fabs(found[i] - wanted[i]) <= ((double)n + 4) * 0x1p-53 * wanted[i]);
    free(x);
    free(found);
    free(wanted);
    lip_model_free(&model);
    build_free(b);
}

static void magnitudes(void **unused)
{
    (void)unused;
    check_magnitude(build_affine("Conv", "1x3x6x5", "4x3x3x2", "4"));
    check_magnitude(build_affine("Conv", "1x3x9", "4x3x3", NULL));
    build *b = build_affine("Conv", "1x4x6x5", "4x1x3x2", "4");
    build_attr_int(b, "group", 4);
    check_magnitude(b);
    b = build_affine("ConvTranspose", "1x3x4x5", "3x4x3x2", "4");
    build_attr_ints(b, "strides", 2, (int64_t[]){ 2, 3 });
    check_magnitude(b);
    b = build_affine("Gemm", "3x6", "6x4", "3x4");
    build_attr_float(b, "alpha", -2);
    build_attr_float(b, "beta", -0.5F);
    check_magnitude(b);
    b = build_affine("Gemm", "6x3", "4x6", "4");
    build_attr_int(b, "transA", 1);
    build_attr_int(b, "transB", 1);
    build_attr_float(b, "alpha", -2);
    build_attr_float(b, "beta", -0.5F);
    check_magnitude(b);
    check_magnitude(build_affine("MatMul", "2x5x6", "2x6x4", NULL));
    check_magnitude(build_affine("MatMul", "5x6", "3x6x4", NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(convolutions),
        cmocka_unit_test(a_large_convolution),
        cmocka_unit_test(images_within_a_sample),
        cmocka_unit_test(matrices),
        cmocka_unit_test(products),
        cmocka_unit_test(sums_of_products),
        cmocka_unit_test(fused_and_classic_products),
        cmocka_unit_test(branches),
        cmocka_unit_test(whole_numbers),
        cmocka_unit_test(layers_of_images),
        cmocka_unit_test(largest_in_windows),
        cmocka_unit_test(the_input_is_the_logits),
        cmocka_unit_test(magnitudes),
    };
    return cmocka_run_group_tests_name("batch nodes", tests, NULL, NULL);
}
