/*
 * sample.c: a made report with the awkward cases in it.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "sample.h"

#include <math.h>

#define SHAPE4(a, b, c, d) {.rank = 4, .dim = {a, b, c, d}}
#define SHAPE2(a, b) {.rank = 2, .dim = {a, b}}
#define COUNT(array) (sizeof(array) / sizeof *(array))

static const char *const one_input[] = {"x"};
static const char *const two_inputs[] = {"a \"quoted\" one", "b"};
static const char *const folded[] = {"bn1"};

static lip_layer layers[] = {
    {.index = 0, .name = "/conv,1/Conv", .op = "Conv", .module = "conv1", .inputs = one_input, .input_count = 1,
     .output = "c", .input_shape = SHAPE4(1, 1, 28, 28), .output_shape = SHAPE4(1, 16, 14, 14), .folded = folded,
     .folded_count = 1, .parameters = 272, .verdict = LIP_BOUNDED, .reason = "",
     .gain = {0.1, 0.30000000000000004, 3.0000000000000009, "torus"}, .power_estimate = 0.29,
     .power_error_term = 0.25, .power_iterations = 100,
     .power_relative_gap = 0.03333, .exact_svd = 0.3, .exact_svd_reason = "", .reshaped = 0.25, .lmt_bound = 0.5,
     .cumulative_upper = 0.30000000000000004, .log_share = -0.2, .seconds = 0.5},
    {.index = 1, .name = "flat", .op = "Flatten", .module = "", .inputs = one_input, .input_count = 1, .output = "f",
     .input_shape = SHAPE4(1, 16, 14, 14), .output_shape = SHAPE2(1, 3136), .verdict = LIP_BOUNDED, .reason = "",
     .gain = {1.0, 1.0, 1.0, LIP_METHOD_ISOMETRY}, .power_estimate = NAN,
     .power_error_term = NAN, .power_relative_gap = NAN, .exact_svd = NAN,
     .reshaped = NAN, .lmt_bound = NAN, .cumulative_upper = 0.30000000000000004, .log_share = 0.0, .seconds = 0.0},
    {.index = 2, .name = "sum|\xFF", .op = "Add", .module = "", .inputs = two_inputs, .input_count = 2, .output = "s",
     .input_shape = SHAPE2(1, 10), .output_shape = SHAPE2(1, 10), .verdict = LIP_BOUNDED, .reason = "",
     .gain = {0.0, 2.0, INFINITY, "sum"}, .power_estimate = NAN,
     .power_error_term = NAN, .power_relative_gap = NAN, .exact_svd = NAN,
     .reshaped = NAN, .lmt_bound = NAN, .cumulative_upper = 0.6, .log_share = 0.4, .seconds = NAN},
    {.index = 3, .name = "fc", .op = "Gemm", .module = "fc", .inputs = one_input, .input_count = 1, .output = "y",
     .input_shape = SHAPE2(1, 3136), .output_shape = SHAPE2(1, 10), .parameters = 31370, .verdict = LIP_BOUNDED,
     .reason = "", .gain = {7.0, 7.0000001, 1.0000000143, "cholesky"}, .power_estimate = 6.9, .power_iterations = 100,
     .power_relative_gap = 0.0143, .exact_svd = 7.0, .exact_svd_reason = "", .reshaped = NAN, .lmt_bound = NAN,
     .cumulative_upper = 4.2000001, .log_share = 0.8, .seconds = 0.01},
};

static lip_layer unknown_layers[COUNT(layers)];

static const lip_report report = {
    .layers = layers, .layer_count = COUNT(layers), .network = {0.0, 4.2000001, INFINITY, "product"},
    .product_upper = 4.2000001, .power_product_estimate = 4.0, .verdict = LIP_BOUNDED, .reason = "",
    .reason_node = "", .bounds_seconds = 0.6, .pairwise_max_upper = NAN, .peak_memory_bytes = 1 << 20,
};

static lip_report unknown_report;

static const lip_tensor_info input = {"x", "float32", SHAPE4(1, 1, 28, 28), true};

lip_run_info sample_run(void)
{
    lip_run_info run = {
        .command = "audit",
        .info = {.path = "m.onnx", .producer = "pytorch 2.13.0", .sha256 = "0123456789abcdef", .ir_version = 8,
                 .opset = 17, .nodes = 4, .nodes_folded = 1, .nodes_in_file = 6, .parameters = 31642, .logits = "y",
                 .input_count = 1},
        .logits = {"y", "float32", SHAPE2(1, 10), true},
        .inputs = &input,
        .report = &report,
        .threads = 2,
        .load_seconds = 0.1,
        .total_seconds = 0.7,
    };
    return run;
}

lip_run_info sample_unknown_run(void)
{
    lip_run_info run = sample_run();
    for (size_t i = 0; i < COUNT(layers); i++)
        unknown_layers[i] = layers[i];
    lip_layer *last = &unknown_layers[COUNT(layers) - 1];
    last->verdict = LIP_UNKNOWN;
    last->op = "my.domain::Foo";
    last->reason = "operator 'Foo' is not supported";
    last->gain = (lip_bound){0.0, INFINITY, INFINITY, ""};
    last->cumulative_upper = INFINITY;
    unknown_report = report;
    unknown_report.layers = unknown_layers;
    unknown_report.network = (lip_bound){0.0, INFINITY, INFINITY, ""};
    unknown_report.power_product_estimate = NAN;
    unknown_report.verdict = LIP_UNKNOWN;
    unknown_report.reason = last->reason;
    unknown_report.reason_node = last->name;
    run.report = &unknown_report;
    return run;
}

char *sample_render_document(const lip_format *format, const json_t *document)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    if (!stream)
        return NULL;
    format->render(document, stream);
    fclose(stream);
    return text;
}

char *sample_render(const lip_format *format, const lip_run_info *run)
{
    json_t *document = document_of(run);
    char *text = document ? sample_render_document(format, document) : NULL;
    json_decref(document);
    return text;
}
