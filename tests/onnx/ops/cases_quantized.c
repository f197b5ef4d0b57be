/*
 * cases_quantized.c: quantisation, and operators on quantised tensors.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "cases.h"

#define ONNX ""
#define MS "com.microsoft"

static const op_case list[] = {
    {ONNX, "ConvInteger", 10, LIP_GAIN_UNBOUNDED, "q:1x2x4x4@0,255 u:3x2x2x2@0,255 u:=3 pads=n:1,0,0,1"},
    {ONNX, "DequantizeLinear", 10, LIP_GAIN_UNBOUNDED, "q:2x3@0,255 c:=0.5 u:=3"},
    {ONNX, "DequantizeLinear", 13, LIP_GAIN_UNBOUNDED, "q:2x3@0,255 c:3@0.1,1 axis=i:1"},
    {ONNX, "DequantizeLinear", 21, LIP_GAIN_UNBOUNDED, "q:2x5@0,255 c:2x3@0.1,1 u:2x3@0,9 axis=i:1 block_size=i:2"},
    {ONNX, "DequantizeLinear", 13, LIP_GAIN_UNKNOWN, "u:2x3@0,255 x:"},
    {ONNX, "DynamicQuantizeLinear", 11, LIP_GAIN_UNBOUNDED, "x:2x3 out:3"},
    {ONNX, "MatMulInteger", 10, LIP_GAIN_UNBOUNDED, "q:2x3@0,255 u:3x4@0,255 u:=3 u:4@0,255"},
    {ONNX, "QLinearConv", 10, LIP_GAIN_UNBOUNDED,
     "q:1x2x4x4@0,255 c:=0.1 u:=3 u:3x2x2x2@0,255 c:3@0.1,1 u:3@0,9 c:=0.7 u:=128 w:3@-9,9"},
    {ONNX, "QLinearMatMul", 10, LIP_GAIN_UNBOUNDED,
     "q:2x3@0,255 c:=0.1 u:=3 u:3x4@0,255 c:=0.2 u:=9 c:=0.7 u:=128"},
    {ONNX, "QuantizeLinear", 10, LIP_GAIN_UNBOUNDED, "x:2x3 c:=0.5 u:=3"},
    {ONNX, "QuantizeLinear", 13, LIP_GAIN_UNBOUNDED, "x:2x3x4 c:3@0.1,1 u:3@0,9 axis=i:-2"},
    {ONNX, "QuantizeLinear", 21, LIP_GAIN_UNBOUNDED, "x:2x3 c:=0.5 output_dtype=i:22"},
    {ONNX, "QuantizeLinear", 21, LIP_GAIN_UNBOUNDED, "x:2x3 c:=0.5 output_dtype=i:20 saturate=i:0"},
    {MS, "DequantizeLinear", 1, LIP_GAIN_UNBOUNDED, "q:2x3@0,255 c:=0.5 u:=3"},
    {MS, "QLinearAdd", 1, LIP_GAIN_UNBOUNDED, "q:2x3@0,255 c:=0.1 u:=3 u:3@0,255 c:=0.2 u:=9 c:=0.7 u:=128"},
    {MS, "QLinearAveragePool", 1, LIP_GAIN_UNBOUNDED, "q:1x2x4x4@0,255 c:=0.1 u:=3 c:=0.7 u:=128 kernel_shape=n:2,2"},
    {MS, "QLinearGlobalAveragePool", 1, LIP_GAIN_UNBOUNDED, "q:1x2x4x4@0,255 c:=0.1 u:=3 c:=0.7 u:=128"},
    {MS, "QLinearLeakyRelu", 1, LIP_GAIN_UNBOUNDED, "q:2x3@0,255 c:=0.1 u:=3 c:=0.7 u:=128 alpha=f:0.1"},
    {MS, "QLinearMul", 1, LIP_GAIN_UNBOUNDED, "q:2x3@0,255 c:=0.1 u:=3 u:2x3@0,255 c:=0.2 u:=9 c:=0.7 u:=128"},
    {MS, "QLinearSigmoid", 1, LIP_GAIN_UNBOUNDED, "q:2x3@0,255 c:=0.1 u:=3 c:=0.7"},
    {MS, "QLinearSoftmax", 1, LIP_GAIN_UNBOUNDED, "q:2x3@0,255 c:=0.1 u:=3 c:=0.01 u:=0 opset=i:13 axis=i:1"},
    {MS, "QuantizeLinear", 1, LIP_GAIN_UNBOUNDED, "x:2x3 c:=0.5 u:=3"},
};

const op_cases cases_quantized = {list, sizeof list / sizeof *list};
