/*
 * split_up.c: operators that stand for a sequence of others, for which
 * onnx/graph/lower.c (Attention: attention.c) puts these into the graph: what
 * reaches these rows is what could not be split.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "support.h"

static lip_status refuse(const lip_node *node, lip_error *error)
{
    return lip_fail_node(error, LIP_EUNSUPPORTED, node, "this use of it is not supported: its attributes or optional "
                                                        "inputs and outputs go beyond what is split up");
}

static lip_status refuse_if(const lip_node *node, lip_error *error)
{
    return lip_fail_node(error, LIP_EUNSUPPORTED, node, "control flow: its condition is not a constant");
}

#define SPLIT_UP(symbol, name_, parts)                               \
    const lip_op lip_op_microsoft_##symbol = {                       \
        .name = name_,                                               \
        .domain = "com.microsoft",                                   \
        .opset_first = 1,                                            \
        .opset_last = 1,                                             \
        .gain = {.kind = LIP_GAIN_UNKNOWN, .reason = parts},         \
        .shape = refuse,                                             \
    }

SPLIT_UP(bias_gelu, "BiasGelu", "that of Add and Gelu");
SPLIT_UP(fused_conv, "FusedConv", "that of Conv, Add and the activation");
SPLIT_UP(fused_gemm, "FusedGemm", "that of Gemm and the activation");
SPLIT_UP(skip_layer_normalization, "SkipLayerNormalization", "that of Add and LayerNormalization");

const lip_op lip_op_attention = {
    .name = "Attention",
    .domain = "",
    .opset_first = 23,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_UNKNOWN, .reason = "that of MatMul, Softmax and MatMul"},
    .shape = refuse,
};

const lip_op lip_op_if = {
    .name = "If",
    .domain = "",
    .opset_first = 1,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_UNKNOWN, .reason = "that of its branch, where the condition is a constant"},
    .shape = refuse_if,
};
