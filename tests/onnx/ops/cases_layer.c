/*
 * cases_layer.c: linear maps, pooling, normalisation, resizing.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "cases.h"

#define ONNX ""
#define MS "com.microsoft"

static const op_case list[] = {
    {ONNX, "AveragePool", 11, LIP_GAIN_NONNEGATIVE, "x:1x2x6x5 kernel_shape=n:3,2 strides=n:2,1 pads=n:1,0,1,1"},
    {ONNX, "AveragePool", 19, LIP_GAIN_NONNEGATIVE, "x:1x2x7 kernel_shape=n:2 dilations=n:2 ceil_mode=i:1"},
    {ONNX, "BatchNormalization", 15, LIP_GAIN_SCALE, "x:2x3x4 c:3 c:3 c:3 c:3@0.5,2"},
    {ONNX, "Conv", 11, LIP_GAIN_CONV, "x:1x4x5x6 c:6x2x3x2 c:6 group=i:2 strides=n:2,1 pads=n:1,0,2,1"},
    {ONNX, "Conv", 11, LIP_GAIN_CONV, "x:2x3x7 c:2x3x2 dilations=n:2 auto_pad=s:SAME_UPPER"},
    {ONNX, "ConvTranspose", 11, LIP_GAIN_CONV, "x:1x4x3x4 c:4x3x2x3 strides=n:2,2 output_padding=n:1,0"},
    {ONNX, "Gemm", 13, LIP_GAIN_DENSE, "x:2x3 c:4x3 c:4 transB=i:1 alpha=f:0.5 beta=f:2"},
    {ONNX, "Gemm", 13, LIP_GAIN_DENSE, "c:3x2 x:3x4 transA=i:1"},
    {ONNX, "GlobalAveragePool", 1, LIP_GAIN_NONNEGATIVE, "x:2x3x4x5"},
    {ONNX, "GlobalMaxPool", 1, LIP_GAIN_SELECT, "x:2x3x4x5"},
    {ONNX, "GroupNormalization", 21, LIP_GAIN_LIPSCHITZ, "x:2x4x3 c:4 c:4 num_groups=i:2"},
    {ONNX, "Hardmax", 13, LIP_GAIN_UNBOUNDED, "x:2x5"},
    {ONNX, "InstanceNormalization", 6, LIP_GAIN_LIPSCHITZ, "x:2x3x4 c:3 c:3"},
    {ONNX, "LayerNormalization", 17, LIP_GAIN_LIPSCHITZ, "x:2x3x4 c:4 c:4"},
    {ONNX, "LogSoftmax", 13, LIP_GAIN_LIPSCHITZ, "x:2x5"},
    {ONNX, "LpNormalization", 1, LIP_GAIN_UNBOUNDED, "x:2x5@0.5,3"},
    {ONNX, "LRN", 13, LIP_GAIN_LIPSCHITZ, "x:1x5x2x3 size=i:3 alpha=f:0.3"},
    {ONNX, "MatMul", 13, LIP_GAIN_DENSE, "x:2x3x4 c:4x5"},
    {ONNX, "MatMul", 13, LIP_GAIN_DENSE, "c:2x5x3 x:3x4"},
    {ONNX, "MaxPool", 12, LIP_GAIN_SELECT, "x:1x2x6x5 kernel_shape=n:3,2 strides=n:2,1 pads=n:1,0,1,1"},
    {ONNX, "MeanVarianceNormalization", 13, LIP_GAIN_LIPSCHITZ, "x:2x3x4x2"},
    {ONNX, "Resize", 13, LIP_GAIN_NONNEGATIVE, "x:1x2x3x4 - c:4=1,1,2,1.5 mode=s:linear"},
    {ONNX, "RMSNormalization", 23, LIP_GAIN_LIPSCHITZ, "x:2x3x4 c:4"},
    {ONNX, "SimplifiedLayerNormalization", 1, LIP_GAIN_LIPSCHITZ, "x:2x3x4 c:4"},
    {ONNX, "Softmax", 13, LIP_GAIN_LIPSCHITZ, "x:2x5"},
    {ONNX, "Softmax", 11, LIP_GAIN_LIPSCHITZ, "x:2x3x2 axis=i:1"},
    {ONNX, "Upsample", 9, LIP_GAIN_NONNEGATIVE, "x:1x2x3x4 c:4=1,1,2,3"},
};

const op_cases cases_layer = {list, sizeof list / sizeof *list};
