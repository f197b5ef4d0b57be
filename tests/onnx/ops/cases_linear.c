/*
 * cases_linear.c: convolutions, matrix products, pooling and resampling.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "cases.h"

static const op_case list[] = {
    { "", "Conv", 1, LIP_GAIN_CONV, "x:1x2x7 c:3x2x3" },
    { "", "Conv", 11, LIP_GAIN_CONV, "x:2x2x5x6 c:4x2x3x3 c:4 pads=n:1,0,2,1 strides=n:2,1" },
    { "", "Conv", 11, LIP_GAIN_CONV, "x:1x4x6x6 c:6x2x3x2 c:6 group=i:2 dilations=n:1,2 auto_pad=s:SAME_UPPER" },
    { "", "Conv", 11, LIP_GAIN_CONV, "x:1x4x5x5 c:4x1x3x3 group=i:4 strides=n:2,2 auto_pad=s:SAME_LOWER" },
    { "", "Conv", 11, LIP_GAIN_CONV, "x:1x3x4x4 c:5x3x1x1 c:5" },
    { "", "Conv", 22, LIP_GAIN_CONV, "x:1x2x4x3x5 c:2x2x2x2x2 pads=n:-1,0,1,0,1,0 auto_pad=s:NOTSET" },
    { "", "Conv", 11, LIP_GAIN_CONV, "x:1x1x6x6 c:2x1x3x3 auto_pad=s:VALID kernel_shape=n:3,3" },
    { "", "Conv", 11, LIP_GAIN_UNKNOWN, "x:1x1x6 c:2x1x3 x:2" },
    { "", "ConvTranspose", 1, LIP_GAIN_CONV, "x:1x2x4 c:2x3x3 strides=n:2" },
    { "", "ConvTranspose", 11, LIP_GAIN_CONV,
      "x:2x4x3x3 c:4x2x3x2 c:4 group=i:2 strides=n:2,3 output_padding=n:1,0 pads=n:1,0,0,1" },
    { "", "ConvTranspose", 11, LIP_GAIN_CONV, "x:1x2x3x3 c:2x1x3x3 strides=n:3,2 output_shape=n:10,8" },
    { "", "ConvTranspose", 11, LIP_GAIN_CONV,
      "x:1x2x3x3 c:2x1x3x3 strides=n:2,2 dilations=n:2,1 auto_pad=s:SAME_UPPER" },
    { "", "ConvTranspose", 11, LIP_GAIN_CONV, "x:1x2x2x3x2 c:2x2x2x2x3 auto_pad=s:SAME_LOWER strides=n:2,1,2" },

    { "", "Gemm", 1, LIP_GAIN_DENSE, "x:2x3 c:3x4 c:4 broadcast=i:1" },
    { "", "Gemm", 13, LIP_GAIN_DENSE, "x:3x2 c:4x3 c:2x4 transA=i:1 transB=i:1 alpha=f:0.5 beta=f:2" },
    { "", "Gemm", 13, LIP_GAIN_DENSE, "c:3x2 x:3x4 c:2x1 transA=i:1" },
    { "", "Gemm", 13, LIP_GAIN_DENSE, "c:2x3 x:4x3 transB=i:1 alpha=f:-3" },
    { "", "Gemm", 13, LIP_GAIN_SCALE, "c:2x3 c:3x4 x:1x4 beta=f:-1.5" },
    { "", "Gemm", 13, LIP_GAIN_UNBOUNDED, "x:2x3 x:3x4 x:" },
    { "", "Gemm", 13, LIP_GAIN_UNKNOWN, "x:2x3 c:3x4 x:2x4" },
    { "", "MatMul", 1, LIP_GAIN_DENSE, "x:2x3 c:3x4" },
    { "", "MatMul", 13, LIP_GAIN_DENSE, "c:2x3 x:3x4" },
    { "", "MatMul", 13, LIP_GAIN_DENSE, "x:3 c:3x4" },
    { "", "MatMul", 13, LIP_GAIN_DENSE, "x:2x3 c:3" },
    { "", "MatMul", 13, LIP_GAIN_DENSE, "x:3 c:3" },
    { "", "MatMul", 13, LIP_GAIN_DENSE, "x:5x2x3 c:3x4" },
    { "", "MatMul", 13, LIP_GAIN_DENSE, "x:2x3 c:5x3x4" },
    { "", "MatMul", 13, LIP_GAIN_DENSE, "c:2x1x2x3 x:5x3x4" },
    { "", "MatMul", 13, LIP_GAIN_DENSE, "x:2x1x2x3 c:1x5x3x4" },
    { "", "MatMul", 13, LIP_GAIN_UNBOUNDED, "x:2x2x3 x:3x4" },

    { "", "MaxPool", 1, LIP_GAIN_SELECT, "x:1x2x6 kernel_shape=n:3 strides=n:2" },
    { "", "MaxPool", 12, LIP_GAIN_SELECT,
      "x:1x2x7x7 out:2 kernel_shape=n:3,3 strides=n:2,2 pads=n:1,1,1,1 ceil_mode=i:1" },
    { "", "MaxPool", 12, LIP_GAIN_SELECT, "x:1x1x7x5 kernel_shape=n:2,3 dilations=n:2,1 auto_pad=s:SAME_UPPER" },
    { "", "MaxPool", 22, LIP_GAIN_SELECT, "x:1x1x4x4x4 out:2 kernel_shape=n:2,2,2 storage_order=i:1" },
    { "", "AveragePool", 1, LIP_GAIN_NONNEGATIVE, "x:1x2x6 kernel_shape=n:3 strides=n:2" },
    { "", "AveragePool", 7, LIP_GAIN_NONNEGATIVE, "x:1x2x5x5 kernel_shape=n:3,3 pads=n:1,1,1,1 count_include_pad=i:1" },
    { "", "AveragePool", 10, LIP_GAIN_NONNEGATIVE,
      "x:2x1x7x6 kernel_shape=n:3,2 pads=n:1,0,0,1 strides=n:2,3 ceil_mode=i:1" },
    { "", "AveragePool", 19, LIP_GAIN_NONNEGATIVE,
      "x:1x1x7x7 kernel_shape=n:2,2 dilations=n:2,3 auto_pad=s:SAME_LOWER" },
    { "", "GlobalAveragePool", 1, LIP_GAIN_NONNEGATIVE, "x:2x3x4x5" },
    { "", "GlobalMaxPool", 1, LIP_GAIN_SELECT, "x:2x3x4x5" },

    { "", "Resize", 10, LIP_GAIN_NONNEGATIVE, "x:1x2x3x4 c:4=1,1,2,1.5" },
    { "", "Resize", 11, LIP_GAIN_NONNEGATIVE, "x:1x1x4x4 c:0 c:4=1,1,0.6,1.7 mode=s:linear" },
    { "", "Resize", 13, LIP_GAIN_NONNEGATIVE,
      "x:1x1x4x4 - - i:4=1,1,7,3 mode=s:linear coordinate_transformation_mode=s:align_corners" },
    { "", "Resize", 13, LIP_GAIN_NONNEGATIVE,
      "x:1x1x5x4 - - i:4=1,1,7,3 nearest_mode=s:ceil coordinate_transformation_mode=s:asymmetric" },
    { "", "Resize", 13, LIP_GAIN_NONNEGATIVE,
      "x:1x1x5x4 - c:4=1,1,2,2 nearest_mode=s:floor coordinate_transformation_mode=s:tf_half_pixel_for_nn" },
    { "", "Resize", 18, LIP_GAIN_NONNEGATIVE,
      "x:2x5x4 - - i:2=1,3 axes=n:2,0 nearest_mode=s:round_prefer_ceil "
      "coordinate_transformation_mode=s:pytorch_half_pixel" },
    { "", "Resize", 19, LIP_GAIN_NONNEGATIVE,
      "x:1x1x5x5 - c:2=0.7,1.3 axes=n:2,3 mode=s:linear coordinate_transformation_mode=s:half_pixel_symmetric" },
    { "", "Resize", 13, LIP_GAIN_UNKNOWN, "x:1x1x4x4 - c:4=1,1,2,0.7 mode=s:cubic exclude_outside=i:1" },
    { "", "Upsample", 9, LIP_GAIN_NONNEGATIVE, "x:1x2x3x3 c:4=1,1,2,3" },
    { "", "Upsample", 9, LIP_GAIN_NONNEGATIVE, "x:1x2x3x3 c:4=1,1,2,1.5 mode=s:linear" },
    /* without elements */
    { "", "Gemm", 13, LIP_GAIN_DENSE, "x:0x3 c:3x4 c:4" },
    { "", "Gemm", 13, LIP_GAIN_DENSE, "x:2x0 c:0x4 c:4" },
    { "", "MatMul", 13, LIP_GAIN_DENSE, "x:0x2x3 c:3x4" },
    { "", "MatMul", 13, LIP_GAIN_DENSE, "x:2x0 c:0x4" },
    { "", "Conv", 11, LIP_GAIN_CONV, "x:0x2x5 c:3x2x3" },
    { "", "MaxPool", 12, LIP_GAIN_SELECT, "x:0x2x5 kernel_shape=n:2" },
};

const op_cases cases_linear = { list, sizeof list / sizeof *list };
