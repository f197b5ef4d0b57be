/*
 * cases_norm.c: normalisations and the softmax family.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "cases.h"

static const op_case list[] = {
    { "", "BatchNormalization", 1, LIP_GAIN_SCALE, "x:2x3x2x2 c:3 c:3 c:3 c:3@0.1,4 epsilon=f:0.01" },
    { "", "BatchNormalization", 15, LIP_GAIN_UNKNOWN, "x:2x3x2x2 c:3 c:3 c:3 c:3@0.1,4 training_mode=i:1" },
    { "", "BatchNormalization", 9, LIP_GAIN_SCALE, "x:2x3x4 c:3 c:3 c:3 c:3@0,1" },
    { "", "BatchNormalization", 15, LIP_GAIN_SCALE, "x:4x3 c:3 c:3 c:3 c:3@0.5,1 training_mode=i:0" },
    { "", "Softmax", 1, LIP_GAIN_LIPSCHITZ, "x:2x3x2" },
    { "", "Softmax", 13, LIP_GAIN_LIPSCHITZ, "x:2x3x2 axis=i:1" },
    { "", "Softmax", 13, LIP_GAIN_LIPSCHITZ, "x:4x1" },
    { "", "LogSoftmax", 11, LIP_GAIN_LIPSCHITZ, "x:2x3x2 axis=i:2" },
    { "", "LogSoftmax", 13, LIP_GAIN_LIPSCHITZ, "x:2x5" },
    { "", "Hardmax", 13, LIP_GAIN_UNBOUNDED, "x:2x5" },
    { "", "LayerNormalization", 17, LIP_GAIN_LIPSCHITZ, "x:3x4 c:4 c:4" },
    { "", "LayerNormalization", 17, LIP_GAIN_LIPSCHITZ, "x:2x3x4 c:3x4 axis=i:1 epsilon=f:0.1" },
    { "", "LayerNormalization", 17, LIP_GAIN_LIPSCHITZ, "x:2x5 c:1 c:1 epsilon=f:0.1" },
    { "", "LayerNormalization", 17, LIP_GAIN_LIPSCHITZ, "x:3x1 c:1 c:1" },
    { "", "LayerNormalization", 17, LIP_GAIN_UNBOUNDED, "x:3x4 c:4 c:4 epsilon=f:0" },
    { "", "InstanceNormalization", 6, LIP_GAIN_LIPSCHITZ, "x:2x3x4 c:3 c:3 epsilon=f:0.01" },
    { "", "InstanceNormalization", 22, LIP_GAIN_LIPSCHITZ, "x:1x2x3x3 c:2 c:2" },
    { "", "GroupNormalization", 18, LIP_GAIN_LIPSCHITZ, "x:2x4x3 c:2 c:2 num_groups=i:2 epsilon=f:0.01" },
    { "", "GroupNormalization", 21, LIP_GAIN_LIPSCHITZ, "x:2x4x3x2 c:4 c:4 num_groups=i:2" },
    { "", "RMSNormalization", 23, LIP_GAIN_LIPSCHITZ, "x:3x4 c:4 epsilon=f:0.05" },
    { "", "SimplifiedLayerNormalization", 13, LIP_GAIN_LIPSCHITZ, "x:2x3x2 c:3x2 axis=i:1" },
    { "", "MeanVarianceNormalization", 9, LIP_GAIN_LIPSCHITZ, "x:2x3x2x2" },
    { "", "MeanVarianceNormalization", 13, LIP_GAIN_LIPSCHITZ, "x:2x3x4 axes=n:1,2" },
    { "", "LRN", 1, LIP_GAIN_LIPSCHITZ, "x:2x5x2x2 size=i:3 alpha=f:2 bias=f:1.5" },
    { "", "LRN", 13, LIP_GAIN_LIPSCHITZ, "x:1x6x2 size=i:4 alpha=f:3 beta=f:1.5 bias=f:0.5" },
    { "", "LRN", 13, LIP_GAIN_LIPSCHITZ, "x:1x3x2x2 size=i:1 alpha=f:1 beta=f:2" },
    { "", "LpNormalization", 1, LIP_GAIN_UNBOUNDED, "x:2x4" },
    { "", "LpNormalization", 22, LIP_GAIN_UNBOUNDED, "x:2x4x2@0.1,1 axis=i:1 p=i:1" },
    /* without elements */
    { "", "Softmax", 13, LIP_GAIN_LIPSCHITZ, "x:0x3" },
    { "", "LogSoftmax", 13, LIP_GAIN_LIPSCHITZ, "x:3x0" },
    { "", "LayerNormalization", 17, LIP_GAIN_LIPSCHITZ, "x:0x4 c:4 c:4" },
    { "", "BatchNormalization", 15, LIP_GAIN_SCALE, "x:0x3x2 c:3 c:3 c:3 c:3@0.5,1" },
    { "", "LRN", 13, LIP_GAIN_LIPSCHITZ, "x:0x3x2 size=i:3" },
    { "", "NegativeLogLikelihoodLoss", 13, LIP_GAIN_LIPSCHITZ, "x:3x4 i:3=0,3,1" },
    { "", "NegativeLogLikelihoodLoss", 13, LIP_GAIN_LIPSCHITZ, "x:3x4 i:3=0,3,1 c:4@0.5,2 reduction=s:none" },
    { "", "NegativeLogLikelihoodLoss", 13, LIP_GAIN_LIPSCHITZ, "x:2x4x3 i:2x3=0,3,1,2,2,0 c:4@0.5,2 reduction=s:sum" },
    { "", "NegativeLogLikelihoodLoss", 13, LIP_GAIN_LIPSCHITZ, "x:3x4 i:3=0,-1,1 ignore_index=i:-1" },
    { "", "NegativeLogLikelihoodLoss", 13, LIP_GAIN_UNKNOWN, "x:3x4 i:3=0,3,1 c:4@-2,-0.5" },
    { "", "SoftmaxCrossEntropyLoss", 13, LIP_GAIN_LIPSCHITZ, "x:3x4 i:3=0,3,1" },
    { "", "SoftmaxCrossEntropyLoss", 13, LIP_GAIN_LIPSCHITZ, "x:3x4 i:3=0,3,1 c:4@0.5,2 reduction=s:none" },
    { "", "SoftmaxCrossEntropyLoss", 13, LIP_GAIN_LIPSCHITZ, "x:2x4x3 i:2x3=0,3,1,2,2,0 c:4@0.5,2 reduction=s:sum" },
    { "", "SoftmaxCrossEntropyLoss", 13, LIP_GAIN_LIPSCHITZ, "x:2x4x3 i:2x3=0,3,1,2,2,0 c:4@0.5,2 ignore_index=i:2" },
};

const op_cases cases_norm = { list, sizeof list / sizeof *list };
