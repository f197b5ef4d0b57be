/*
 * cases_reduce.c: reductions, sorting, running sums.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "cases.h"

#define ONNX ""

static const op_case list[] = {
    {ONNX, "ArgMax", 13, LIP_GAIN_UNBOUNDED, "x:2x3x4 axis=i:1"},
    {ONNX, "ArgMin", 13, LIP_GAIN_UNBOUNDED, "x:2x3x4 axis=i:-1 keepdims=i:0 select_last_index=i:1"},
    {ONNX, "CumSum", 14, LIP_GAIN_NONNEGATIVE, "x:2x5x3 i:=1"},
    {ONNX, "CumSum", 14, LIP_GAIN_NONNEGATIVE, "x:2x5x3 i:=-2 exclusive=i:1 reverse=i:1"},
    {ONNX, "ReduceL1", 18, LIP_GAIN_LIPSCHITZ, "x:2x3x4 i:2=0,-1"},
    {ONNX, "ReduceL2", 13, LIP_GAIN_LIPSCHITZ, "x:2x3x4 axes=n:1 keepdims=i:0"},
    {ONNX, "ReduceLogSum", 13, LIP_GAIN_UNBOUNDED, "x:2x3x4@0.5,3 axes=n:1"},
    {ONNX, "ReduceLogSumExp", 18, LIP_GAIN_LIPSCHITZ, "x:2x3x4 i:1=1"},
    {ONNX, "ReduceMax", 18, LIP_GAIN_SELECT, "x:2x3x4 i:1=1"},
    {ONNX, "ReduceMax", 11, LIP_GAIN_SELECT, "x:2x3x4"},
    {ONNX, "ReduceMean", 18, LIP_GAIN_NONNEGATIVE, "x:2x3x4x2 i:2=2,3 keepdims=i:0"},
    {ONNX, "ReduceMean", 13, LIP_GAIN_NONNEGATIVE, "x:2x3x4 axes=n:0,2"},
    {ONNX, "ReduceMin", 18, LIP_GAIN_SELECT, "x:2x3x4 i:1=-1"},
    {ONNX, "ReduceProd", 18, LIP_GAIN_UNBOUNDED, "x:2x3x4 i:1=1"},
    {ONNX, "ReduceSum", 13, LIP_GAIN_NONNEGATIVE, "x:2x3x4 i:1=0 keepdims=i:0"},
    {ONNX, "ReduceSum", 13, LIP_GAIN_NONNEGATIVE, "x:2x3x4 noop_with_empty_axes=i:1"},
    {ONNX, "ReduceSum", 11, LIP_GAIN_NONNEGATIVE, "x:2x3x4 axes=n:-1"},
    {ONNX, "ReduceSumSquare", 18, LIP_GAIN_UNBOUNDED, "x:2x3x4 i:1=1"},
    {ONNX, "TopK", 11, LIP_GAIN_LIPSCHITZ, "x:2x5x3 i:1=3 axis=i:1 out:2"},
    {ONNX, "TopK", 11, LIP_GAIN_LIPSCHITZ, "x:2x5 i:1=5 largest=i:0 out:2"},
    {ONNX, "TopK", 1, LIP_GAIN_LIPSCHITZ, "x:2x5 k=i:2 out:2"},
};

const op_cases cases_reduce = {list, sizeof list / sizeof *list};
