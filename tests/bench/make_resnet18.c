/*
 * make_resnet18.c: writes a network of ResNet-18's size and shape [He, Zhang,
 * Ren, Sun 2016, table 1] as an ONNX file: 3x224x224 to 1000 classes, 20
 * convolutions, each followed by batch normalisation, 11.69 M parameters.
 *
 *   make_resnet18 FILE
 *
 * Weights are Gaussian of variance 2 / fan-in [He et al. 2015] from a fixed
 * seed; the statistics of the batch normalisations are drawn around those of
 * such activations, their scales around 1.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "model_builder.h"

#include "linear/random.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SEED = 18, CLASSES = 1000, STAGES = 4, BLOCKS = 2 };

static const int64_t PARAMETERS = 11689512; /* as published: weights, biases, scales and shifts */

typedef struct maker {
    build *b;
    lip_random random;
    int64_t parameters; /* without the statistics */
} maker;

/* Lives as long as the build. */
static const char *name(const maker *m, const char *prefix, const char *suffix)
{
    size_t size = strlen(prefix) + strlen(suffix) + 1;
    char *text = build_memory(m->b, size);
    snprintf(text, size, "%s%s", prefix, suffix);
    return text;
}

/* An initializer of Gaussians around `mean`; the absolute value of each, if `positive`. */
static void gaussians(maker *m, const char *initializer, const char *shape, int64_t count, double mean,
                      double deviation, bool positive)
{
    float *values = malloc((size_t)count * sizeof *values);
    if (!values)
        abort();
    for (int64_t i = 0; i < count; i++) {
        double value = mean + deviation * lip_random_normal(&m->random);
        values[i] = (float)(positive ? fabs(value) : value);
    }
    build_floats(m->b, initializer, shape, values);
    free(values);
}

static void conv(maker *m, const char *prefix, const char *input, int c_in, int c_out, int kernel, int stride)
{
    char shape[64], inputs[256];
    const char *weight = name(m, prefix, ".weight");
    int64_t fan_in = (int64_t)c_in * kernel * kernel, k = kernel, s = stride, p = kernel / 2;
    snprintf(shape, sizeof shape, "%dx%dx%dx%d", c_out, c_in, kernel, kernel);
    gaussians(m, weight, shape, c_out * fan_in, 0, sqrt(2.0 / (double)fan_in), false);
    m->parameters += c_out * fan_in;
    snprintf(inputs, sizeof inputs, "%s %s", input, weight);
    build_node_in(m->b, "", "Conv", prefix, inputs, name(m, prefix, ".out"));
    build_attr_ints(m->b, "kernel_shape", 2, (const int64_t[]){k, k});
    build_attr_ints(m->b, "strides", 2, (const int64_t[]){s, s});
    build_attr_ints(m->b, "pads", 4, (const int64_t[]){p, p, p, p});
}

/* Gives `prefix`.out. */
static void batch_norm(maker *m, const char *prefix, const char *input, int channels)
{
    static const struct {
        const char *name;
        double mean, deviation;
        bool positive;
    } parts[] = {{".weight", 1, 0.2, true}, {".bias", 0, 0.2, false}, {".mean", 0, 0.3, false}, {".var", 1, 0.3, true}};
    char shape[32], inputs[512];
    int used = snprintf(inputs, sizeof inputs, "%s", input);
    snprintf(shape, sizeof shape, "%d", channels);
    for (int i = 0; i < 4; i++) {
        const char *part = name(m, prefix, parts[i].name);
        gaussians(m, part, shape, channels, parts[i].mean, parts[i].deviation, parts[i].positive);
        used += snprintf(inputs + used, sizeof inputs - (size_t)used, " %s", part);
    }
    m->parameters += 2 * channels;
    build_node_in(m->b, "", "BatchNormalization", prefix, inputs, name(m, prefix, ".out"));
}

static void relu(maker *m, const char *prefix, const char *input)
{
    build_node_in(m->b, "", "Relu", prefix, input, name(m, prefix, ".out"));
}

/* Convolution and batch normalisation `prefix`.convN and .bnN (or .downsample.0 and .1). Gives the latter's name. */
static const char *conv_norm(maker *m, const char *prefix, const char *conv_suffix, const char *norm_suffix,
                             const char *input, int c_in, int c_out, int kernel, int stride)
{
    const char *convolution = name(m, prefix, conv_suffix), *norm = name(m, prefix, norm_suffix);
    conv(m, convolution, input, c_in, c_out, kernel, stride);
    batch_norm(m, norm, name(m, convolution, ".out"), c_out);
    return name(m, norm, ".out");
}

static const char *basic_block(maker *m, const char *prefix, const char *input, int c_in, int c_out, int stride)
{
    char inputs[256];
    const char *first = conv_norm(m, prefix, ".conv1", ".bn1", input, c_in, c_out, 3, stride);
    const char *active = name(m, prefix, ".relu1");
    relu(m, active, first);
    const char *branch = conv_norm(m, prefix, ".conv2", ".bn2", name(m, active, ".out"), c_out, c_out, 3, 1);
    const char *skip = input;
    if (stride > 1 || c_in != c_out)
        skip = conv_norm(m, prefix, ".downsample.0", ".downsample.1", input, c_in, c_out, 1, stride);
    const char *sum = name(m, prefix, ".add"), *out = name(m, prefix, ".relu2");
    snprintf(inputs, sizeof inputs, "%s %s", branch, skip);
    build_node_in(m->b, "", "Add", sum, inputs, name(m, sum, ".out"));
    relu(m, out, name(m, sum, ".out"));
    return name(m, out, ".out");
}

static const char *stem(maker *m)
{
    const char *norm = conv_norm(m, "", "conv1", "bn1", "x", 3, 64, 7, 2);
    relu(m, "relu", norm);
    build_node_in(m->b, "", "MaxPool", "maxpool", "relu.out", "maxpool.out");
    build_attr_ints(m->b, "kernel_shape", 2, (const int64_t[]){3, 3});
    build_attr_ints(m->b, "strides", 2, (const int64_t[]){2, 2});
    build_attr_ints(m->b, "pads", 4, (const int64_t[]){1, 1, 1, 1});
    return "maxpool.out";
}

static void head(maker *m, const char *input, int features)
{
    build_node_in(m->b, "", "GlobalAveragePool", "avgpool", input, "avgpool.out");
    build_node_in(m->b, "", "Flatten", "flatten", "avgpool.out", "flatten.out");
    gaussians(m, "fc.weight", "1000x512", (int64_t)CLASSES * features, 0, sqrt(2.0 / features), false);
    gaussians(m, "fc.bias", "1000", CLASSES, 0, 0.1, false);
    m->parameters += (int64_t)CLASSES * features + CLASSES;
    build_node_in(m->b, "", "Gemm", "fc", "flatten.out fc.weight fc.bias", "logits");
    build_attr_int(m->b, "transB", 1);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: make_resnet18 FILE\n");
        return 2;
    }
    maker m = {.b = build_new(17), .random = lip_random_seed(SEED, 0)};
    build_input(m.b, "x", "1x3x224x224");
    const char *at = stem(&m);
    int channels = 64;
    for (int stage = 0; stage < STAGES; stage++)
        for (int block = 0; block < BLOCKS; block++) {
            char prefix[32];
            int wanted = 64 << stage;
            snprintf(prefix, sizeof prefix, "layer%d.%d", stage + 1, block);
            at = basic_block(&m, prefix, at, channels, wanted, stage > 0 && block == 0 ? 2 : 1);
            channels = wanted;
        }
    head(&m, at, channels);
    build_output(m.b, "logits");
    build_write(m.b, argv[1]);
    build_free(m.b);
    printf("%s: %" PRId64 " parameters\n", argv[1], m.parameters);
    return m.parameters != PARAMETERS;
}
